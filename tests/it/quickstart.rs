//! The shipped simulated tables are what the generator makes, and can be replayed.

use bellwether::table::{Columns, OutcomeTable};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

const TABLES: [&str; 2] = ["coding.parquet", "support.parquet"];

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("datasets/quickstart")
        .join(file)
}

fn bellwether(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    let output = command.args(arguments).output().expect("runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_shipped_tables_are_what_the_generator_makes_of_seed_0() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().to_string_lossy();
    let said = bellwether(&["dataset", "generate", "--out", &out]);
    assert!(said.starts_with("Simulated, seed 0"), "{said}");
    for file in TABLES {
        let read = |path: &Path| OutcomeTable::read(path, &Columns::default()).unwrap();
        let (made, kept) = (read(&dir.path().join(file)), read(&shipped(file)));
        assert_eq!(made.prompts.len(), kept.prompts.len());
        for (prompt, (made_prompt, kept_prompt)) in
            made.prompts.iter().zip(&kept.prompts).enumerate()
        {
            assert_eq!(made_prompt, kept_prompt);
            assert_eq!(made.cells(prompt), kept.cells(prompt));
        }
        assert_eq!((made.arms, kept.dropped), (kept.arms, 0));
    }
}

#[test]
fn the_card_names_the_rows_and_checksums_of_the_shipped_tables() {
    let card = std::fs::read_to_string(shipped("README.md")).unwrap();
    let mut bytes = 0;
    for file in TABLES {
        let content = std::fs::read(shipped(file)).unwrap();
        bytes += content.len();
        let sum: String = Sha256::digest(&content)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert!(
            card.contains(&sum),
            "{file}: sha256 {sum} is not in the card"
        );
        let table = OutcomeTable::read(&shipped(file), &Columns::default()).unwrap();
        let rows = table.prompts.len() * table.arms.len();
        let line = format!("| {file} | {} | {rows} |", table.prompts.len());
        assert!(card.contains(&line), "{line} is not in the card");
    }
    assert!(bytes < 1_500_000, "{bytes} bytes");
}

#[test]
fn a_shipped_table_can_be_replayed() {
    for file in TABLES {
        let path = shipped(file);
        let said = bellwether(&[
            "replay",
            "outcomes",
            &path.to_string_lossy(),
            "--lambda",
            "0,0.1",
            "--seeds",
            "1",
            "--policy",
            "uniform",
            "--policy",
            "fixed:arm=cedar",
            "--format",
            "json",
        ]);
        let reports: serde_json::Value = serde_json::from_str(&said).unwrap();
        let reports = reports.as_array().unwrap();
        assert_eq!(reports.len(), 2);
        assert!(reports[0]["sweep"].is_null());
        let together = &reports[1]["sweep"]["policies"][1];
        assert_eq!(together["policy"], "fixed:arm=cedar");
        assert_eq!(together["points"][1]["lambda"], 0.1);
        for report in reports {
            assert_eq!(report["dropped"], 0);
            let fixed = &report["policies"][1];
            let arm = report["baselines"]["arms"].as_array().unwrap().iter();
            let arm = arm.clone().find(|a| a["arm"] == "cedar").unwrap();
            let (found, expected) = (fixed["all"]["mean"].as_f64(), arm["reward"].as_f64());
            assert!((found.unwrap() - expected.unwrap()).abs() < 1e-9);
        }
    }
}
