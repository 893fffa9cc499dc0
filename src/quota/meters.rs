//! What each owner has drawn and holds.
//!
//! Invariants: a call is let in by all of its owners or counted by none; tokens that are held and drawn never exceed
//! what there is but by what was not expected.
//!
//! One lock for all: what is done under it takes less than a microsecond, and all owners must agree.

use super::pass::{Pass, Standing, Told};
use super::rate::Rate;
use super::refusal::{Allowed, Limited, Refusal, Refusals, Refused};
use super::{Quota, Quotas};
use crate::account::Owner;
use crate::id::Name;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What is expected of an output before any was seen.
const FIRST_OUTPUT: f64 = 256.0;

/// How much of the mean output is the newest call's.
const NEWEST: f64 = 1.0 / 16.0;

/// When to come again, where that hangs on calls under way.
const SOON: Duration = Duration::from_secs(1);

/// What is expected of a call.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Tokens of its input.
    pub input: u32,
    /// Most tokens of output that the caller accepts.
    pub most_output: Option<u32>,
}

/// The meters of all owners that have a limit.
#[derive(Debug)]
pub struct Meters {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    meters: HashMap<Owner, Meter>,
    refusals: Refusals,
}

/// What an owner has drawn of a rate.
#[derive(Debug, Default)]
struct Drawn {
    /// When the burst is whole again, in nanoseconds since the beginning.
    whole: u64,
    /// The rate that this goes by, the last that there was.
    rate: Option<Rate>,
}

impl Drawn {
    /// From now on by this rate.
    fn by(&mut self, rate: Option<Rate>, now: u64) {
        let Some(rate) = rate.filter(|rate| self.rate != Some(*rate)) else {
            return;
        };
        if let Some(from) = self.rate.replace(rate) {
            self.whole = now.saturating_add(rate.carried(self.ahead(now), &from));
        }
    }

    fn ahead(&self, now: u64) -> u64 {
        self.whole.saturating_sub(now)
    }

    fn draw(&mut self, number: u64, now: u64) {
        if let Some(rate) = self.rate {
            self.whole = now.saturating_add(rate.drawn(self.ahead(now), number));
        }
    }
}

/// One owner's.
#[derive(Debug)]
struct Meter {
    requests: Drawn,
    tokens: Drawn,
    /// Tokens that are expected of calls under way.
    held: u64,
    underway: u32,
    mean_output: f64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            requests: Drawn::default(),
            tokens: Drawn::default(),
            held: 0,
            underway: 0,
            mean_output: FIRST_OUTPUT,
        }
    }
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            state: Mutex::default(),
        }
    }
}

/// What an owner says to a call.
type Says = Result<u64, (Limited, Allowed, Duration)>;

impl Meter {
    /// From now on by the rates of this quota.
    fn by(&mut self, quota: &Quota, now: u64) {
        self.requests.by(quota.requests, now);
        self.tokens.by(quota.tokens, now);
    }

    /// Lets a call in, which is to hold so many tokens; counts nothing.
    fn says(&self, quota: &Quota, expected: Expected, now: u64) -> Says {
        if let Some(most) = quota.parallel.filter(|most| self.underway >= *most) {
            return Err((Limited::Parallel, Allowed::AtOnce(most), SOON));
        }
        if let Some(rate) = quota.requests {
            let checked = rate.check(self.requests.ahead(now), 1);
            let wait = |wait: Option<Duration>| wait.unwrap_or(SOON);
            checked.map_err(|e| (Limited::Requests, Allowed::Rate(rate), wait(e)))?;
        }
        let Some(rate) = quota.tokens else {
            return Ok(0);
        };
        let hold = self.expects(expected).min(u64::from(rate.burst()));
        let ahead = self.tokens.ahead(now);
        match rate.check(ahead, self.held.saturating_add(hold)) {
            Ok(()) => Ok(hold),
            // More than fits a burst waits for calls under way, not for the clock.
            Err(wait) => Err((Limited::Tokens, Allowed::Rate(rate), wait.unwrap_or(SOON))),
        }
    }

    fn expects(&self, expected: Expected) -> u64 {
        let output = self.mean_output.ceil() as u64;
        let most = expected.most_output.map_or(u64::MAX, u64::from);
        u64::from(expected.input).saturating_add(output.min(most))
    }

