//! How soon a policy takes up an arm that joins a stream, and how much it keeps of it.
//!
//! Definition, on the choices from the joining on: the arm is *adopted* at the end of the first 100
//! consecutive choices of which it has at least a fifth; it *ends* with its share of the last 500 choices.
//!
//! Beside it what the bound says that the server goes by (`learn::Newcomer`): adopted where the arm is shown to
//! be worth more than the others, rejected where less, by the reward of what was chosen alone.
//!
//! Invariants: shares are of choices made, not of probabilities.
//!
//! Source: the onboarding test of `ParetoBandit` (SCIENCE 2.9): adopted within 142 steps; a bad arm ends
//! below 1 %.

use super::run::Spread;
use crate::ope::{EffectSequence, Stake};
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
    /// What the bound said, if it said anything.
    pub ruled: Option<Ruled>,
}

/// What the bound said of the arm.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ruled {
    /// Whether it is worth more than the others, else less.
    pub adopted: bool,
    /// Steps from its joining to that.
    pub steps: usize,
    /// How often it had been chosen by then.
    pub chosen: usize,
}

/// The bound of one run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Watch {
    gain: EffectSequence,
    steps: usize,
    chosen: usize,
    ruled: Option<Ruled>,
}

impl Watch {
    /// The arm was chosen, or another, while it was there; what is needed to take in the outcome. The
    /// probabilities and expected rewards are those of all arms.
    pub(super) fn chose(
        &mut self,
        arm: usize,
        chosen: usize,
        pmf: &[f64],
        expected: &[f64],
    ) -> Option<Stake> {
        if self.ruled.is_some() {
            return None;
        }
        self.steps += 1;
        self.chosen += usize::from(chosen == arm);
        let p = pmf.get(arm).copied()?;
        let mean: f64 = pmf.iter().zip(expected).map(|(p, u)| p * u).sum();
        let own = expected.get(arm).copied()?;
        let others = (mean - p * own) / (1.0 - p);
        let forecast = EffectSequence::forecast(p, own, others);
        self.gain.stake(p, forecast)
    }

    /// An outcome came.
    pub(super) fn add(&mut self, stake: &Stake, was_it: bool, reward: f64) {
        if self.ruled.is_some() {
            return;
        }
        self.gain.add(stake, was_it, reward);
        if let Some(adopted) = self.gain.verdict() {
            self.ruled = Some(Ruled {
                adopted,
                steps: self.steps,
                chosen: self.chosen,
            });
        }
    }

    /// What the bound said.
    pub(super) fn ruled(&self) -> Option<Ruled> {
        self.ruled
    }

    /// Whether the arm was found worse.
    pub(super) fn rejects(&self) -> bool {
        self.ruled.is_some_and(|ruled| !ruled.adopted)
    }
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
            ruled: None,
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
    /// Streams in which the bound showed it to be worth more than the others.
    pub bound_adopted: Bound,
    /// Streams in which the bound showed it to be worth less.
    pub bound_rejected: Bound,
}

/// Streams in which the bound said something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bound {
    /// How many.
    pub streams: usize,
    /// Steps from the joining to that, in the median (of an even number the upper); none: no stream.
    pub median_steps: Option<usize>,
    /// How often it had been chosen by then, likewise.
    pub median_chosen: Option<usize>,
}

impl Bound {
    fn of(runs: &[Joined], adopted: bool) -> Self {
        let ruled = runs.iter().filter_map(|run| run.ruled);
        let ruled: Vec<Ruled> = ruled.filter(|ruled| ruled.adopted == adopted).collect();
        let median = |of: fn(&Ruled) -> usize| {
            let mut values: Vec<usize> = ruled.iter().map(of).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied()
        };
        Self {
            streams: ruled.len(),
            median_steps: median(|ruled| ruled.steps),
            median_chosen: median(|ruled| ruled.chosen),
        }
    }
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
            bound_adopted: Bound::of(&runs, true),
            bound_rejected: Bound::of(&runs, false),
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
                ruled: adopted.map(|steps| Ruled {
                    adopted: steps > 142,
                    steps,
                    chosen: 7,
                }),
            })
        };
        let found = Onboarding::of([run(Some(142)), run(Some(143)), run(None)].into_iter());
        let found = found.unwrap();
        assert_eq!(
            (found.streams, found.adopted_within_142, found.adopted),
            (3, 1, 2)
        );
        let bound = |steps| Bound {
            streams: 1,
            median_steps: Some(steps),
            median_chosen: Some(7),
        };
        assert_eq!(found.bound_adopted, bound(143));
        assert_eq!(found.bound_rejected, bound(142));
        assert_eq!((found.share.mean, found.last.mean), (0.5, 1.0));
        assert_eq!(Onboarding::of([run(None), None].into_iter()), None);
        assert_eq!(Joined::of(&[]), None);
    }
}
