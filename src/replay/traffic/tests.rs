//! Tests of judging on traffic: estimates, refusals and what is left out.

use super::made::{believed, go_on, judged, log, name, value};
use super::*;
use crate::decision::{Cell, Origin};
use crate::id::{Mint, Secret};
use crate::ope::{Estimate, Refusal};
use crate::replay::{Candidate, Error, Progress, Row, Wanted};
use crate::unit::Pmf;
use std::ops::ControlFlow;

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
