//! The learner: the state machine over journal records, for all teams.
//!
//! Not here: reading the journal and publishing (`follow`), one team's rules (`team`).

use super::alarm::Alarm;
use super::comparison::Comparison;
use super::ledger::Limits;
use super::lend::{self, Pooling};
use super::newcomer::Newcomer;
use super::page::Shelf;
use super::snapshot::{ArmSnapshot, Snapshot, TeamSnapshot};
use super::team::{Scope, Team as State, Touched};
use crate::bandit::{Hierarchy, StateError};
use crate::decision::Decision;
use crate::id::Name;
use crate::scorecard::Scorecard;
use crate::store::{self, Position, Record};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// What the learner is told about a team.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its name.
    pub name: Name,
    /// Arms that it may be given.
    pub arms: Vec<Name>,
    /// What it calls good.
    pub scorecard: Arc<Scorecard>,
    /// Version of the scorecard.
    pub scorecard_version: u32,
    /// The features that its contexts are made of; decisions of another set teach nothing.
    pub feature_set: Name,
    /// What is assumed of an arm, and of its context's blocks, before any outcome.
    pub start: Hierarchy,
    /// What it shares with the other teams.
    pub pooling: Pooling,
    /// Whether it is compared with a baseline: in utility, of which weights and dollars are a part.
    pub compared: bool,
    /// Signals that our own checks of answers report: they are about what the chosen arm answered, whoever
    /// served in the end.
    pub checked: BTreeSet<Name>,
}

impl Team {
    /// How long a decision of the team may still change what is learned: until the last of its
    /// signals has closed (a monthly audit takes a month), and the grace after that.
    pub(super) fn window(&self, limits: &Limits) -> Duration {
        let groups = self.scorecard.groups().iter();
        let longest = groups.map(|group| group.closes_after).max();
        longest.unwrap_or_default().saturating_add(limits.grace)
    }
}

/// What the learner is told.
#[derive(Debug, Clone)]
pub struct Params {
    /// Every team.
    pub teams: BTreeMap<Name, Team>,
    /// Bounds of what stays open to late signals.
    pub limits: Limits,
}

impl Params {
    /// Changes when statistics learned under other parameters would no longer fit: shape of the
    /// scorecards, blocks of the context, first prior, bounds. Weights and dollars are not part of it: they
    /// re-score the same statistics. Of a team that is compared with a baseline they are, for the sums of
    /// that comparison are utilities.
    pub fn fingerprint(&self) -> u64 {
        let mut text = format!("layout {LAYOUT} {:?}", self.limits);
        for team in self.teams.values() {
            let scorecard = &team.scorecard;
            let signals = scorecard.signals().iter().map(|s| (&s.name, s.kind));
            let signals: Vec<_> = signals.collect();
            let shape = (
                &team.name,
                &team.feature_set,
                signals,
                scorecard.targets(),
                scorecard.groups(),
            );
            text.push_str(&format!("{shape:?}{:?}", team.start));
            // Said only where it is, so that states from before there was any still fit.
            if team.compared {
                text.push_str(&format!("{:?}", scorecard.definition()));
            }
            if !team.checked.is_empty() {
                text.push_str(&format!("checked {:?}", team.checked));
            }
            if team.pooling != Pooling::None {
                text.push_str(&format!("{:?}", team.pooling));
            }
        }
        xxh3_64(text.as_bytes())
    }
}

/// Reads back what is not kept in memory: a decision, for its context, from the journal; pages of the ledger.
pub trait Recall {
    /// The decision at `position`; `None` where its record is damaged and no later try would do better:
    /// whatever still comes of it teaches nothing. An error is worth another try.
    fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error>;
    /// Where pages of decisions that may still change are put, and read from.
    fn shelf(&self) -> &dyn Shelf;
}

/// Raised when the learner's state is another one for the same records: older checkpoints are then
/// rebuilt from the journal.
const LAYOUT: u32 = 17;

/// Everything learned, and how far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Learner {
    sequence: u64,
    now: Timestamp,
    pub(super) teams: BTreeMap<Name, State>,
}

impl Learner {
    /// Knows nothing.
    pub fn new(params: &Params) -> Self {
        let teams = params
            .teams
            .iter()
            .map(|(n, t)| (n.clone(), State::new(t)))
            .collect();
        Self {
            sequence: 0,
            now: Timestamp::default(),
            teams,
        }
    }

