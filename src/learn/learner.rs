//! The learner: the state machine over journal records, for all teams.
//!
//! Not here: reading the journal and publishing (`follow`), one team's rules (`team`).

use super::alarm::Alarm;
use super::ledger::Limits;
use super::snapshot::{ArmSnapshot, Snapshot, TeamSnapshot};
use super::team::{Team as State, Touched};
use crate::bandit::StateError;
use crate::decision::Decision;
use crate::id::{DecisionId, Name};
use crate::scorecard::Scorecard;
use crate::signal::{Feedback, Subject};
use crate::store::{Position, Record};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
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
    /// Length of a context.
    pub dim: usize,
    /// Ridge of the regressions (10 for contexts of squared norm up to 4).
    pub ridge: f64,
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
    /// scorecards, length of the context, ridge, bounds. Weights and dollars are not part of it:
    /// they re-score the same statistics.
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
            text.push_str(&format!("{shape:?}{:?}{:?}", team.dim, team.ridge));
        }
        xxh3_64(text.as_bytes())
    }
}

/// Reads a decision back: contexts are kept in the journal, not in memory.
pub trait Recall {
    /// The decision at `position`; `None` where it cannot be read (an event tells why).
    fn decision(&self, position: Position) -> Option<Box<Decision>>;
}

/// Raised when the learner's state is another one for the same records: older checkpoints are then
/// rebuilt from the journal.
const LAYOUT: u32 = 2;

/// Most feedback kept for decisions that are not visible yet.
const PARKED: usize = 10_000;

/// Everything learned, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    sequence: u64,
    now: Timestamp,
    teams: BTreeMap<Name, State>,
    parked: VecDeque<(DecisionId, Feedback)>,
}

impl Learner {
    /// Knows nothing.
    pub fn new(params: &Params) -> Self {
        let teams = params
            .teams
            .iter()
            .map(|(n, t)| (n.clone(), State::new(&t.scorecard)))
            .collect();
        Self {
            sequence: 0,
            now: Timestamp::default(),
            teams,
            parked: VecDeque::new(),
        }
    }

    /// Journal sequence learned up to.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Teams that the parameters have gained since a checkpoint was written.
    pub fn admit(&mut self, params: &Params) {
        for (name, team) in &params.teams {
            self.teams
                .entry(name.clone())
                .or_insert_with(|| State::new(&team.scorecard));
        }
    }

    /// Learns from one record. Returns the team and arms whose statistics changed.
    pub fn apply(
        &mut self,
        at: Position,
        record: &Record,
        params: &Params,
        recall: &dyn Recall,
    ) -> Vec<(Name, Touched)> {
        self.sequence = at.sequence;
        self.now = self.now.max(record.time());
        for state in self.teams.values_mut() {
            state.alarms.at(self.sequence, self.now);
        }
        let mut changed: BTreeMap<Name, Touched> = self.advance(params, recall);
        if let Some(name) = record.team().cloned()
            && let Some(team) = params.teams.get(&name)
        {
            let touched = changed.entry(name).or_default();
            self.apply_to_team(at, record, team, &params.limits, recall, touched);
        }
        changed.into_iter().collect()
    }

    fn advance(&mut self, params: &Params, recall: &dyn Recall) -> BTreeMap<Name, Touched> {
        let mut changed = BTreeMap::new();
        for (name, state) in &mut self.teams {
            let Some(team) = params.teams.get(name) else {
                continue;
            };
            let mut touched = Touched::new();
            state.advance(self.now, &params.limits, team, recall, &mut touched);
            if !touched.is_empty() {
                changed.insert(name.clone(), touched);
            }
        }
        changed
    }

    fn apply_to_team(
        &mut self,
        at: Position,
        record: &Record,
        team: &Team,
        limits: &Limits,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        let Some(state) = self.teams.get_mut(&team.name) else {
            return;
        };
        match record {
            Record::Decision(decision) => {
                state.decided(decision, at, team, touched);
                self.unpark(decision.id, team, recall, touched);
            }
            Record::Attempt { attempt, .. } => state.attempted(attempt, team, recall, touched),
            Record::Feedback(feedback) => {
                if let Subject::Decision(id) = feedback.subject
                    && !state.ledger.knows(id)
                {
                    // Past the window it is late: it stays in the journal for replay.
                    if id.minted().after(team.window(limits)) >= self.now {
                        self.park(id, feedback);
                    }
                } else {
                    state.reported(feedback, team, recall, touched);
                }
            }
            Record::EpisodeClosed { episode, .. } => {
                state.close_episode(episode, team, recall, touched);
            }
            Record::Control { control, .. } => state.control = control.clone(),
            Record::Version { .. } | Record::Tick { .. } => {}
        }
    }