    fn begins(&mut self, quota: &Quota, hold: u64, now: u64) {
        self.underway = self.underway.saturating_add(1);
        self.held = self.held.saturating_add(hold);
        if quota.requests.is_some() {
            self.requests.draw(1, now);
        }
    }

    fn ends(&mut self, part: &Part, (used, output): (u64, Option<u64>), now: u64) {
        self.underway = self.underway.saturating_sub(1);
        self.held = self.held.saturating_sub(part.hold);
        if let Some(output) = output {
            self.mean_output += (output as f64 - self.mean_output) * NEWEST;
        }
        if part.draws_tokens {
            self.tokens.draw(used, now);
        }
    }

    fn told(&self, quota: &Quota, now: u64) -> Told {
        let standing = |rate: Rate, drawn: &Drawn, held: u64| {
            let ahead = drawn.ahead(now);
            let held = u32::try_from(held).unwrap_or(u32::MAX);
            Standing {
                limit: rate.burst(),
                left: rate.left(ahead).saturating_sub(held),
                whole: Duration::from_nanos(ahead),
            }
        };
        Told {
            requests: quota.requests.map(|r| standing(r, &self.requests, 0)),
            tokens: quota.tokens.map(|r| standing(r, &self.tokens, self.held)),
        }
    }
}

/// What a call has of one owner.
#[derive(Debug)]
pub(super) struct Part {
    owner: Owner,
    /// Whether there was a rate of tokens when it came in.
    draws_tokens: bool,
    hold: u64,
}

impl Part {
    pub(super) const fn hold(&self) -> u64 {
        self.hold
    }
}

impl Meters {
    /// Lets a team's call with a key in, if all that have a quota for it agree. `None`: nobody has one.
    pub fn admit(
        self: &Arc<Self>,
        quotas: &Quotas,
        (team, key): (&Name, &Name),
        expected: Expected,
    ) -> Result<Option<Pass>, Box<Refused>> {
        let owners: Vec<_> = quotas.of(team, key).collect();
        if owners.is_empty() {
            return Ok(None);
        }
        let now = self.nanos(Instant::now());
        let mut state = self.locked();
        let (mut parts, mut told) = (Vec::with_capacity(owners.len()), Told::default());
        let mut refused: Option<Refused> = None;
        for (owner, quota) in &owners {
            let meter = state.meters.entry(owner.clone()).or_default();
            meter.by(quota, now);
            if *owner != Owner::Organisation {
                told = told.or(meter.told(quota, now));
            }
            match (meter.says(quota, expected, now), &mut refused) {
                (Ok(hold), _) => parts.push(Part {
                    owner: owner.clone(),
                    draws_tokens: quota.tokens.is_some(),
                    hold,
                }),
                // The narrowest speaks, all must have let go.
                (Err((_, _, wait)), Some(first)) => first.wait = first.wait.max(wait),
                (Err((limited, allowed, wait)), None) => {
                    refused = Some(Refused {
                        owner: owner.clone(),
                        limited,
                        allowed,
                        wait,
                        told: Told::default(),
                    });
                }
            }
        }
        if let Some(refused) = refused {
            return Err(Box::new(Refused { told, ..refused }));
        }
        for (part, (owner, quota)) in parts.iter().zip(&owners) {
            if let Some(meter) = state.meters.get_mut(owner) {
                meter.begins(quota, part.hold, now);
            }
        }
        drop(state);
        let told = told.less_one();
        Ok(Some(Pass::new(Arc::clone(self), parts, told)))
    }

    /// A call has ended that used so many tokens, some of them output.
    pub(super) fn ended(&self, parts: &[Part], used: (u64, Option<u64>), now: Instant) {
        let now = self.nanos(now);
        let mut state = self.locked();
        for part in parts {
            if let Some(meter) = state.meters.get_mut(&part.owner) {
                meter.ends(part, used, now);
            }
        }
    }

    /// A team's call was refused.
    pub fn refused(&self, team: &Name, refusal: Refusal) {
        self.locked().refusals.note(team, refusal);
    }

    /// A team's newest refusals, the latest last.
    pub fn refusals(&self, team: &Name) -> Vec<Refusal> {
        self.locked().refusals.of(team)
    }

    fn nanos(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.began);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX / 4)
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        // Nothing here panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
