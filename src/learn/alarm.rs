//! Alarms: each arm's outcomes are watched, signal by signal, and a change is told.
//!
//! Rules, stated because alarms depend on them:
//! - A value is watched once, beside what the regression expected before it was learned; corrections
//!   and imputed values are not.
//! - A signal whose absence is unknown is watched as its values arrive. One whose absence has a value
//!   (harm that did not happen is not reported) is watched when its group closes, in the order of
//!   decisions: harm is reported at once and its absence known only at the closing time, so in the order
//!   of arrival any rise in traffic would look like a rise in harm. The price: no alarm of such a signal
//!   comes sooner than its closing time, unless episodes are closed before.
//! - For the same reason such a regression holds more harm than there is, while decisions are open. What
//!   is expected is therefore moved by the mean of what has closed less the mean of all that is learned.
//!   (Simulated: 120 open decisions of an arm, harm in 15 of 100: without the move, 4 of 30 quiet runs of
//!   1500 outcomes alarmed, with it none of 40.)
//! - A signal of an episode is watched once for each arm, at its first draw: one value is credited to
//!   every draw, and would count as often.
//! - While frozen, nothing is watched, and what a table taught never is; but the regression expects what the
//!   table led to expect, so an arm that serves a team otherwise than its table says is told of.
//!
//! Invariants: the same records raise the same alarms; at most [`KEPT`] alarms a team are kept.
//!
//! Not here: the evidence (`bandit::Detector`), telling people (`server`), what the arm then lets go of
//! (`Arm::changed`).

use super::Team as Params;
use super::ledger::Learned;
use super::team::{Team, Touched};
use crate::bandit::{Change, Detector, Direction};
use crate::id::{DecisionId, Name};
use crate::scorecard::Level;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most alarms of a team that are kept.
const KEPT: usize = 64;

/// An arm changed in one signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The arm.
    pub arm: Name,
    /// The signal.
    pub signal: Name,
    /// Which way.
    pub direction: Direction,
    /// When the first decision after the estimated change was made.
    pub began: Timestamp,
    /// Outcomes since then.
    pub outcomes: u64,
    /// When it was raised: the time of the record that did it.
    pub raised: Timestamp,
    /// Journal sequence of that record.
    pub sequence: u64,
    /// Mean that was expected of these outcomes, 0 worst to 1 best.
    pub before: f64,
    /// Mean that they had.
    pub after: f64,
    /// How many times more likely they are under a change than under none.
    pub evidence: f64,
}

/// What one team's arms are watched with, and what was noticed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Alarms {
    /// By arm, then signal.
    watches: BTreeMap<Name, Vec<Watch>>,
    raised: VecDeque<Alarm>,
    /// The record being learned.
    #[serde(skip)]
    now: (u64, Timestamp),
}

/// One signal of one arm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    detector: Detector,
    /// How many values were watched, and their sum.
    watched: (u64, f64),
    /// When the decisions were made at which the evidence of each side began.
    falling_since: Timestamp,
    rising_since: Timestamp,
}

/// A row of one group, as it stood before and after something was learned of it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: DecisionId,
    pub(super) arm: Name,
    /// When the decision was made.
    pub(super) time: Timestamp,
    pub(super) group: usize,
    /// What the regression expected of each target.
    pub(super) expected: Vec<f64>,
    pub(super) before: Learned,
    pub(super) after: Learned,
}

impl Alarms {
    /// The record that is being learned.
    pub(super) fn at(&mut self, sequence: u64, now: Timestamp) {
        self.now = (sequence, now);
    }

    /// Journal sequence and time of the record that is being learned.
    pub(super) fn now(&self) -> (u64, Timestamp) {
        self.now
    }

    /// Alarms, oldest first.
    pub(super) fn raised(&self) -> impl Iterator<Item = &Alarm> {
        self.raised.iter()
    }

    /// The alarms to publish; those published before, where nothing is new.
    pub(super) fn published(&self, before: Option<&Arc<[Alarm]>>) -> Arc<[Alarm]> {
        match before {
            Some(before) if before.last() == self.raised.back() => Arc::clone(before),
            _ => self.raised.iter().cloned().collect(),
        }
    }

    /// Whether every detector is whole.
    pub(super) fn are_whole(&self) -> bool {
        let mut watches = self.watches.values().flatten();
        watches.all(|watch| watch.detector.is_whole() && watch.watched.1.is_finite())
    }

