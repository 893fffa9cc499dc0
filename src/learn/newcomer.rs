//! Newcomers: an arm that joins a team later than the others is adopted or rejected by a bound that holds at
//! every look.
//!
//! Rules:
//! - An arm is a newcomer from the first decision that it was eligible for, if it had no draw before and the
//!   team had chosen for a while (`bandit::is_newcomer`, which also raises its floor). One that leaves the
//!   configuration and comes back has its draws still, and is none.
//! - It is compared with the arms that were drawn instead: all of the decision but itself and other newcomers
//!   that nothing is said of yet (their forced draws are no measure). A row is a draw by chance, the first of
//!   its episode, that took it or one of those; its probability is the logged one among them
//!   ([`EffectSequence`] says how rows weigh, and what is assumed). The forecast is the mean of the logged
//!   utilities that makes the bounds narrow.
//! - A row is scored as the guard's are (`guard`): once, when the last signal has closed or the episode is
//!   closed, in the team's utility, cost and latency in it, cut to -1 to 1.
//! - *Adopted* where the lower bound comes above 0, *rejected* where the upper comes below 0: final, nothing is
//!   counted after it. *Undecided* once 200 of its draws are scored: that is told with the bounds, and the watch
//!   goes on. Each wrong verdict comes to at most 1 newcomer in 40.
//! - Rejected, it has the floor of every arm and no more. It stays eligible: the bound is of the mean where
//!   chance had a say, and an arm that is worse there may yet be the best at one task. Whoever wants it gone
//!   takes it out of the configuration.
//! - An arm is retired by taking it out of the configuration: it gets nothing more, not even calls of episodes
//!   that it had (they are drawn anew, and the decision says so). What was decided and learned of it stays, is
//!   replayed as before, and is its own again where it comes back.
//! - Under another version of the scorecard the comparison starts anew (another utility, another verdict), or
//!   ends where the arm has had its 200 draws.
//! - While frozen, nothing is counted.
//!
//! What it can show (paretobandit_k4, the arm joins half-way, 1,779 decisions, lambda 0, 20 streams): large
//! differences only. gemini-2.5-flash, about as good as the best, is neither adopted nor rejected in any;
//! llama-3.1-8b-instruct, plainly worse, is rejected in 1 (after 115 decisions, 16 of them its own): in the
//! others the policy leaves it before the bound is sure, and what is hardly drawn shows hardly anything.
//!
//! Invariants: a function of the journal, in the checkpoint. At most one score a decision and newcomer.
//!
//! Not here: what the floor is (`bandit`), who leaves it out (`route`), telling people (`server`).
//!
//! Source: SCIENCE 2.9, 3.4. 2.9 rejects only an arm that is worse in all slices; here, since a rejection takes
//! nothing from it but the forced floor, the mean decides.

use super::Team as Params;
use super::guard::Trial;
use super::team::{Team, Touched};
use crate::bandit::{Tempo, is_newcomer};
use crate::decision::{Decision, Drawn, Origin};
use crate::id::Name;
use crate::ope::{EffectSequence, Stake};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// Scored draws after which an open comparison is called undecided.
const LONG: u64 = 200;

/// An arm that joined later, against those it competes with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Newcomer {
    joined: Timestamp,
    /// Rows that were drawn since this journal sequence count.
    since: u64,
    scorecard_version: u32,
    gain: EffectSequence,
    ruling: Option<Ruling>,
}

/// A verdict and where it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// What it is.
    pub finding: Finding,
    /// Journal sequence of the record that brought it.
    pub sequence: u64,
    /// Its time.
    pub time: Timestamp,
}

/// What the bounds say of a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Finding {
    /// It is worth more than the others.
    Adopted,
    /// It is worth less.
    Rejected,
    /// After 200 draws, neither.
    Undecided,
}

/// A decision's part in a newcomer's comparison, until it is scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Probe {
    arm: Name,
    /// Whether it took the decision.
    drawn: bool,
    /// The comparison that it belongs to.
    since: u64,
    stake: Stake,
}

