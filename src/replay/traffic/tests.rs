//! Tests of judging on traffic.

use super::*;
use crate::bandit::{Policy, Scores, Scratch};
use crate::decision::{Cell, Drawn, Origin};
use crate::id::{Mint, Name, Secret};
use crate::ope::{Estimate, Refusal, expected};
use crate::replay::{Candidate, Error, Progress, Row, Wanted};
use crate::unit::{Pmf, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::ops::ControlFlow;

const FEATURE_SET: &str = "made";
const ARMS: [&str; 3] = ["a", "b", "c"];

fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// True mean utility of each arm in context z.
fn truth(z: f64) -> [f64; 3] {
    [0.5 + 0.4 * z, 0.5 - 0.4 * z, 0.45]
}

/// What the frozen snapshot behind the log believes: near the truth, and a little wrong.
fn believed(z: f64) -> Vec<f64> {
    vec![0.52 + 0.3 * z, 0.48 - 0.3 * z, 0.47]
}

/// Logs `n` decisions of a frozen policy with a 10 % floor, one episode each.
fn log(n: usize, seed: u64) -> Vec<Row> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mint = Mint::new(Secret::new([7; 32]), seed);
    let policy: Policy = "linear-thompson:v=1,half=1000".parse().unwrap();
    let mut scratch = Scratch::default();
    (0..n)
        .map(|i| {
            let z: f64 = rng.random::<f64>() * 2.0 - 1.0;
            let arms = ARMS.map(name).to_vec();
            let (utility, utility_sd, floor) = (believed(z), vec![0.1; 3], vec![0.1 / 3.0; 3]);
            let scores = Scores {
                utility: &utility,
                sd: &utility_sd,
                samples: 50.0,
            };
            let pmf = policy.pmf(&scores, &arms, &floor, &mut scratch).unwrap();
            let uniform = rng.random();
            let chosen = pmf.draw(uniform);
            let hit = rng.random::<f64>() < truth(z)[chosen];
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
                drawn: Drawn {
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
                },
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
        })
        .collect()
}

fn judged(rows: Vec<Row>, candidates: &[&str]) -> TrafficReport {
    let candidates: Vec<Candidate> = candidates.iter().map(|c| c.parse().unwrap()).collect();
    ask(rows, &Question::new(candidates))
}

fn ask(rows: Vec<Row>, question: &Question) -> TrafficReport {
    traffic(rows.into_iter().map(Ok), None, question, &go_on).unwrap()
}

/// Value of a pmf-valued policy, z uniform on [-1, 1], by a fine sum.
fn value(pmf: impl Fn(f64) -> [f64; 3]) -> f64 {
    let steps = 20_000;
    let total: f64 = (0..steps)
        .map(|i| {
            let z = -1.0 + (f64::from(i) + 0.5) * 2.0 / f64::from(steps);
            expected(&pmf(z), &truth(z))
        })
        .sum();
    total / f64::from(steps)
}

#[test]
fn intervals_hold_the_true_values_about_as_often_as_they_say() {
    let greedy = |z: f64| {
        let u = believed(z);
        let best = (0..3).max_by(|a, b| u[*a].total_cmp(&u[*b])).unwrap();
        // It keeps the logged floor.
        let mut p = [0.1 / 3.0; 3];
        p[best] += 0.9;
        p
    };
    let truths = [
        ("uniform", value(|_| [1.0 / 3.0; 3])),
        ("fixed:arm=c", value(|_| [0.0, 0.0, 1.0])),
        ("greedy", value(greedy)),
    ];
    let names = truths.map(|(name, _)| name);
    let mut held = [[0; 3]; 3];
    let runs = 40;
    for seed in 0..runs {
        let report = judged(log(1500, seed), &names);
        for ((found, (_, truth)), held) in report.candidates.iter().zip(truths).zip(&mut held) {
            assert_eq!(found.refusal, None, "{found:?}");
            let all = [found.doubly_robust, found.snips, found.ips];
            for (estimate, held) in all.into_iter().zip(held) {
                let estimate = estimate.unwrap();
                *held += u32::from((estimate.lower..=estimate.upper).contains(&truth));
            }
        }
    }
    // Binomial(40, 0.95): sd 1.4, four sd below 38. Seeds are fixed.
    assert!(held.as_flattened().iter().all(|h| *h >= 32), "{held:?}");
}

