//! The experiments in `evals` still say what they are expected to; candidates' files are refused word by word
//! where a log cannot answer them.
//!
//! After a change of the figures: `bellwether eval --bless`; of the words of refusals: `BELLWETHER_BLESS=1 cargo
//! test --test it evals`; and read the difference.

use crate::bad_input::check;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn every_experiment_says_what_is_expected_of_it() {
    let output = run(root(), &["eval"]);
    let (said, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{errors}");
    assert!(said.contains(", 0 drifted"), "{said}");
    // A refusal is an answer, and says where the question can be asked.
    for pointed in ["`replay outcomes`", "`replay outcomes --budget`"] {
        assert!(said.contains(pointed), "{pointed} is not in {said}");
    }
    let experiments = said.matches("  as expected").count();
    assert!(experiments >= 7, "{said}");
}

/// Experiments of one's own.
struct Own(tempfile::TempDir);

impl Own {
    fn new() -> Self {
        let own = Self(tempfile::tempdir().unwrap());
        own.write("table.csv", &table());
        own
    }

    fn write(&self, file: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn eval(&self, arguments: &[&str]) -> Output {
        let mut all = vec!["eval", "--evals", "."];
        all.extend(arguments);
        run(self.0.path(), &all)
    }
}

fn table() -> String {
    let mut text = "prompt_id,task,prompt,model,score,cost_usd\n".to_owned();
    for prompt in 0..40 {
        for (arm, score, cost) in [("large", 1, 0.02), ("small", prompt % 2, 0.01)] {
            writeln!(text, "p{prompt:02},t,say {prompt},{arm},{score},{cost}").unwrap();
        }
    }
    text
}

const ON_A_TABLE: &str = "question = \"Which?\"\ncandidates = [\"uniform\", \"fixed:arm=small\"]\n\n[data]\ntable = \"../table.csv\"\n";

#[test]
fn a_drift_of_any_figure_fails_and_is_named() {
    let own = Own::new();
    own.write("which/experiment.toml", ON_A_TABLE);
    let first = own.eval(&[]);
    assert!(!first.status.success());
    let errors = text(&first.stderr);
    assert!(
        errors.contains("`bellwether eval which --bless` writes them"),
        "{errors}"
    );
    assert!(own.eval(&["--bless"]).status.success());
    assert!(own.eval(&["which"]).status.success());
    let file = own.0.path().join("which/expected.json");
    let expected = std::fs::read_to_string(&file).unwrap();
    let name = "\"fixed:arm=small: reward\": 0.5";
    assert!(expected.contains(name), "{expected}");
    std::fs::write(
        &file,
        expected.replace(name, "\"fixed:arm=small: reward\": 0.500000002"),
    )
    .unwrap();
    let drifted = own.eval(&[]);
    assert_eq!(drifted.status.code(), Some(1));
    let said = text(&drifted.stdout);
    assert!(
        said.contains("DRIFT: figure fixed:arm=small: reward is 0.5: expected 0.500000002"),
        "{said}"
    );
    assert!(
        said.contains("1 experiments: 0 as expected, 0 skipped, 1 drifted"),
        "{said}"
    );
}

#[test]
fn what_is_absent_is_skipped_and_said_to_be() {
    let own = Own::new();
    let absent = ON_A_TABLE.replace("table.csv", "elsewhere.csv");
    own.write("which/experiment.toml", &absent);
    let output = own.eval(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("skipped: ./which/../elsewhere.csv is absent"),
        "{said}"
    );
    assert!(
        said.contains("1 experiments: 0 as expected, 1 skipped, 0 drifted"),
        "{said}"
    );
}

#[test]
fn bad_candidates_and_experiments_are_told_word_by_word() {
    let own = Own::new();
    own.write("which/experiment.toml", ON_A_TABLE);
    own.write(
        "bad/experiment.toml",
        "candidates = [\"none.toml\", \"bad.toml\", \"greedee\"]\ncolour = 1\n[data]\nworld = 0\n[settings]\nseeds = 0\n",
    );
    own.write(
        "bad/bad.toml",
        "policy = \"uniform\"\ndrop = []\nbudget = { request_usd = -1 }\nprice = { large = \"half\" }\n",
    );
    own.write(
        "a.toml",
        "policy = \"greedy\"\nprice = { large = 0.5 }\nquality_usd = 1\n",
    );
    let mut said = String::new();
    let mut told = |case: &str, arguments: &[&str]| {
        let output = run(own.0.path(), arguments);
        assert!(!output.status.success(), "{case}");
        let errors = text(&output.stderr);
        let gap = if said.is_empty() { "" } else { "\n" };
        let shown: Vec<&str> = arguments.iter().take(5).copied().collect();
        let more = if arguments.len() > 5 { " .." } else { "" };
        writeln!(
            said,
            "{gap}# {case}\n$ bellwether {}{more}",
            shown.join(" ")
        )
        .unwrap();
        writeln!(said, "{}", errors.trim_end()).unwrap();
    };
    told(
        "all that is wrong with an experiment",
        &["eval", "--evals", ".", "bad"],
    );
    told("no such experiment", &["eval", "--evals", ".", "other"]);
    told("no experiments", &["eval", "--evals", "which"]);
    let traffic = ["replay", "traffic", "none.parquet"];
    let hundred: Vec<&str> = std::iter::repeat_n(["--candidate", "uniform"], 100)
        .flatten()
        .collect();
    told("a hundred candidates", &[&traffic[..], &hundred].concat());
    told(
        "a candidate's file",
        &[
            &traffic[..],
            &["--candidate", "bad/bad.toml", "--candidate", "none.toml"],
        ]
        .concat(),
    );
    check("evals.txt", &said);
}
