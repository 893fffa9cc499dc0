//! The guard: the router compared with the team's baseline on episodes that chance gave to either, and
//! stopped where it is worse.
//!
//! Rules, stated because the guard depends on them:
//! - One score an episode: that of its first decision (an episode is what is held out, so its decisions are
//!   no independent evidence), once, when the last of its signals closes or the caller closes the episode.
//!   What comes later changes nothing here. Not before, though all be said: bad news and good do not always
//!   take the same time.
//! - The score is the team's utility: quality as the scorecard has it of what was reported or, at closing,
//!   assumed, less the price of cost and latency (those of its attempts; the expected cost where none was
//!   told), cut to -1 to 1. Where nothing was reported and not all is known there is no score: what is never
//!   told must be missing alike in both cells.
//! - By intention: the cell is the hash's, whichever arm served. Decisions that chance had no part in (a pin,
//!   a caller who does not explore) count in neither cell.
//! - The guard trips where the upper bound of the router's mean is below the lower bound of the held-out one,
//!   by [`MeanSequence`], which holds at every look. Two policies that are worth the same trip it in at most
//!   5 of 100 teams, ever. With no episodes nothing trips. (Simulated with flags, 5 of 100 episodes held out:
//!   a router at 0.8 against a baseline at 0.9 trips it after 4,600 episodes in the median of 15 runs, 2,800 to
//!   7,200; at 0.7 after 1,900; at 0.5 after 820. Two at 0.8 tripped it in none of 150 runs of 5,000.)
//! - While it holds nothing is counted: the router's cell is then the baseline too. An operator lifts it, and
//!   the comparison starts anew, with decisions whose snapshot had learned of that; so it does with the first
//!   decision of another baseline.
//! - While frozen, nothing is counted.
//!
//! Invariants: a function of the journal, in the checkpoint. At most one score a decision.
//!
//! Not here: which episodes are held out, what the guard changes (`route`), telling people (`server`).
//!
//! Units: utility in quality points.
//!
//! Source: SCIENCE 2.7 (the simple form), 3.4 (the bounds).

use super::Team as Params;
use super::ledger::Entry;
use super::newcomer::Probe;
use super::team::{Team, Touched};
use crate::decision::{Attempt, Cell, Decision, Origin};
use crate::id::{DecisionId, Name};
use crate::ope::MeanSequence;
use crate::scorecard::Scorecard;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// The router against a baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    baseline: Name,
    /// Decisions whose snapshot had learned of this record count.
    since: u64,
    /// Scores s as (s + 1) / 2.
    router: MeanSequence,
    holdout: MeanSequence,
    tripped: Option<Trip>,
}

/// When a guard tripped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trip {
    /// Journal sequence of the record that did it.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
}

/// What one cell came to, in quality points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Side {
    /// Episodes scored.
    pub episodes: u64,
    /// Mean utility; `None` before the first.
    pub mean: Option<f64>,
    /// Bounds of the mean that hold with 97.5 % each, at every look at once.
    pub lower: f64,
    /// As `lower`.
    pub upper: f64,
}

/// An episode's first decision that waits for its score.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Trial {
    /// Its cell and the comparison that it belongs to, if it has a part in one.
    compared: Option<(Cell, u64)>,
    /// Its part in the comparisons of newcomers.
    pub(super) probes: Vec<Probe>,
    /// Whether something was reported of it.
    heard: bool,
    expected_usd: f64,
    /// Of its attempts so far.
    cost_usd: Option<f64>,
    latency_ms: Option<f64>,
}

impl Comparison {
    fn new(baseline: &Name, since: u64) -> Self {
        Self {
            baseline: baseline.clone(),
            since,
            router: MeanSequence::default(),
            holdout: MeanSequence::default(),
            tripped: None,
        }
    }

    /// The arm that the router is compared with.
    pub fn baseline(&self) -> &Name {
        &self.baseline
    }

    /// Whether the guard holds.
    pub fn holds(&self) -> bool {
        self.tripped.is_some()
    }

    /// When it tripped, if it holds.
    pub fn tripped(&self) -> Option<Trip> {
        self.tripped
    }

    /// The episodes of a cell.
    pub fn side(&self, cell: Cell) -> Side {
        let sequence = match cell {
            Cell::Router => &self.router,
            Cell::Holdout => &self.holdout,
        };
        let points = |share: f64| 2.0 * share - 1.0;
        Side {
            episodes: sequence.count(),
            mean: sequence.mean().map(points),
            lower: points(sequence.lower()),
            upper: points(sequence.upper()),
        }
    }

