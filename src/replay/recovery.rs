//! How fast a policy recovers after an arm has dropped.
//!
//! Definition, on the reward of each counted step, averaged over the streams:
//! - *before*: the mean over the 200 steps just before the change;
//! - *lowest*: the least mean of any 200 consecutive steps after it;
//! - *steps*: from the change to the end of the first 200 consecutive steps, not before the lowest ones,
//!   whose mean is at least lowest + 0.8 (before - lowest). It is more than 200 by its making.
//!
//! Invariants: none is said where there are fewer than 200 steps on a side; nor where the mean of the
//! first 200 steps after the change is not below *before* by two standard errors (of all single rewards
//! there): a window's ups and downs would pass for a loss and its recovery. Few streams are noisy ones: 20
//! or more make it steady.
//!
//! Not here: whether it could be recovered: the best arm left may be worse (`change` says how good it is).
//!
//! Units: levels in quality points.

use serde::Serialize;

/// Steps of a window.
pub const WINDOW: usize = 200;

/// Share of the loss that has to be regained.
const REGAINED: f64 = 0.8;

/// Standard errors that a loss has to show by.
const SHOWS: f64 = 2.0;

/// What an arm's drop took, and when most of it was regained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Recovery {
    /// Reward over the 200 steps before the change.
    pub before: f64,
    /// Least reward over 200 steps after it.
    pub lowest: f64,
    /// Steps until 80 % of the difference was regained; none: not within the stream.
    pub steps: Option<usize>,
}

impl Recovery {
    /// From every stream's rewards, with the change before entry `at`.
    pub(super) fn of(streams: &[&[f64]], at: usize) -> Option<Self> {
        let before = at.checked_sub(WINDOW)?..at;
        if !shows(streams, before.clone(), at..at + WINDOW) {
            return None;
        }
        let steps = streams.iter().map(|s| s.len()).min()?;
        let mean = |step| {
            let rewards = streams.iter().filter_map(|stream| stream.get(step));
            rewards.sum::<f64>() / streams.len() as f64
        };
        let means: Vec<f64> = (before.start..steps).map(mean).collect();
        let (before, after) = means.split_at_checked(WINDOW)?;
        let before = before.iter().sum::<f64>() / WINDOW as f64;
        let levels: Vec<f64> = after
            .windows(WINDOW)
            .map(|window| window.iter().sum::<f64>() / WINDOW as f64)
            .collect();
        let lowest = levels.iter().copied().min_by(f64::total_cmp)?;
        let from = levels.iter().position(|level| *level <= lowest)?;
        let enough = lowest + REGAINED * (before - lowest);
        let regained = levels.iter().skip(from).position(|level| *level >= enough);
        Some(Self {
            before,
            lowest,
            steps: regained.map(|later| from + later + WINDOW),
        })
    }
}

/// Whether the rewards in `later` are below those in `earlier` by more than chance would have it.
fn shows(
    streams: &[&[f64]],
    earlier: std::ops::Range<usize>,
    later: std::ops::Range<usize>,
) -> bool {
    let parts = |range: &std::ops::Range<usize>| -> Option<Vec<&[f64]>> {
        streams.iter().map(|s| s.get(range.clone())).collect()
    };
    let (Some(earlier), Some(later)) = (parts(&earlier), parts(&later)) else {
        return false;
    };
    let (was, was_error) = mean_and_square_error(&earlier.concat());
    let (is, is_error) = mean_and_square_error(&later.concat());
    was - is > SHOWS * (was_error + is_error).sqrt()
}

/// The mean and the square of its standard error.
fn mean_and_square_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n.max(1.0);
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, squares / (n * (n - 1.0)).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream that earns the levels, each for so many steps; the change comes after the first.
    fn check(levels: &[(usize, f64)], expected: Option<(f64, f64, Option<usize>)>) {
        let level = |(steps, reward): &(usize, f64)| vec![*reward; *steps];
        let rewards: Vec<f64> = levels.iter().flat_map(level).collect();
        let found = Recovery::of(&[&rewards, &rewards], levels[0].0);
        let figures = |r: Recovery| (r.before, r.lowest, r.steps);
        match (found.map(figures), expected) {
            (Some(found), Some(expected)) => {
                assert!((found.0 - expected.0).abs() < 1e-9, "{found:?}");
                assert!((found.1 - expected.1).abs() < 1e-9, "{found:?}");
                assert_eq!(found.2, expected.2);
            }
            (found, expected) => assert_eq!(found, expected),
        }
    }

    #[test]
    fn it_counts_from_the_change_to_the_end_of_the_window_that_has_regained_enough() {
        // Low for 300 steps; a window has 0.8 of the loss of 0.5 back when 160 of its steps are good.
        check(
            &[(500, 0.75), (300, 0.25), (400, 0.75)],
            Some((0.75, 0.25, Some(460))),
        );
    }

    #[test]
    fn what_is_never_regained_has_no_number_of_steps() {
        check(
            &[(200, 0.75), (300, 0.25), (400, 0.5)],
            Some((0.75, 0.25, None)),
        );
    }

    #[test]
    fn nothing_is_said_of_no_loss_or_too_few_steps() {
        check(&[(500, 0.5), (700, 0.5)], None);
        check(&[(500, 0.5), (700, 0.7)], None);
        check(&[(199, 0.75), (700, 0.25)], None);
        check(&[(500, 0.75), (199, 0.25)], None);
    }
}
