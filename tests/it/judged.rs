//! The off-policy check: what `replay traffic` says of a policy is what that policy then earns.
//!
//! A router learns from a table and is frozen. Its folder is copied twice: on the first copy another
//! policy, half by chance, plays the table, and its traffic is asked what `linear-thompson` would have
//! earned; on the second copy `linear-thompson` plays the same prompts and is measured. All of it goes
//! through real sockets and the command line.
//!
//! Odds: draws are keyed to a secret made anew, so no run is like another. The difference of estimate
//! and measurement may be 3.89 standard errors of the two together (1 in 10,000 two-sided; they share
//! their prompts, so the true odds are smaller), a calibration may be as bad as once in a million.

use crate::rig::within;
use bellwether::clock::ManualClock;
use bellwether::config;
use bellwether::drive::{self, Options, Report};
use bellwether::grpc::client;
use bellwether::proto::v1::{
    self, admin_service_client::AdminServiceClient,
    evaluation_service_client::EvaluationServiceClient, replay_response::Event,
};
use bellwether::server::{self, Running};
use bellwether::table::{Columns, OutcomeTable};
use bellwether::tls::Trust;
use bellwether::unit::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

const LAMBDA: f64 = 0.1;
/// Prompts of a drive: enough for a fair interval, few enough for seconds.
const PROMPTS: usize = 1000;
/// Two-sided 99.99 %.
const Z: f64 = 3.89;
/// Least p-value of a calibration.
const P: f64 = 1e-6;

/// Two days: what was learned on, and what is judged. The clock stands still within each.
const DAYS: [(&str, i64); 2] = [("2026-01-05", 1_767_571_200), ("2026-01-06", 1_767_657_600)];

/// A server at work on a folder and a day.
struct Day {
    running: Running,
    data: PathBuf,
}

impl Day {
    async fn start(table: &OutcomeTable, data: &Path, policy: &str, day: usize) -> Self {
        let text = drive::configuration(table, LAMBDA, &data.to_string_lossy(), policy).unwrap();
        let file = data.with_extension("toml");
        std::fs::write(&file, text.replace("127.0.0.1:7431", "127.0.0.1:0")).unwrap();
        let params = config::load(&file).unwrap_or_else(|p| panic!("{}", config::render(&p)));
        let now = Timestamp::from_micros(DAYS[day].1 * 1_000_000);
        let running = server::start(params, Arc::new(ManualClock::new(now)));
        Self {
            running: running.await.unwrap(),
            data: data.to_owned(),
        }
    }

    fn address(&self) -> String {
        format!("http://{}", self.running.address())
    }

    async fn play(&self, table: &OutcomeTable, seed: u64) -> Report {
        let options = Options {
            address: self.address(),
            key: None,
            trust: Trust::default(),
            team: None,
            seed,
            limit: Some(PROMPTS),
            feedback_delay: 0,
            feedback_loss: 0.0,
            lambda: LAMBDA,
            task_label: true,
        };
        drive::play(table, &options, |_, _| {}).await.unwrap()
    }

    async fn freeze(&self) {
        let channel = client::connect(&self.address(), None).await.unwrap();
        let frozen = v1::SetControlRequest {
            team: "drive".to_owned(),
            control: Some(v1::Control {
                pinned_arm: String::new(),
                frozen: true,
            }),
            lift_guard: false,
        };
        let mut admin = AdminServiceClient::new(channel);
        admin.set_control(frozen).await.unwrap();
    }

    /// The report of the server itself on the second day's traffic; its progress must move.
    async fn replayed(&self, candidates: &[&str]) -> v1::ReplayReport {
        let channel = client::connect(&self.address(), None).await.unwrap();
        let request = v1::ReplayRequest {
            candidates: candidates.iter().map(ToString::to_string).collect(),
            since_time: Some(prost_types::Timestamp {
                seconds: DAYS[1].1,
                nanos: 0,
            }),
            guards: vec![v1::SignalGuard {
                signal: "score".to_owned(),
                margin: -0.02,
            }],
            ..v1::ReplayRequest::default()
        };
        let stream = EvaluationServiceClient::new(channel).replay(request).await;
        let mut stream = stream.unwrap().into_inner();
        let (mut done, mut total, mut report) = (0, 0, None);
        while let Some(message) = stream.message().await.unwrap() {
            match message.event.unwrap() {
                Event::Progress(progress) => {
                    assert!(progress.decisions_done > done, "{progress:?} after {done}");
                    (done, total) = (progress.decisions_done, progress.decisions_total);
                }
                Event::Report(last) => report = Some(last),
            }
        }
        assert_eq!(done, total);
        report.expect("a report")
    }

