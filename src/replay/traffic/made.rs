//! Made traffic whose truth is known, and how tests ask about it.

use super::*;
use crate::bandit::{Policy, Scores, Scratch};
use crate::decision::{Cell, Drawn, Origin};
use crate::id::{Mint, Name, Secret};
use crate::ope::expected;
use crate::replay::{Candidate, Progress, Row};
use crate::unit::Timestamp;
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::ops::ControlFlow;

pub(super) const FEATURE_SET: &str = "made";
pub(super) const ARMS: [&str; 3] = ["a", "b", "c"];

pub(super) fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// True mean utility of each arm in context z.
pub(super) fn truth(z: f64) -> [f64; 3] {
    [0.5 + 0.4 * z, 0.5 - 0.4 * z, 0.45]
}

/// What the frozen snapshot behind the log believes: near the truth, and a little wrong.
pub(super) fn believed(z: f64) -> Vec<f64> {
    vec![0.52 + 0.3 * z, 0.48 - 0.3 * z, 0.47]
}

/// Logs `n` decisions of a frozen policy with a 10 % floor, one episode each.
pub(crate) fn log(n: usize, seed: u64) -> Vec<Row> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mint = Mint::new(Secret::new([7; 32]), seed);
    let policy: Policy = "linear-thompson:v=1,half=1000".parse().unwrap();
    let mut scratch = Scratch::default();
    let mut row = |i: usize| {
        let z: f64 = rng.random::<f64>() * 2.0 - 1.0;
        let drawn = drawn(&policy, z, rng.random(), &mut scratch);
        let hit = rng.random::<f64>() < truth(z)[drawn.chosen as usize];
        let time = Timestamp::from_micros(i as i64);
        Row {
            id: mint.next(time),
            time,
            team: name("team"),
            task: None,
            episode: None,
            origin: Origin::Drawn,
            cell: Cell::Router,
            policy: policy.to_string(),
            scorecard_version: 1,
            snapshot_version: 1,
            feature_set: name(FEATURE_SET),
            context: Some(vec![z as f32, 1.0]),
            drawn,
            served: None,
            cost_usd: None,
            latency_ms: None,
            outcomes: vec![],
            as_of: None,
            closed: false,
            quality: None,
            utility: Some(f64::from(u8::from(hit))),
            wanted: vec![],
        }
    };
    (0..n).map(&mut row).collect()
}

/// What the frozen policy draws in context z.
fn drawn(policy: &Policy, z: f64, uniform: f64, scratch: &mut Scratch) -> Drawn {
    let arms = ARMS.map(name).to_vec();
    let (utility, utility_sd, floor) = (believed(z), vec![0.1; 3], vec![0.1 / 3.0; 3]);
    let scores = Scores {
        utility: &utility,
        sd: &utility_sd,
        samples: 50.0,
    };
    let pmf = policy.pmf(&scores, &arms, &floor, scratch).unwrap();
    let chosen = pmf.draw(uniform);
    Drawn {
        arms,
        signals: vec![],
        pmf,
        floor,
        utility,
        utility_sd,
        signal_mean: vec![],
        signal_sd: vec![],
        cost_usd: vec![0.0; 3],
        reference_cost_usd: vec![0.0; 3],
        latency_ms: vec![f64::NAN; 3],
        samples: 50.0,
        forced: vec![],
        uniform,
        chosen: chosen as u32,
    }
}

pub(super) fn judged(rows: Vec<Row>, candidates: &[&str]) -> TrafficReport {
    let candidates: Vec<Candidate> = candidates.iter().map(|c| c.parse().unwrap()).collect();
    ask(rows, &Question::new(candidates))
}

pub(super) fn ask(rows: Vec<Row>, question: &Question) -> TrafficReport {
    traffic(rows.into_iter().map(Ok), None, question, &go_on).unwrap()
}

/// Value of a pmf-valued policy, z uniform on [-1, 1], by a fine sum.
pub(super) fn value(pmf: impl Fn(f64) -> [f64; 3]) -> f64 {
    let steps = 20_000;
    let total: f64 = (0..steps)
        .map(|i| {
            let z = -1.0 + (f64::from(i) + 0.5) * 2.0 / f64::from(steps);
            expected(&pmf(z), &truth(z))
        })
        .sum();
    total / f64::from(steps)
}