#[test]
fn a_log_whose_few_draws_like_the_candidate_s_have_not_come_is_refused() {
    let mut rows = log(600, 1);
    rows.retain(|row| row.drawn.chosen != 2);
    for row in &mut rows {
        row.drawn.pmf = Pmf::new(vec![0.498, 0.498, 0.004]).unwrap();
    }
    let found = &judged(rows, &["uniform"]).candidates[0];
    // The draws of the third arm, a third of what the candidate does, weigh 83 each: none has come.
    assert!(found.overlap.effective_sample_size > 300.0);
    let reason = found.refusal.as_ref().map(|refused| refused.reason);
    let Some(Refusal::EffectiveSampleSize { found, .. }) = reason else {
        panic!("{reason:?}");
    };
    assert!(found < 30.0, "{found}");
}

#[test]
fn the_doubly_robust_interval_is_the_narrowest() {
    let report = judged(log(4000, 1), &["fixed:arm=c"]);
    let found = &report.candidates[0];
    let width = |estimate: Option<Estimate>| estimate.unwrap().standard_error;
    assert!(width(found.doubly_robust) < width(found.snips));
    assert!(width(found.snips) < width(found.ips));
}

#[test]
fn the_logged_pmfs_are_recomputed_and_calibrated() {
    let check = judged(log(3000, 2), &[]).propensities;
    assert_eq!(
        (check.recomputed, check.equal, check.unreadable),
        (3000, 3000, 0)
    );
    assert!(check.worst_error <= 1e-12);
    assert!(check.calibration.p_value > 0.001, "{check:?}");
    let mut wrong = log(3000, 2);
    for row in &mut wrong {
        row.drawn.pmf = Pmf::new(vec![1.0 / 3.0; 3]).unwrap();
    }
    let check = judged(wrong, &[]).propensities;
    assert!(check.equal < 3000 && check.calibration.p_value < 1e-9);
    let mut unknown = log(1, 2);
    unknown[0].policy = "oracle".to_owned();
    assert_eq!(judged(unknown, &[]).propensities.unreadable, 1);
}

#[test]
fn the_logged_policy_is_its_own_mean_with_weight_one() {
    let rows = log(500, 3);
    let mean = rows.iter().filter_map(|row| row.utility).sum::<f64>() / 500.0;
    let report = judged(rows, &["logged"]);
    let found = &report.candidates[0];
    for estimate in [report.logged, found.ips, found.snips] {
        assert!((estimate.unwrap().value - mean).abs() < 1e-12);
    }
    assert_eq!(found.overlap.mean_weight, 1.0);
    assert!((found.overlap.effective_sample_size - 500.0).abs() < 1e-9);
}

#[test]
fn too_few_outcomes_are_refused() {
    let report = judged(log(60, 4), &["fixed:arm=c", "fixed:arm=z"]);
    let found = &report.candidates[0];
    let refusal = found.refusal.as_ref().unwrap();
    assert!(matches!(
        refusal.reason,
        Refusal::EffectiveSampleSize { .. }
    ));
    assert_eq!(refusal.wanted, [], "every decision has its outcome");
    assert_eq!((found.ips, found.doubly_robust), (None, None));
    // An arm that was never eligible.
    let absent = &report.candidates[1];
    let reason = absent.refusal.as_ref().map(|refused| refused.reason);
    assert_eq!((absent.not_applicable, reason), (60, Some(Refusal::NoRows)));
    let text = report.to_string();
    assert!(text.contains("refused: effective sample size"), "{text}");
    assert!(judged(vec![], &["uniform"]).candidates[0].refusal.is_some());
}

#[test]
fn a_refusal_names_the_signals_that_never_came() {
    let mut rows = log(300, 11);
    for (i, row) in rows.iter_mut().enumerate() {
        row.utility = None;
        row.wanted = vec![name("safe")];
        if i < 10 {
            row.wanted.push(name("polite"));
        }
    }
    let report = judged(rows, &["uniform"]);
    let wanted = |signal, decisions| Wanted {
        signal: name(signal),
        decisions,
    };
    assert_eq!(report.wanted, [wanted("safe", 300), wanted("polite", 10)]);
    let refused = report.candidates[0].refusal.as_ref().unwrap();
    assert_eq!(refused.reason, Refusal::NoRows);
    let text = refused.to_string();
    let named = "left out for want of safe (300 decisions), polite (10 decisions): send";
    assert!(text.contains(named), "{text}");
    assert!(report.to_string().contains("safe (300 decisions)"));
}