impl Newcomer {
    fn new(decision: &Decision, sequence: u64) -> Self {
        Self {
            joined: decision.time,
            since: sequence,
            scorecard_version: decision.scorecard_version,
            gain: EffectSequence::default(),
            ruling: None,
        }
    }

    /// When the decision was made that the comparison began with.
    pub fn joined(&self) -> Timestamp {
        self.joined
    }

    /// Its utility less that of the others, in quality points, as bounds.
    pub fn gain(&self) -> &EffectSequence {
        &self.gain
    }

    /// The verdict, if there is one.
    pub fn ruling(&self) -> Option<Ruling> {
        self.ruling
    }

    /// Whether it was found worse: its forced exploration is over.
    pub fn is_rejected(&self) -> bool {
        self.finding() == Some(Finding::Rejected)
    }

    fn finding(&self) -> Option<Finding> {
        self.ruling.map(|ruling| ruling.finding)
    }

    /// Whether rows still count.
    fn is_watched(&self) -> bool {
        matches!(self.finding(), None | Some(Finding::Undecided))
    }

    /// Takes in the utility of a row; the verdict that it brought, if it is news.
    fn add(&mut self, probe: &Probe, utility: f64) -> Option<Finding> {
        self.gain.add(&probe.stake, probe.drawn, utility);
        let found = match self.gain.verdict() {
            Some(true) => Some(Finding::Adopted),
            Some(false) => Some(Finding::Rejected),
            None => (self.gain.arm_count() >= LONG).then_some(Finding::Undecided),
        };
        found.filter(|found| Some(*found) != self.finding())
    }

    /// Whether it can go on: asked of what was read from disk.
    pub(super) fn is_whole(&self) -> bool {
        self.gain.is_whole()
    }
}

impl Probe {
    /// As [`Newcomer::is_whole`].
    pub(super) fn is_whole(&self) -> bool {
        self.stake.is_whole()
    }
}

impl Team {
    /// Notes which of a decision's arms are newcomers; before its draw counts.
    pub(super) fn meet(&mut self, decision: &Decision, sequence: u64) {
        // Under a pin every other arm would seem to join when it is lifted.
        if decision.origin != Origin::Drawn {
            return;
        }
        let unknown = Tempo::joining(&self.tempo).doubt(&self.tempo);
        let settled = |name: &Name| {
            let pulls = self.arms.get(name).map_or(0, |arm| arm.pulls);
            pulls > 0 && !self.newcomers.contains_key(name)
        };
        // With none to compare it with there is nothing to find out.
        if !decision.drawn.arms.iter().any(settled) {
            return;
        }
        for name in &decision.drawn.arms {
            let arm = self.arms.get(name);
            let pulls = arm.map_or(0, |arm| arm.pulls);
            let doubt = arm.map_or(unknown, |arm| arm.tempo.doubt(&self.tempo));
            let begins = match self.newcomers.get(name) {
                Some(known) if known.scorecard_version == decision.scorecard_version => false,
                Some(_) => {
                    self.newcomers.remove(name);
                    pulls < LONG
                }
                None => pulls == 0 && is_newcomer(pulls, doubt),
            };
            if begins {
                let newcomer = Newcomer::new(decision, sequence);
                self.newcomers.insert(name.clone(), newcomer);
            }
        }
    }

    /// The part of a draw in each newcomer's comparison.
    pub(super) fn probes(&mut self, decision: &Decision, params: &Params) -> Vec<Probe> {
        // A decision of another scorecard's time is never scored.
        let version = decision.scorecard_version == params.scorecard_version;
        if !version || decision.origin != Origin::Drawn || self.newcomers.is_empty() {
            return Vec::new();
        }
        let watched = self.newcomers.iter().filter(|(_, new)| new.is_watched());
        let found =
            |(name, _): (&Name, _)| Some((name.clone(), self.against(name, &decision.drawn)?));
        let found: Vec<_> = watched.filter_map(found).collect();
        let mut probes = Vec::with_capacity(found.len());
        for (arm, (drawn, probability, forecast)) in found {
            let Some(new) = self.newcomers.get_mut(&arm) else {
                continue;
            };
            let since = new.since;
            let stake = new.gain.stake(probability, forecast);
            probes.extend(stake.map(|stake| Probe {
                arm,
                drawn,
                since,
                stake,
            }));
        }
        probes
    }

