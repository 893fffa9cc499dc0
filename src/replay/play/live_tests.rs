//! The learner that serves beside the learner of replay: the same prompts in the same order, the same
//! uniforms.
//!
//! They differ in one thing: the server learns cost as a ratio to what the prices say, replay in units of
//! c_ref, since a table has no prices. Any outcome table may be named, and
//! how many seeds:
//! `BELLWETHER_PARITY_TABLE=FILE BELLWETHER_PARITY_SEEDS=10 cargo test --lib parity -- --nocapture`.

use super::*;
use crate::decision::{Attempt, Usage};
use crate::feature::Extractor;
use crate::id::Name;
use crate::learn::sample::{HOUR, Maker, name};
use crate::learn::{self, Limits, Snapshot};
use crate::replay::bench::Bench;
use crate::replay::run::{Run, Spread};
use crate::replay::stream::Plan;
use crate::scorecard::{Definition, Kind, Level, Missing, Scorecard, Spec};
use crate::signal::{Change, Subject, Value};
use crate::store::{Position, Record};
use crate::table::{Columns, OutcomeTable};
use crate::unit::NanoUsd;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The server's learner, fed as the server feeds it.
struct Live<'a> {
    bench: &'a Bench,
    /// Mean cost of each arm: what the ratios are to.
    reference: Vec<f64>,
    params: learn::Params,
    learner: learn::Learner,
    snapshot: Snapshot,
    journal: Vec<Record>,
    maker: Maker,
}

fn params(bench: &Bench) -> learn::Params {
    let score = Spec {
        name: name("score"),
        kind: Kind::Number {
            worst: 0.0,
            best: 1.0,
        },
        weight: 1.0,
        gate: None,
        level: Level::Decision,
        closes_after: HOUR,
        missing: Missing::Unknown,
    };
    let definition = Definition {
        name: name("card"),
        signals: vec![score],
        quality_usd: bench.reference_cost_usd().unwrap() / bench.lambda(),
        latency_target_ms: None,
        latency_weight: 0.0,
    };
    let team = learn::Team {
        name: name("team"),
        arms: bench.arms().to_vec(),
        scorecard: Arc::new(Scorecard::new(definition).unwrap()),
        scorecard_version: 1,
        feature_set: name("test"),
        start: crate::bandit::Hierarchy::new(&crate::feature::ENDS, 10.0, &[0.5]).unwrap(),
        pooling: learn::Pooling::None,
        compared: false,
        checked: Default::default(),
    };
    learn::Params {
        teams: [(name("team"), team)].into(),
        limits: Limits::default(),
    }
}

impl<'a> Live<'a> {
    fn new(bench: &'a Bench) -> Self {
        let params = params(bench);
        let learner = learn::Learner::new(&params);
        let snapshot = learner.snapshot(&Snapshot::default(), &BTreeMap::new(), &params);
        let costs = bench.baselines().arms.iter().map(|arm| arm.cost_usd);
        Self {
            bench,
            reference: costs.map(Option::unwrap).collect(),
            snapshot: snapshot.unwrap(),
            learner,
            params,
            journal: Vec::new(),
            maker: Maker::new(),
        }
    }

    fn forced(&self) -> Vec<usize> {
        let pulls = &self.snapshot.teams[&name("team")].pulls;
        let young = |arm: &Name| pulls.get(arm).copied().unwrap_or(0) < route::FORCED_PULLS;
        let arms = self.bench.arms().iter().enumerate();
        arms.filter(|(_, arm)| young(arm)).map(|(i, _)| i).collect()
    }

    fn score(&self, x: &[f32], utility: &mut [f64], sd: &mut [f64]) {
        let team = &self.snapshot.teams[&name("team")];
        for (index, arm) in self.bench.arms().iter().enumerate() {
            let learned = &team.arms[arm];
            let mut mean = [0.0];
            let h = learned.groups[0].score(x, &mut mean).unwrap();
            let cost = learned.expected.cost_ratio(x) * self.reference[index];
            utility[index] = mean[0] - team.scorecard.price(cost, None);
            sd[index] = (learned.groups[0].noise(&[1.0]) * h).sqrt() / crate::bandit::PRIOR_SD;
        }
    }

