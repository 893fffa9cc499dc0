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
//! - A guard signal's value is what was reported of it or, at closing, assumed; an episode without counts in the
//!   other comparisons alone.
//! - By intention: the cell is the hash's, whichever arm served. Decisions that chance had no part in (a pin,
//!   a caller who does not explore) count in neither cell.
//! - The guard trips where the router is shown to be worse in utility, or in a guard signal by more than its
//!   margin ([`Comparison`] says when it is). A router that is as good as the baseline in all of them trips it
//!   in at most 5 of 100 teams, ever. With no episodes nothing trips. (Simulated with flags, 5 of 100 episodes
//!   held out: a router at 0.8 against a baseline at 0.9 trips it after 4,600 episodes in the median of 15
//!   runs, 2,800 to 7,200; at 0.7 after 1,900; at 0.5 after 820. Two at 0.8 tripped it in none of 150 runs of
//!   5,000.)
//! - While it holds nothing is counted: the router's cell is then the baseline too. An operator lifts it, and
//!   the comparison starts anew, with decisions whose snapshot had learned of that.
//! - It starts anew, too, where the configuration names another baseline or, while the guard does not hold,
//!   other guard signals; where it names no baseline any more the comparison ends, and with it the guard. The
//!   same baseline named again starts from nothing: what was drawn meanwhile had no held-out cell beside it.
//!   All that is in the journal ([`crate::store::Record::Baseline`]); before it was, the first held-out decision began
//!   a comparison, and still does where there is none.
//! - While frozen, nothing is counted.
//!
//! Invariants: a function of the journal, in the checkpoint. At most one score a decision.
//!
//! Not here: the bounds and what trips (`comparison`), which episodes are held out, what the guard changes
//! (`route`), telling people (`server`).
//!
//! Units: utility in quality points.
//!
//! Source: SCIENCE 2.7 (the simple form).

use super::Team as Params;
use super::comparison::{Comparison, Outcome, Trip};
use super::ledger::Entry;
use super::newcomer::Probe;
use super::team::{Team, Touched};
use crate::decision::{Attempt, Cell, Decision, Origin};
use crate::id::{DecisionId, Name};
use crate::scorecard::Scorecard;
use crate::signal::Guard;
use serde::{Deserialize, Serialize};

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

impl Trial {
    /// Whether it can be trusted: asked of what was read from disk.
    pub(super) fn is_whole(&self) -> bool {
        self.probes.iter().all(Probe::is_whole)
    }

    /// Whether it has a part in no comparison.
    pub(super) fn is_idle(&self) -> bool {
        self.compared.is_none() && self.probes.is_empty()
    }

    /// The team's utility, if it can be said.
    fn utility(&self, values: &[Option<f64>], scorecard: &Scorecard) -> Option<f64> {
        let told = self.heard || values.iter().all(Option::is_some);
        let quality = scorecard.score(values).quality.filter(|_| told)?;
        let cost_usd = self.cost_usd.unwrap_or(self.expected_usd);
        Some(quality - scorecard.price(cost_usd, self.latency_ms))
    }
}

/// The value of each signal that was reported of a decision or, at closing, assumed.
fn values(entry: &Entry, scorecard: &Scorecard) -> Vec<Option<f64>> {
    let mut values = vec![None; scorecard.signals().len()];
    for (number, group) in scorecard.groups().iter().enumerate() {
        for (within, target) in group.targets.iter().enumerate() {
            // The first targets are the signals themselves.
            if let Some(value) = values.get_mut(*target) {
                *value = entry.observed(number, within);
            }
        }
    }
    values
}

