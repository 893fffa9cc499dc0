//! Silence: what it says that a signal has not come by its closing time, and how often it does not come of
//! one arm and of another.
//!
//! Rules, stated because the counts depend on them:
//! - Counted are signals whose absence is unknown. Where the scorecard gives absence a value (harm that did
//!   not happen is not reported), it is an outcome like any other.
//! - A decision counts once for each signal, when that closes: reported if the signal had come by then and was
//!   not taken back. What comes later is learned, and does not count here.
//! - A signal of an episode counts at each arm's first draw in it: one word is credited to every draw.
//! - A decision made before the end of a freeze does not count: what was said of it was not learned.
//! - When an arm's count is 10,000, those of all arms are halved: what is told speaks of the last decisions,
//!   and is a little surer than it seems.
//!
//! What an uneven share means: each arm has its own regression, so that one arm is reported less than another,
//! or one kind of request less than another, makes it slower and not wrong. What makes a mean wrong is a report
//! that depends on the outcome itself (who is cross writes sooner than who is content). That cannot be seen from
//! what was reported; arms that differ in quality then differ in their share, and that can. Hence a warning
//! and no more: a weight of 1 / share, even at each context, leaves a mean that is wrong in this way where
//! it is, and where reports go by arm and context alone it adds noise to one that was right.
//!
//! The p-value is that of one look at decisions that are reported independently. Where it is asked for day by
//! day, or one person reports many decisions or none, a false one comes more often than in 1 of 1000.
//!
//! Invariants: counts change only with the journal; no more are reported than closed.
//!
//! Not here: when a group closes (`team`), the test (`ope`).
//!
//! Source: SCIENCE 2.8 (censoring).

use super::Team as Params;
use super::ledger;
use super::team::{Team, Touched};
use super::told::Changes;
use crate::id::{DecisionId, Name};
use crate::ope::{LEAST_EXPECTED, unlike_shares};
use crate::scorecard::{Level, Scorecard};
use crate::store::Control;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Fewest closed decisions of an arm that is compared.
const FEWEST: u64 = 100;

/// Chance below which people are told.
const SURE: f64 = 0.001;

/// Closed decisions of an arm at which the counts are halved.
const FULL: u64 = 10_000;

/// How often a signal was reported of an arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// Decisions for which the signal has closed.
    pub closed: u64,
    /// Those that it was reported of.
    pub reported: u64,
}

/// A signal that is reported more often of one arm than of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Uneven {
    /// The signal.
    pub signal: Name,
    /// Chance of shares so unlike if all arms had the same.
    pub p_value: f64,
    /// The arms compared, by name.
    pub arms: Vec<(Name, Reports)>,
}

/// A team's counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Silences {
    /// By arm, then signal.
    arms: BTreeMap<Name, Vec<Reports>>,
    /// When the last freeze ended.
    thawed: Timestamp,
}

impl Silences {
    /// A decision of the arm has closed for the signal.
    pub(super) fn count(&mut self, arm: &Name, signal: usize, reported: bool) {
        let signals = self.arms.entry(arm.clone()).or_default();
        if signals.len() <= signal {
            signals.resize(signal + 1, Reports::default());
        }
        let Some(own) = signals.get_mut(signal) else {
            return;
        };
        own.closed += 1;
        own.reported += u64::from(reported);
        if own.closed >= FULL {
            let all = self.arms.values_mut();
            for reports in all.filter_map(|signals| signals.get_mut(signal)) {
                reports.closed /= 2;
                reports.reported /= 2;
            }
        }
    }

    /// Signals that are reported unevenly, in the scorecard's order.
    pub(super) fn uneven(&self, scorecard: &Scorecard) -> Vec<Uneven> {
        let signals = scorecard.signals().iter().enumerate();
        let uneven = signals.filter_map(|(signal, spec)| {
            let arms = self.arms.iter();
            let arms = arms.filter_map(|(arm, signals)| Some((arm, *signals.get(signal)?)));
            let mut arms: Vec<_> = arms.filter(|(_, r)| r.closed >= FEWEST).collect();
            leave_out_rare(&mut arms);
            let shares: Vec<_> = arms.iter().map(|(_, r)| (r.reported, r.closed)).collect();
            let p_value = unlike_shares(&shares).filter(|p| *p < SURE)?;
            Some(Uneven {
                signal: spec.name.clone(),
                p_value,
                arms: arms.into_iter().map(|(arm, r)| (arm.clone(), r)).collect(),
            })
        });
        uneven.collect()
    }