    /// Keeps feedback whose decision is not here. One that has left the window is late: it stays in
    /// the journal for replay and changes nothing here; the bound is what forgets it.
    fn park(&mut self, id: DecisionId, feedback: &Feedback) {
        if self.parked.len() >= PARKED {
            self.parked.pop_front();
        }
        self.parked.push_back((id, feedback.clone()));
    }

    fn unpark(&mut self, id: DecisionId, team: &Team, recall: &dyn Recall, touched: &mut Touched) {
        let waits = |(d, feedback): &(DecisionId, Feedback)| *d == id && feedback.team == team.name;
        if !self.parked.iter().any(waits) {
            return;
        }
        let (mine, rest): (VecDeque<_>, VecDeque<_>) = std::mem::take(&mut self.parked)
            .into_iter()
            .partition(waits);
        self.parked = rest;
        if let Some(state) = self.teams.get_mut(&team.name) {
            for (_, feedback) in &mine {
                state.reported(feedback, team, recall, touched);
            }
        }
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
            let fresh = untried.then(|| state.fresh_arm(team)).transpose()?;
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
            let snapshot = TeamSnapshot {
                scorecard: Arc::clone(&team.scorecard),
                scorecard_version: team.scorecard_version,
                arms: arms.collect(),
                pulls: pulls.collect(),
                samples: state.arms.values().map(|a| a.outcomes as f64).sum(),
                control: state.control.clone(),
                alarms: state.alarms.published(old.map(|old| &old.alarms)),
            };
            teams.insert(name.clone(), Arc::new(snapshot));
        }
        Ok(Snapshot {
            version: self.sequence,
            teams,
        })
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

    /// Changes of arms that were noticed, team by team, oldest first.
    pub fn alarms(&self) -> impl Iterator<Item = (&Name, &Alarm)> {
        self.teams
            .iter()
            .flat_map(|(name, state)| state.alarms.raised().map(move |alarm| (name, alarm)))
    }