    fn watch(&mut self, arm: &Name, signal: usize) -> &mut Watch {
        let watches = self.watches.entry(arm.clone()).or_default();
        if watches.len() <= signal {
            watches.resize(signal + 1, Watch::default());
        }
        &mut watches[signal]
    }

    fn raise(&mut self, alarm: Alarm) {
        if self.raised.len() >= KEPT {
            self.raised.pop_front();
        }
        self.raised.push_back(alarm);
    }
}

impl Team {
    /// Watches values that arrived: those of signals whose absence is unknown.
    pub(super) fn watch_arrived(&mut self, step: &Step, params: &Params, touched: &mut Touched) {
        let Some(group) = params.scorecard.groups().get(step.group) else {
            return;
        };
        if group.missing.value().is_none() {
            let fresh = |target: usize| step.before.observed(target).is_none();
            self.watch(step, fresh, params, touched);
        }
    }

    /// Watches the values of a group that closed: those of signals whose absence has a value.
    pub(super) fn watch_closed(&mut self, step: &Step, params: &Params, touched: &mut Touched) {
        self.watch(step, |_| true, params, touched);
    }

    fn watch(
        &mut self,
        step: &Step,
        fresh: impl Fn(usize) -> bool,
        params: &Params,
        touched: &mut Touched,
    ) {
        let Some(group) = params.scorecard.groups().get(step.group) else {
            return;
        };
        if group.level == Level::Episode && !self.ledger.leads(step.id) {
            return;
        }
        for (within, (number, expected)) in group.targets.iter().zip(&step.expected).enumerate() {
            let target = &params.scorecard.targets()[*number];
            let value = step.after.observed(within).filter(|_| fresh(within));
            let Some(value) = value.filter(|_| target.gate.is_none()) else {
                continue;
            };
            let learned = self.arms.get(&step.arm).and_then(|arm| {
                let assumes = group.missing.value().is_some();
                arm.values(step.group, within).filter(|_| assumes)
            });
            let watch = self.alarms.watch(&step.arm, target.signal);
            let expected = expected + watch.closed_less(learned);
            let Some((change, began)) = watch.add(expected, value, step.time) else {
                continue;
            };
            let (sequence, raised) = self.alarms.now;
            self.alarms.raise(Alarm {
                arm: step.arm.clone(),
                signal: target.name.clone(),
                direction: change.direction,
                began,
                outcomes: change.outcomes,
                raised,
                sequence,
                before: change.before,
                after: change.after,
                evidence: change.evidence,
            });
            touched.insert(step.arm.clone());
            let arm = self.arms.get_mut(&step.arm);
            if let Some(Err(error)) = arm.map(|arm| arm.changed(step.group, within, &change)) {
                tracing::warn!(arm = %step.arm, %error, "an arm that changed was not relearned");
            }
        }
    }
}

impl Watch {
    /// Mean of what was watched less the mean of what was learned, given as count and sum.
    fn closed_less(&self, learned: Option<(f64, f64)>) -> f64 {
        match learned {
            Some((count, sum)) if count > 0.0 && self.watched.0 > 0 => {
                self.watched.1 / self.watched.0 as f64 - sum / count
            }
            _ => 0.0,
        }
    }