    /// What was compared by the utility of another scorecard is as if it had never been: so has it a learner that
    /// reads the journal from its start with this one.
    pub(super) fn rescore(&mut self, params: &Params) {
        for newcomer in self.newcomers.values_mut() {
            if newcomer.scorecard_version != params.scorecard_version {
                newcomer.gain = EffectSequence::default();
                newcomer.ruling = None;
            }
        }
    }

    /// Takes out of a decision's trial what will never be scored, as rows under another scorecard are: it lies
    /// in pages that nobody reads for that, and means nothing where it lies.
    pub(super) fn drop_stale(&self, trial: &mut Option<Trial>, params: &Params) {
        let current = |probe: &Probe| {
            let newcomer = self.newcomers.get(&probe.arm);
            let newcomer = newcomer.filter(|n| n.since == probe.since);
            newcomer.is_some_and(|n| n.scorecard_version == params.scorecard_version)
        };
        if let Some(waiting) = trial {
            waiting.probes.retain(current);
            if waiting.is_idle() {
                *trial = None;
            }
        }
    }

    /// Whether a newcomer was drawn rather than one of the others, with what probability, and what was expected
    /// of the outcome, weighted so that whichever is drawn is off by as little; nothing where neither was drawn.
    fn against(&self, name: &Name, drawn: &Drawn) -> Option<(bool, f64, f64)> {
        let place = drawn.arms.iter().position(|arm| arm == name)?;
        let (pmf, chosen) = (drawn.pmf.as_slice(), drawn.chosen as usize);
        let unsaid = |arm: &Name| self.newcomers.get(arm).is_some_and(|n| n.ruling.is_none());
        let (mut others, mut expected, mut took) = (0.0, 0.0, false);
        for (index, arm) in drawn.arms.iter().enumerate() {
            if index == place || unsaid(arm) {
                continue;
            }
            let p = pmf.get(index).copied()?;
            others += p;
            expected += p * drawn.utility.get(index).copied()?;
            took |= index == chosen;
        }
        let p = pmf.get(place).copied()?;
        let probability = p / (p + others);
        let own = drawn.utility.get(place).copied()?;
        let forecast = EffectSequence::forecast(probability, own, expected / others);
        (took || chosen == place).then_some((chosen == place, probability, forecast))
    }

    /// Scores a decision's part in the comparisons.
    pub(super) fn judge(
        &mut self,
        trial: &Trial,
        utility: f64,
        params: &Params,
        touched: &mut Touched,
    ) {
        for probe in &trial.probes {
            let newcomer = self.newcomers.get_mut(&probe.arm);
            let same = |new: &&mut Newcomer| {
                let version = new.scorecard_version == params.scorecard_version;
                version && new.since == probe.since && new.is_watched()
            };
            let Some(newcomer) = newcomer.filter(same) else {
                continue;
            };
            // So that it is published.
            touched.insert(probe.arm.clone());
            if let Some(finding) = newcomer.add(probe, utility) {
                let (sequence, time) = self.alarms.now();
                newcomer.ruling = Some(Ruling {
                    finding,
                    sequence,
                    time,
                });
            }
        }
    }
}