    /// Bounds of what the router gains over the baseline; each holds with 95 % at every look at once.
    pub fn lift(&self) -> (f64, f64) {
        let (router, holdout) = (self.side(Cell::Router), self.side(Cell::Holdout));
        (router.lower - holdout.upper, router.upper - holdout.lower)
    }

    /// Takes in the score of an episode; whether that tripped the guard.
    fn add(&mut self, cell: Cell, utility: f64) -> bool {
        let sequence = match cell {
            Cell::Router => &mut self.router,
            Cell::Holdout => &mut self.holdout,
        };
        sequence.add((utility + 1.0) / 2.0);
        self.lift().1 < 0.0
    }

    /// Whether it can go on: asked of what was read from disk.
    pub(super) fn is_whole(&self) -> bool {
        self.router.is_whole() && self.holdout.is_whole()
    }
}

impl Trial {
    /// Whether it can be trusted: asked of what was read from disk.
    pub(super) fn is_whole(&self) -> bool {
        self.probes.iter().all(Probe::is_whole)
    }

    /// The team's utility, if it can be said.
    fn utility(&self, entry: &Entry, scorecard: &Scorecard) -> Option<f64> {
        let mut values = vec![None; scorecard.signals().len()];
        for (group, row) in scorecard.groups().iter().zip(&entry.learned) {
            for (within, target) in group.targets.iter().enumerate() {
                // The first targets are the signals themselves.
                if let Some(value) = values.get_mut(*target) {
                    *value = row.observed(within);
                }
            }
        }
        let told = self.heard || values.iter().all(Option::is_some);
        let quality = scorecard.score(&values).quality.filter(|_| told)?;
        let cost_usd = self.cost_usd.unwrap_or(self.expected_usd);
        Some(quality - scorecard.price(cost_usd, self.latency_ms))
    }
}

impl Team {
    /// The part of a decision in what is compared: none, unless it is the first of its episode and chance, or
    /// the baseline, took it.
    pub(super) fn trial(&mut self, decision: &Decision, sequence: u64) -> Option<Trial> {
        if let (Origin::Baseline, Some(arm)) = (decision.origin, decision.drawn.arm())
            && self.comparison.as_ref().is_none_or(|c| c.baseline != *arm)
        {
            self.comparison = Some(Comparison::new(arm, sequence));
        }
        let episode = decision.episode.as_ref();
        let first = episode.is_none_or(|episode| !self.ledger.knows_episode(episode));
        let by_chance = matches!(decision.origin, Origin::Drawn | Origin::Baseline);
        if !first || !by_chance {
            return None;
        }
        let knew = |c: &&Comparison| !c.holds() && decision.snapshot_version >= c.since;
        let comparison = self.comparison.as_ref().filter(knew);
        let compared = comparison.map(|c| (decision.cell, c.since));
        let probes = self.probes(decision);
        if compared.is_none() && probes.is_empty() {
            return None;
        }
        let chosen = decision.drawn.chosen as usize;
        let expected_usd = decision.drawn.cost_usd.get(chosen).copied();
        Some(Trial {
            compared,
            probes,
            expected_usd: expected_usd.unwrap_or(0.0),
            ..Trial::default()
        })
    }

    /// Something was reported of a decision.
    pub(super) fn heard_of(&mut self, id: DecisionId) {
        let entry = self.ledger.get_mut(id);
        if let Some(trial) = entry.and_then(|entry| entry.trial.as_mut()) {
            trial.heard = true;
        }
    }

    /// An attempt ended.
    pub(super) fn spent(&mut self, attempt: &Attempt) {
        let entry = self.ledger.get_mut(attempt.decision);
        if let Some(trial) = entry.and_then(|entry| entry.trial.as_mut()) {
            let add = |sum: &mut Option<f64>, more: Option<f64>| {
                if let Some(more) = more {
                    *sum = Some(sum.unwrap_or(0.0) + more);
                }
            };
            add(&mut trial.cost_usd, attempt.cost.map(|cost| cost.as_usd()));
            add(&mut trial.latency_ms, attempt.latency_ms);
        }
    }

