//! Warmth: how much of a session's prompt the endpoints' caches still hold.
//!
//! An agent's prompts grow by turns, and a provider reads the part that it has read before at a discount, for
//! some minutes. So of a session's next prompt an endpoint is expected to have cached as many tokens as its
//! last prompt there had, for [`LASTS`] after that; each prompt starts the time anew. How much of that a
//! provider really finds is learned where it tells (`cached_input_tokens`), by team and endpoint: one that caches
//! nothing earns no discount after some answers.
//!
//! Rules, stated because numbers depend on them:
//! - The prompt is sent when it is decided on. An attempt that tells its input tokens corrects how many they
//!   were, one at another endpoint warms that one, and one that failed leaves its endpoint cold.
//! - Only the last prompt counts: a session of two alternating prompts is taken for one that was cut.
//! - By endpoint and not by arm, for that is where a cache is.
//!
//! Invariants: a pure function of the journal's records and the time ([`Warmth::note`]), so that a restart
//! forgets nothing that is still warm (a start notes its newest records first, and those before them while it
//! serves: [`Warmth::rewarm`] says what that may change); at most [`SESSIONS`] sessions, of which the one that
//! was longest silent goes first; never held across a wait.
//!
//! Not here: what cached tokens cost (`eligibility`), what follows for the choice (`route`).
//!
//! Units: tokens.
//!
//! Source: SCIENCE 2.6. The time is the shortest that large providers promise; they renew it at each use.

mod rewarm;

pub use rewarm::Share;