#[cfg(test)]
impl Newcomer {
    /// One that a record ruled on.
    pub(crate) fn ruled_by(finding: Finding, sequence: u64) -> Self {
        let decision = crate::learn::sample::Maker::new().decision(None);
        let time = Timestamp::default();
        Self {
            ruling: Some(Ruling {
                finding,
                sequence,
                time,
            }),
            ..Self::new(&decision, 1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DecisionId;
    use crate::learn::sample::{self, HOUR, Maker, name, seen};
    use crate::learn::{Learner, Params, Recall, Snapshot};
    use crate::signal::Subject;
    use crate::store::{Control, Position, Record};
    use crate::unit::Pmf;
    use std::collections::BTreeMap;

    /// A learner over a journal in memory.
    struct Bench {
        params: Params,
        learner: Learner,
        journal: Vec<Record>,
        maker: Maker,
        episodes: u32,
        version: u32,
    }

    impl Bench {
        /// A team that has chosen arm a so many times.
        fn after(decisions: u32) -> Self {
            let params = sample::params(HOUR);
            let mut bench = Self {
                learner: Learner::new(&params),
                params,
                journal: Vec::new(),
                maker: Maker::new(),
                episodes: 0,
                version: 1,
            };
            for _ in 0..decisions {
                bench.decide(&["a"], "a");
            }
            bench
        }

        fn write(&mut self, record: Record) {
            self.journal.push(record);
            let sequence = self.journal.len() as u64;
            learn(&mut self.learner, &self.params, &self.journal, sequence);
        }

        /// A decision, each of `arms` as likely as any; its episode is the newest.
        fn decide(&mut self, arms: &[&str], chosen: &str) -> DecisionId {
            self.episodes += 1;
            let decision = self.decision(arms, chosen);
            let id = decision.id;
            self.write(Record::Decision(Box::new(decision)));
            id
        }

        fn decision(&mut self, arms: &[&str], chosen: &str) -> Decision {
            let episode = format!("e{}", self.episodes);
            let mut decision = self.maker.decision(Some(&episode));
            decision.scorecard_version = self.version;
            let place = arms.iter().position(|arm| *arm == chosen).unwrap();
            decision.drawn = Drawn {
                arms: arms.iter().map(|arm| name(arm)).collect(),
                pmf: Pmf::new(vec![1.0 / arms.len() as f64; arms.len()]).unwrap(),
                utility: vec![0.1; arms.len()],
                chosen: u32::try_from(place).unwrap(),
                ..decision.drawn
            };
            decision
        }

        fn close(&mut self, id: DecisionId, good: bool) {
            let told = [("tests", seen(good))];
            let record = self.maker.feedback(Subject::Decision(id), &told);
            self.write(record);
            let record = self.maker.closing(&format!("e{}", self.episodes));
            self.write(record);
        }

        /// Episodes of a and b in turn.
        fn episodes(&mut self, count: u32, a: bool, b: bool) {
            for number in 0..count {
                let (arm, good) = [("a", a), ("b", b)][number as usize % 2];
                let id = self.decide(&["a", "b"], arm);
                self.close(id, good);
            }
        }

        fn newcomer(&self, arm: &str) -> Option<&Newcomer> {
            self.learner.team(&name("team")).newcomers.get(arm)
        }

        /// What is said of b, and on how many rows of it and the others.
        fn b(&self) -> (Option<Finding>, u64, u64) {
            let b = self.newcomer("b").unwrap();
            (b.finding(), b.gain.arm_count(), b.gain.other_count())
        }

        fn snapshot(&self) -> Snapshot {
            let (nothing, all) = (Snapshot::default(), BTreeMap::new());
            let snapshot = self.learner.snapshot(&nothing, &all, &self.params);
            snapshot.unwrap()
        }

        /// What a learner is that reads the whole journal again.
        fn bytes(&self, learner: &Learner) -> Vec<u8> {
            sample::bytes(learner, &self.params)
        }

        fn rebuilt(&self) -> Learner {
            let mut learner = Learner::new(&self.params);
            for sequence in 1..=self.journal.len() as u64 {
                learn(&mut learner, &self.params, &self.journal, sequence);
            }
            learner
        }
    }

    fn learn(learner: &mut Learner, params: &Params, journal: &Vec<Record>, sequence: u64) {
        let at = Position {
            sequence,
            offset: 0,
        };
        let record = &journal[sequence as usize - 1];
        let (recall, mut changed): (&dyn Recall, _) = (journal, BTreeMap::new());
        let learned = learner.apply(at, record, params, recall, &mut changed);
        learned.unwrap();
    }

    #[test]
    fn an_arm_first_offered_late_is_a_newcomer_and_one_with_draws_is_none() {
        let mut bench = Bench::after(100);
        bench.decide(&["a", "b"], "a");
        assert_eq!(bench.newcomer("b"), None, "as old as the team");
        let mut bench = Bench::after(300);
        assert_eq!(bench.newcomer("a"), None);
        // Offered, not drawn.
        bench.decide(&["a", "b"], "a");
        assert_eq!(bench.newcomer("b").unwrap().since, 301);
        assert_eq!(bench.newcomer("a"), None);
        bench.decide(&["a", "b"], "b");
        // Away for long, and back: what was begun goes on.
        for _ in 0..300 {
            bench.decide(&["a"], "a");
        }
        bench.decide(&["a", "b"], "a");
        assert_eq!(bench.newcomer("b").unwrap().since, 301);
    }

    #[test]
    fn a_newcomer_that_is_worth_more_is_adopted_for_good_and_one_worth_less_rejected() {
        let check = |a: bool, b: bool, expected: Finding| {
            let mut bench = Bench::after(300);
            while bench.newcomer("b").is_none_or(|b| b.ruling.is_none()) {
                assert!(bench.episodes < 600);
                bench.episodes(2, a, b);
            }
            let (finding, own, others) = bench.b();
            assert_eq!(finding, Some(expected));
            assert!((10..100).contains(&own) && own + 1 >= others && own <= others);
            let ruling = bench.newcomer("b").unwrap().ruling().unwrap();
            assert!(
                ruling.sequence + 3 >= bench.journal.len() as u64,
                "{ruling:?}"
            );
            let snapshot = bench.snapshot();
            let rejected = snapshot.teams["team"].has_rejected(&name("b"));
            assert_eq!(rejected, expected == Finding::Rejected);
            // Nothing counts any more.
            bench.episodes(20, !a, !b);
            assert_eq!(bench.b(), (finding, own, others));
            let bytes = postcard::to_allocvec(&bench.learner).unwrap();
            let read: Learner = postcard::from_bytes(&bytes).unwrap();
            read.validate(&bench.params).unwrap();
            assert_eq!(postcard::to_allocvec(&read).unwrap(), bytes);
            assert_eq!(bench.bytes(&bench.rebuilt()), bench.bytes(&bench.learner));
        };
        check(false, true, Finding::Adopted);
        check(true, false, Finding::Rejected);
    }

    #[test]
    fn one_that_is_worth_the_same_is_undecided_after_200_draws_and_may_be_decided_later() {
        let mut bench = Bench::after(300);
        bench.episodes(399, true, true);
        assert_eq!(bench.b(), (None, 199, 200));
        let id = bench.decide(&["a", "b"], "b");
        bench.close(id, true);
        assert_eq!(bench.b().0, Some(Finding::Undecided));
        let ruling = bench.newcomer("b").unwrap().ruling();
        assert_eq!(ruling.unwrap().sequence, bench.journal.len() as u64);
        bench.episodes(50, true, true);
        assert_eq!(bench.newcomer("b").unwrap().ruling(), ruling, "told once");
        bench.episodes(400, false, true);
        assert_eq!(bench.b().0, Some(Finding::Adopted));
    }

    #[test]
    fn a_row_is_the_first_draw_by_chance_of_an_episode_scored_once() {
        let mut bench = Bench::after(300);
        let id = bench.decide(&["a", "b"], "b");
        // A second one of the same episode.
        let second = bench.decision(&["a", "b"], "a");
        bench.write(Record::Decision(Box::new(second)));
        assert_eq!(bench.b(), (None, 0, 0));
        bench.close(id, true);
        assert_eq!(bench.b(), (None, 1, 0));
        bench.close(id, false);
        assert_eq!(bench.b(), (None, 1, 0));
        for origin in [Origin::Pinned, Origin::NoExplore, Origin::Baseline] {
            bench.episodes += 1;
            let mut sure = bench.decision(&["a", "b"], "b");
            sure.origin = origin;
            let id = sure.id;
            bench.write(Record::Decision(Box::new(sure)));
            bench.close(id, true);
        }
        // Where it was not eligible there was no chance of it.
        let id = bench.decide(&["a"], "a");
        bench.close(id, true);
        assert_eq!(bench.b(), (None, 1, 0));
        let frozen = |frozen, bench: &mut Bench| {
            let (team, time) = (name("team"), bench.maker.now);
            let control = Control {
                frozen,
                ..Control::default()
            };
            bench.write(Record::Control {
                team,
                control,
                time,
            });
        };
        frozen(true, &mut bench);
        bench.episodes(4, true, true);
        frozen(false, &mut bench);
        assert_eq!(bench.b(), (None, 1, 0));
        bench.episodes(1, true, true);
        assert_eq!(bench.b(), (None, 1, 1));
    }

    #[test]
    fn newcomers_are_no_measure_of_each_other() {
        let mut bench = Bench::after(300);
        let all = ["a", "b", "c"];
        for arm in all {
            let id = bench.decide(&all, arm);
            bench.close(id, true);
        }
        assert_eq!(bench.b(), (None, 1, 1));
        let c = bench.newcomer("c").unwrap();
        assert_eq!((c.gain.arm_count(), c.gain.other_count()), (1, 1));
        // Of three that are as likely, it is one of two.
        let id = bench.decide(&all, "b");
        let team = bench.learner.team(&name("team"));
        let trial = team.ledger.get(id).unwrap().trial.as_ref().unwrap();
        let (drawn, p) = (trial.probes[0].drawn, trial.probes[0].stake);
        let b = bench.newcomer("b").unwrap();
        assert!(drawn && trial.probes.len() == 1);
        assert_eq!(Some(p), b.gain.clone().stake(0.5, 0.1));
    }

    #[test]
    fn another_scorecard_begins_it_anew_and_a_rebuild_agrees() {
        let mut bench = Bench::after(300);
        bench.episodes(10, true, true);
        let open = bench.decide(&["a", "b"], "b");
        assert_eq!(bench.b(), (None, 5, 5));
        bench.version = 2;
        bench
            .params
            .teams
            .get_mut("team")
            .unwrap()
            .scorecard_version = 2;
        // The server starts again, from its checkpoint or from the journal alone.
        bench.learner.rescore(&bench.params);
        assert_eq!(bench.bytes(&bench.rebuilt()), bench.bytes(&bench.learner));
        // Drawn under the old one, closed under the new.
        bench.close(open, true);
        assert_eq!(bench.b(), (None, 0, 0));
        assert_eq!(bench.bytes(&bench.rebuilt()), bench.bytes(&bench.learner));
        bench.episodes(4, true, true);
        assert_eq!(bench.b(), (None, 2, 2));
        assert_eq!(bench.bytes(&bench.rebuilt()), bench.bytes(&bench.learner));
        // An arm that has had its draws is no newcomer under yet another.
        bench.episodes(400, true, true);
        assert_eq!(bench.b().0, Some(Finding::Undecided));
        bench.version = 3;
        bench.decide(&["a", "b"], "a");
        assert_eq!(bench.newcomer("b"), None);
    }

    #[test]
    fn what_is_no_bound_is_refused() {
        let mut bench = Bench::after(300);
        bench.episodes(2, true, true);
        assert_eq!(bench.learner.validate(&bench.params), Ok(()));
        let team = bench.learner.teams.get_mut("team").unwrap();
        let b = team.newcomers.get_mut("b").unwrap();
        let stake = b.gain.stake(0.5, 0.0).unwrap();
        b.gain.add(&stake, true, f64::NAN);
        let broken = bench.learner.validate(&bench.params).unwrap_err();
        let broken = broken.to_string();
        assert!(broken.contains("the comparison of newcomers"), "{broken}");
    }
}
