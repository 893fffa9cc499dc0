//! A team's section of the report.
//!
//! Not here: how it looks (`report`).

use super::calibration;
use super::candidates::{Judged, candidates, meaning};
use super::notice::Noticed;
use super::rivals::{Rival, best};
use super::series::{learning, shares};
use super::signals::signals;
use super::team::{Call, TeamRun, first, interval, last, outcome, point, routed, share};
use crate::ope::Refusal;
use crate::replay::{CandidateReport, Hull};
use crate::report::{ArmRow, Candidate, Judged as Verdict, Slice, Team};
use crate::scorecard::Scorecard;

/// Everything that one section is made of.
pub(super) struct Material<'a> {
    pub(super) run: TeamRun<'a>,
    pub(super) rivals: Vec<Rival>,
    pub(super) judged: Judged,
    pub(super) scorecard: &'a Scorecard,
    /// Of this team.
    pub(super) noticed: Vec<Noticed>,
}

/// The section.
pub(super) fn section(material: &Material<'_>) -> Team {
    let run = &material.run;
    let arms: Vec<ArmRow> = (0..run.arms()).map(|arm| row(run, arm)).collect();
    let points = arms
        .iter()
        .map(|a| (a.point.cost_usd.value, a.point.quality.value));
    let hull = Hull::of(&points.collect::<Vec<_>>());
    let marks = marks(material);
    let tasks = run.world.teams.get(run.team).map_or(&[][..], |t| &t.tasks);
    let of_task = |task: &crate::id::Name| {
        let calls: Vec<Call<'_>> = run
            .calls
            .iter()
            .filter(|c| c.request.task == *task)
            .copied()
            .collect();
        (task.to_string(), calls)
    };
    let of_tasks: Vec<(String, Vec<Call<'_>>)> = tasks.iter().map(of_task).collect();
    let task_shares = of_tasks
        .iter()
        .map(|(task, calls)| (task.clone(), shares(run, calls, &marks)));
    let slices = of_tasks.iter().filter(|(_, calls)| !calls.is_empty());
    Team {
        name: run.name().to_owned(),
        requests: run.calls.len(),
        reward: reward(material.scorecard),
        router: point(&run.calls, routed),
        arms,
        hull: hull.points().to_vec(),
        references: material.rivals.iter().map(|r| r.reference(run)).collect(),
        learning: learning(run, &material.rivals, &marks),
        shares: shares(run, &run.calls, &marks),
        task_shares: task_shares.collect(),
        signals: signals(&material.judged.rows, run, material.scorecard),
        slices: slices
            .map(|(task, calls)| slice(run, task, calls))
            .collect(),
        calibration: calibration::calibration(&material.judged),
        candidates: judged(material),
    }
}

fn row(run: &TeamRun<'_>, arm: usize) -> ArmRow {
    ArmRow {
        arm: run.arm_name(arm).to_owned(),
        note: run.world.arms.get(arm).map_or("", |a| a.note).to_owned(),
        point: point(&run.calls, |call| outcome(call, arm)),
        share: share(&run.calls, arm),
        first_fifth: share(first(&run.calls, 5), arm),
        last_fifth: share(last(&run.calls, 5), arm),
    }
}

/// What happened, at the request at which it did.
fn marks(material: &Material<'_>) -> Vec<(usize, String)> {
    let run = &material.run;
    let changed = run.arm_name(run.world.change.arm);
    let mut marks = vec![(run.before_change(), format!("{changed} truly gets worse"))];
    for noticed in &material.noticed {
        let arm = run.arm_name(noticed.arm);
        let way = if noticed.fell { "worse" } else { "better" };
        marks.push((noticed.requests, format!("alarm: {arm} {way}")));
    }
    marks
}

fn slice(run: &TeamRun<'_>, task: &str, calls: &[Call<'_>]) -> Slice {
    let newest = last(calls, 5);
    let newest = if newest.is_empty() { calls } else { newest };
    let shares = (0..run.arms()).map(|arm| (arm, share(newest, arm)));
    let favourite = shares
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap_or((0, 0.0));
    let best = best(calls, run.arms());
    let difference = super::team::mean(calls, |call| {
        routed(call).map_or(0.0, |o| o.reward) - outcome(call, best).map_or(0.0, |o| o.reward)
    });
    Slice {
        name: task.to_owned(),
        requests: calls.len(),
        router: point(calls, routed),
        favourite: (run.arm_name(favourite.0).to_owned(), favourite.1),
        best_arm: run.arm_name(best).to_owned(),
        difference,
    }
}

/// How the scorecard makes a reward, in words.
fn reward(scorecard: &Scorecard) -> String {
    let definition = scorecard.definition();
    let sum: f64 = definition.signals.iter().map(|s| s.weight).sum();
    let weighed = definition.signals.iter().filter(|s| s.weight > 0.0);
    let weighed: Vec<String> = weighed
        .map(|s| format!("{} {:.0} %", s.name, 100.0 * s.weight / sum))
        .collect();
    let gates = definition.signals.iter().filter(|s| s.gate.is_some());
    let gates: Vec<String> = gates.map(|s| s.name.to_string()).collect();
    let mut text = format!("quality is {}", weighed.join(", "));
    if !gates.is_empty() {
        text.push_str(&format!("; nothing where {} fails", gates.join(" or ")));
    }
    text.push_str(&format!(
        "; a point of quality is worth ${:.2}, so each cent spent takes off {:.3} points",
        definition.quality_usd,
        0.01 / definition.quality_usd
    ));
    if let Some(target) = definition.latency_target_ms
        && definition.latency_weight > 0.0
    {
        text.push_str(&format!(
            "; an answer twice as late as {} s takes off {} points",
            target / 1000.0,
            definition.latency_weight
        ));
    }
    text
}

fn judged(material: &Material<'_>) -> Vec<Candidate> {
    let judged = &material.judged;
    let all = candidates(material.run.world);
    let reports = judged.report.candidates.iter().zip(&judged.truths);
    let candidate =
        |(asked, (found, truth)): (&crate::replay::Candidate, (&CandidateReport, &Option<f64>))| {
            Candidate {
                policy: found.candidate.clone(),
                meaning: meaning(asked),
                judged: verdict(found),
                truth: *truth,
            }
        };
    all.iter().zip(reports).map(candidate).collect()
}

fn verdict(found: &CandidateReport) -> Verdict {
    let effective_sample_size = found.overlap.effective_sample_size;
    match (found.doubly_robust, found.difference) {
        (Some(reward), Some(difference)) => Verdict::Estimated {
            reward: interval(reward),
            difference: interval(difference),
            effective_sample_size,
        },
        _ => {
            let (reason, remedy) = match &found.refusal {
                Some(refused) => words(&refused.reason),
                None => ("no estimate is defined".to_owned(), String::new()),
            };
            Verdict::Refused {
                reason,
                remedy,
                effective_sample_size,
            }
        }
    }
}

/// A refusal's reason and remedy.
fn words(refusal: &Refusal) -> (String, String) {
    match refusal {
        Refusal::EffectiveSampleSize {
            found,
            least,
            rows_needed,
        } => {
            let reason = format!(
                "the log holds no more than {found:.0} decisions' worth of evidence on it; {least:.0} are asked for"
            );
            let remedy = if rows_needed.is_finite() {
                format!(
                    "about {rows_needed:.0} decisions like these, or a higher exploration floor"
                )
            } else {
                "a higher exploration floor: it was never drawn".to_owned()
            };
            (reason, remedy)
        }
        other => (other.to_string(), String::new()),
    }
}