    /// Whether every regression is whole: finite, positive definite, of the right shape.
    pub fn validate(&self, params: &Params) -> Result<(), StateError> {
        for (name, state) in &self.teams {
            if !params.teams.contains_key(name) {
                continue;
            }
            if !state.alarms.are_whole() {
                return Err(StateError::Range {
                    field: "alarms",
                    value: f64::NAN,
                    allowed: "finite, evidence at least 1",
                });
            }
            for arm in state.arms.values() {
                for ridge in arm.groups.iter().chain([&arm.usage]) {
                    ridge.validate()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Drawn, Origin};
    use crate::id::{Mint, Secret};
    use crate::scorecard::{Definition, Kind, Level, Missing, Spec};
    use crate::signal::{Change, Value};
    use crate::unit::Pmf;

    const HOUR: Duration = Duration::from_secs(3600);

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn spec(signal: &str, level: Level, missing: Missing) -> Spec {
        Spec {
            name: name(signal),
            kind: Kind::Flag { good: true },
            weight: 1.0,
            gate: None,
            level,
            closes_after: HOUR,
            missing,
        }
    }

    fn params(closes_after: Duration) -> Params {
        let mut signals = vec![
            spec("tests", Level::Decision, Missing::Unknown),
            spec("merged", Level::Decision, Missing::Unknown),
            spec("alive", Level::Decision, Missing::Worst),
            spec("happy", Level::Episode, Missing::Unknown),
        ];
        for signal in &mut signals {
            signal.closes_after = closes_after;
        }
        let definition = Definition {
            name: name("card"),
            signals,
            quality_usd: 1.0,
            latency_target_ms: None,
            latency_weight: 0.0,
        };
        let team = Team {
            name: name("team"),
            arms: vec![name("a"), name("b")],
            scorecard: Arc::new(Scorecard::new(definition).unwrap()),
            scorecard_version: 1,
            feature_set: name("test"),
            dim: 2,
            ridge: 10.0,
        };
        Params {
            teams: [(name("team"), team)].into(),
            limits: Limits::default(),
        }
    }

    /// A learner over a journal in memory.
    struct Bench {
        params: Params,
        learner: Learner,
        journal: Vec<Record>,
        mint: Mint,
        now: Timestamp,
    }

    impl Recall for Vec<Record> {
        fn decision(&self, position: Position) -> Option<Box<Decision>> {
            match self.get(position.sequence as usize - 1) {
                Some(Record::Decision(decision)) => Some(decision.clone()),
                _ => None,
            }
        }
    }

    impl Bench {
        fn new() -> Self {
            Self::closing_after(HOUR)
        }

        fn closing_after(closing: Duration) -> Self {
            let params = params(closing);
            let learner = Learner::new(&params);
            let mint = Mint::new(Secret::new([7; 32]), 0);
            let now = Timestamp::from_micros(1_700_000_000_000_000);
            Self {
                params,
                learner,
                journal: Vec::new(),
                mint,
                now,
            }
        }

        fn write(&mut self, record: Record) -> Vec<(Name, Touched)> {
            self.journal.push(record.clone());
            let at = Position {
                sequence: self.journal.len() as u64,
                offset: 0,
            };
            self.learner.apply(at, &record, &self.params, &self.journal)
        }

        fn decision(&mut self, episode: Option<&str>) -> Decision {
            let drawn = Drawn {
                arms: vec![name("a"), name("b")],
                signals: vec![],
                pmf: Pmf::new(vec![0.5, 0.5]).unwrap(),
                floor: vec![0.0; 2],
                utility: vec![0.0; 2],
                utility_sd: vec![0.0; 2],
                signal_mean: vec![],
                signal_sd: vec![],
                cost_usd: vec![0.0; 2],
                reference_cost_usd: vec![0.0; 2],
                latency_ms: vec![f64::NAN; 2],
                samples: 0.0,
                forced: vec![],
                uniform: 0.1,
                chosen: 0,
            };
            Decision {
                id: self.mint.next(self.now),
                time: self.now,
                team: name("team"),
                key: name("key"),
                task: None,
                episode: episode.map(name),
                session: None,
                request: None,
                origin: Origin::Drawn,
                policy: "uniform".to_owned(),
                scorecard_version: 1,
                snapshot_version: 0,
                feature_set: name("test"),
                context: Some(vec![0.5, 1.0]),
                input_tokens: 1,
                drawn,
                excluded: vec![],
                endpoint: name("e"),
                fallbacks: Vec::new(),
                content: None,
            }
        }

        fn decide(&mut self, episode: Option<&str>) -> DecisionId {
            let decision = self.decision(episode);
            let id = decision.id;
            self.write(Record::Decision(Box::new(decision)));
            id
        }

        fn feed(&mut self, subject: Subject, signals: &[(&str, Change)]) {
            let signals = signals.iter().map(|(n, c)| (name(n), c.clone())).collect();
            self.write(Record::Feedback(Feedback {
                team: name("team"),
                subject,
                signals,
                observed: self.now,
                received: self.now,
                evaluator: None,
                request_id: None,
                body_hash: 0,
            }));
        }

        fn tick(&mut self, later: Duration) {
            self.now = self.now.after(later);
            self.write(Record::Tick { time: self.now });
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
            postcard::to_allocvec(&self.learner).unwrap()
        }
    }

    fn seen(value: bool) -> Change {
        Change::Observed(Value::Flag(value))
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
            Some(bench.now.after(HOUR))
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
        let decision = bench.decision(None);
        bench.feed(Subject::Decision(decision.id), &[("tests", seen(true))]);
        assert_eq!(bench.expect("tests"), 0.5);
        bench.write(Record::Decision(Box::new(decision)));
        assert!(bench.expect("tests") > 0.54);
    }

    #[test]
    fn an_episode_signal_is_credited_to_every_draw_of_the_episode() {
        let mut bench = Bench::new();
        bench.decide(Some("e"));
        bench.decide(Some("e"));
        bench.decide(Some("other"));
        bench.feed(Subject::Episode(name("e")), &[("happy", seen(true))]);
        assert_eq!(bench.learner.outcomes(&name("team")), [(name("a"), 2)]);
    }

    #[test]
    fn closing_an_episode_settles_what_is_missing() {
        let mut bench = Bench::new();
        bench.decide(Some("e"));
        bench.write(Record::EpisodeClosed {
            team: name("team"),
            episode: name("e"),
            time: bench.now,
            request: None,
        });
        assert!(bench.expect("alive") < 0.46);
    }

    #[test]
    fn a_decision_publishes_its_count_and_copies_no_statistics() {
        let mut bench = Bench::new();
        let mut published = Snapshot::default();
        let publish = |bench: &mut Bench, before: &Snapshot| {
            let decision = bench.decision(None);
            let changed = bench.write(Record::Decision(Box::new(decision)));
            let changed = changed.into_iter().collect();
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
            time: bench.now,
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
        saved.learner = postcard::from_bytes(&saved.bytes()).unwrap();
        for bench in [&mut through, &mut saved] {
            let id = bench.decide(None);
            bench.feed(Subject::Decision(id), &[("merged", seen(true))]);
            bench.tick(2 * HOUR);
        }
        assert_eq!(through.bytes(), saved.bytes());
        saved.learner.validate(&saved.params).unwrap();
    }
}