impl Team {
    /// The part of a decision in what is compared: none, unless it is the first of its episode and chance, or
    /// the baseline, took it.
    pub(super) fn trial(
        &mut self,
        decision: &Decision,
        sequence: u64,
        params: &Params,
    ) -> Option<Trial> {
        if let (Origin::Baseline, Some(arm)) = (decision.origin, decision.drawn.arm())
            && self.comparison.as_ref().is_none_or(|c| c.baseline() != arm)
        {
            self.comparison = Some(Comparison::new(arm, sequence, &self.guards));
        }
        let episode = decision.episode.as_ref();
        let first = episode.is_none_or(|episode| !self.ledger.knows_episode(episode));
        let by_chance = matches!(decision.origin, Origin::Drawn | Origin::Baseline);
        if !first || !by_chance {
            return None;
        }
        let knew = |c: &&Comparison| !c.holds() && decision.snapshot_version >= c.since();
        let comparison = self.comparison.as_ref().filter(knew);
        let compared = comparison.map(|c| (decision.cell, c.since()));
        let probes = self.probes(decision, params);
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
        let values = values(entry, &params.scorecard);
        let utility = trial.utility(&values, &params.scorecard);
        let comparison = self.comparison.as_mut().filter(|c| !c.holds());
        if let (Some((cell, since)), Some(comparison)) = (trial.compared, comparison)
            && since == comparison.since()
        {
            let place = |signal: &Name| params.scorecard.signal(signal.as_str());
            let value = |signal: &Name| *values.get(place(signal)?)?;
            let signals = comparison.guards().iter().map(|watched| watched.signal());
            let outcome = Outcome {
                utility,
                guards: signals.map(value).collect(),
            };
            let tripped = comparison.add(cell, &outcome);
            if let Some(signal) = tripped.map(Option::<&Name>::cloned) {
                let (sequence, time) = self.alarms.now();
                comparison.trip(Trip {
                    sequence,
                    time,
                    signal,
                });
            }
            // So that it is published.
            touched.insert(entry.arm.clone());
        }
        if let Some(utility) = utility {
            self.judge(&trial, utility, params, touched);
        }
    }

    /// An operator lifted the guard: the comparison starts anew.
    pub(super) fn lift_guard(&mut self, sequence: u64) {
        if let Some(comparison) = &mut self.comparison {
            *comparison = Comparison::new(comparison.baseline(), sequence, &self.guards);
        }
    }