#[test]
fn progress_never_says_the_same_twice() {
    let check = |rows: usize, expected: &[usize]| {
        let told = std::sync::Mutex::new(Vec::new());
        let watch = |progress: Progress| {
            assert_eq!(progress.total, Some(3 * rows));
            told.lock().unwrap().push(progress.done);
            ControlFlow::Continue(())
        };
        let candidates = ["uniform", "logged"].map(|c| c.parse().unwrap());
        traffic(
            log(rows, 12).into_iter().map(Ok),
            Some(rows),
            &Question::new(candidates.to_vec()),
            &watch,
        )
        .unwrap();
        assert_eq!(told.into_inner().unwrap(), expected);
    };
    check(0, &[]);
    check(100, &[200, 300]);
    check(2048, &[1024, 2048, 4096, 6144]);
}

#[test]
fn deterministic_unobserved_and_orphaned_decisions_are_left_out_and_counted() {
    let mut rows = log(400, 5);
    let certain = rows[0].id;
    rows[0].origin = Origin::Pinned;
    rows[1].origin = Origin::Inherited(certain);
    rows[2].origin = Origin::NoExplore;
    rows[3].utility = None;
    let missing = log(1, 99)[0].id;
    rows[4].origin = Origin::Inherited(missing);
    let report = judged(rows, &["uniform"]);
    let counts = (
        report.deterministic,
        report.unobserved,
        report.orphaned,
        report.used,
    );
    assert_eq!(counts, (3, 1, 1, 395));
    assert_eq!((report.rows, report.draws), (400, 396));
}

#[test]
fn candidates_are_judged_within_the_routers_cell_and_the_cells_are_compared() {
    let routed = log(400, 11);
    let mut rows = routed.clone();
    let hits = |rows: &[Row]| rows.iter().filter_map(|r| r.utility).sum::<f64>();
    let held_out: Vec<Row> = log(100, 12)
        .into_iter()
        .enumerate()
        .map(|(i, mut row)| {
            row.cell = Cell::Holdout;
            row.origin = match i % 4 {
                0 => Origin::Drawn,
                1 => Origin::NoExplore,
                _ => Origin::Baseline,
            };
            row
        })
        .collect();
    rows.extend(held_out.iter().cloned());
    let (alone, mixed) = (
        judged(routed.clone(), &["uniform"]),
        judged(rows, &["uniform"]),
    );
    assert_eq!((mixed.rows, mixed.used, mixed.held_out), (500, 400, 100));
    assert_eq!(mixed.candidates, alone.candidates);
    assert_eq!(mixed.propensities, alone.propensities);
    assert_eq!(alone.lift, None);
    let lift = mixed.lift.unwrap();
    assert_eq!(lift.router.value, hits(&routed) / 400.0);
    let by_chance = held_out.iter().filter(|r| r.origin != Origin::NoExplore);
    let by_chance: Vec<Row> = by_chance.cloned().collect();
    assert_eq!(lift.holdout.value, hits(&by_chance) / 75.0);
}

#[test]
fn decisions_that_inherit_repeat_the_weight_of_their_draw_and_add_no_certainty() {
    let once = log(400, 6);
    let mint = Mint::new(Secret::new([7; 32]), 1000);
    let mut twice = Vec::new();
    for mut row in once.clone() {
        row.episode = Some(name(&row.id.to_string()));
        let mut again = row.clone();
        again.id = mint.next(row.time);
        again.origin = Origin::Inherited(row.id);
        // An inherited decision has its arm for certain.
        again.drawn.pmf = Pmf::certain(row.drawn.chosen as usize, 3).unwrap();
        twice.extend([row, again]);
    }
    let candidates = ["uniform"];
    let (a, b) = (judged(once, &candidates), judged(twice, &candidates));
    let (a, b) = (&a.candidates[0], &b.candidates[0]);
    let same = |x: f64, y: f64| assert!((x - y).abs() < 1e-12, "{x} {y}");
    same(
        a.overlap.effective_sample_size,
        b.overlap.effective_sample_size,
    );
    same(a.ips.unwrap().value, b.ips.unwrap().value);
    same(a.ips.unwrap().standard_error, b.ips.unwrap().standard_error);
}

