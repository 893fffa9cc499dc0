//! Candidates judged on recorded traffic.
//!
//! Invariants: a decision's weight is its episode's, the product over the episode's draws; an
//! estimate is given only where the log can answer. Propensity and outcome belong to the arm that was
//! chosen, whatever was served in the end (intention to treat).
//!
//! Not here: bounds that hold at every peek, or under a logger that learns as it logs (SCIENCE 3.4):
//! the interval takes the logged pmfs as fixed.
//!
//! Units: mean utility a decision, in quality points.
//!
//! Source: SCIENCE 3.2 to 3.4.

use super::error::Error;
use super::lift::Lift;
use super::log::Log;
use super::model::out_of_fold;
use super::propensity::PropensityCheck;
use super::target::Candidate;
use super::wanted::{Refused, Wanted};
use super::{Progress, Row, Watch};
use crate::bandit::Scratch;
use crate::ope::{
    Estimate, Estimator, Overlap, Refusal, Row as Weighted, difference, expected, expected_square,
    importance_weight, unsupported,
};
use crate::table;
use serde::Serialize;

/// What the log says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrafficReport {
    /// Decisions read.
    pub rows: usize,
    /// Decisions used: drawn by chance, with an outcome.
    pub used: usize,
    /// Left out as pinned or no-explore, or inherited from such: another population.
    pub deterministic: usize,
    /// Left out as held out for the team's baseline: candidates are judged within the router's cell.
    pub held_out: usize,
    /// Left out for want of an outcome.
    pub unobserved: usize,
    /// The signals that those want.
    pub wanted: Vec<Wanted>,
    /// Left out because the draw they inherit from is not in the log.
    pub orphaned: usize,
    /// Draws, with an outcome or not.
    pub draws: usize,
    /// Mean utility as logged.
    pub logged: Option<Estimate>,
    /// What the router's cell gained over the held-out one. Absent where one of them has no outcome.
    pub lift: Option<Lift>,
    /// Whether the propensities are true.
    pub propensities: PropensityCheck,
    /// The candidates, in the order asked.
    pub candidates: Vec<CandidateReport>,
}

/// What the log says of one candidate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateReport {
    /// Its specification.
    pub candidate: String,
    /// Decisions passed over because the candidate's fixed arm was not eligible in their episode.
    pub not_applicable: usize,
    /// How well the log covers it.
    pub overlap: Overlap,
    /// Why there are no estimates, if there are none.
    pub refusal: Option<Refused>,
    /// Inverse propensity scoring.
    pub ips: Option<Estimate>,
    /// Self-normalised.
    pub snips: Option<Estimate>,
    /// Doubly robust with an out-of-fold model: the headline.
    pub doubly_robust: Option<Estimate>,
    /// `doubly_robust` less the mean utility logged on the same decisions.
    pub difference: Option<Estimate>,
    /// Smallest true difference this log would show (one-sided 5 %, power 80 %).
    pub detectable_effect: Option<f64>,
}

/// Judges `candidates` on `rows`, one team's decisions in the order they were made. `total` is the
/// number of rows, if known; `watch` is told of each thousand rows and each candidate, never the same
/// twice.
pub fn traffic(
    rows: impl Iterator<Item = Result<Row, table::Error>>,
    total: Option<usize>,
    candidates: &[Candidate],
    watch: &Watch<'_>,
) -> Result<TrafficReport, Error> {
    let passes = 1 + candidates.len();
    let log = Log::gather(rows, total.map(|rows| rows * passes), watch)?;
    let model = out_of_fold(&log)?;
    let wanted = log.wanted();
    let propensities = PropensityCheck::of(&log);
    let faulty = propensities.calibration.refusal();
    let mut reports = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        reports.push(judge(candidate, &log, &model, &wanted, faulty)?);
        let done = log.rows * (1 + reports.len());
        let total = Some(log.rows * passes);
        if done > 0 && watch(Progress { done, total }).is_break() {
            return Err(Error::Stopped);
        }
    }
    let logged = weigh(&Candidate::Logged, &log, &model)?.rows;
    Ok(TrafficReport {
        rows: log.rows,
        used: log.outcomes.len(),
        deterministic: log.deterministic,
        held_out: log.held_out,
        unobserved: log.unobserved,
        wanted,
        orphaned: log.orphaned,
        draws: log.draws.len(),
        logged: Estimator::IPS.estimate(&logged),
        lift: lift(&log),
        propensities,
        candidates: reports,
    })
}

fn lift(log: &Log) -> Option<Lift> {
    let episode = |draw: usize| Some(log.draws.get(draw)?.episode);
    let router = log.outcomes.iter();
    let router = router.filter_map(|o| Some((episode(o.draw)?, o.utility)));
    Lift::of(router, log.holdout.iter().copied())
}