    /// Makes it what the journal gives under these scorecards, where only their weights are others than those that
    /// it was learned under.
    pub(super) fn rescore(&mut self, params: &Params) {
        for (name, state) in &mut self.teams {
            if let Some(team) = params.teams.get(name) {
                state.rescore(team);
            }
        }
    }

    /// Journal sequence learned up to.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Learns from one record; puts the arms whose statistics changed into `changed`. Where a decision
    /// cannot be read back the record is not learned: the same one again goes on where it stopped, and
    /// ends with the bits of a record that never failed.
    pub fn apply(
        &mut self,
        at: Position,
        record: &Record,
        params: &Params,
        recall: &dyn Recall,
        changed: &mut BTreeMap<Name, Touched>,
    ) -> Result<(), store::Error> {
        // Only memory: what cannot leave now leaves later.
        let _ = self.let_go(recall.shelf());
        self.now = self.now.max(record.time());
        for state in self.teams.values_mut() {
            state.ledger.at(at.sequence);
            state.alarms.at(at.sequence, self.now);
        }
        let (limits, now) = (&params.limits, self.now);
        let scope = |params| Scope {
            params,
            limits,
            recall,
            now,
        };
        // All teams come to the moment before any learns from the record: what one lends another then is
        // the same if a try fails on the way and is made again.
        for (name, state) in &mut self.teams {
            let Some(team) = params.teams.get(name) else {
                continue;
            };
            let mut touched = Touched::new();
            let advanced = state.advance(&scope(team), &mut touched);
            if !touched.is_empty() {
                changed.entry(name.clone()).or_default().extend(touched);
            }
            advanced?;
        }
        if let Some((name, team)) = record.team().and_then(|n| params.teams.get_key_value(n)) {
            let loan = lend::loan(&self.teams, params, record);
            let mut touched = Touched::new();
            let applied = self.teams.get_mut(name).map_or(Ok(()), |state| {
                if let Some(loan) = &loan {
                    state.borrow(loan, team, &mut touched);
                }
                apply(state, at, record, &scope(team), &mut touched)
            });
            changed.entry(name.clone()).or_default().extend(touched);
            applied?;
        }
        self.sequence = at.sequence;
        Ok(())
    }

    /// A snapshot that shares with `previous` every arm not in `changed`.
    pub fn snapshot(
        &self,
        previous: &Snapshot,
        changed: &BTreeMap<Name, Touched>,
        params: &Params,
    ) -> Result<Snapshot, StateError> {
        let mut teams = previous.teams.clone();
        for (name, team) in &params.teams {
            let Some(state) = self.teams.get(name) else {
                continue;
            };
            let old = previous.teams.get(name);
            let touched = changed.get(name);
            if let (Some(_), None) = (old, touched) {
                continue;
            }
            let untried = team.arms.iter().any(|arm| !state.arms.contains_key(arm));
            let fresh = untried.then(|| state.fresh_arm()).transpose()?;
            let fresh = fresh.map(|arm| Arc::new(ArmSnapshot::new(&arm)));
            let arms = team.arms.iter().filter_map(|arm| {
                let unchanged = touched.is_some_and(|t| !t.contains(arm));
                let kept = old.and_then(|o| o.arms.get(arm)).filter(|_| unchanged);
                let snapshot = match (kept, state.arms.get(arm)) {
                    (_, None) => Arc::clone(fresh.as_ref()?),
                    (Some(kept), Some(_)) => Arc::clone(kept),
                    (None, Some(arm)) => Arc::new(ArmSnapshot::new(arm)),
                };
                Some((arm.clone(), snapshot))
            });
            let pulls = state
                .arms
                .iter()
                .map(|(name, arm)| (name.clone(), arm.pulls));
            let doubt = state.arms.iter();
            let doubt = doubt.map(|(name, arm)| (name.clone(), arm.tempo.doubt(&state.tempo)));
            let snapshot = TeamSnapshot {
                scorecard: Arc::clone(&team.scorecard),
                scorecard_version: team.scorecard_version,
                arms: arms.collect(),
                pulls: pulls.collect(),
                doubt: doubt.collect(),
                tempo: state.tempo,
                control: state.control.clone(),
                pace: state.pacing.pace(),
                alarms: state.alarms.published(old.map(|old| &old.alarms)),
                comparison: state.comparison.clone(),
                newcomers: state.newcomers.clone(),
                uneven: state.silences.uneven(&team.scorecard),
            };
            teams.insert(name.clone(), Arc::new(snapshot));
        }
        Ok(Snapshot {
            version: self.sequence,
            teams,
        })
    }

