//! The router set beside the team's baseline: in utility, and in each guard signal.
//!
//! Rules, stated because the guard depends on them:
//! - Each comparison holds two means with bounds by [`MeanSequence`], which hold at every look. It trips where
//!   the router's upper bound is below the held-out lower bound by more than the margin: none in utility, the
//!   declared one in a guard signal.
//! - Utility and k guard signals share one chance of a false word, exactly: each of the 2 (1 + k) bounds that a
//!   trip could be owed to misses with 0.05 / (2 (1 + k)) at most, ever, so that by the union of them a router
//!   that is as good as the baseline in all trips in at most 5 of 100 teams, however the signals hang
//!   together. Without guard signals utility has the whole. What that costs (simulated with flags, 5 of 100
//!   episodes held out, medians of 15 runs): a router at 0.8 in utility against a baseline at 0.9 trips after
//!   4,500 episodes alone, 5,300 beside one guard signal, 6,400 beside four. A guard signal at 0.8 against 0.9
//!   with margin 0.02 trips after 6,300 (2,700 to 15,500), one at 0.7 after 1,500.
//! - A signal's mean is of those episodes alone that it has a value of. Where that depends on the arm (a
//!   signal without an assumed value that comes after failures only) the two means are of unlike episodes:
//!   such a signal needs `missing = "worst"` or `"best"`.
//! - What tripped is the first in the order utility, then guard signals as declared.
//!
//! Invariants: margins in range; no mean changes after the trip.
//!
//! Not here: which episodes count and what their values are (`guard`).
//!
//! Units: utility in quality points, -1 to 1; a signal from 0 worst to 1 best.
//!
//! Source: SCIENCE 2.7 (utility at 0, a guard signal at -0.02), 3.4 (the bounds).

use crate::decision::Cell;
use crate::id::Name;
use crate::ope::MeanSequence;
use crate::signal::Guard;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// The chance that a router as good as the baseline ever trips the guard, at most.
const FALSE_TRIP: f64 = 2.0 * MeanSequence::MISS;

/// The router against a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    baseline: Name,
    /// Decisions whose snapshot had learned of this record count.
    since: u64,
    /// Utilities u as (u + 1) / 2.
    utility: Pair,
    guards: Vec<Watched>,
    tripped: Option<Trip>,
}

/// The router against a baseline in one guard signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    guard: Guard,
    pair: Pair,
}

/// One mean of each cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Pair {
    router: MeanSequence,
    holdout: MeanSequence,
}

/// When a guard tripped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// Journal sequence of the record that did it.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
    /// The guard signal whose comparison did it; `None`: utility.
    pub signal: Option<Name>,
}

/// What one cell came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// Episodes scored.
    pub episodes: u64,
    /// Their mean; `None` before the first.
    pub mean: Option<f64>,
    /// Bounds of the mean that hold with 97.5 % or more each, at every look at once.
    pub lower: f64,
    /// As `lower`.
    pub upper: f64,
}

/// What an episode came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Outcome {
    /// The team's utility, if it can be said.
    pub(super) utility: Option<f64>,
    /// The value of each guard signal that has one, in the comparison's order.
    pub(super) guards: Vec<Option<f64>>,
}

impl Comparison {
    /// Guard signals out of range, which only a damaged journal has, are passed over.
    pub(super) fn new(baseline: &Name, since: u64, guards: &[Guard]) -> Self {
        let guards: Vec<_> = guards.iter().filter(|guard| guard.is_whole()).collect();
        let pair = Pair::new(FALSE_TRIP / (1 + guards.len()) as f64);
        let watched = guards.into_iter().map(|guard| Watched {
            guard: guard.clone(),
            pair,
        });
        Self {
            baseline: baseline.clone(),
            since,
            utility: pair,
            guards: watched.collect(),
            tripped: None,
        }
    }

    /// The arm that the router is compared with.
    pub fn baseline(&self) -> &Name {
        &self.baseline
    }

