//! Who wants what and when: a team's errands over the four weeks.
//!
//! An errand is a pull request or a conversation: one task, a difficulty, one to three calls. Errands
//! of several calls are episodes, and so are some of one call.
//!
//! Units: seconds from the world's beginning; difficulty from -1 (easy) to 1 (hard), most in the middle.

use super::dice::{Dice, Luck};

/// Days that the world lasts.
pub(super) const DAYS: u64 = 28;

const DAY: f64 = 86_400.0;

/// How a team works.
pub(super) struct Habits {
    /// Calls in the four weeks, about.
    pub(super) calls: usize,
    /// Odds of one, two and three calls for an errand.
    pub(super) lengths: [f64; 3],
    /// Odds that an errand of one call is an episode.
    pub(super) single_episode: f64,
    /// Share of calls by `Route`; the others are by `Complete`.
    pub(super) route: f64,
}

/// What a stream of dice is thrown for. A new purpose leaves the others' numbers as they are.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// The errand's own plan.
    Plan = 0,
    /// What a call brings to every arm alike.
    Call = 1,
    /// What a call brings to one arm.
    CallOfArm = 2,
    /// The words.
    Words = 3,
    /// How long an answer is.
    Length = 4,
    /// What the whole errand brings to every arm alike.
    Whole = 5,
    /// What the whole errand brings to one arm.
    WholeOfArm = 6,
}

/// One errand.
pub(super) struct Errand {
    /// The world's seed and the team's number.
    keys: [u64; 2],
    /// Its number within the team.
    pub(super) number: usize,
    /// Its task, by position in the team's table.
    pub(super) task: usize,
    /// How hard it is.
    pub(super) difficulty: f64,
    /// Whether it has an episode.
    pub(super) episode: bool,
    /// When its calls are made, and whether by `Route`.
    pub(super) calls: Vec<(u64, bool)>,
}

impl Errand {
    /// The dice of a purpose, for a call or an arm or both.
    pub(super) fn dice(&self, purpose: Purpose, more: &[usize]) -> Dice {
        dice(self.keys, self.number, purpose, more)
    }

    /// An arm's luck with one of the calls.
    pub(super) fn luck_of_call(&self, call: usize, arm: usize) -> Luck {
        Luck {
            shared: self.dice(Purpose::Call, &[call]),
            own: self.dice(Purpose::CallOfArm, &[call, arm]),
        }
    }

    /// An arm's luck with the errand as a whole.
    pub(super) fn luck(&self, arm: usize) -> Luck {
        Luck {
            shared: self.dice(Purpose::Whole, &[0]),
            own: self.dice(Purpose::WholeOfArm, &[arm]),
        }
    }
}

fn dice([seed, team]: [u64; 2], number: usize, purpose: Purpose, more: &[usize]) -> Dice {
    let mut keys = vec![seed, team, number as u64, purpose as u64];
    keys.extend(more.iter().map(|key| *key as u64));
    Dice::new(&keys)
}

/// The errands of a team, by the start of each; `keys` are the world's seed and the team's number.
pub(super) fn errands(habits: &Habits, shares: &[f64], keys: [u64; 2]) -> Vec<Errand> {
    let mean: f64 = (1..)
        .zip(&habits.lengths)
        .map(|(n, p)| f64::from(n) * p)
        .sum();
    let count = (habits.calls as f64 / mean).round() as usize;
    // The last errand still has time for its calls.
    let span = DAYS as f64 * DAY - 4.0 * 3600.0;
    let errand = |number: usize| {
        let mut dice = dice(keys, number, Purpose::Plan, &[]);
        let mut at = (number as f64 + dice.uniform()) / count as f64 * span;
        let task = dice.weighted(shares);
        let difficulty = dice.uniform() + dice.uniform() - 1.0;
        let calls = dice.weighted(&habits.lengths) + 1;
        let episode = dice.happens(habits.single_episode) || calls > 1;
        let mut call = || {
            let made = (at as u64, dice.happens(habits.route));
            at += dice.between(900.0, 5_400.0);
            made
        };
        Errand {
            keys,
            number,
            task,
            difficulty,
            episode,
            calls: (0..calls).map(|_| call()).collect(),
        }
    };
    (0..count).map(errand).collect()
}