    fn observe(&mut self, x: &[f32], prompt: usize, arm: usize) {
        let arms = self.bench.arms().to_vec();
        let mut decision = self.maker.decision(None);
        decision.context = Some(x.to_vec());
        decision.drawn.chosen = arm as u32;
        decision.drawn.reference_cost_usd = self.reference.clone();
        let (id, served) = (decision.id, arms[arm].clone());
        decision.drawn.arms = arms;
        let cost = self.bench.costs(prompt).unwrap()[arm];
        let attempt = Attempt {
            decision: id,
            arm: served,
            endpoint: name("e"),
            ended: self.maker.now,
            latency_ms: None,
            usage: Usage::default(),
            cost: Some(NanoUsd::new((cost * 1e9).round() as i64)),
            error: None,
            reported: true,
            request: None,
            first_token_ms: None,
        };
        let score = Value::Number(self.bench.scores(prompt)[arm]);
        let word = [("score", Change::Observed(score))];
        let told = self.maker.feedback(Subject::Decision(id), &word);
        let team = name("team");
        let mut changed = BTreeMap::new();
        for record in [
            Record::Decision(Box::new(decision)),
            Record::Attempt { team, attempt },
            told,
        ] {
            self.journal.push(record.clone());
            let at = Position {
                sequence: self.journal.len() as u64,
                offset: 0,
            };
            let (params, journal) = (&self.params, &self.journal);
            let learned = self
                .learner
                .apply(at, &record, params, journal, &mut changed);
            learned.unwrap();
        }
        let next = self
            .learner
            .snapshot(&self.snapshot, &changed, &self.params);
        self.snapshot = next.unwrap();
    }

    /// As [`super::play`], with the server's learner.
    fn play(mut self, policy: &Policy, seed: u64, eps: f64) -> Run {
        let (bench, arms) = (self.bench, self.bench.arms());
        let (mut utility, mut sd) = (vec![0.0; arms.len()], vec![0.0; arms.len()]);
        let params = Params::default();
        let plan = Plan::new(bench, &params.stream).unwrap();
        let stream = plan.stream(seed);
        let mut tally = Tally::new(&stream, None);
        for step in stream.played() {
            let x = bench.context(step.prompt);
            let forced = self.forced();
            self.score(x, &mut utility, &mut sd);
            let floors = floors(eps, &utility);
            let pmf = if forced.is_empty() {
                let scores = Scores {
                    utility: &utility,
                    sd: &sd,
                    samples: step.index as f64,
                };
                let pmf = policy.pmf(&scores, arms, &floors, &mut Scratch::default());
                pmf.unwrap()
            } else {
                uniform_over(&forced, &floors).unwrap()
            };
            let chosen = pmf.draw(stream.draw(step));
            tally.add(step, chosen, &pmf);
            self.observe(x, step.prompt, chosen);
        }
        tally.played().run
    }
}

/// Mean of the differences between the two on the same luck, and its standard error.
fn difference(bench: &Bench, seeds: u64) -> (f64, f64) {
    let policy: Policy = "linear-thompson".parse().unwrap();
    let mut differences = Vec::new();
    for seed in 0..seeds {
        let live = Live::new(bench).play(&policy, seed, 0.02).all;
        let params = Params::default();
        let plan = Plan::new(bench, &params.stream).unwrap();
        let replayed = play(&plan.stream(seed), &policy, &params).unwrap().run.all;
        println!("seed {seed}: live {live:.4}, replayed {replayed:.4}");
        differences.push(live - replayed);
    }
    let spread = Spread::of(differences.into_iter());
    (spread.mean, spread.sd / (seeds as f64).sqrt())
}

/// 600 prompts are few: on one of the two seeds replay holds on to the dear arm, and earns 0.08 less. So
/// the bound has one side: the learner that serves earns no less.
#[test]
fn parity_the_learner_that_serves_earns_no_less_than_the_one_that_replays() {
    let named = std::env::var("BELLWETHER_PARITY_TABLE");
    let seeds = std::env::var("BELLWETHER_PARITY_SEEDS").map_or(2, |n| n.parse().unwrap());
    let table = match &named {
        Ok(file) => OutcomeTable::read(Path::new(file), &Columns::default()).unwrap(),
        Err(_) => crate::replay::outcomes::tests::made(600, true),
    };
    let bench = Bench::new(&table, 0.1, &Extractor::shipped().unwrap(), true).unwrap();
    let (mean, error) = difference(&bench, seeds);
    println!(
        "{}: live - replayed = {mean:.4} +- {error:.4}",
        bench.name()
    );
    assert!(mean > -0.02, "{mean}");
}