    /// Decisions whose snapshot had learned of this record count.
    pub(super) fn since(&self) -> u64 {
        self.since
    }

    /// Whether the guard holds.
    pub fn holds(&self) -> bool {
        self.tripped.is_some()
    }

    /// When it tripped, if it holds.
    pub fn tripped(&self) -> Option<&Trip> {
        self.tripped.as_ref()
    }

    /// The guard signals, as declared.
    pub fn guards(&self) -> &[Watched] {
        &self.guards
    }

    /// The guard signal that tripped it, if one did.
    pub fn tripping(&self) -> Option<&Watched> {
        let signal = self.tripped.as_ref()?.signal.as_ref()?;
        self.guards.iter().find(|w| w.signal() == signal)
    }

    /// Whether it is with this baseline in these guard signals.
    pub(super) fn is_of(&self, baseline: &Name, guards: &[Guard]) -> bool {
        self.baseline == *baseline && self.guards.iter().map(|w| &w.guard).eq(guards)
    }

    /// The utility of the episodes of a cell, in quality points.
    pub fn side(&self, cell: Cell) -> Side {
        let points = |share: f64| 2.0 * share - 1.0;
        let side = self.utility.side(cell);
        Side {
            episodes: side.episodes,
            mean: side.mean.map(points),
            lower: points(side.lower),
            upper: points(side.upper),
        }
    }

    /// Bounds of what the router gains over the baseline in utility; each holds with 95 % or more at every
    /// look at once.
    pub fn lift(&self) -> (f64, f64) {
        let (lower, upper) = self.utility.gain();
        (2.0 * lower, 2.0 * upper)
    }

    /// Takes in what an episode came to: whether that tripped the guard, and by which signal.
    pub(super) fn add(&mut self, cell: Cell, outcome: &Outcome) -> Option<Option<&Name>> {
        if let Some(utility) = outcome.utility {
            self.utility.add(cell, (utility + 1.0) / 2.0);
        }
        for (watched, value) in self.guards.iter_mut().zip(&outcome.guards) {
            if let Some(value) = value {
                watched.pair.add(cell, *value);
            }
        }
        if self.lift().1 < 0.0 {
            return Some(None);
        }
        let worse = self.guards.iter().find(|w| w.gain().1 < -w.margin())?;
        Some(Some(worse.signal()))
    }

    /// The record of this sequence and time tripped it.
    pub(super) fn trip(&mut self, trip: Trip) {
        self.tripped = Some(trip);
    }

    /// Whether it can go on: asked of what was read from disk.
    pub(super) fn is_whole(&self) -> bool {
        let guards = self.guards.iter();
        let mut guards = guards.map(|w| w.guard.is_whole() && w.pair.is_whole());
        let signal = self.tripped.as_ref().and_then(|trip| trip.signal.as_ref());
        self.utility.is_whole()
            && guards.all(|whole| whole)
            && signal.is_some() == self.tripping().is_some()
    }
}

impl Watched {
    /// Its name.
    pub fn signal(&self) -> &Name {
        &self.guard.signal
    }

    /// By how much the router may be worse.
    pub fn margin(&self) -> f64 {
        self.guard.margin
    }

    /// The values of the episodes of a cell, from 0 worst to 1 best.
    pub fn side(&self, cell: Cell) -> Side {
        self.pair.side(cell)
    }

    /// Bounds of what the router gains over the baseline; each holds with 95 % or more at every look at once.
    pub fn gain(&self) -> (f64, f64) {
        self.pair.gain()
    }
}

impl Pair {
    /// Both bounds of the gain together miss with `miss` at most on either side.
    fn new(miss: f64) -> Self {
        let sequence = MeanSequence::new(miss / 2.0);
        Self {
            router: sequence,
            holdout: sequence,
        }
    }

    fn add(&mut self, cell: Cell, x: f64) {
        match cell {
            Cell::Router => self.router.add(x),
            Cell::Holdout => self.holdout.add(x),
        }
    }

