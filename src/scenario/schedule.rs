//! Who wants what and when: a team's errands over the four weeks.
//!
//! An errand is a pull request or a conversation: one task, a difficulty, one to three calls. Errands
//! of several calls are episodes, and so are some of one call.
//!
//! Units: seconds from the world's beginning; difficulty from -1 (easy) to 1 (hard), most in the middle.

use super::dice::Dice;

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

/// One errand.
pub(super) struct Errand {
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

/// The errands of a team, by the start of each.
pub(super) fn errands(habits: &Habits, shares: &[f64], keys: [u64; 2]) -> Vec<Errand> {
    let mean: f64 = (1..)
        .zip(&habits.lengths)
        .map(|(n, p)| f64::from(n) * p)
        .sum();
    let count = (habits.calls as f64 / mean).round() as usize;
    // The last errand still has time for its calls.
    let span = DAYS as f64 * DAY - 4.0 * 3600.0;
    let errand = |number: usize| {
        let mut dice = Dice::new(&[keys[0], keys[1], number as u64, 0]);
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
            number,
            task,
            difficulty,
            episode,
            calls: (0..calls).map(|_| call()).collect(),
        }
    };
    (0..count).map(errand).collect()
}
