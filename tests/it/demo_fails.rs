//! A demonstration that goes wrong says so: at once, at its last step, and where its log is wrong.

use bellwether::bandit::Policy;
use bellwether::demo::{self, Moment, Noticed, Options, Watch};
use bellwether::replay::{self, Candidate, PropensityCheck, Row, TrafficQuestion};
use bellwether::table::TrafficReader;
use bellwether::unit::Pmf;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Output};

/// The shipped program, writing to `out`.
fn demonstrate(out: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bellwether"))
        .args(["demo", "--fast", "--seed", "3", "--out"])
        .arg(out)
        .output()
        .unwrap()
}

/// It failed, and said why on one line that names `path`.
fn check_failed(output: &Output, path: &Path) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    let expected = format!("bellwether: cannot write {}: ", path.display());
    assert!(told.starts_with(&expected), "{told}");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(!shown.contains("Written:"), "{shown}");
}

#[test]
fn a_folder_that_cannot_be_made_fails_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let out = file.join("out");
    let output = demonstrate(&out);
    check_failed(&output, &out);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(!shown.contains("make the simulated world"), "{shown}");
}

#[test]
fn a_report_that_cannot_be_written_fails_though_all_else_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.html");
    std::fs::create_dir(&report).unwrap();
    let output = demonstrate(folder.path());
    check_failed(&output, &report);
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("write the report"), "{shown}");
}

struct Nobody;

impl Watch for Nobody {
    fn step(&mut self, _: &str) {}

    fn moment(&mut self, _: &Moment) {}

    fn noticed(&mut self, _: &Noticed) {}
}

fn propensities(rows: &[Row]) -> PropensityCheck {
    let go_on = |_| ControlFlow::Continue(());
    let question = TrafficQuestion::new(vec![Candidate::Policy(Policy::Uniform)]);
    let report = replay::traffic(rows.iter().cloned().map(Ok), None, &question, &go_on);
    report.unwrap().propensities
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_other_probabilities_than_those_that_drew_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        seed: 3,
        fast: true,
        out: folder.path().join("out"),
    };
    let store = folder.path().join("store");
    let finished = demo::run(&options, &store, &mut Nobody).await.unwrap();
    finished.server.stop().await.unwrap();
    let log = options.out.join("traffic-coding.parquet");
    let rows: Result<Vec<Row>, _> = TrafficReader::open(&log).unwrap().collect();
    let mut rows = rows.unwrap();
    let count = rows.len();
    let faults = |rows: &[Row]| demo::faults("coding", count, rows.len(), &propensities(rows));
    assert_eq!(faults(&rows), Vec::<String>::new());
    assert!(demo::sound(finished.faults).is_ok());
    for row in &mut rows {
        let arms = row.drawn.arms.len();
        row.drawn.pmf = Pmf::new(vec![1.0 / arms as f64; arms]).unwrap();
    }
    let found = faults(&rows);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("logged probabilities recompute"));
    assert!(found[1].contains("not drawn as often as logged"));
    assert!(demo::sound(found).is_err());
}