#[test]
fn an_episode_of_two_draws_has_the_product_of_their_weights() {
    let mut rows = log(200, 7);
    let episode = |i: usize| Some(name(&format!("episode {}", i / 2)));
    rows.iter_mut()
        .enumerate()
        .for_each(|(i, row)| row.episode = episode(i));
    let weight = |row: &Row| (1.0 / 3.0) / row.drawn.propensity();
    let product = |pair: &[Row]| weight(&pair[0]) * weight(&pair[1]);
    let mean = rows.chunks(2).map(product).sum::<f64>() / 100.0;
    let report = judged(rows, &["uniform"]);
    assert!((report.candidates[0].overlap.mean_weight - mean).abs() < 1e-9);
    assert_eq!(report.candidates[0].overlap.clusters, 100);
}

#[test]
fn forced_pulls_are_everyones_but_a_fixed_policys() {
    let mut rows = log(1, 8);
    let drawn = &mut rows[0].drawn;
    drawn.forced = vec![2];
    drawn.chosen = 2;
    drawn.pmf = Pmf::new(vec![0.1 / 3.0, 0.1 / 3.0, 1.0 - 0.2 / 3.0]).unwrap();
    let report = judged(rows, &["greedy", "fixed:arm=a"]);
    assert_eq!(
        (report.propensities.equal, report.propensities.recomputed),
        (1, 1)
    );
    let weights: Vec<f64> = report
        .candidates
        .iter()
        .map(|c| c.overlap.mean_weight)
        .collect();
    assert!(
        (weights[0] - 1.0).abs() < 1e-12 && weights[1] == 0.0,
        "{weights:?}"
    );
}

#[test]
fn traffic_without_contexts_is_judged_all_the_same() {
    let mut rows = log(1000, 9);
    rows.iter_mut()
        .step_by(2)
        .for_each(|row| row.context = None);
    let found = judged(rows, &["uniform"]).candidates.remove(0);
    let truth = value(|_| [1.0 / 3.0; 3]);
    let estimate = found.doubly_robust.unwrap();
    assert!((estimate.value - truth).abs() < 4.0 * estimate.standard_error);
}

#[test]
fn two_teams_are_refused_and_a_caller_may_stop_it() {
    let mut rows = log(2, 10);
    rows[1].team = name("other");
    let error = traffic(
        rows.into_iter().map(Ok),
        None,
        &Question::new(vec![]),
        &go_on,
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "traffic of teams team and other: allowed one team at a time"
    );
    let stop = |_: Progress| ControlFlow::Break(());
    let logged = Question::new(vec![Candidate::Logged]);
    let error = traffic(log(2, 10).into_iter().map(Ok), None, &logged, &stop).unwrap_err();
    assert!(matches!(error, Error::Stopped));
}

#[test]
fn the_logged_policy_differs_from_itself_by_nothing_and_has_no_gate() {
    let found = judged(log(500, 3), &["logged"]).candidates.remove(0);
    let difference = found.difference.unwrap();
    assert_eq!((difference.value, difference.standard_error), (0.0, 0.0));
    assert_eq!(found.gate, None);
}

#[test]
fn differences_hold_the_true_ones_about_as_often_as_they_say_whichever_is_the_incumbent() {
    let truth = value(|_| [1.0 / 3.0; 3]) - value(|_| [0.0, 0.0, 1.0]);
    let question = Question {
        incumbent: "fixed:arm=c".parse().unwrap(),
        ..Question::new(vec![Candidate::Policy(Policy::Uniform)])
    };
    let mut held = [0; 3];
    for seed in 0..40 {
        let found = ask(log(1500, seed), &question).candidates.remove(0);
        let utility = &found.measures[0];
        assert_eq!(utility.name, "utility");
        for (estimate, held) in [utility.difference, utility.stabilised]
            .iter()
            .zip(&mut held)
        {
            let estimate = estimate.unwrap();
            *held += u32::from((estimate.lower..=estimate.upper).contains(&truth));
        }
        let peek = utility.anytime.unwrap();
        held[2] += u32::from((peek.lower..=peek.upper).contains(&truth));
    }
    // Binomial(40, 0.95): sd 1.4, four sd below 38; at every peek less seldom than that. Seeds are fixed.
    assert!(held[0] >= 32 && held[1] >= 32 && held[2] >= 38, "{held:?}");
}