    /// The configuration names this baseline, or none any more, and these guard signals.
    pub(super) fn set_baseline(
        &mut self,
        baseline: Option<&Name>,
        guards: &[Guard],
        sequence: u64,
    ) {
        self.guards = guards.to_vec();
        let Some(arm) = baseline else {
            self.comparison = None;
            return;
        };
        let goes_on = |c: &Comparison| c.is_of(arm, guards) || (c.holds() && c.baseline() == arm);
        if !self.comparison.as_ref().is_some_and(goes_on) {
            self.comparison = Some(Comparison::new(arm, sequence, guards));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Side;
    use crate::learn::sample::{self, HOUR, Maker, name, seen};
    use crate::learn::{Learner, Params, Recall};
    use crate::signal::Subject;
    use crate::store::{Position, Record};
    use crate::unit::Timestamp;
    use std::collections::BTreeMap;

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
    /// What the configuration names.
    fn names(baseline: Option<&str>, guards: &[(&str, f64)]) -> Record {
        let guard = |(signal, margin): &(&str, f64)| Guard {
            signal: name(signal),
            margin: *margin,
        };
        Record::Baseline {
            team: name("team"),
            arm: baseline.map(name),
            guards: guards.iter().map(guard).collect(),
            time: Timestamp::default(),
        }
    }

    /// Episodes with a value of the guard signal at `index`, in the router's and the held-out cell.
    fn watched(bench: &Bench, index: usize) -> (u64, u64) {
        let watched = &bench.comparison().unwrap().guards()[index];
        let episodes = |cell| watched.side(cell).episodes;
        (episodes(Cell::Router), episodes(Cell::Holdout))
    }

    #[test]
    fn a_guard_signal_counts_where_it_was_reported_or_is_assumed_at_closing() {
        let mut bench = Bench::new();
        bench.write(names(Some("a"), &[("tests", 0.02), ("alive", 0.1)]));
        bench.episode("r1", ROUTER, true);
        bench.episode("h1", HELD_OUT, false);
        assert_eq!((watched(&bench, 0), watched(&bench, 1)), ((1, 1), (1, 1)));
        // Nothing was said: `tests` stays unknown, `alive` is assumed at its worst, and there is no utility.
        bench.decide("silent", ROUTER);
        bench.close("silent");
        assert_eq!((watched(&bench, 0), watched(&bench, 1)), ((1, 1), (2, 1)));
        assert_eq!(bench.scored(), (1, 1));
        let comparison = bench.comparison().unwrap();
        let mean = |index: usize, cell| comparison.guards()[index].side(cell).mean;
        assert_eq!(mean(0, Cell::Router), Some(1.0));
        assert_eq!(mean(0, Cell::Holdout), Some(0.0));
        assert_eq!(mean(1, Cell::Router), Some(0.0));
    }

    #[test]
    fn a_guard_signal_trips_the_guard_and_says_so_after_a_restart_too() {
        let mut bench = Bench::new();
        // Utility is so much of `tests` that both would trip; `merged` is never told.
        bench.write(names(Some("a"), &[("merged", 0.02), ("tests", 0.02)]));
        for number in 0.. {
            bench.episode(&format!("r{number}"), ROUTER, false);
            bench.episode(&format!("h{number}"), HELD_OUT, true);
            if bench.comparison().unwrap().holds() {
                break;
            }
            assert!(number < 2000);
        }
        let tripped = bench.comparison().unwrap().tripped().unwrap().clone();
        assert_eq!(tripped.signal, Some(name("tests")));
        let bytes = postcard::to_allocvec(&bench.learner).unwrap();
        bench.learner = postcard::from_bytes(&bytes).unwrap();
        bench.learner.validate(&bench.params).unwrap();
        let tripping = bench.comparison().unwrap().tripping().unwrap();
        assert_eq!(tripping.signal(), &name("tests"));
        // Other guard signals do not lift it: an operator does.
        bench.write(names(Some("a"), &[("alive", 0.5)]));
        assert!(bench.comparison().unwrap().holds());
        bench.write(Record::GuardLifted {
            team: name("team"),
            time: bench.maker.now,
        });
        let comparison = bench.comparison().unwrap();
        assert!(!comparison.holds());
        let signals: Vec<_> = comparison
            .guards()
            .iter()
            .map(|w| w.signal().as_str())
            .collect();
        assert_eq!(signals, ["alive"]);
    }

    #[test]
    fn a_comparison_ends_with_its_baseline_and_starts_anew_with_what_it_is_of() {
        let mut bench = Bench::new();
        bench.write(names(Some("a"), &[("tests", 0.02)]));
        bench.episode("r1", ROUTER, true);
        assert_eq!(bench.scored(), (1, 0));
        // The same again changes nothing.
        bench.write(names(Some("a"), &[("tests", 0.02)]));
        assert_eq!(bench.scored(), (1, 0));
        bench.write(names(Some("a"), &[("tests", 0.03)]));
        assert_eq!(bench.scored(), (0, 0));
        bench.episode("r2", ROUTER, true);
        let early = bench.decide("early", ROUTER);
        bench.write(names(None, &[]));
        assert_eq!(bench.comparison(), None);
        bench.episode("between", ROUTER, true);
        assert_eq!(bench.comparison(), None);
        bench.write(names(Some("a"), &[]));
        bench.close("early");
        assert!(bench.learner.team(&name("team")).ledger.knows(early));
        assert_eq!(bench.scored(), (0, 0));
        bench.episode("after", ROUTER, true);
        assert_eq!(bench.scored(), (1, 0));
        bench.write(names(Some("b"), &[]));
        assert_eq!(
            (bench.scored(), bench.comparison().unwrap().baseline()),
            ((0, 0), &name("b"))
        );
    }
}