    async fn stop(self) -> PathBuf {
        within("the end of the server", self.running.stop())
            .await
            .unwrap();
        self.data
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn bellwether(arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    let output = command
        .args(arguments)
        .args(["--format", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(report: &Value, path: &str) -> f64 {
    let found = report.pointer(path).and_then(Value::as_f64);
    found.unwrap_or_else(|| panic!("{path} in {report}"))
}

/// Exports a day's traffic of a folder and judges `candidate` on it: the report, whose propensities
/// are true.
fn judged(data: &Path, since: &str, candidate: &str) -> Value {
    let out = data.with_extension(format!("{since}.parquet"));
    let (data, out) = (data.to_string_lossy(), out.to_string_lossy());
    bellwether(&[
        "traffic", "export", "--data", &data, "--out", &out, "--since", since,
    ]);
    let report = bellwether(&["replay", "traffic", &out, "--candidate", candidate]);
    let propensities = |path: &str| number(&report, &format!("/propensities/{path}"));
    assert_eq!(propensities("equal"), propensities("recomputed"));
    assert_eq!(propensities("unreadable"), 0.0);
    assert!(propensities("worst_error") <= 1e-12);
    assert_eq!(propensities("calibration/impossible"), 0.0);
    assert!(propensities("calibration/p_value") > P, "{report}");
    let weight = number(&report, "/candidates/0/overlap/mean_weight_z");
    assert!(
        weight.abs() < Z,
        "mean weight {weight} standard errors from 1"
    );
    report
}

/// The figures of a report that the command wrote, at a place in it.
struct Written<'a> {
    report: &'a Value,
    at: String,
}

impl<'a> Written<'a> {
    fn below(&self, path: &str) -> Self {
        Self {
            report: self.report,
            at: format!("{}/{path}", self.at),
        }
    }

    fn found(&self) -> Option<&'a Value> {
        self.report.pointer(&self.at).filter(|v| !v.is_null())
    }

    fn entries(&self) -> usize {
        self.found().and_then(Value::as_array).map_or(0, Vec::len)
    }

    fn is(&self, served: impl Into<Option<f64>>) {
        let written = self.found().and_then(Value::as_f64);
        let same = match (written, served.into()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + b.abs()),
            (a, b) => a.is_none() && b.is_none(),
        };
        assert!(same, "{}: {written:?} is served otherwise", self.at);
    }

    fn is_estimate(&self, served: Option<v1::Estimate>) {
        self.below("value").is(served.map(|e| e.value));
        self.below("lower").is(served.map(|e| e.lower));
        self.below("upper").is(served.map(|e| e.upper));
        let error = served.map(|e| e.standard_error);
        self.below("standard_error").is(error);
    }

    fn is_range(&self, served: Option<v1::ValueRange>) {
        self.below("lower").is(served.map(|r| r.lower));
        self.below("upper").is(served.map(|r| r.upper));
    }

    fn is_candidate(&self, served: &v1::CandidateReport) {
        let size = served.effective_sample_size;
        self.below("overlap/effective_sample_size").is(size);
        self.below("ips").is_estimate(served.ips);
        self.below("snips").is_estimate(served.snips);
        self.below("doubly_robust")
            .is_estimate(served.doubly_robust);
        self.below("stabilised").is_estimate(served.stabilised);
        self.below("difference").is_estimate(served.difference);
        self.below("detectable_effect").is(served.detectable_effect);
        self.below("bounds").is_range(served.bounds);
        self.below("tail_index").is(served.tail_index);
        assert_eq!(self.below("measures").entries(), served.measures.len());
        for (i, measure) in served.measures.iter().enumerate() {
            let one = self.below(&format!("measures/{i}"));
            assert_eq!(one.below("name").found().unwrap(), &measure.name);
            one.below("rows").is(measure.decision_count as f64);
            one.below("value").is_estimate(measure.value);
            one.below("difference").is_estimate(measure.difference);
            one.below("stabilised").is_estimate(measure.stabilised);
            one.below("anytime").is_range(measure.anytime);
            one.below("anytime/cut").is(measure.cut_share);
        }
        assert_eq!(self.below("slices").entries(), served.tasks.len());
        for (i, task) in served.tasks.iter().enumerate() {
            let one = self.below(&format!("slices/{i}"));
            assert_eq!(one.below("name").found().unwrap(), &task.task);
            one.below("difference").is_estimate(task.difference);
            one.below("p_value").is(task.p_value);
        }
        assert_eq!(self.below("course").entries(), served.course.len());
        for (i, point) in served.course.iter().enumerate() {
            let one = self.below(&format!("course/{i}"));
            one.below("decisions").is(point.decision_count as f64);
            one.below("difference").is_estimate(point.difference);
            one.below("anytime").is_range(point.anytime);
        }
        let gate = self.below("gate/conditions");
        let conditions = served.gate.iter().flat_map(|gate| &gate.conditions);
        assert_eq!(gate.entries(), conditions.clone().count());
        for (i, condition) in conditions.enumerate() {
            let one = gate.below(&i.to_string());
            assert_eq!(one.below("asks").found().unwrap(), &condition.asks);
            assert_eq!(one.below("holds").found().unwrap(), &condition.holds);
            one.below("bound").is(condition.bound);
        }
    }
}

/// What the server said of its own journal and what the command says of the traffic that was exported from it
/// are the same figures.
fn says_the_same(served: &v1::ReplayReport, data: &Path) {
    let file = data.with_extension(format!("{}.parquet", DAYS[1].0));
    let file = file.to_string_lossy();
    let candidates = ["--candidate", "linear-thompson", "--candidate", "logged"];
    let asked = [&["replay", "traffic", &file], &candidates[..]].concat();
    let report = bellwether(&[&asked[..], &["--guard", "score=-0.02"]].concat());
    let all = Written {
        report: &report,
        at: String::new(),
    };
    all.below("used").is(served.used_count as f64);
    all.below("rows").is(served.decision_count as f64);
    all.below("draws").is(served.draw_count as f64);
    let propensities = served.propensities.as_ref().unwrap();
    let calibration = all.below("propensities/calibration");
    calibration.below("p_value").is(propensities.p_value);
    assert_eq!(calibration.below("arms").entries(), propensities.arms.len());
    for (i, candidate) in served.candidates.iter().enumerate() {
        all.below(&format!("candidates/{i}"))
            .is_candidate(candidate);
    }
    // Nothing is equal for want of figures.
    let first = &served.candidates[0];
    let guarded = first.measures.iter().find(|m| m.name == "score").unwrap();
    assert!(guarded.anytime.is_some() && !first.course.is_empty());
    assert!(!first.tasks.is_empty() && first.gate.is_some());
}

/// Does all of it; the figures, in one line.
async fn check(table: &Path) -> String {
    let table = OutcomeTable::read(table, &Columns::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);

    let learning = Day::start(&table, &place("learned"), "linear-thompson", 0).await;
    let learned = learning.play(&table, 0).await;
    learning.freeze().await;
    let data = learning.stop().await;
    let report = judged(&data, DAYS[0].0, "logged");
    assert_eq!(number(&report, "/used"), learned.prompts as f64);
    copy(&data, &place("estimated"));
    copy(&data, &place("measured"));

    let policy = "epsilon-greedy:epsilon=0.5";
    let estimating = Day::start(&table, &place("estimated"), policy, 1).await;
    let logged = estimating.play(&table, 1).await;
    let served = estimating.replayed(&["linear-thompson", "logged"]).await;
    let data = estimating.stop().await;
    let report = judged(&data, DAYS[1].0, "linear-thompson");
    says_the_same(&served, &data);
    let estimate = |what: &str| number(&report, &format!("/candidates/0/doubly_robust/{what}"));
    let (value, error) = (estimate("value"), estimate("standard_error"));
    let same = served.candidates[0].doubly_robust.unwrap();
    assert!((same.value - value).abs() < 1e-9, "{same:?} {value}");

    let measuring = Day::start(&table, &place("measured"), "linear-thompson", 1).await;
    let measured = measuring.play(&table, 1).await;
    let report = judged(&measuring.stop().await, DAYS[1].0, "logged");
    let of_log = number(&report, "/logged/value");
    assert!((of_log - measured.reward).abs() < 1e-6, "{of_log}");
    let noise = number(&report, "/logged/standard_error");
    let together = error.hypot(noise);
    let figures = format!(
        "{}: epsilon-greedy earned {:.4}; linear-thompson estimated {value:.4} +- {error:.4} \
         (95 %: {:.4} to {:.4}), measured {:.4} +- {noise:.4}, {:+.2} standard errors apart",
        table.name,
        logged.reward,
        estimate("lower"),
        estimate("upper"),
        measured.reward,
        (measured.reward - value) / together
    );
    assert!((measured.reward - value).abs() <= Z * together, "{figures}");
    // A wide interval would hold anything: it must tell the candidate from a bad policy.
    assert!(Z * together < 0.15, "{figures}");
    figures
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_table_earns_what_replay_said() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/sample/outcomes.csv");
    println!("{}", check(&table).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_table_earns_what_replay_said() {
    let shared = "../shared/datasets/paretobandit_k4.parquet";
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join(shared);
    if table.exists() {
        println!("{}", check(&table).await);
    } else {
        println!("skipped: {shared} is absent");
    }
}