#[test]
fn every_measure_is_judged_by_the_same_weights_where_it_is_known() {
    let mut rows = log(2000, 13);
    for (i, row) in rows.iter_mut().enumerate() {
        row.quality = row.utility;
        row.cost_usd = Some([1e-3, 2e-3, 5e-3][row.drawn.chosen as usize]);
        row.outcomes = vec![(name("passed"), row.utility.unwrap())];
        if i % 2 == 0 {
            row.outcomes
                .push((name("minutes"), f64::from(row.drawn.chosen) + 1.0));
        }
    }
    let found = judged(rows, &["uniform"]).candidates.remove(0);
    let measure = |name: &str| found.measures.iter().find(|m| m.name == name).unwrap();
    let close = |name: &str, wanted: f64| {
        let estimate = measure(name).value.unwrap();
        let off = (estimate.value - wanted).abs();
        assert!(
            off <= 4.0 * estimate.standard_error + 1e-9,
            "{name}: {estimate:?}"
        );
    };
    close("cost_usd", 8e-3 / 3.0);
    close("minutes", 2.0);
    assert_eq!(
        (measure("minutes").rows, measure("passed").rows),
        (1000, 2000)
    );
    assert_eq!(measure("passed").value, measure("utility").value);
    assert_eq!(measure("quality").difference, found.difference);
    assert_eq!(measure("latency_ms").value, None);
    assert!(measure("quality").anytime.is_some() && measure("passed").anytime.is_none());
}

/// A log in which the third arm is 0.2 worse in task "hard", else as it is.
fn tasks(n: usize) -> Vec<Row> {
    let mut rows = log(n, 14);
    for (i, row) in rows.iter_mut().enumerate() {
        row.task = Some(name(["easy", "hard"][i % 2]));
        row.quality = row.utility;
        row.cost_usd = Some([1e-3, 2e-3, 1e-4][row.drawn.chosen as usize]);
        let utility = match (i % 2, row.drawn.chosen) {
            (1, 2) => f64::from(u8::from(i % 20 == 1)),
            (_, 0) => f64::from(u8::from(i % 4 < 2)),
            _ => f64::from(u8::from(i % 8 < 4)),
        };
        row.utility = Some(utility);
        row.quality = row.utility;
        row.outcomes = vec![(name("escalated"), 1.0 - utility)];
    }
    rows
}

#[test]
fn slices_that_differ_are_named_and_the_worst_one_too() {
    let found = judged(tasks(6000), &["fixed:arm=c"]).candidates.remove(0);
    let slice = |name: &str| found.slices.iter().find(|s| s.name == name).unwrap();
    assert_eq!((slice("easy").rows, slice("hard").rows), (3000, 3000));
    assert!(slice("hard").differs && slice("hard").difference.unwrap().upper < -0.1);
    assert_eq!(found.worst_slice.as_deref(), Some("hard"));
    let gate = found.gate.unwrap();
    let slices = gate.conditions.last().unwrap();
    assert!(
        !slices.holds && slices.asks.starts_with("no task"),
        "{gate:?}"
    );
}

