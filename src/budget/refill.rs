//! How a limit fills again, and what is spent of it meanwhile.
//!
//! Invariants: what is spent falls with time alone, never below nothing; no window is opened twice.
//!
//! A clock that is put back, by less than a whole window, changes nothing: what was spent stays, and the window that
//! had begun ends when its time is over. One that is put back further was wrong before: what it had opened early is
//! taken for the window that it is put back to, with what was spent, so that no budget is lost until a time that is
//! far off; the one reset that came early stays given. One that is put forward opens the window that it then shows.
//!
//! Not here: reservations ([`super::Ledger`]), when a window begins ([`Window`]).
//!
//! Source: the leaky bucket as a meter (ITU-T I.371): what was spent leaks out at a constant rate.

use super::{Window, Zone};
use crate::unit::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const SECOND_MICROS: i128 = 1_000_000;

/// How a limit fills again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refill {
    /// All at once, where a calendar window begins.
    Calendar(Window),
    /// By this much a second, up to the limit.
    PerSecond(NanoUsd),
}

/// Spent in this window, or not yet leaked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spent {
    amount: i64,
    /// The start of the window, or the moment up to which the amount has leaked.
    since: Timestamp,
    /// Leaked, but less than a nano-dollar: in nano-dollars x microseconds / second.
    drip: i64,
}

impl Spent {
    pub(super) fn none((refill, zone): (Refill, Zone), now: Timestamp) -> Self {
        let since = match refill {
            Refill::Calendar(window) => window.around_in(zone, now).0,
            Refill::PerSecond(_) => now,
        };
        Self {
            amount: 0,
            since,
            drip: 0,
        }
    }

    /// In nano-dollars.
    pub(super) fn amount(&self) -> i64 {
        self.amount
    }

    pub(super) fn add(&mut self, actual: NanoUsd) {
        self.amount = self.amount.saturating_add(actual.get());
    }

    /// Brings it up to `now`.
    pub(super) fn advance(&mut self, (refill, zone): (Refill, Zone), now: Timestamp) {
        match refill {
            Refill::Calendar(window) => {
                let (start, end) = window.around_in(zone, now);
                if start > self.since {
                    self.since = start;
                    self.amount = 0;
                } else if end < self.since {
                    self.since = start;
                }
            }
            Refill::PerSecond(rate) if now > self.since => {
                let micros = i128::from(now.micros()) - i128::from(self.since.micros());
                self.since = now;
                let leaked = i128::from(rate.get()) * micros + i128::from(self.drip);
                match i64::try_from(leaked / SECOND_MICROS) {
                    Ok(whole) if whole < self.amount => {
                        self.amount -= whole;
                        self.drip = i64::try_from(leaked % SECOND_MICROS).unwrap_or(0);
                    }
                    _ => (self.amount, self.drip) = (0, 0),
                }
            }
            Refill::PerSecond(_) => {}
        }
    }

    /// When it has fallen to `room`, which it is above; nothing: never.
    pub(super) fn falls_to(&self, room: i128, (refill, zone): (Refill, Zone)) -> Option<Timestamp> {
        match refill {
            Refill::Calendar(window) => Some(window.around_in(zone, self.since).1),
            Refill::PerSecond(rate) => {
                let owed = (i128::from(self.amount) - room) * SECOND_MICROS - i128::from(self.drip);
                let rate = i128::from(rate.get());
                let micros = (owed + rate - 1).checked_div(rate)?;
                let micros = u64::try_from(micros).ok()?;
                Some(self.since.after(Duration::from_micros(micros)))
            }
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.amount >= 0 && self.drip >= 0
    }
}