    /// One more value of a decision made at `time`; the change noticed, and when it began.
    fn add(&mut self, expected: f64, value: f64, time: Timestamp) -> Option<(Change, Timestamp)> {
        self.watched.0 += 1;
        self.watched.1 += value;
        let change = self.detector.watch(expected, value);
        if self.detector.run(Direction::Fell) == 1 {
            self.falling_since = time;
        }
        if self.detector.run(Direction::Rose) == 1 {
            self.rising_since = time;
        }
        change.map(|change| match change.direction {
            Direction::Fell => (change, self.falling_since),
            Direction::Rose => (change, self.rising_since),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{self, HOUR, Maker, name, seen};
    use crate::learn::{Learner, Params, Snapshot};
    use crate::signal::{Change, Subject, Value};
    use crate::store::{Position, Record};
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use std::collections::BTreeMap;
    use std::time::Duration;

    const MINUTE: Duration = Duration::from_secs(60);

    /// A learner over a journal in memory, and who writes it.
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
            let (params, mut changed) = (&self.params, BTreeMap::new());
            let learned = self
                .learner
                .apply(at, &record, params, &self.journal, &mut changed);
            learned.unwrap();
        }

        fn decide(&mut self, episode: Option<&str>) -> DecisionId {
            let decision = self.maker.decision(episode);
            let id = decision.id;
            self.write(Record::Decision(Box::new(decision)));
            id
        }

        fn feed(&mut self, subject: Subject, signals: &[(&str, Change)]) {
            let record = self.maker.feedback(subject, signals);
            self.write(record);
        }

        fn tick(&mut self, later: Duration) {
            let record = self.maker.tick(later);
            self.write(record);
        }

        fn now(&self) -> Timestamp {
            self.maker.now
        }

        fn bytes(&self) -> Vec<u8> {
            sample::bytes(&self.learner, &self.params)
        }
    }

    /// Whether the n-th outcome is good: 6 of 7 before a change, 1 of 7 after.
    fn good(number: u32, changed: bool) -> bool {
        (number % 7 == 3) == changed
    }

    fn alarms(bench: &Bench) -> Vec<&Alarm> {
        bench.learner.alarms().map(|(_, alarm)| alarm).collect()
    }

    /// `count` decisions a minute apart, each told at once.
    fn tell(bench: &mut Bench, count: u32, signal: &str, changed: bool) {
        for number in 0..count {
            let id = bench.decide(None);
            let told = seen(good(number, changed));
            bench.feed(Subject::Decision(id), &[(signal, told)]);
            bench.tick(MINUTE);
        }
    }

    #[test]
    fn an_arm_that_changes_is_told_with_when_and_how_much() {
        let mut bench = Bench::new();
        tell(&mut bench, 200, "tests", false);
        assert_eq!(alarms(&bench), [] as [&Alarm; 0]);
        let changed = bench.now();
        tell(&mut bench, 100, "tests", true);
        let alarms = alarms(&bench);
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        let alarm = alarms[0];
        assert_eq!((alarm.arm.as_str(), alarm.signal.as_str()), ("a", "tests"));
        assert_eq!(alarm.direction, Direction::Fell);
        // The good outcomes just before and after the change leave some play.
        assert!(
            changed.before(3 * MINUTE) <= alarm.began && alarm.began <= changed.after(3 * MINUTE)
        );
        assert!(alarm.raised < changed.after(40 * MINUTE), "{alarm:?}");
        let minutes = (alarm.raised.micros() - alarm.began.micros()) / 60_000_000;
        assert_eq!(alarm.outcomes as i64, minutes + 1);
        assert!((0.6..0.9).contains(&alarm.before), "{alarm:?}");
        assert!((0.1..0.25).contains(&alarm.after), "{alarm:?}");
        // Three records a decision.
        assert_eq!(alarm.sequence % 3, 2);
    }

    #[test]
    fn an_arm_that_gets_better_is_told_too() {
        let mut bench = Bench::new();
        tell(&mut bench, 200, "tests", true);
        tell(&mut bench, 100, "tests", false);
        let told: Vec<_> = alarms(&bench).iter().map(|a| a.direction).collect();
        assert_eq!(told, [Direction::Rose]);
    }

    #[test]
    fn a_correction_a_retraction_and_an_imputed_value_are_not_watched() {
        let mut bench = Bench::new();
        tell(&mut bench, 50, "tests", false);
        let id = bench.decide(None);
        bench.feed(Subject::Decision(id), &[("tests", seen(true))]);
        let watched = |bench: &Bench| {
            let watches = &bench.learner.team(&name("team")).alarms.watches[&name("a")];
            watches.iter().map(|w| w.watched.0).collect::<Vec<_>>()
        };
        assert_eq!(watched(&bench), [51]);
        let corrected = Change::Corrected(Value::Flag(false));
        bench.feed(Subject::Decision(id), &[("tests", corrected)]);
        bench.feed(Subject::Decision(id), &[("tests", Change::Retracted)]);
        assert_eq!(watched(&bench), [51]);
        bench.feed(Subject::Decision(id), &[("merged", seen(true))]);
        assert_eq!(watched(&bench), [51, 1]);
    }

    #[test]
    fn a_signal_whose_absence_has_a_value_is_watched_when_it_closes() {
        let mut bench = Bench::new();
        tell(&mut bench, 300, "alive", false);
        let changed = bench.now();
        // From here nothing is reported: worst, known an hour later.
        for _ in 0..60 {
            bench.decide(None);
            bench.tick(MINUTE);
        }
        assert_eq!(alarms(&bench), [] as [&Alarm; 0]);
        for _ in 0..60 {
            bench.tick(MINUTE);
        }
        let alarms = alarms(&bench);
        assert_eq!(alarms.len(), 1, "{alarms:?}");
        assert_eq!(alarms[0].signal.as_str(), "alive");
        assert_eq!(alarms[0].direction, Direction::Fell);
        let late = (alarms[0].began.micros() - changed.micros()).abs();
        assert!(late <= 3 * 60_000_000, "{alarms:?}");
        assert!(alarms[0].raised >= changed.after(HOUR));
    }

    /// 120 decisions are open at any time, and what is reported of them is one-sided. Without the move
    /// by what has closed, about 1 run in 7 alarms.
    #[test]
    fn what_is_reported_before_silence_counts_raises_nothing() {
        for seed in 0..4 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut bench = Bench::new();
            for _ in 0..1500 {
                let id = bench.decide(None);
                if rng.random_bool(0.15) {
                    bench.feed(Subject::Decision(id), &[("alive", seen(true))]);
                }
                bench.tick(MINUTE / 2);
            }
            assert_eq!(alarms(&bench), [] as [&Alarm; 0], "seed {seed}");
        }
    }