#[test]
fn a_gate_lets_through_what_is_better_and_holds_what_is_not_shown_or_breaks_a_guard() {
    let conditions = |found: &CandidateReport| -> Vec<bool> {
        let gate = found.gate.as_ref().unwrap();
        assert_eq!(gate.promote, gate.conditions.iter().all(|c| c.holds));
        gate.conditions.iter().map(|c| c.holds).collect()
    };
    let question = |incumbent: &str, guards: &[&str]| Question {
        incumbent: incumbent.parse().unwrap(),
        guards: guards.iter().map(|guard| guard.parse().unwrap()).collect(),
        ..Question::new(vec![
            "greedy".parse().unwrap(),
            "fixed:arm=c".parse().unwrap(),
        ])
    };
    let mut rows = log(6000, 15);
    for row in &mut rows {
        row.quality = row.utility;
        row.outcomes = vec![(name("escalated"), row.utility.unwrap())];
    }
    let found = ask(rows.clone(), &question("fixed:arm=c", &[]));
    // Greedy is worth some 0.19 more; the incumbent itself has no gate.
    assert_eq!(conditions(&found.candidates[0]), [true; 7]);
    assert_eq!(found.candidates[0].gate.as_ref().unwrap().miss, 0.025);
    assert_eq!(found.candidates[1].gate, None);
    // What the guard wants not to rise rises with utility here.
    let guarded = ask(rows.clone(), &question("fixed:arm=c", &["escalated=+0.02"]));
    assert_eq!(
        conditions(&guarded.candidates[0]),
        [true, true, true, true, true, true, false, true]
    );
    let guarded = ask(rows.clone(), &question("fixed:arm=c", &["escalated=-0.02"]));
    assert!(guarded.candidates[0].gate.as_ref().unwrap().promote);
    // The other way round it is worse, whoever peeks.
    let peeking = Question {
        peeking: true,
        ..question("greedy", &[])
    };
    let found = ask(rows.clone(), &peeking);
    assert_eq!(
        conditions(&found.candidates[1]),
        [true, true, true, true, false, false, true]
    );
    let gate = found.candidates[1].gate.as_ref().unwrap();
    assert!((gate.miss - 0.05 / 6.0).abs() < 1e-12);
    // Peeking asks for more than a log that was ended beforehand.
    let [fixed, peeked] = [false, true].map(|peeking| {
        let question = Question {
            peeking,
            ..question("fixed:arm=c", &[])
        };
        let found = ask(rows.clone(), &question).candidates.remove(0);
        found.gate.unwrap().conditions[5].bound.unwrap()
    });
    assert!(peeked < fixed, "{peeked} {fixed}");
}

#[test]
fn saving_is_let_through_where_quality_is_kept() {
    let mut rows = log(6000, 16);
    for row in &mut rows {
        row.quality = Some(0.8);
        row.cost_usd = Some([1e-3, 2e-3, 1e-4][row.drawn.chosen as usize]);
        row.utility = Some(0.8);
    }
    let question = Question {
        aim: Aim::Saving,
        ..Question::new(vec![
            "fixed:arm=c".parse().unwrap(),
            "fixed:arm=b".parse().unwrap(),
        ])
    };
    let found = ask(rows, &question).candidates;
    let promoted = |at: usize| found[at].gate.as_ref().unwrap().promote;
    assert!(
        promoted(0) && !promoted(1),
        "{}",
        found[0].gate.as_ref().unwrap()
    );
}

#[test]
fn an_arm_that_was_never_drawn_is_refused_with_the_bounds_of_what_it_could_be() {
    let mut rows = log(2000, 17);
    rows.retain(|row| row.drawn.chosen != 2);
    for row in &mut rows {
        let pmf = row.drawn.pmf.as_slice();
        let seen = pmf[0] + pmf[1];
        row.drawn.pmf = Pmf::new(vec![pmf[0] / seen, pmf[1] / seen, 0.0]).unwrap();
        row.drawn.floor[2] = 0.0;
    }
    let found = judged(rows, &["uniform"]).candidates.remove(0);
    let reason = found.refusal.as_ref().map(|refused| refused.reason);
    assert!(
        matches!(reason, Some(Refusal::Support { .. })),
        "{reason:?}"
    );
    let range = found.bounds.unwrap();
    let seen = value(|_| [0.5, 0.5, 0.0]) * 2.0 / 3.0;
    assert!((range.lower - seen).abs() < 0.1 && (range.upper - seen - 1.0 / 3.0).abs() < 0.1);
    assert!(!found.gate.unwrap().promote);
}