    #[cfg(test)]
    pub(super) fn team(&self, name: &Name) -> &State {
        &self.teams[name]
    }

    /// When the next missing signal takes its value, so that somebody writes a tick then.
    pub fn next_closing(&self, params: &Params) -> Option<Timestamp> {
        let due = |(name, state): (&Name, &State)| {
            let groups = params.teams.get(name)?.scorecard.groups();
            state
                .ledger
                .next_closing(|g| groups.get(g).map_or(Duration::MAX, |g| g.closes_after))
        };
        self.teams.iter().filter_map(due).min()
    }

    /// Count, and mean of every target over all arms, of one team: what an operator is shown.
    pub fn outcomes(&self, team: &Name) -> Vec<(Name, u64)> {
        let arms = self.teams.get(team).map(|state| &state.arms);
        arms.into_iter()
            .flatten()
            .map(|(name, arm)| (name.clone(), arm.outcomes))
            .collect()
    }

    /// How many values of each signal are in the regressions of one team, and their sum.
    #[cfg(all(test, feature = "analytics"))]
    pub(crate) fn observed(&self, team: &Name, params: &Params) -> Vec<(u64, f64)> {
        let scorecard = &params.teams[team].scorecard;
        let mut observed = vec![(0, 0.0); scorecard.signals().len()];
        for arm in self.teams[team].arms.values() {
            for (group, values) in scorecard.groups().iter().zip(&arm.observed) {
                for (target, (count, sum)) in group.targets.iter().zip(values) {
                    observed[*target].0 += count;
                    observed[*target].1 += sum;
                }
            }
        }
        observed
    }

    /// Each team's router against its baseline.
    pub fn comparisons(&self) -> impl Iterator<Item = (&Name, &Comparison)> {
        let teams = self.teams.iter();
        teams.filter_map(|(name, state)| Some((name, state.comparison.as_ref()?)))
    }

    /// Arms that joined later, as (team, arm, what came of it).
    pub fn newcomers(&self) -> impl Iterator<Item = (&Name, &Name, &Newcomer)> {
        self.teams.iter().flat_map(|(team, state)| {
            let newcomers = state.newcomers.iter();
            newcomers.map(move |(arm, newcomer)| (team, arm, newcomer))
        })
    }

    /// Changes of arms that were noticed, team by team, oldest first.
    pub fn alarms(&self) -> impl Iterator<Item = (&Name, &Alarm)> {
        self.teams
            .iter()
            .flat_map(|(name, state)| state.alarms.raised().map(move |alarm| (name, alarm)))
    }
}