    /// Whether it fits a scorecard of so many signals: asked of what was read from disk.
    pub(super) fn are_whole(&self, signals: usize) -> bool {
        let sound = |r: &Reports| r.reported <= r.closed && r.closed < FULL;
        let mut arms = self.arms.values();
        arms.all(|arm| arm.len() <= signals && arm.iter().all(sound))
    }
}

/// Leaves out arms of which too few reports, or silences, would be expected if all were alike: one of them
/// would keep the others from being compared.
fn leave_out_rare(arms: &mut Vec<(&Name, Reports)>) {
    let total = |of: fn(&Reports) -> u64| arms.iter().map(|(_, r)| of(r) as f64).sum::<f64>();
    let share = total(|r| r.reported) / total(|r| r.closed).max(1.0);
    let rarer = share.min(1.0 - share);
    arms.retain(|(_, r)| r.closed as f64 * rarer >= LEAST_EXPECTED);
}

impl Team {
    /// An operator has spoken.
    pub(super) fn controlled(&mut self, control: &Control, now: Timestamp) {
        if self.control.frozen && !control.frozen {
            self.silences.thawed = now;
        }
        self.control = control.clone();
    }

    /// What a decision's silence says if its group closes now: perhaps nothing new, where all was said.
    /// `None` where silence has no say: the group is closed, or means nothing by it.
    pub(super) fn unsaid(&self, id: DecisionId, group: usize, params: &Params) -> Option<Changes> {
        let entry = self.ledger.get(id).filter(|e| e.closed & (1 << group) == 0);
        let entry = entry.filter(|_| !self.control.frozen)?;
        let value = silence(&params.scorecard, entry, group)?;
        let seen = entry.seen(group);
        let targets = 0..params.scorecard.groups()[group].targets.len();
        let missing = targets.filter(|target| seen & (1 << target) == 0);
        Some(missing.map(|target| (target, Some(value))).collect())
    }

    /// Counts what has come of a decision whose group is about to close.
    pub(super) fn closing(
        &mut self,
        id: DecisionId,
        group: usize,
        params: &Params,
        touched: &mut Touched,
    ) {
        let Some((number, group)) = params.scorecard.groups().get(group).map(|g| (group, g)) else {
            return;
        };
        let open = |e: &&ledger::Entry| e.closed & (1 << number) == 0;
        let Some(entry) = self.ledger.get(id).filter(open) else {
            return;
        };
        let own = match group.level {
            Level::Decision => true,
            Level::Episode => entry.draw && self.ledger.leads(id),
        };
        let heard = !self.control.frozen && entry.time > self.silences.thawed;
        if !own || !heard || group.missing.value().is_some() {
            return;
        }
        let seen = entry.seen(number);
        let arm = entry.arm.clone();
        for (within, target) in group.targets.iter().enumerate() {
            let target = params.scorecard.targets().get(*target);
            if let Some(target) = target.filter(|target| target.gate.is_none()) {
                let reported = seen & (1 << within) != 0;
                self.silences.count(&arm, target.signal, reported);
            }
        }
        // So that it is published.
        touched.insert(arm);
    }
}

/// What a signal of the group is worth to a decision if it is missing when the group closes: all of a
/// group share the rule.
pub(super) fn silence(scorecard: &Scorecard, entry: &ledger::Entry, group: usize) -> Option<f64> {
    let group = scorecard.groups().get(group)?;
    let own = entry.draw || group.level == Level::Decision;
    group.missing.value().filter(|_| own)
}

#[cfg(test)]
mod tests {
    use super::super::Learner;
    use super::super::sample::{HOUR, Maker, everything, name, params, scorecard, seen};
    use super::*;
    use crate::signal::{Change, Subject};
    use crate::store::{Position, Record};
    use std::time::Duration;

    /// A journal in memory.
    struct Bench {
        maker: Maker,
        records: Vec<Record>,
    }