#[test]
fn more_than_32_candidates_are_refused() {
    let many = Question::new(vec![Candidate::Logged; 100]);
    let error = traffic(std::iter::empty(), None, &many, &go_on).unwrap_err();
    assert_eq!(
        error.to_string(),
        "number of candidates is 100: allowed at most 32: on one log each further one makes all later ones harder to believe"
    );
    let upside_down = Question {
        utility: (1.0, 0.0),
        ..Question::new(vec![])
    };
    let error = traffic(std::iter::empty(), None, &upside_down, &go_on).unwrap_err();
    let wanted = "utility from 1 to 0: allowed two finite numbers, the first below the second";
    assert_eq!(error.to_string(), wanted);
    let both = Question {
        aim: Aim::Saving,
        peeking: true,
        ..Question::new(vec![])
    };
    let error = traffic(std::iter::empty(), None, &both, &go_on).unwrap_err();
    assert!(matches!(error, Error::SavingPeeking), "{error}");
    let unknown = Question {
        guards: vec!["speed=-0.1".parse().unwrap()],
        ..Question::new(vec![])
    };
    let mut rows = log(3, 1);
    rows[0].outcomes = vec![(name("passed"), 1.0)];
    let error = traffic(rows.into_iter().map(Ok), None, &unknown, &go_on).unwrap_err();
    assert_eq!(
        error.to_string(),
        "guard speed: allowed a signal of the log: passed"
    );
}

#[test]
fn bounds_at_every_peek_need_one_draw_an_episode() {
    let mut rows = log(1000, 18);
    rows[1].episode = Some(name("two"));
    rows[900].episode = Some(name("two"));
    let found = judged(rows.clone(), &["uniform"]).candidates.remove(0);
    assert_eq!(found.measures[0].anytime, None);
    assert!(found.course.last().unwrap().anytime.is_none());
    rows[900].episode = None;
    let found = judged(rows, &["uniform"]).candidates.remove(0);
    assert!(found.measures[0].anytime.is_some());
    let last = found.course.last().unwrap();
    assert_eq!((last.decisions, found.course.len()), (1000, 50));
}

#[test]
fn an_incumbent_that_the_log_cannot_answer_for_is_no_one_to_be_better_than() {
    let mut rows = log(2000, 19);
    rows.retain(|row| row.drawn.chosen != 2);
    for row in &mut rows {
        let pmf = row.drawn.pmf.as_slice();
        let seen = pmf[0] + pmf[1];
        row.drawn.pmf = Pmf::new(vec![pmf[0] / seen, pmf[1] / seen, 0.0]).unwrap();
        row.drawn.floor[2] = 0.0;
        row.quality = row.utility;
    }
    let question = Question {
        incumbent: "fixed:arm=c".parse().unwrap(),
        ..Question::new(vec!["fixed:arm=a".parse().unwrap()])
    };
    let report = ask(rows, &question);
    let reason = report
        .incumbent_refusal
        .as_ref()
        .map(|refused| refused.reason);
    assert!(
        matches!(reason, Some(Refusal::Support { .. })),
        "{reason:?}"
    );
    let found = &report.candidates[0];
    assert!(found.doubly_robust.is_some() && found.refusal.is_none());
    assert!(
        found
            .measures
            .iter()
            .all(|m| m.difference.is_none() && m.anytime.is_none())
    );
    let gate = found.gate.as_ref().unwrap();
    assert!(
        !gate.promote && gate.conditions[0].holds && !gate.conditions[1].holds,
        "{gate}"
    );
    assert!(
        report
            .to_string()
            .contains("nothing is said against it: the candidate puts 1.0000")
    );
}

#[test]
fn a_peek_at_outcomes_off_their_scale_lets_nothing_through() {
    let mut rows = log(6000, 15);
    for row in &mut rows {
        row.quality = row.utility;
        row.utility = row
            .utility
            .map(|u| if row.drawn.uniform < 0.01 { -10.0 } else { u });
    }
    let question = |utility| Question {
        incumbent: "fixed:arm=c".parse().unwrap(),
        peeking: true,
        utility,
        ..Question::new(vec!["greedy".parse().unwrap()])
    };
    let higher =
        |report: TrafficReport| report.candidates[0].gate.as_ref().unwrap().conditions[5].clone();
    let cut = higher(ask(rows.clone(), &question((0.0, 1.0))));
    assert!(!cut.holds && cut.bound.is_none(), "{cut:?}");
    assert!(cut.why.unwrap().contains("% of outcomes are off the scale"));
    let wide = higher(ask(rows, &question((-10.0, 1.0))));
    assert!(wide.bound.is_some(), "{wide:?}");
}