    /// Scores a decision all of whose groups have closed.
    pub(super) fn compare(&mut self, id: DecisionId, params: &Params, touched: &mut Touched) {
        let Some(entry) = self.ledger.get_mut(id) else {
            return;
        };
        let groups = 0..params.scorecard.groups().len();
        if entry.trial.is_none() || groups.into_iter().any(|g| entry.closed & (1 << g) == 0) {
            return;
        }
        let trial = entry.trial.take().filter(|_| !self.control.frozen);
        let Some(trial) = trial else {
            return;
        };
        let Some(utility) = trial.utility(entry, &params.scorecard) else {
            return;
        };
        let comparison = self.comparison.as_mut().filter(|c| !c.holds());
        if let (Some((cell, since)), Some(comparison)) = (trial.compared, comparison)
            && since == comparison.since
        {
            // So that it is published.
            touched.insert(entry.arm.clone());
            if comparison.add(cell, utility) {
                let (sequence, time) = self.alarms.now();
                comparison.tripped = Some(Trip { sequence, time });
            }
        }
        self.judge(&trial, utility, params, touched);
    }

    /// An operator lifted the guard: the comparison starts anew.
    pub(super) fn lift_guard(&mut self, sequence: u64) {
        if let Some(comparison) = &mut self.comparison {
            *comparison = Comparison::new(&comparison.baseline, sequence);
        }
    }
}

