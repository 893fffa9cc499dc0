//! The demonstration from end to end, on three seeds in full and one twice in small: what it claims
//! is held against what the simulator knows, and equal seeds give equal figures.
//!
//! Everything follows from the seeds, so that these tests fail only when something changed. Bounds are
//! wide: what is tested is the direction, not the figure.

use bellwether::demo::{self, Moment, Noticed, Options, Watch};
use bellwether::report::{Candidate, Document, Finding, Judged, Series, Statement, Team};
use std::path::PathBuf;

/// Standard errors of a two-sided 99.9 % interval, over those of a 95 % one.
const WIDER: f64 = 3.291 / 1.960;

#[derive(Default)]
struct Spectator {
    steps: usize,
    moments: usize,
}

impl Watch for Spectator {
    fn step(&mut self, _: &str) {
        self.steps += 1;
    }

    fn moment(&mut self, _: &Moment) {
        self.moments += 1;
    }

    fn noticed(&mut self, _: &Noticed) {}
}

/// Runs, looks at the files, stops.
async fn demonstrate(seed: u64, fast: bool) -> Document {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let options = Options { seed, fast, out };
    let mut spectator = Spectator::default();
    let store = folder.path().join("store");
    let finished = demo::run(&options, &store, &mut spectator).await.unwrap();
    assert_eq!(finished.faults, Vec::<String>::new());
    assert!(spectator.steps >= 5 && spectator.moments > 50);
    check_files(&finished.files, &finished.document);
    finished.server.stop().await.unwrap();
    finished.document
}

fn check_files(files: &[PathBuf], document: &Document) {
    let read = |name: &str| {
        let file = files.iter().find(|f| f.ends_with(name));
        std::fs::read_to_string(file.unwrap_or_else(|| panic!("{name}"))).unwrap()
    };
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(json, serde_json::to_value(document).unwrap());
    assert!(read("report.html").contains(&document.title));
    bellwether::config::load(
        &files
            .iter()
            .find(|f| f.ends_with("bellwether.toml"))
            .unwrap()
            .clone(),
    )
    .unwrap_or_else(|p| panic!("{}", bellwether::config::render(&p)));
    for team in &document.teams {
        let name = format!("traffic-{}.parquet", team.name);
        let file = files.iter().find(|f| f.ends_with(&name)).unwrap();
        let reader = bellwether::table::TrafficReader::open(file).unwrap();
        assert_eq!(reader.rows(), team.requests);
    }
}

/// A line's value at its last point that is not beyond `requests`.
fn at(series: &Series, name: &str, requests: usize) -> f64 {
    let (_, line) = series.lines.iter().find(|(n, _)| n == name).unwrap();
    let points = series.requests.iter().zip(line);
    let point = points.take_while(|(at, _)| **at <= requests).last();
    point.and_then(|(_, value)| *value).unwrap()
}

fn team<'a>(document: &'a Document, name: &str) -> &'a Team {
    document.teams.iter().find(|t| t.name == name).unwrap()
}

/// The request at which harbor truly got worse: the first mark.
fn change(team: &Team) -> usize {
    team.shares.marks[0].0
}

fn harbor_is_left(document: &Document) {
    for team in &document.teams {
        let before = at(&team.shares, "harbor", change(team));
        let after = at(&team.shares, "harbor", team.requests);
        assert!(
            after < before && after < 0.4,
            "{}: {before} to {after}",
            team.name
        );
    }
}

fn finch_is_used_at_its_task_only(document: &Document) {
    let coding = team(document, "coding");
    for (task, shares) in &coding.task_shares {
        let (first, last) = (shares.requests[0], coding.requests);
        let (was, is) = (at(shares, "finch", first), at(shares, "finch", last));
        if task == "write-docs" {
            assert!(is > was && is > 0.5, "{task}: {was} to {is}");
        } else {
            assert!(is < 0.15, "{task}: {was} to {is}");
        }
    }
}

fn the_change_is_noticed_and_nothing_else(document: &Document) {
    for team in &document.teams {
        let of_team = document.events.iter().filter(|e| e.team == team.name);
        let alarms: Vec<_> = of_team.collect();
        assert!(!alarms.is_empty(), "{}: no alarm", team.name);
        for alarm in alarms {
            assert!(alarm.requests > change(team), "{alarm:?}");
            assert!(alarm.text.starts_with("harbor got worse"), "{alarm:?}");
        }
    }
}

/// Every claim behind the verdict.
fn statements(document: &Document) -> impl Iterator<Item = &Statement> {
    document.details.iter().flat_map(|part| &part.statements)
}

/// Whether the details say that the policy's interval does not hold the truth.
fn missed(document: &Document, policy: &str) -> bool {
    let name = policy.strip_prefix("fixed:arm=").unwrap_or(policy);
    statements(document).any(|s| {
        let missed = s.text.split_once("missed: ");
        missed.is_some_and(|(_, names)| names.contains(name))
    })
}

fn estimates_hold_the_truth_and_pebble_cannot_be_known(document: &Document) {
    for team in &document.teams {
        let mut refused = Vec::new();
        let mut estimated = 0;
        for Candidate {
            policy,
            judged,
            truth,
            ..
        } in &team.candidates
        {
            match judged {
                Judged::Estimated { reward, .. } => {
                    estimated += 1;
                    let (value, half) = (reward.value, (reward.upper - reward.lower) / 2.0 * WIDER);
                    let off = truth.unwrap() - value;
                    let told = missed(document, policy);
                    assert!(
                        off.abs() <= half || told,
                        "{}: {policy}: {off}, {half}",
                        team.name
                    );
                }
                Judged::Refused {
                    effective_sample_size,
                    ..
                } => {
                    assert!(*effective_sample_size < 100.0, "{policy}");
                    refused.push(policy.as_str());
                }
            }
        }
        assert!(
            estimated > 0 && refused.contains(&"fixed:arm=pebble"),
            "{refused:?}"
        );
    }
}

fn the_log_is_right(document: &Document) {
    for team in &document.teams {
        let calibration = &team.calibration;
        assert_eq!(calibration.recomputed_equal, calibration.draws);
        assert!(calibration.p_value >= 1e-4, "{}", calibration.p_value);
    }
    let refused = statements(document).any(|s| s.finding == Finding::Refused);
    assert!(refused, "the details say what cannot be known");
}

async fn check(seed: u64) {
    let document = demonstrate(seed, false).await;
    harbor_is_left(&document);
    finch_is_used_at_its_task_only(&document);
    the_change_is_noticed_and_nothing_else(&document);
    estimates_hold_the_truth_and_pebble_cannot_be_known(&document);
    the_log_is_right(&document);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_claims_of_seed_0_is_true() {
    check(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_claims_of_seed_1_is_true() {
    check(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_claims_of_seed_2_is_true() {
    check(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_seeds_give_equal_figures() {
    let (mut one, mut other) = (demonstrate(3, true).await, demonstrate(3, true).await);
    // Steps take the time that they take.
    for step in one.steps.iter_mut().chain(&mut other.steps) {
        step.seconds = 0.0;
    }
    assert_eq!(one, other);
}