    impl Bench {
        fn new() -> Self {
            Self {
                maker: Maker::new(),
                records: Vec::new(),
            }
        }

        /// A draw of arm `chosen`.
        fn draw(&mut self, chosen: u32, episode: Option<&str>) -> DecisionId {
            let mut decision = self.maker.decision(episode);
            decision.drawn.chosen = chosen;
            let id = decision.id;
            self.records.push(Record::Decision(Box::new(decision)));
            id
        }

        fn say(&mut self, subject: Subject, signal: &str, change: Change) {
            let record = self.maker.feedback(subject, &[(signal, change)]);
            self.records.push(record);
        }

        fn wait(&mut self, time: Duration) {
            let tick = self.maker.tick(time);
            self.records.push(tick);
        }

        fn freeze(&mut self, frozen: bool) {
            let pinned = None;
            self.records.push(Record::Control {
                team: name("team"),
                control: Control { pinned, frozen },
                time: self.maker.now,
            });
        }

        /// What is counted, and the arms that the last record changed.
        fn learned(&self) -> (Silences, Touched) {
            let params = params(HOUR);
            let mut learner = Learner::new(&params);
            let mut changed = BTreeMap::new();
            for (index, record) in self.records.iter().enumerate() {
                let at = Position {
                    sequence: index as u64 + 1,
                    offset: 0,
                };
                changed.clear();
                let applied = learner.apply(at, record, &params, &self.records, &mut changed);
                applied.unwrap();
            }
            let touched = changed.remove(&name("team")).unwrap_or_default();
            (learner.team(&name("team")).silences.clone(), touched)
        }

        /// (reported, closed) of an arm's signal.
        fn check(&self, arm: &str, signal: usize, expected: (u64, u64)) {
            let silences = self.learned().0;
            let of_arm = silences.arms.get(&name(arm));
            let found = of_arm.and_then(|arm| arm.get(signal)).copied();
            let found = found.unwrap_or_default();
            assert_eq!((found.reported, found.closed), expected, "{arm} {signal}");
        }
    }

    const TESTS: usize = 0;
    const MERGED: usize = 1;
    const ALIVE: usize = 2;
    const HAPPY: usize = 3;
    const KEPT: usize = 4;

    #[test]
    fn a_decision_counts_once_when_its_signals_close_with_what_had_come_by_then() {
        let mut bench = Bench::new();
        let first = bench.draw(0, None);
        let second = bench.draw(0, None);
        let other = bench.draw(1, None);
        bench.say(Subject::Decision(first), "tests", seen(false));
        bench.say(Subject::Decision(other), "tests", seen(true));
        bench.say(Subject::Decision(other), "tests", Change::Retracted);
        bench.wait(Duration::from_secs(3599));
        bench.check("a", TESTS, (0, 0));
        bench.wait(Duration::from_secs(1));
        bench.check("a", TESTS, (1, 2));
        bench.check("a", MERGED, (0, 2));
        bench.check("b", TESTS, (0, 1));
        // So that the counts are published with the record that made them.
        assert!(bench.learned().1.contains(&name("a")));
        // Late: learned, and not counted.
        bench.say(Subject::Decision(second), "tests", seen(true));
        bench.wait(2 * HOUR);
        bench.check("a", TESTS, (1, 2));
    }

    #[test]
    fn absence_that_has_a_value_is_not_counted() {
        let mut bench = Bench::new();
        let id = bench.draw(0, Some("e"));
        bench.say(Subject::Decision(id), "alive", seen(true));
        bench.wait(HOUR);
        bench.check("a", ALIVE, (0, 0));
        bench.check("a", KEPT, (0, 0));
        bench.check("a", TESTS, (0, 1));
    }

    #[test]
    fn an_episode_counts_once_for_each_arm_and_once_only_if_it_is_closed_by_call() {
        let mut bench = Bench::new();
        for chosen in [0, 0, 1] {
            bench.draw(chosen, Some("e"));
        }
        bench.say(Subject::Episode(name("e")), "happy", seen(true));
        let closing = bench.maker.closing("e");
        bench.records.push(closing);
        bench.check("a", HAPPY, (1, 1));
        bench.check("b", HAPPY, (1, 1));
        bench.check("a", TESTS, (0, 2));
        bench.wait(2 * HOUR);
        bench.check("a", HAPPY, (1, 1));
        bench.check("a", TESTS, (0, 2));
    }