use crate::decision::{Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::store::Record;
use crate::unit::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a prompt stays in a cache after it was last sent.
pub const LASTS: Duration = Duration::from_secs(5 * 60);

/// Most sessions remembered, of all teams: some 500 bytes each (by the sizes of its parts, not measured).
pub const SESSIONS: usize = 100_000;

/// What one answer weighs in the share that a provider finds: the last ten or so count.
const STEP: f64 = 0.1;

/// What is warm, for all teams.
#[derive(Debug)]
pub struct Warmth {
    lasts: Duration,
    most: usize,
    known: Mutex<Known>,
}

/// What is warm of one session at one moment. The default: nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Warm(Vec<Held>);

/// What one endpoint's cache holds of it.
#[derive(Debug, Clone, PartialEq)]
struct Held {
    endpoint: Name,
    tokens: u32,
    /// Share of such tokens that the endpoint finds.
    found: f64,
}

#[derive(Debug, Default)]
struct Known {
    teams: HashMap<Name, Team>,
    /// Sessions by the number of their last decision: the longest silent is first. From 1 on; those that
    /// were recalled, from -1 down.
    order: BTreeMap<i64, (Name, Name)>,
    next: i64,
    recalled: i64,
    /// Team and session of each decision that is the last at some endpoint; its attempts name neither.
    decisions: HashMap<DecisionId, (Name, Name)>,
    /// Attempts whose decisions are yet to be recalled.
    early: Option<rewarm::Early>,
}

#[derive(Debug, Default)]
struct Team {
    sessions: HashMap<Name, Session>,
    /// Share of the expected tokens that each endpoint finds in its cache.
    found: HashMap<Name, f64>,
}

#[derive(Debug, Default)]
struct Session {
    number: i64,
    prompts: Vec<Prompt>,
}

/// The last prompt at one endpoint.
#[derive(Debug)]
struct Prompt {
    endpoint: Name,
    decision: DecisionId,
    sent: Timestamp,
    tokens: u32,
    /// Whether the attempt failed: nothing of it is warm.
    failed: bool,
    /// How many of them the cache was expected to hold, if it finds all that was sent before.
    expected: u32,
}

impl Default for Warmth {
    fn default() -> Self {
        Self::new(LASTS, SESSIONS)
    }
}

impl Warmth {
    /// Knows of nothing; [`Warmth::note`] each record of the journal next. A prompt stays warm for `lasts`;
    /// at most `most` sessions are remembered.
    pub fn new(lasts: Duration, most: usize) -> Self {
        Self {
            lasts,
            most,
            known: Mutex::default(),
        }
    }

    /// What a record changes: a decision of a session, or an attempt for one.
    pub fn note(&self, record: &Record) {
        match record {
            Record::Decision(decision) => self.decided(decision),
            Record::Attempt { team, attempt } => self.attempted(team, attempt),
            _ => {}
        }
    }

    /// What is warm of a session at `now`.
    pub fn of(&self, team: &Name, session: &Name, now: Timestamp) -> Warm {
        let known = self.known();
        let Some(team) = known.teams.get(team) else {
            return Warm::default();
        };
        let prompts = team.sessions.get(session).map(|s| s.prompts.iter());
        let warm = prompts.into_iter().flatten().filter_map(|prompt| {
            let found = team.found.get(&prompt.endpoint).copied();
            let held = Held {
                endpoint: prompt.endpoint.clone(),
                tokens: prompt.warm(self.lasts, now),
                found: found.unwrap_or(1.0),
            };
            (held.tokens > 0).then_some(held)
        });
        Warm(warm.collect())
    }

    fn decided(&self, decision: &Decision) {
        let Some(session) = &decision.session else {
            return;
        };
        let (team, endpoint) = (&decision.team, &decision.endpoint);
        let mut known = self.known();
        let known = &mut *known;
        known.next += 1;
        let number = known.next;
        let state = known.teams.entry(team.clone()).or_default();
        let state = state.sessions.entry(session.clone()).or_default();
        known.order.remove(&state.number);
        state.number = number;
        let at = || (team.clone(), session.clone());
        known.order.insert(number, at());
        let at_endpoint = state.prompts.iter().position(|p| p.endpoint == *endpoint);
        let before = at_endpoint.map(|index| state.prompts.swap_remove(index));
        if let Some(before) = &before
            && !state.owns(before.decision)
        {
            known.decisions.remove(&before.decision);
        }
        let held = before.map_or(0, |before| before.warm(self.lasts, decision.time));
        state.prompts.push(Prompt {
            endpoint: endpoint.clone(),
            decision: decision.id,
            sent: decision.time,
            tokens: decision.input_tokens,
            failed: false,
            expected: held.min(decision.input_tokens),
        });
        known.decisions.insert(decision.id, at());
        known.prune(self.most, decision.time.before(self.lasts));
    }

    fn attempted(&self, team: &Name, attempt: &Attempt) {
        let mut known = self.known();
        if !known.attempted(team, attempt)
            && let Some(early) = &mut known.early
        {
            early.keep(team, attempt);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing here panics half-way through a change.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// What became of a decision; false where it is not known.
    fn attempted(&mut self, team: &Name, attempt: &Attempt) -> bool {
        let place = self.decisions.get(&attempt.decision);
        let Some((_, session)) = place.filter(|(owner, _)| owner == team) else {
            return false;
        };
        let Some(Team { sessions, found }) = self.teams.get_mut(team) else {
            return false;
        };
        let session = sessions.get_mut(session);
        if let Some(gone) = session.and_then(|session| session.attempted(attempt, found)) {
            self.decisions.remove(&gone);
        }
        true
    }

    /// Lets the longest silent sessions go until no more than `most` are left, and all whose prompts were sent
    /// before `oldest`.
    fn prune(&mut self, most: usize, oldest: Timestamp) {
        while let Some((_, (team, session))) = self.order.first_key_value() {
            let state = self.teams.get(team).and_then(|t| t.sessions.get(session));
            let sent = state.and_then(|s| s.prompts.iter().map(|p| p.sent).max());
            if self.order.len() <= most && sent.is_some_and(|sent| sent >= oldest) {
                return;
            }
            let Some((_, (team, session))) = self.order.pop_first() else {
                return;
            };
            let sessions = self.teams.get_mut(&team).map(|t| &mut t.sessions);
            let gone = sessions.and_then(|sessions| sessions.remove(&session));
            for prompt in gone.into_iter().flat_map(|gone| gone.prompts) {
                self.decisions.remove(&prompt.decision);
            }
        }
    }
}

impl Session {
    /// Whether some endpoint's last prompt is of this decision.
    fn owns(&self, decision: DecisionId) -> bool {
        self.prompts.iter().any(|p| p.decision == decision)
    }

    /// What became of one of its decisions; returns the one, if any, that no prompt is of any more.
    fn attempted(
        &mut self,
        attempt: &Attempt,
        found: &mut HashMap<Name, f64>,
    ) -> Option<DecisionId> {
        let own = |p: &Prompt| p.decision == attempt.decision;
        // Its prompt there, or else the longest: what follows must not depend on how they are kept.
        let decided = self.prompts.iter().filter(|p| own(p));
        let decided = decided.max_by_key(|p| (p.endpoint == attempt.endpoint, p.tokens))?;
        let mut sent = Prompt {
            endpoint: attempt.endpoint.clone(),
            decision: attempt.decision,
            sent: decided.sent,
            tokens: attempt.usage.input.unwrap_or(decided.tokens),
            failed: false,
            expected: 0,
        };
        let mut there = self.prompts.iter_mut();
        let there = there.find(|p| p.endpoint == attempt.endpoint);
        match (there, &attempt.error) {
            (Some(there), None) if own(there) => {
                (there.tokens, there.failed) = (sent.tokens, false);
                if let Some(cached) = attempt.usage.cached_input {
                    let share = found.entry(attempt.endpoint.clone()).or_insert(1.0);
                    there.found(cached, share);
                }
            }
            (Some(there), Some(_)) if own(there) => there.failed = true,
            // What was sent there later tells more.
            (Some(there), None) if there.sent <= sent.sent => {
                std::mem::swap(there, &mut sent);
                return (!self.owns(sent.decision)).then_some(sent.decision);
            }
            (None, None) => self.prompts.push(sent),
            _ => {}
        }
        None
    }
}

impl Prompt {
    /// How many tokens of it are warm at `now`.
    fn warm(&self, lasts: Duration, now: Timestamp) -> u32 {
        match !self.failed && self.sent.after(lasts) > now {
            true => self.tokens,
            false => 0,
        }
    }

    /// Moves the share that its endpoint finds by the tokens that were read from the cache. Short prompts say
    /// little: many providers cache none under a thousand tokens.
    fn found(&self, cached: u32, share: &mut f64) {
        let expected = f64::from(self.expected);
        if expected > 0.0 {
            let hit = (f64::from(cached) / expected).min(1.0);
            *share += STEP * (expected / 1024.0).min(1.0) * (hit - *share);
        }
    }
}

impl Warm {
    /// How many of a prompt's `input` tokens the endpoint's cache is expected to hold.
    pub fn tokens(&self, endpoint: &Name, input: u32) -> u32 {
        let held = self.0.iter().find(|held| held.endpoint == *endpoint);
        // The share is at most 1, so nothing is lost but a part of a token.
        held.map_or(0, |held| {
            (f64::from(held.tokens.min(input)) * held.found) as u32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{Maker, name};

    const TEAM: &str = "team";

    /// Decisions of one team, and what became of them.
    struct World {
        warmth: Warmth,
        maker: Maker,
    }

    impl World {
        fn new(most: usize) -> Self {
            Self {
                warmth: Warmth::new(LASTS, most),
                maker: Maker::new(),
            }
        }

        fn decide(&mut self, session: &str, endpoint: &str, input_tokens: u32) -> DecisionId {
            let mut decision = self.maker.decision(None);
            decision.session = Some(name(session));
            decision.endpoint = name(endpoint);
            decision.input_tokens = input_tokens;
            let id = decision.id;
            self.warmth.note(&Record::Decision(Box::new(decision)));
            id
        }

        fn attempt(
            &self,
            decision: DecisionId,
            endpoint: &str,
            (input, cached_input): (Option<u32>, Option<u32>),
            error: Option<&str>,
        ) {
            let attempt = Attempt {
                decision,
                arm: name("a"),
                endpoint: name(endpoint),
                ended: self.maker.now,
                latency_ms: None,
                usage: crate::decision::Usage {
                    input,
                    cached_input,
                    ..Default::default()
                },
                cost: None,
                error: error.map(name),
                reported: false,
                request: None,
                first_token_ms: None,
            };
            let team = name(TEAM);
            self.warmth.note(&Record::Attempt { team, attempt });
        }

        fn later(&mut self, seconds: u64) {
            self.maker.now = self.maker.now.after(Duration::from_secs(seconds));
        }

        /// How much of 10,000 tokens is warm.
        fn check(&self, session: &str, endpoint: &str, expected: u32) {
            let warm = self.warmth.of(&name(TEAM), &name(session), self.maker.now);
            let found = warm.tokens(&name(endpoint), 10_000);
            assert_eq!(found, expected, "{session} at {endpoint}");
        }
    }

    #[test]
    fn a_prompt_is_warm_where_it_was_sent_and_for_five_minutes_after_the_last() {
        let mut world = World::new(9);
        world.check("s", "e", 0);
        world.decide("s", "e", 8_000);
        world.check("s", "e", 8_000);
        world.check("s", "other", 0);
        world.check("t", "e", 0);
        world.later(299);
        world.check("s", "e", 8_000);
        world.decide("s", "e", 12_000);
        world.later(299);
        world.check("s", "e", 10_000);
        world.later(1);
        world.check("s", "e", 0);
        let stranger = world.warmth.of(&name("x"), &name("s"), world.maker.now);
        assert_eq!(stranger, Warm::default());
    }

    #[test]
    fn an_attempt_corrects_the_tokens_warms_where_it_went_and_leaves_cold_where_it_failed() {
        let mut world = World::new(9);
        let first = world.decide("s", "e", 8_000);
        world.attempt(first, "e", (Some(9_000), None), None);
        world.check("s", "e", 9_000);
        let second = world.decide("s", "e", 9_500);
        world.attempt(second, "e", (Some(9_500), None), Some("overloaded"));
        world.attempt(second, "other", (None, None), None);
        world.check("s", "e", 0);
        world.check("s", "other", 9_500);
        // Long ago decided, told of late: the endpoint has a newer prompt.
        world.later(10);
        world.decide("s", "other", 700);
        world.attempt(first, "e", (Some(5_000), None), None);
        world.attempt(second, "other", (Some(5_000), None), None);
        world.check("s", "e", 0);
        world.check("s", "other", 700);
    }

    #[test]
    fn an_endpoint_that_finds_nothing_in_its_cache_loses_the_discount_in_every_session() {
        let mut world = World::new(9);
        for _ in 0..100 {
            let id = world.decide("s", "e", 8_000);
            world.attempt(id, "e", (Some(8_000), Some(0)), None);
        }
        world.decide("t", "e", 8_000);
        world.check("t", "e", 0);
        for _ in 0..100 {
            let id = world.decide("s", "e", 8_000);
            world.attempt(id, "e", (Some(8_000), Some(4_000)), None);
        }
        // Half of what was expected, but for a part of a token.
        world.check("t", "e", 4_000 - 1);
    }

    #[test]
    fn the_longest_silent_session_goes_first_and_nothing_stays_of_it() {
        let mut world = World::new(2);
        for session in ["one", "two", "one", "three"] {
            world.decide(session, "e", 8_000);
        }
        world.check("one", "e", 8_000);
        world.check("two", "e", 0);
        world.check("three", "e", 8_000);
        world.later(300);
        world.decide("four", "e", 8_000);
        world.later(300);
        world.decide("five", "e", 8_000);
        let known = world.warmth.known();
        let sessions = known.teams[&name(TEAM)].sessions.len();
        let sizes = (sessions, known.order.len(), known.decisions.len());
        assert_eq!(sizes, (2, 2, 2));
    }
}
