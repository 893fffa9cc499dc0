//! The bandit's kernels: `cargo bench --no-default-features --bench bandit`.
//!
//! Shapes: 10 arms, d = 105, 3 signals (SCIENCE 2.1). Contexts have norm 2 and, as `feature` makes them
//! of a request with a task and no tags, 4 of the first 32 numbers other than zero; `scores_dense` has
//! none that are zero. `decide_100_arms...` is the same with 100 arms.
//! `decide` is what a Route does here: ten scores, ten utilities, the pmf, the draw.

#![expect(clippy::expect_used, reason = "a benchmark stops at its first mistake")]

use bellwether::bandit::{Policy, Posterior, Prior, Ridge, Scores, Scratch};
use bellwether::id::Name;
use criterion::{Criterion, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::hint::black_box;

const DIM: usize = 105;
const SIGNALS: usize = 3;

/// A context of norm 2 whose last coordinate is 1; `hashed` has a task in its 32 slots, else none of
/// them is zero.
fn context(rng: &mut SmallRng, hashed: bool) -> Vec<f32> {
    let mut x: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
    for (slot, v) in x.iter_mut().enumerate().take(32) {
        if hashed && slot % 8 != 3 {
            *v = 0.0;
        }
    }
    let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt();
    x.iter_mut().for_each(|v| *v *= 3.0_f32.sqrt() / norm);
    if let Some(bias) = x.last_mut() {
        *bias = 1.0;
    }
    x
}

/// An arm that has learned `rows` rows.
fn learned(rng: &mut SmallRng, rows: usize) -> Ridge {
    let mut prior = Prior::on_bias(DIM, 10.0, &[0.7; SIGNALS]);
    prior.coarse = 32;
    let mut arm = Ridge::new(&prior).expect("a valid prior");
    for _ in 0..rows {
        let x = context(rng, true);
        let values: Vec<_> = (0..SIGNALS)
            .map(|_| Some(rng.random_range(0.0..1.0)))
            .collect();
        arm.observe(&x, &values).expect("a valid row");
    }
    arm
}

fn decide(c: &mut Criterion) {
    decide_among::<10>(c);
    decide_among::<100>(c);
}

fn decide_among<const ARMS: usize>(c: &mut Criterion) {
    let mut rng = SmallRng::seed_from_u64(1);
    let arms: Vec<_> = (0..ARMS)
        .map(|i| Name::new(format!("arm{i}")).expect("a valid name"))
        .collect();
    let posteriors: Vec<_> = (0..ARMS)
        .map(|i| Posterior::from(&learned(&mut rng, 200 * (i % 10 + 1))))
        .collect();
    let contexts: Vec<_> = (0..64).map(|_| context(&mut rng, true)).collect();
    let dense: Vec<_> = (0..64).map(|_| context(&mut rng, false)).collect();
    let policy: Policy = "linear-thompson".parse().expect("a valid policy");
    let weights = [0.5, 0.3, 0.2];
    let (mut utility, mut sd) = ([0.0; ARMS], [0.0; ARMS]);
    let floor = [0.02 / ARMS as f64; ARMS];
    let mut scratch = Scratch::default();
    let mut turn = 0;
    let mut score_all = |x: &[f32]| {
        for ((posterior, u), s) in posteriors.iter().zip(&mut utility).zip(&mut sd) {
            let mut means = [0.0; SIGNALS];
            let h = posterior.score(x, &mut means).expect("a valid context");
            *u = means.iter().zip(&weights).map(|(m, w)| m * w).sum();
            *s = (posterior.noise(&weights) * h).sqrt() / 0.3;
        }
        (utility, sd)
    };
    let mut group = c.benchmark_group(format!("decide_{ARMS}_arms_d105_3_signals"));
    group.bench_function("whole", |b| {
        b.iter(|| {
            turn = (turn + 1) % contexts.len();
            let (utility, sd) = score_all(black_box(&contexts[turn]));
            let scores = Scores {
                utility: &utility,
                sd: &sd,
                samples: 11_000.0,
            };
            let pmf = policy
                .pmf(&scores, &arms, &floor, &mut scratch)
                .expect("valid scores");
            pmf.draw(black_box(0.37))
        });
    });
    group.bench_function("scores_alone", |b| {
        b.iter(|| {
            turn = (turn + 1) % contexts.len();
            score_all(black_box(&contexts[turn]))
        });
    });
    group.bench_function("scores_dense", |b| {
        b.iter(|| {
            turn = (turn + 1) % dense.len();
            score_all(black_box(&dense[turn]))
        });
    });
    // Close means, so that no arm is pruned: the quadrature's worst usual case.
    let close: Vec<f64> = (0..ARMS)
        .map(|i| 0.7 + 0.01 * i as f64 / ARMS as f64)
        .collect();
    let sds: Vec<f64> = (0..ARMS)
        .map(|i| 0.2 + 0.5 * i as f64 / ARMS as f64)
        .collect();
    for spec in ["linear-thompson", "square-cb", "lin-ucb"] {
        let policy: Policy = spec.parse().expect("a valid policy");
        group.bench_function(format!("pmf_alone_{spec}"), |b| {
            b.iter(|| {
                let scores = Scores {
                    utility: black_box(&close),
                    sd: &sds,
                    samples: 11_000.0,
                };
                policy.pmf(&scores, &arms, &floor, &mut scratch)
            });
        });
    }
    group.finish();
}

fn learn(c: &mut Criterion) {
    let mut rng = SmallRng::seed_from_u64(2);
    let arm = learned(&mut rng, 500);
    let rows: Vec<_> = (0..64).map(|_| context(&mut rng, true)).collect();
    let values = [Some(1.0), Some(0.4), None];
    let mut turn = 0;
    let mut group = c.benchmark_group("learn_d105_3_signals");
    let mut learner = arm.clone();
    // With its share of the refactors, one in 4096.
    group.bench_function("observe", |b| {
        b.iter(|| {
            turn = (turn + 1) % rows.len();
            learner.observe(black_box(&rows[turn]), &values)
        });
    });
    let mut learner = arm.clone();
    group.bench_function("arrive", |b| {
        b.iter(|| learner.arrive(black_box(&rows[0]), learner.fading(), 2, (0.5, 0.5 + 1e-9)));
    });
    let mut learner = arm.clone();
    group.bench_function("refactor", |b| b.iter(|| learner.refactor()));
    group.bench_function("publish", |b| b.iter(|| Posterior::from(black_box(&arm))));
    group.finish();
}

criterion_group!(benches, decide, learn);
criterion_main!(benches);