    fn side(&self, cell: Cell) -> Side {
        let sequence = match cell {
            Cell::Router => &self.router,
            Cell::Holdout => &self.holdout,
        };
        Side {
            episodes: sequence.count(),
            mean: sequence.mean(),
            lower: sequence.lower(),
            upper: sequence.upper(),
        }
    }

    fn gain(&self) -> (f64, f64) {
        let (router, holdout) = (&self.router, &self.holdout);
        let lower = router.lower() - holdout.upper();
        (lower, router.upper() - holdout.lower())
    }

    fn is_whole(&self) -> bool {
        self.router.is_whole() && self.holdout.is_whole()
    }
}

#[cfg(test)]
impl Comparison {
    /// One that a record tripped, in utility or in this signal.
    pub(crate) fn tripped_by(sequence: u64, signal: Option<&str>) -> Self {
        let name = crate::learn::sample::name;
        let guards = signal.map(|signal| Guard {
            signal: name(signal),
            margin: 0.02,
        });
        let guards: Vec<_> = guards.into_iter().collect();
        let mut comparison = Self::new(&name("large"), 0, &guards);
        let outcome = |value: f64| Outcome {
            utility: signal.is_none().then_some(value),
            guards: vec![Some(value); guards.len()],
        };
        while comparison.add(Cell::Router, &outcome(0.0)).is_none() {
            comparison.add(Cell::Holdout, &outcome(1.0));
        }
        comparison.trip(Trip {
            sequence,
            time: Timestamp::default(),
            signal: signal.map(name),
        });
        comparison
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::name;
    use proptest::prelude::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    fn flag(rng: &mut SmallRng, mean: f64) -> f64 {
        f64::from(u8::from(rng.random_bool(mean)))
    }

    /// What of a team's is compared, and how good each is in the router's and in the held-out cell: utility
    /// first, then guard signals at the default margin.
    struct World {
        means: Vec<(f64, f64)>,
        /// All of an episode's values by one draw, or each by its own.
        together: bool,
    }

    impl World {
        fn comparison(&self) -> Comparison {
            let guards = (1..self.means.len()).map(|i| Guard {
                signal: name(&format!("s{i}")),
                margin: Guard::MARGIN,
            });
            Comparison::new(&name("b"), 0, &guards.collect::<Vec<_>>())
        }

        /// After how many episodes, of which 5 in 100 are held out, the guard trips, and by what.
        fn trips(&self, seed: u64, episodes: u32) -> Option<(u32, Option<Name>)> {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut comparison = self.comparison();
            (1..=episodes).find_map(|number| {
                let cell = match rng.random_bool(0.05) {
                    true => Cell::Holdout,
                    false => Cell::Router,
                };
                let common: f64 = rng.random();
                let value = |(router, holdout): &(f64, f64)| {
                    let mean = match cell {
                        Cell::Router => *router,
                        Cell::Holdout => *holdout,
                    };
                    match self.together {
                        true => f64::from(u8::from(common < mean)),
                        false => flag(&mut rng, mean),
                    }
                };
                let values: Vec<f64> = self.means.iter().map(value).collect();
                let outcome = Outcome {
                    utility: Some(values[0]),
                    guards: values[1..].iter().copied().map(Some).collect(),
                };
                let tripped = comparison.add(cell, &outcome)?;
                Some((number, tripped.cloned()))
            })
        }
    }

    fn world(means: &[(f64, f64)], together: bool) -> World {
        let means = means.to_vec();
        World { means, together }
    }

    #[test]
    fn equal_policies_trip_the_guard_in_few_runs_however_often_it_looks() {
        let equal = world(&[(0.8, 0.8)], false);
        let tripped = (0..500).filter(|seed| equal.trips(*seed, 5000).is_some());
        let tripped = tripped.count();
        assert!(tripped <= 25, "{tripped} of 500");
    }

    #[test]
    fn a_router_at_the_edge_of_every_margin_trips_in_few_runs_whether_signals_hang_together_or_not()
    {
        // As good in utility, and worse by just the margin in four signals.
        let mut means = vec![(0.8, 0.8)];
        means.extend([(0.78, 0.8), (0.48, 0.5), (0.93, 0.95), (0.08, 0.1)]);
        for together in [false, true] {
            let edge = world(&means, together);
            let tripped = (0..200).filter(|seed| edge.trips(*seed, 5000).is_some());
            let tripped = tripped.count();
            assert!(tripped <= 10, "{tripped} of 200, together: {together}");
        }
    }

    #[test]
    fn a_router_that_is_worse_trips_the_guard_and_a_better_one_does_not() {
        for seed in 0..10 {
            let worse = world(&[(0.8, 0.9)], false).trips(seed, 40_000);
            assert!(matches!(worse, Some((_, None))), "seed {seed}: {worse:?}");
            let better = world(&[(0.9, 0.8)], false).trips(seed, 10_000);
            assert_eq!(better, None, "seed {seed}");
        }
    }

    #[test]
    fn a_router_that_is_better_in_utility_and_worse_in_a_guard_signal_is_stopped_by_that_signal() {
        let traded = world(&[(0.9, 0.8), (0.6, 0.6), (0.7, 0.95)], false);
        for seed in 0..10 {
            let (after, signal) = traded.trips(seed, 40_000).unwrap();
            assert_eq!(signal, Some(name("s2")), "seed {seed} after {after}");
        }
    }

    #[test]
    fn nothing_trips_without_episodes() {
        let guarded = world(&[(0.0, 0.0); 2], false);
        let mut comparison = guarded.comparison();
        assert_eq!(comparison.lift(), (-2.0, 2.0));
        assert_eq!(comparison.guards()[0].gain(), (-1.0, 1.0));
        let worst = Outcome {
            utility: Some(-1.0),
            guards: vec![Some(0.0)],
        };
        for _ in 0..1000 {
            assert_eq!(
                comparison.add(Cell::Router, &worst),
                None,
                "no baseline yet"
            );
        }
    }

    #[test]
    fn a_state_that_contradicts_itself_is_not_whole() {
        let mut comparison = Comparison::tripped_by(7, Some("tests"));
        assert!(comparison.is_whole());
        comparison.guards[0].guard.margin = f64::NAN;
        assert!(!comparison.is_whole());
        let mut comparison = Comparison::tripped_by(7, Some("tests"));
        comparison.guards.clear();
        assert!(!comparison.is_whole());
    }

    proptest! {
        /// The chance of a false word is split evenly, and none of it is lost.
        #[test]
        fn bounds_are_those_of_a_sequence_with_the_shared_chance(
            guards in 0_usize..6,
            values in proptest::collection::vec((any::<bool>(), 0.0..=1.0), 1..100),
        ) {
            let many = world(&vec![(0.5, 0.5); guards + 1], false);
            let mut comparison = many.comparison();
            let miss = 0.05 / (2.0 * (guards + 1) as f64);
            let mut alone = [MeanSequence::new(miss); 2];
            for (held_out, value) in &values {
                let outcome = Outcome { utility: Some(2.0 * value - 1.0), guards: vec![Some(*value); guards] };
                comparison.add(if *held_out { Cell::Holdout } else { Cell::Router }, &outcome);
                alone[usize::from(*held_out)].add(*value);
            }
            let gain = (alone[0].lower() - alone[1].upper(), alone[0].upper() - alone[1].lower());
            let near = |(a, b): (f64, f64), by: f64| {
                (a / by - gain.0).abs() < 1e-9 && (b / by - gain.1).abs() < 1e-9
            };
            prop_assert!(near(comparison.lift(), 2.0));
            for watched in comparison.guards() {
                prop_assert!(near(watched.gain(), 1.0));
            }
        }
    }
}
