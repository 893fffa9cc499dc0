//! How soon a policy takes up an arm that joins a stream, and how much it keeps of it.
//!
//! Definition, on the choices from the joining on: the arm is *adopted* at the end of the first 100
//! consecutive choices of which it has at least a fifth; it *ends* with its share of the last 500 choices.
//!
//! Invariants: shares are of choices made, not of probabilities.
//!
//! Source: the onboarding test of `ParetoBandit` (SCIENCE 2.9): adopted within 142 steps; a bad arm ends
//! below 1 %.

use super::run::Spread;
use serde::Serialize;

/// Choices of a window.
const WINDOW: usize = 100;

/// Choices of a window that make an arm adopted.
const ADOPTED: usize = WINDOW / 5;

/// Choices at the end that the last share is of.
const LAST: usize = 500;

/// Steps within which the published test has a good arm adopted.
const BAR: usize = 142;

/// One run's choices of the arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Joined {
    /// Steps from its joining to the end of the window that adopted it; none: never.
    pub adopted: Option<usize>,
    /// Share of all choices since it joined.
    pub share: f64,
    /// Share of the last 500 of them, or of all where there are fewer.
    pub last: f64,
}

impl Joined {
    /// From whether each choice since the joining was the arm; nothing where there was none.
    pub(super) fn of(chosen: &[bool]) -> Option<Self> {
        let share = |of: &[bool]| {
            let hits = of.iter().filter(|hit| **hit).count();
            hits as f64 / of.len() as f64
        };
        let adopts = |window: &[bool]| window.iter().filter(|hit| **hit).count() >= ADOPTED;
        let first = chosen.windows(WINDOW).position(adopts);
        let last = chosen.get(chosen.len().saturating_sub(LAST)..)?;
        (!chosen.is_empty()).then(|| Self {
            adopted: first.map(|before| before + WINDOW),
            share: share(chosen),
            last: share(last),
        })
    }
}

/// What became of the arm over all streams.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Onboarding {
    /// Streams.
    pub streams: usize,
    /// Streams in which it was adopted within 142 steps.
    pub adopted_within_142: usize,
    /// Streams in which it was ever adopted.
    pub adopted: usize,
    /// Its share of the choices since it joined.
    pub share: Spread,
    /// Its share of the last 500 of them.
    pub last: Spread,
}

impl Onboarding {
    /// Of every run; nothing where no arm joined.
    pub(super) fn of(runs: impl Iterator<Item = Option<Joined>>) -> Option<Self> {
        let runs: Vec<Joined> = runs.collect::<Option<_>>()?;
        let count = |within: usize| {
            let adopted = runs.iter().filter_map(|run| run.adopted);
            adopted.filter(|steps| *steps <= within).count()
        };
        (!runs.is_empty()).then(|| Self {
            streams: runs.len(),
            adopted_within_142: count(BAR),
            adopted: count(usize::MAX),
            share: Spread::of(runs.iter().map(|run| run.share)),
            last: Spread::of(runs.iter().map(|run| run.last)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Steps to adoption, and both shares, of choices written as so many misses and hits in turn.
    fn check(pieces: &[usize], adopted: Option<usize>, share: f64, last: f64) {
        let piece = |(index, count): (usize, &usize)| vec![index % 2 == 1; *count];
        let chosen: Vec<bool> = pieces.iter().enumerate().flat_map(piece).collect();
        let found = Joined::of(&chosen).unwrap();
        assert_eq!(found.adopted, adopted);
        assert!((found.share - share).abs() < 1e-12 && (found.last - last).abs() < 1e-12);
    }

    #[test]
    fn an_arm_is_adopted_at_the_end_of_the_first_window_with_a_fifth_of_it() {
        check(&[80, 20], Some(100), 0.2, 0.2);
        check(&[100, 20, 80], Some(120), 0.1, 0.1);
        check(&[81, 19, 900], None, 0.019, 0.0);
        check(&[0, 50, 950], Some(100), 0.05, 0.0);
        check(&[50], None, 0.0, 0.0);
    }

    #[test]
    fn streams_are_counted_by_the_published_bar() {
        let run = |adopted| {
            Some(Joined {
                adopted,
                share: 0.5,
                last: 1.0,
            })
        };
        let found = Onboarding::of([run(Some(142)), run(Some(143)), run(None)].into_iter());
        let found = found.unwrap();
        assert_eq!(
            (found.streams, found.adopted_within_142, found.adopted),
            (3, 1, 2)
        );
        assert_eq!((found.share.mean, found.last.mean), (0.5, 1.0));
        assert_eq!(Onboarding::of([run(None), None].into_iter()), None);
        assert_eq!(Joined::of(&[]), None);
    }
}