    #[test]
    fn a_signal_of_an_episode_counts_once_for_an_arm() {
        let mut bench = Bench::new();
        for number in 0..40_u32 {
            let episode = format!("e{number}");
            for _ in 0..3 {
                bench.decide(Some(&episode));
            }
            bench.feed(Subject::Episode(name(&episode)), &[("happy", seen(true))]);
        }
        let state = bench.learner.team(&name("team"));
        assert_eq!(state.arms[&name("a")].outcomes, 120);
        let happy = state.alarms.watches[&name("a")].last().unwrap();
        assert_eq!(happy.watched, (40, 40.0));
    }

    #[test]
    fn a_learner_restored_before_an_alarm_raises_the_same_one() {
        let (mut through, mut restored) = (Bench::new(), Bench::new());
        for bench in [&mut through, &mut restored] {
            tell(bench, 200, "tests", false);
            tell(bench, 15, "tests", true);
            assert_eq!(alarms(bench), [] as [&Alarm; 0]);
        }
        restored.learner = sample::restored(&restored.learner);
        for bench in [&mut through, &mut restored] {
            tell(bench, 100, "tests", true);
        }
        assert_eq!(alarms(&through).len(), 1);
        assert_eq!(alarms(&through), alarms(&restored));
        assert_eq!(through.bytes(), restored.bytes());
        restored.learner.validate(&restored.params).unwrap();
    }

    #[test]
    fn alarms_are_published_and_shared_while_nothing_is_new() {
        let mut bench = Bench::new();
        tell(&mut bench, 200, "tests", false);
        tell(&mut bench, 100, "tests", true);
        let publish = |bench: &Bench, before: &Snapshot| {
            let all = bench.params.teams.keys();
            let changed = all.map(|team| (team.clone(), Touched::new())).collect();
            let next = bench.learner.snapshot(before, &changed, &bench.params);
            Arc::clone(&next.unwrap().teams[&name("team")].alarms)
        };
        let none = Snapshot::default();
        let first = bench
            .learner
            .snapshot(&none, &BTreeMap::new(), &bench.params)
            .unwrap();
        let told = Arc::clone(&first.teams[&name("team")].alarms);
        assert_eq!(told.iter().collect::<Vec<_>>(), alarms(&bench));
        bench.decide(None);
        assert!(Arc::ptr_eq(&told, &publish(&bench, &first)));
        tell(&mut bench, 150, "tests", false);
        assert_eq!(publish(&bench, &first).len(), told.len() + 1);
    }

    #[test]
    fn the_newest_alarms_are_kept() {
        let mut bench = Bench::new();
        tell(&mut bench, 200, "tests", false);
        tell(&mut bench, 100, "tests", true);
        let alarm = alarms(&bench)[0].clone();
        let mut kept = Alarms::default();
        for sequence in 0..70 {
            let alarm = alarm.clone();
            kept.raise(Alarm { sequence, ..alarm });
        }
        let sequences: Vec<_> = kept.raised().map(|a| a.sequence).collect();
        assert_eq!(sequences, (6..70).collect::<Vec<_>>());
    }
}
