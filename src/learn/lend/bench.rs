//! Teams that lend each other, under one learner, over a journal in memory: for tests.

use super::*;
use crate::bandit::{PRIOR_SD, Policy, Scores, Scratch, floors};
use crate::decision::Decision;
use crate::learn::sample::{HOUR, Maker, name, params, seen};
use crate::learn::{Learner, Snapshot};
use crate::signal::{Feedback, Subject};
use crate::store::Position;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;

const ARMS: [&str; 4] = ["a", "b", "c", "d"];

/// How often an arm's tests pass at a context.
pub(super) type World = fn(usize, f32) -> f64;

/// Arm a is best on one side, arm d on the other.
pub(super) fn tastes(arm: usize, wave: f32) -> f64 {
    let (level, slope) = [(0.45, 0.5), (0.55, 0.0), (0.6, 0.0), (0.75, -0.2)][arm];
    level + slope * f64::from(wave)
}

pub(super) fn opposite(arm: usize, wave: f32) -> f64 {
    1.0 - tastes(arm, wave)
}

/// Teams under one learner, over a journal in memory.
pub(super) struct Bench {
    pub(super) params: Params,
    pub(super) learner: Learner,
    pub(super) snapshot: Snapshot,
    pub(super) journal: Vec<Record>,
    pub(super) maker: Maker,
    rng: SmallRng,
}

impl Bench {
    pub(super) fn new(teams: &[(&str, Pooling)], seed: u64) -> Self {
        let mut all = params(HOUR);
        let team = all.teams.remove("team").unwrap();
        for (team_name, pooling) in teams {
            let mut team = team.clone();
            team.name = name(team_name);
            team.arms = ARMS.map(name).to_vec();
            team.pooling = *pooling;
            all.teams.insert(name(team_name), team);
        }
        let learner = Learner::new(&all);
        let snapshot = learner.snapshot(&Snapshot::default(), &BTreeMap::new(), &all);
        Self {
            snapshot: snapshot.unwrap(),
            params: all,
            learner,
            journal: Vec::new(),
            maker: Maker::new(),
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    pub(super) fn edit(&mut self, team: &str, edit: impl FnOnce(&mut Team)) {
        edit(self.params.teams.get_mut(team).unwrap());
        self.learner = Learner::new(&self.params);
    }

    pub(super) fn write(&mut self, record: Record) {
        self.journal.push(record.clone());
        let at = Position {
            sequence: self.journal.len() as u64,
            offset: 0,
        };
        let mut changed = BTreeMap::new();
        let (params, journal) = (&self.params, &self.journal);
        let learned = self
            .learner
            .apply(at, &record, params, journal, &mut changed);
        learned.unwrap();
        let next = self
            .learner
            .snapshot(&self.snapshot, &changed, &self.params);
        self.snapshot = next.unwrap();
    }

    /// A draw of an arm, and what came of it.
    pub(super) fn draw(&mut self, team: &str, arm: usize, wave: f32, passed: Option<bool>) {
        let mut decision: Decision = self.maker.decision(None);
        decision.team = name(team);
        decision.context = Some(vec![wave, 1.0]);
        decision.drawn.arms = ARMS.map(name).to_vec();
        decision.drawn.chosen = u32::try_from(arm).unwrap();
        let subject = Subject::Decision(decision.id);
        self.write(Record::Decision(Box::new(decision)));
        if let Some(passed) = passed {
            let both = [("tests", seen(passed)), ("merged", seen(passed))];
            let Record::Feedback(fed) = self.maker.feedback(subject, &both) else {
                unreachable!("feedback");
            };
            let team = name(team);
            self.write(Record::Feedback(Feedback { team, ..fed }));
        }
    }

    /// Draws of one arm that pass at a rate.
    pub(super) fn show(&mut self, team: &str, arm: usize, rate: f64, draws: usize) {
        for _ in 0..draws {
            let wave = self.rng.random_range(-0.5..0.5);
            let passed = self.rng.random::<f64>() < rate;
            self.draw(team, arm, wave, Some(passed));
        }
    }

    pub(super) fn arm(&self, team: &str, arm: &str) -> &Arm {
        &self.learner.team(&name(team)).arms[arm]
    }

    /// Draws as a server would; what each loses to the best arm there, in share of tests passed.
    pub(super) fn play(&mut self, team: &str, world: World, draws: usize) -> Vec<f64> {
        let policy: Policy = "linear-thompson".parse().unwrap();
        let mut lost = Vec::with_capacity(draws);
        for _ in 0..draws {
            let wave = if self.rng.random::<bool>() { 0.5 } else { -0.5 };
            let now = Arc::clone(&self.snapshot.teams[team]);
            let pulls = |arm: &usize| now.pulls.get(ARMS[*arm]).copied().unwrap_or(0);
            let young = (0..ARMS.len()).filter(|arm| pulls(arm) < 3);
            let young: Vec<usize> = young.collect();
            let arm = match young.is_empty() {
                false => young[self.rng.random_range(0..young.len())],
                true => {
                    let estimates = ARMS.map(|arm| {
                        let group = &now.arms[arm].groups[0];
                        let mut means = [0.0; 2];
                        let h = group.score(&[wave, 1.0], &mut means).unwrap();
                        let doubt = now.doubt.get(arm).copied().unwrap_or(1.0);
                        let sd = doubt * (group.noise(&[1.0, 0.0]) * h).sqrt() / PRIOR_SD;
                        (means[0], sd)
                    });
                    let scores = Scores {
                        utility: &estimates.map(|(mean, _)| mean),
                        sd: &estimates.map(|(_, sd)| sd),
                        samples: now.tempo.time(),
                    };
                    let floors = floors(0.02, scores.utility);
                    let arms = ARMS.map(name);
                    let pmf = policy.pmf(&scores, &arms, &floors, &mut Scratch::default());
                    pmf.unwrap().draw(self.rng.random())
                }
            };
            let best = (0..ARMS.len())
                .map(|arm| world(arm, wave))
                .fold(0.0, f64::max);
            lost.push(best - world(arm, wave));
            let passed = self.rng.random::<f64>() < world(arm, wave);
            self.draw(team, arm, wave, Some(passed));
        }
        lost
    }
}