/// One of a team's own records.
fn apply(
    state: &mut State,
    at: Position,
    record: &Record,
    scope: &Scope<'_>,
    touched: &mut Touched,
) -> Result<(), store::Error> {
    match record {
        Record::Decision(decision) => {
            state.decided(decision, at, scope.params, touched);
            Ok(())
        }
        Record::Attempt { attempt, .. } => {
            state.attempted(attempt, scope, touched)?;
            state.spent(attempt);
            Ok(())
        }
        Record::Feedback(feedback) => state.reported(feedback, at.sequence, scope, touched),
        Record::EpisodeClosed { episode, .. } => state.close_episode(episode, scope, touched),
        Record::Control { control, .. } => {
            state.controlled(control, scope.now);
            Ok(())
        }
        Record::Budget { budget, .. } => {
            if let Err(error) = state.pacing.set(budget.as_ref()) {
                tracing::warn!(%error, "a budget is not paced");
            }
            Ok(())
        }
        Record::Seed(seed) => {
            state.seeded(seed, scope.params, touched);
            Ok(())
        }
        Record::GuardLifted { .. } => {
            state.lift_guard(at.sequence);
            Ok(())
        }
        Record::Baseline { arm, guards, .. } => {
            state.set_baseline(arm.as_ref(), guards, at.sequence);
            Ok(())
        }
        Record::Version { .. } | Record::Tick { .. } | Record::Answer { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{
        Drawer, HOUR, Maker, bytes, everything, name, params, restored, seen,
    };
    use super::*;
    use crate::decision::Origin;
    use crate::id::DecisionId;
    use crate::signal::{Change, Subject, Value};
    use crate::store::Place;
    use std::cell::Cell;

    /// A learner over a journal in memory.
    struct Bench {
        params: Params,
        learner: Learner,
        journal: Vec<Record>,
        maker: Maker,
    }

    impl Bench {
        fn new() -> Self {
            Self::closing_after(HOUR)
        }

        fn closing_after(closing: Duration) -> Self {
            let params = params(closing);
            Self {
                learner: Learner::new(&params),
                params,
                journal: Vec::new(),
                maker: Maker::new(),
            }
        }

        fn write(&mut self, record: Record) -> BTreeMap<Name, Touched> {
            self.journal.push(record.clone());
            let at = at(self.journal.len());
            let mut changed = BTreeMap::new();
            let (params, journal) = (&self.params, &self.journal);
            let learned = self
                .learner
                .apply(at, &record, params, journal, &mut changed);
            learned.unwrap();
            changed
        }

        fn decide(&mut self, episode: Option<&str>) -> DecisionId {
            let decision = self.maker.decision(episode);
            let id = decision.id;
            self.write(Record::Decision(Box::new(decision)));
            id
        }

        fn inherit(&mut self, episode: &str) -> DecisionId {
            let mut decision = self.maker.decision(Some(episode));
            decision.origin = Origin::Inherited(decision.id);
            let id = decision.id;
            self.write(Record::Decision(Box::new(decision)));
            id
        }

        fn feed(&mut self, subject: Subject, signals: &[(&str, Change)]) {
            let record = self.maker.feedback(subject, signals);
            self.write(record);
        }

        fn close(&mut self, episode: &str) {
            let record = self.maker.closing(episode);
            self.write(record);
        }

        fn tick(&mut self, later: Duration) {
            let record = self.maker.tick(later);
            self.write(record);
        }

        /// Decisions that something was learned from.
        fn outcomes(&self) -> u64 {
            let outcomes = self.learner.outcomes(&name("team"));
            outcomes.iter().map(|(_, count)| count).sum()
        }

        /// Expected value of a signal on arm a.
        fn expect(&self, signal: &str) -> f64 {
            let snapshot =
                self.learner
                    .snapshot(&Snapshot::default(), &BTreeMap::new(), &self.params);
            let team = &snapshot.unwrap().teams["team"];
            let index = team.scorecard.signal(signal).unwrap();
            let group = team.scorecard.targets()[index].group;
            let targets = &team.scorecard.groups()[group].targets;
            let mut means = vec![0.0; targets.len()];
            team.arms["a"].groups[group]
                .score(&[0.5, 1.0], &mut means)
                .unwrap();
            means[targets.iter().position(|t| *t == index).unwrap()]
        }

        fn bytes(&self) -> Vec<u8> {
            bytes(&self.learner, &self.params)
        }
    }

    fn at(sequence: usize) -> Position {
        Position {
            sequence: sequence as u64,
            offset: 0,
        }
    }

    fn episode(text: &str) -> Subject {
        Subject::Episode(name(text))
    }

    #[test]
    fn an_outcome_moves_its_arm_towards_it() {
        let mut bench = Bench::new();
        let id = bench.decide(None);
        assert_eq!(bench.expect("tests"), 0.5);
        bench.feed(Subject::Decision(id), &[("tests", seen(true))]);
        // The pooled mean is (1 + 0.5) / 2 = 3/4, and x = (0.5, 1) has h = 1.25 / 10:
        // 3/4 + (1 - 3/4) * 0.125 / 1.125.
        assert!((bench.expect("tests") - (0.75 + 0.25 / 9.0)).abs() < 1e-6);
    }

    #[test]
    fn signals_that_come_apart_teach_what_they_teach_together() {
        let (mut apart, mut together) = (Bench::new(), Bench::new());
        let id = apart.decide(None);
        apart.feed(Subject::Decision(id), &[("tests", seen(true))]);
        apart.feed(Subject::Decision(id), &[("merged", seen(false))]);
        let id = together.decide(None);
        let both = [("tests", seen(true)), ("merged", seen(false))];
        together.feed(Subject::Decision(id), &both);
        for signal in ["tests", "merged"] {
            assert!((apart.expect(signal) - together.expect(signal)).abs() < 1e-6);
        }
    }

    #[test]
    fn a_correction_leaves_what_the_right_value_would_have_left() {
        let (mut corrected, mut right) = (Bench::new(), Bench::new());
        let id = corrected.decide(None);
        corrected.feed(Subject::Decision(id), &[("tests", seen(false))]);
        let change = Change::Corrected(Value::Flag(true));
        corrected.feed(Subject::Decision(id), &[("tests", change)]);
        let id = right.decide(None);
        right.feed(Subject::Decision(id), &[("tests", seen(true))]);
        assert!((corrected.expect("tests") - right.expect("tests")).abs() < 1e-6);
    }

    #[test]
    fn a_retraction_leaves_nothing() {
        let mut bench = Bench::new();
        let id = bench.decide(None);
        bench.feed(Subject::Decision(id), &[("tests", seen(true))]);
        bench.feed(Subject::Decision(id), &[("tests", Change::Retracted)]);
        assert!((bench.expect("tests") - 0.5).abs() < 1e-6);
        assert_eq!(bench.learner.outcomes(&name("team")), [(name("a"), 0)]);
    }

    #[test]
    fn a_missing_signal_takes_its_value_at_its_closing_time_and_not_before() {
        let mut bench = Bench::new();
        bench.decide(None);
        assert_eq!(
            bench.learner.next_closing(&bench.params),
            Some(bench.maker.now.after(HOUR))
        );
        bench.tick(HOUR - Duration::from_secs(1));
        assert_eq!(bench.expect("alive"), 0.5);
        bench.tick(Duration::from_secs(1));
        assert!(bench.expect("alive") < 0.46);
        assert_eq!(bench.expect("tests"), 0.5);
        assert_eq!(bench.learner.next_closing(&bench.params), None);
    }

    #[test]
    fn a_monthly_audit_counts_however_long_it_takes() {
        let month = 31 * 24 * HOUR;
        let (mut silent, mut spoken) = (Bench::closing_after(month), Bench::closing_after(month));
        silent.decide(None);
        silent.tick(month);
        assert!(silent.expect("alive") < 0.46);
        let id = spoken.decide(None);
        spoken.tick(month - HOUR);
        spoken.feed(Subject::Decision(id), &[("alive", seen(true))]);
        assert!(spoken.expect("alive") > 0.54);
    }

    #[test]
    fn a_signal_after_the_closing_time_replaces_the_assumed_value() {
        let (mut late, mut prompt) = (Bench::new(), Bench::new());
        let id = late.decide(None);
        late.tick(HOUR);
        late.feed(Subject::Decision(id), &[("alive", seen(true))]);
        let id = prompt.decide(None);
        prompt.feed(Subject::Decision(id), &[("alive", seen(true))]);
        prompt.tick(HOUR);
        assert!((late.expect("alive") - prompt.expect("alive")).abs() < 1e-6);
    }

    #[test]
    fn feedback_before_its_decision_waits_for_it() {
        let mut bench = Bench::new();
        let decision = bench.maker.decision(None);
        bench.feed(Subject::Decision(decision.id), &[("tests", seen(true))]);
        assert_eq!(bench.expect("tests"), 0.5);
        bench.write(Record::Decision(Box::new(decision)));
        assert!(bench.expect("tests") > 0.54);
    }

    #[test]
    fn an_episode_signal_is_credited_to_every_draw_of_the_episode_whichever_came_first() {
        // The word comes before any draw, between two, after both.
        for place in 0..=2 {
            let mut bench = Bench::new();
            for step in 0..=2 {
                if step == place {
                    bench.feed(episode("e"), &[("happy", seen(true))]);
                }
                if step < 2 {
                    bench.decide(Some("e"));
                    bench.inherit("e");
                    bench.decide(Some("other"));
                }
            }
            assert_eq!(bench.outcomes(), 2, "word {place}");
            // The pooled mean is (2 + 0.5) / 3, and A has two rows of |x|^2 = 1.25 over a ridge of 10.
            // Four draws fade 2^(-1/5000) each, at most 6e-4 in all.
            let expected = 1.0 - (0.5 / 3.0) / 1.25;
            let found = bench.expect("happy");
            assert!((found - expected).abs() < 1e-4, "word {place}: {found}");
        }
    }

    #[test]
    fn a_word_about_an_episode_is_corrected_and_taken_back_for_draws_before_and_after() {
        let check = |change: Change, outcomes: u64, above: bool| {
            let mut bench = Bench::new();
            bench.decide(Some("e"));
            bench.feed(episode("e"), &[("happy", seen(true))]);
            bench.feed(episode("e"), &[("happy", change)]);
            bench.decide(Some("e"));
            assert_eq!(bench.outcomes(), outcomes);
            assert_eq!(bench.expect("happy") >= 0.5 - 1e-6, above);
        };
        check(Change::Retracted, 0, true);
        check(Change::Corrected(Value::Flag(false)), 2, false);
        check(Change::Corrected(Value::Flag(true)), 2, true);
    }

    #[test]
    fn of_a_word_about_a_decision_and_one_about_its_episode_the_later_one_counts() {
        for episode_last in [true, false] {
            let mut bench = Bench::new();
            let decision = bench.maker.decision(Some("e"));
            let own = (Subject::Decision(decision.id), !episode_last);
            let shared = (episode("e"), episode_last);
            let words = match episode_last {
                true => [own, shared],
                false => [shared, own],
            };
            for (subject, value) in words {
                bench.feed(subject, &[("happy", seen(value))]);
            }
            bench.write(Record::Decision(Box::new(decision)));
            assert!(bench.expect("happy") > 0.54, "{episode_last}");
        }
    }

    #[test]
    fn an_episode_nobody_speaks_of_is_missed_by_its_draw_and_not_by_what_inherits_from_it() {
        let mut bench = Bench::new();
        bench.decide(Some("e"));
        bench.inherit("e");
        bench.tick(HOUR);
        // Two rows miss `alive`, one misses `kept`.
        assert_eq!(bench.outcomes(), 3);
        let mut spoken = Bench::new();
        spoken.feed(episode("e"), &[("kept", seen(true))]);
        spoken.decide(Some("e"));
        spoken.inherit("e");
        spoken.tick(HOUR);
        assert!(spoken.expect("kept") > 0.54 && bench.expect("kept") < 0.46);
    }

    #[test]
    fn closing_an_episode_settles_what_is_missing_of_decisions_before_and_after() {
        for after in [false, true] {
            let mut bench = Bench::new();
            bench.decide(Some("e"));
            bench.close("e");
            assert!(bench.expect("alive") < 0.46);
            if after {
                bench.inherit("e");
                bench.decide(Some("e"));
                // `alive` of all three, `kept` of the two draws.
                assert_eq!(bench.outcomes(), 5);
            }
        }
    }

    /// A journal of which the n-th reading back fails once.
    struct Flaky<'a> {
        journal: &'a Vec<Record>,
        left: Cell<usize>,
    }

    impl Recall for Flaky<'_> {
        fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
            self.left.set(self.left.get().wrapping_sub(1));
            match self.left.get() {
                0 => Err(store::Error::Closed),
                _ => self.journal.decision(position),
            }
        }

        fn shelf(&self) -> &dyn Shelf {
            self
        }
    }

    impl Shelf for Flaky<'_> {
        fn page(&self, place: Place) -> Result<Vec<u8>, store::Error> {
            self.left.set(self.left.get().wrapping_sub(1));
            match self.left.get() {
                0 => Err(store::Error::Closed),
                _ => Drawer.page(place),
            }
        }

        fn put(&self, payload: &[u8]) -> Result<Place, store::Error> {
            Drawer.put(payload)
        }
    }

    #[test]
    fn a_record_that_failed_and_came_again_leaves_the_bits_of_one_that_never_failed() {
        let (params, journal) = (params(HOUR), everything());
        let mut whole = None;
        for fails_at in 0.. {
            let flaky = Flaky {
                journal: &journal,
                left: Cell::new(fails_at),
            };
            let mut learner = Learner::new(&params);
            let mut failed = 0;
            for (index, record) in journal.iter().enumerate() {
                let mut apply = || {
                    let mut changed = BTreeMap::new();
                    learner.apply(at(index + 1), record, &params, &flaky, &mut changed)
                };
                if apply().is_err() {
                    failed += 1;
                    apply().unwrap();
                }
            }
            let bytes = bytes(&learner, &params);
            let whole = whole.get_or_insert_with(|| bytes.clone());
            assert!(*whole == bytes, "reading {fails_at} failed");
            if fails_at > 0 && failed == 0 {
                assert!(fails_at > 40, "{fails_at} readings");
                return;
            }
        }
    }

    /// A journal of which one decision is damaged.
    struct Damaged<'a>(&'a Vec<Record>, u64);

    impl Recall for Damaged<'_> {
        fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
            match position.sequence == self.1 {
                true => Ok(None),
                false => self.0.decision(position),
            }
        }

        fn shelf(&self) -> &dyn Shelf {
            &Drawer
        }
    }

    #[test]
    fn a_damaged_decision_teaches_nothing_more_and_holds_up_no_other() {
        let (params, journal) = (params(HOUR), everything());
        let learn = |damaged: u64| {
            let mut learner = Learner::new(&params);
            let recall = Damaged(&journal, damaged);
            for (index, record) in journal.iter().enumerate() {
                let mut changed = BTreeMap::new();
                let learned = learner.apply(at(index + 1), record, &params, &recall, &mut changed);
                learned.unwrap();
            }
            learner
        };
        let count = |learner: &Learner| -> u64 {
            let outcomes = learner.outcomes(&name("team"));
            outcomes.iter().map(|(_, count)| count).sum()
        };
        let whole = learn(0);
        let decisions = journal.iter().enumerate();
        let decisions = decisions.filter(|(_, record)| matches!(record, Record::Decision(_)));
        let mut less = 0;
        for (index, _) in decisions {
            let found = learn(index as u64 + 1);
            assert_eq!(found.sequence(), journal.len() as u64);
            assert_eq!(found.validate(&params), Ok(()));
            // At most its row in each of the four groups is missing.
            let missing = count(&whole) - count(&found);
            assert!(missing <= 4, "{missing}");
            less += usize::from(missing > 0);
        }
        assert!(less > 10, "{less}");
    }

    #[test]
    fn a_decision_publishes_its_count_and_copies_no_statistics() {
        let mut bench = Bench::new();
        let mut published = Snapshot::default();
        let publish = |bench: &mut Bench, before: &Snapshot| {
            let decision = bench.maker.decision(None);
            let changed = bench.write(Record::Decision(Box::new(decision)));
            bench
                .learner
                .snapshot(before, &changed, &bench.params)
                .unwrap()
        };
        let arm = |of: &Snapshot| Arc::clone(&of.teams[&name("team")].arms[&name("a")]);
        for pulls in 1..=3 {
            let next = publish(&mut bench, &published);
            assert_eq!(next.teams[&name("team")].pulls, [(name("a"), pulls)].into());
            // The first draw starts the arm's own statistics.
            let shared = pulls > 1 && Arc::ptr_eq(&arm(&published), &arm(&next));
            assert_eq!(shared, pulls > 1);
            published = next;
        }
    }

    #[test]
    fn nothing_is_learned_while_frozen() {
        let mut bench = Bench::new();
        let id = bench.decide(None);
        let control = crate::store::Control {
            pinned: None,
            frozen: true,
        };
        bench.write(Record::Control {
            team: name("team"),
            control,
            time: bench.maker.now,
        });
        bench.feed(Subject::Decision(id), &[("tests", seen(true))]);
        assert_eq!(bench.expect("tests"), 0.5);
    }

    #[test]
    fn a_learner_saved_half_way_and_one_that_ran_through_end_with_the_same_bits() {
        let mut through = Bench::new();
        let mut saved = Bench::new();
        for bench in [&mut through, &mut saved] {
            for step in 0..40_u32 {
                let id = bench.decide(Some(if step % 3 == 0 { "e" } else { "f" }));
                bench.feed(Subject::Decision(id), &[("tests", seen(step % 2 == 0))]);
                if step % 5 == 0 {
                    bench.feed(Subject::Episode(name("e")), &[("happy", seen(true))]);
                }
                bench.tick(Duration::from_secs(300));
            }
        }
        assert_eq!(through.bytes(), saved.bytes());
        saved.learner = restored(&saved.learner);
        for bench in [&mut through, &mut saved] {
            let id = bench.decide(None);
            bench.feed(Subject::Decision(id), &[("merged", seen(true))]);
            bench.tick(2 * HOUR);
        }
        assert_eq!(through.bytes(), saved.bytes());
        saved.learner.validate(&saved.params).unwrap();
    }
}