#[cfg(test)]
impl Comparison {
    /// One that a record tripped.
    pub(crate) fn tripped_by(sequence: u64) -> Self {
        let mut comparison = Self::new(&crate::learn::sample::name("large"), 0);
        while !comparison.add(Cell::Router, 0.0) {
            comparison.add(Cell::Holdout, 1.0);
        }
        let time = Timestamp::default();
        comparison.tripped = Some(Trip { sequence, time });
        comparison
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{self, HOUR, Maker, name, seen};
    use crate::learn::{Learner, Params, Recall};
    use crate::signal::Subject;
    use crate::store::{Position, Record};
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use std::collections::BTreeMap;

    fn flag(rng: &mut SmallRng, mean: f64) -> f64 {
        f64::from(u8::from(rng.random_bool(mean)))
    }

    /// After how many episodes, 5 of 100 held out, the guard trips between arms of these means.
    fn trips(seed: u64, router: f64, baseline: f64, episodes: u32) -> Option<u32> {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut comparison = Comparison::new(&name("b"), 0);
        (1..=episodes).find(|_| {
            if rng.random_bool(0.05) {
                let utility = flag(&mut rng, baseline);
                comparison.add(Cell::Holdout, utility)
            } else {
                let utility = flag(&mut rng, router);
                comparison.add(Cell::Router, utility)
            }
        })
    }

    #[test]
    fn equal_policies_trip_the_guard_in_few_runs_however_often_it_looks() {
        let tripped = (0..500).filter(|seed| trips(*seed, 0.8, 0.8, 5000).is_some());
        let tripped = tripped.count();
        assert!(tripped <= 25, "{tripped} of 500");
    }

    #[test]
    fn a_router_that_is_worse_trips_the_guard_and_a_better_one_does_not() {
        for seed in 0..10 {
            let after = trips(seed, 0.8, 0.9, 40_000);
            assert!(after.is_some(), "seed {seed}");
            assert_eq!(trips(seed, 0.9, 0.8, 10_000), None, "seed {seed}");
        }
    }

    #[test]
    fn nothing_trips_without_episodes() {
        let mut comparison = Comparison::new(&name("b"), 0);
        assert_eq!(comparison.lift(), (-2.0, 2.0));
        for _ in 0..1000 {
            assert!(!comparison.add(Cell::Router, -1.0), "no baseline yet");
        }
    }

    /// A learner over a journal in memory.
    struct Bench {
        params: Params,
        learner: Learner,
        journal: Vec<Record>,
        maker: Maker,
    }

    impl Bench {
        fn new() -> Self {
            let params = sample::params(HOUR);
            Self {
                learner: Learner::new(&params),
                params,
                journal: Vec::new(),
                maker: Maker::new(),
            }
        }

        fn write(&mut self, record: Record) {
            self.journal.push(record.clone());
            let at = Position {
                sequence: self.journal.len() as u64,
                offset: 0,
            };
            let (journal, mut changed): (&dyn Recall, _) = (&self.journal, BTreeMap::new());
            let learned = self
                .learner
                .apply(at, &record, &self.params, journal, &mut changed);
            learned.unwrap();
        }

        /// A decision of a snapshot that has learned everything so far.
        fn decide(&mut self, episode: &str, (origin, cell): (Origin, Cell)) -> DecisionId {
            let mut decision = self.maker.decision(Some(episode));
            (decision.origin, decision.cell) = (origin, cell);
            decision.snapshot_version = self.journal.len() as u64;
            let id = decision.id;
            self.write(Record::Decision(Box::new(decision)));
            id
        }

        /// An episode with a test result, closed.
        fn episode(&mut self, episode: &str, how: (Origin, Cell), good: bool) {
            let id = self.decide(episode, how);
            let told = [("tests", seen(good))];
            let record = self.maker.feedback(Subject::Decision(id), &told);
            self.write(record);
            self.close(episode);
        }

        fn close(&mut self, episode: &str) {
            let record = self.maker.closing(episode);
            self.write(record);
        }

        fn comparison(&self) -> Option<&Comparison> {
            self.learner.team(&name("team")).comparison.as_ref()
        }

        /// Episodes scored in the router's and the held-out cell.
        fn scored(&self) -> (u64, u64) {
            let comparison = self.comparison().unwrap();
            let episodes = |cell| comparison.side(cell).episodes;
            (episodes(Cell::Router), episodes(Cell::Holdout))
        }
    }

    const ROUTER: (Origin, Cell) = (Origin::Drawn, Cell::Router);
    const HELD_OUT: (Origin, Cell) = (Origin::Baseline, Cell::Holdout);

    #[test]
    fn the_first_decision_of_an_episode_is_scored_once_when_it_closes() {
        let mut bench = Bench::new();
        bench.episode("before", ROUTER, true);
        assert_eq!(bench.comparison(), None);
        bench.episode("start", HELD_OUT, true);
        // Its snapshot did not know of the baseline.
        assert_eq!(bench.scored(), (0, 0));
        bench.episode("r1", ROUTER, true);
        bench.episode("h1", HELD_OUT, true);
        // By intention: the cell counts, not the arm.
        bench.episode("h2", (Origin::Drawn, Cell::Holdout), true);
        assert_eq!(bench.scored(), (1, 2));
        bench.close("r1");
        bench.episode("r1", ROUTER, false);
        bench.episode("sure", (Origin::NoExplore, Cell::Router), true);
        bench.episode("pinned", (Origin::Pinned, Cell::Holdout), true);
        assert_eq!(bench.scored(), (1, 2));
        // Nothing was said of it, and not all is known.
        bench.decide("silent", ROUTER);
        bench.close("silent");
        assert_eq!(bench.scored(), (1, 2));
        // Said, but open: scored when its last signal closes.
        let id = bench.decide("open", ROUTER);
        let told = [("tests", seen(true))];
        let record = bench.maker.feedback(Subject::Decision(id), &told);
        bench.write(record);
        assert_eq!(bench.scored(), (1, 2));
        let record = bench.maker.tick(HOUR);
        bench.write(record);
        assert_eq!(bench.scored(), (2, 2));
    }

    #[test]
    fn a_score_is_the_utility_of_what_is_known() {
        let mut bench = Bench::new();
        bench.episode("start", HELD_OUT, true);
        bench.episode("good", ROUTER, true);
        bench.episode("bad", HELD_OUT, false);
        let comparison = bench.comparison().unwrap();
        // Of tests (told), alive and kept (assumed worst) a third is there.
        let close = |side: Side, mean: f64| assert!((side.mean.unwrap() - mean).abs() < 1e-12);
        close(comparison.side(Cell::Router), 1.0 / 3.0);
        close(comparison.side(Cell::Holdout), 0.0);
    }

    #[test]
    fn a_guard_that_tripped_counts_nothing_until_it_is_lifted_and_then_starts_anew() {
        let mut bench = Bench::new();
        bench.episode("start", HELD_OUT, true);
        let mut tripped = 0;
        for number in 0..2000 {
            bench.episode(&format!("r{number}"), ROUTER, false);
            bench.episode(&format!("h{number}"), HELD_OUT, true);
            if bench.comparison().unwrap().holds() {
                tripped = number;
                break;
            }
        }
        assert!(tripped > 10, "{tripped}");
        let trip = bench.comparison().unwrap().tripped().unwrap();
        assert_eq!(trip.sequence, bench.journal.len() as u64);
        let before = bench.scored();
        bench.episode("later", ROUTER, false);
        assert_eq!(bench.scored(), before);
        let bytes = postcard::to_allocvec(&bench.learner).unwrap();
        bench.learner = postcard::from_bytes(&bytes).unwrap();
        bench.learner.validate(&bench.params).unwrap();
        assert!(bench.comparison().unwrap().holds());
        let lifted = Record::GuardLifted {
            team: name("team"),
            time: bench.maker.now,
        };
        let stale = bench.decide("stale", ROUTER);
        bench.write(lifted);
        bench.close("stale");
        assert!(bench.learner.team(&name("team")).ledger.knows(stale));
        assert_eq!(
            (bench.scored(), bench.comparison().unwrap().holds()),
            ((0, 0), false)
        );
        bench.episode("anew", ROUTER, true);
        assert_eq!(bench.scored(), (1, 0));
    }
}