    #[test]
    fn what_was_decided_before_the_end_of_a_freeze_is_not_counted() {
        let mut bench = Bench::new();
        bench.draw(0, None);
        bench.freeze(true);
        bench.draw(0, None);
        bench.wait(2 * HOUR);
        bench.check("a", TESTS, (0, 0));
        bench.draw(0, None);
        bench.wait(Duration::from_secs(60));
        bench.freeze(false);
        bench.wait(Duration::from_secs(1));
        let id = bench.draw(0, None);
        bench.say(Subject::Decision(id), "tests", seen(true));
        bench.wait(2 * HOUR);
        bench.check("a", TESTS, (1, 1));
    }

    /// Counts of "tests", as (arm, reported, closed).
    fn counted(arms: &[(&str, u64, u64)]) -> Silences {
        let mut silences = Silences::default();
        for (arm, reported, closed) in arms {
            for decision in 0..*closed {
                silences.count(&name(arm), TESTS, decision < *reported);
            }
        }
        silences
    }

    #[test]
    fn only_shares_that_chance_does_not_explain_are_told_and_only_of_arms_with_100_decisions() {
        let told = |arms: &[(&str, u64, u64)]| counted(arms).uneven(&scorecard(HOUR));
        // Chance is 1 in 1000 at 10.83: 32 of 100 against 12 is 2 * 10^2 / 17.16 = 11.7, against 13 it is 10.4.
        let uneven = told(&[("a", 32, 100), ("b", 12, 100), ("c", 99, 99)]);
        let [only] = uneven.as_slice() else {
            unreachable!("{uneven:?}");
        };
        assert_eq!(only.signal, name("tests"));
        assert!((only.p_value - 6.4e-4).abs() < 1e-4, "{}", only.p_value);
        let arms: Vec<_> = only.arms.iter().map(|(arm, r)| (arm.as_str(), r)).collect();
        let reports = |reported| Reports {
            closed: 100,
            reported,
        };
        assert_eq!(arms, [("a", &reports(32)), ("b", &reports(12))]);
        assert_eq!(told(&[("a", 32, 100), ("b", 13, 100)]), []);
        assert_eq!(told(&[("a", 99, 99), ("b", 1, 200)]), []);
        assert_eq!(told(&[("a", 900, 1000)]), []);
    }

    #[test]
    fn counts_are_halved_together_when_one_is_full() {
        let silences = counted(&[("b", 300, 601), ("a", 4_000, 9_999)]);
        let reports = |s: &Silences, arm| s.arms[&name(arm)][TESTS];
        assert_eq!(reports(&silences, "a").closed, 9_999);
        let mut silences = silences;
        silences.count(&name("a"), TESTS, true);
        let (a, b) = (reports(&silences, "a"), reports(&silences, "b"));
        assert_eq!((a.reported, a.closed), (2_000, 5_000));
        assert_eq!((b.reported, b.closed), (150, 300));
        assert!(silences.are_whole(1));
    }

    #[test]
    fn counts_read_from_disk_are_checked() {
        let sound = counted(&[("a", 3, 7)]);
        assert!(sound.are_whole(1));
        // More signals than the scorecard has.
        assert!(!sound.are_whole(0));
        let broken = |change: fn(&mut Reports)| {
            let mut silences = sound.clone();
            change(&mut silences.arms.get_mut(&name("a")).unwrap()[0]);
            !silences.are_whole(1)
        };
        assert!(broken(|r| r.reported = 8));
        assert!(broken(|r| r.closed = FULL));
    }

    #[test]
    fn the_journal_of_every_kind_of_step_leaves_counts_of_both_arms() {
        let bench = Bench {
            maker: Maker::new(),
            records: everything(),
        };
        let (silences, _) = bench.learned();
        for (arm, signal) in [("a", TESTS), ("b", MERGED)] {
            let reports = silences.arms[&name(arm)][signal];
            assert!(reports.closed > 0 && reports.reported > 0, "{reports:?}");
        }
        assert!(silences.are_whole(5));
    }
}