fn judge(
    candidate: &Candidate,
    log: &Log,
    model: &[Vec<f64>],
    wanted: &[Wanted],
    faulty: Option<Refusal>,
) -> Result<CandidateReport, Error> {
    let Weighed {
        rows,
        unsupported,
        foretold,
    } = weigh(candidate, log, model)?;
    let overlap = Overlap::of(&rows, unsupported);
    // Few draws like the candidate's may not have come yet: the log then looks better than it is.
    let refusal = faulty
        .or_else(|| overlap.refusal())
        .or_else(|| overlap.too_small(foretold))
        .map(|reason| Refused::new(reason, wanted));
    let stands = refusal.is_none();
    let estimate = |estimator: Estimator| {
        if !stands {
            return None;
        }
        estimator.estimate(&rows)
    };
    let doubly_robust = estimate(Estimator::DOUBLY_ROBUST);
    Ok(CandidateReport {
        candidate: candidate.to_string(),
        not_applicable: log.outcomes.len() - rows.len(),
        overlap,
        refusal,
        ips: estimate(Estimator::IPS),
        snips: estimate(Estimator::SNIPS),
        doubly_robust,
        difference: doubly_robust.and_then(|_| difference(&rows)),
        detectable_effect: doubly_robust.map(|found| found.detectable_effect()),
    })
}

/// What the candidate makes of one draw.
#[derive(Debug, Clone, Copy)]
struct Weight {
    own: f64,
    /// Product over the episode's earlier draws.
    before: f64,
    model_value: f64,
    unsupported: f64,
    /// Its expected square, by the two pmfs.
    square: f64,
}

/// The rows that a candidate can be judged on.
struct Weighed {
    rows: Vec<Weighted>,
    /// Its mean mass on arms never drawn.
    unsupported: f64,
    /// The effective sample size that the pmfs foretell.
    foretold: f64,
}

/// What the log has of a candidate.
fn weigh(candidate: &Candidate, log: &Log, model: &[Vec<f64>]) -> Result<Weighed, Error> {
    let mut weights: Vec<Option<Weight>> = Vec::with_capacity(log.draws.len());
    let mut scratch = Scratch::default();
    for (draw, q) in log.draws.iter().zip(model) {
        let target = candidate.pmf(&draw.drawn, &mut scratch)?;
        weights.push(target.map(|target| {
            let chosen = draw.drawn.chosen as usize;
            let probability = target.as_slice().get(chosen).copied().unwrap_or(0.0);
            Weight {
                own: importance_weight(probability, draw.drawn.propensity()),
                before: 1.0,
                model_value: expected(target.as_slice(), q),
                unsupported: unsupported(target.as_slice(), draw.drawn.pmf.as_slice()),
                square: expected_square(target.as_slice(), draw.drawn.pmf.as_slice()),
            }
        }));
    }
    let whole = products(log, &mut weights);
    let mut clusters: Vec<Option<usize>> = vec![None; log.episodes.len()];
    let mut rows: Vec<Weighted> = Vec::with_capacity(log.outcomes.len());
    let (mut next, mut mass, mut squares) = (0, 0.0, 0.0);
    for outcome in &log.outcomes {
        let draw = log.draws.get(outcome.draw);
        let weight = weights.get(outcome.draw).copied().flatten();
        let (Some(draw), Some(weight)) = (draw, weight) else {
            continue;
        };
        let (Some(Some((product, square))), Some(cluster)) =
            (whole.get(draw.episode), clusters.get_mut(draw.episode))
        else {
            continue;
        };
        let cluster = *cluster.get_or_insert_with(|| {
            next += 1;
            next - 1
        });
        let q = model.get(outcome.draw).map_or(&[][..], Vec::as_slice);
        mass += weight.unsupported;
        squares += square;
        rows.push(Weighted {
            cluster,
            weight: *product,
            weight_before: weight.before,
            reward: outcome.utility,
            model_value: weight.model_value,
            model_chosen: q.get(draw.drawn.chosen as usize).copied().unwrap_or(0.0),
        });
    }
    let n = rows.len() as f64;
    Ok(Weighed {
        unsupported: mass / n.max(1.0),
        foretold: n / (squares / n.max(1.0)).max(1.0),
        rows,
    })
}

/// Each episode's product of weights and of their expected squares, and into each weight the product before it.
/// Nothing for an episode with a draw that the candidate has no answer for.
fn products(log: &Log, weights: &mut [Option<Weight>]) -> Vec<Option<(f64, f64)>> {
    let mut whole = Vec::with_capacity(log.episodes.len());
    for draws in &log.episodes {
        let mut product = Some((1.0, 1.0));
        for draw in draws {
            let weight = weights.get_mut(*draw).and_then(Option::as_mut);
            product = product.zip(weight).map(|((before, square), weight)| {
                weight.before = before;
                (before * weight.own, square * weight.square)
            });
        }
        whole.push(product);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::{Policy, Scores};
    use crate::decision::{Cell, Drawn, Origin};
    use crate::id::{Mint, Name, Secret};
    use crate::ope::Refusal;
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
        traffic(rows.into_iter().map(Ok), None, &candidates, &go_on).unwrap()
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
                &candidates,
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
        let error = traffic(rows.into_iter().map(Ok), None, &[], &go_on).unwrap_err();
        assert_eq!(
            error.to_string(),
            "traffic of teams team and other: allowed one team at a time"
        );
        let stop = |_: Progress| ControlFlow::Break(());
        let logged = [Candidate::Logged];
        let error = traffic(log(2, 10).into_iter().map(Ok), None, &logged, &stop).unwrap_err();
        assert!(matches!(error, Error::Stopped));
    }
}
