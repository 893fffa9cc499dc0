//! `import`: files as other projects write them become what `replay outcomes` and `estimate` read; what does not fit
//! is told by file, row and column.

use crate::bad_input::{Said, check, run};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// What a command says, as JSON.
fn json(dir: &Path, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    let command = command.args(arguments).args(["--format", "json"]);
    let output = command.current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Rows read, written and left out.
fn counts(done: &Value) -> [u64; 3] {
    let left = done["left_out"].as_array().unwrap().iter();
    let left: u64 = left.map(|left| left["rows"].as_u64().unwrap()).sum();
    let count = |name: &str| done[name].as_u64().unwrap();
    assert_eq!(count("outcomes"), count("rows_written") + left);
    [count("rows_read"), count("rows_written"), left]
}

/// Forty prompts; `large` right on all but every tenth, `small` on every second.
fn score(prompt: usize, model: &str) -> f64 {
    let right = match model {
        "large" => !prompt.is_multiple_of(10),
        _ => prompt.is_multiple_of(2),
    };
    f64::from(u8::from(right))
}

#[test]
fn one_set_of_outcomes_replays_alike_from_every_format() {
    let dir = tempfile::tempdir().unwrap();
    let mut rb = ",sample_id,prompt,eval_name,large,small,large|model_response,large|total_cost,small|total_cost,\
        oracle_model_to_route_to\n"
        .to_owned();
    let mut lines = String::new();
    let mut long = "q,m,points,usd,t,kind\n".to_owned();
    for prompt in 0..40 {
        let [large, small] = ["large", "small"].map(|model| score(prompt, model));
        writeln!(
            rb,
            "{prompt},q{prompt},['ask {prompt}'],sum,{large},{small},1,0.02,0.001,large"
        )
        .unwrap();
        let line = serde_json::json!({
            "key": format!("q{prompt}"), "text": format!("['ask {prompt}']"), "kind": "sum", "n": 7,
            "large": 100.0 * large, "small": 100.0 * small, "large_usd": 0.02, "small_usd": 0.001,
        });
        writeln!(lines, "{line}").unwrap();
        for (model, score, usd) in [("large", large, 0.02), ("small", small, 0.001)] {
            writeln!(long, "q{prompt},{model},{score},{usd},['ask {prompt}'],sum").unwrap();
        }
    }
    for (name, text) in [("rb.csv", rb), ("wide.jsonl", lines), ("long.csv", long)] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let map = "prompt_id=q,model=m,score=points,cost_usd=usd,prompt=t,task=kind";
    let wide = [
        "--id",
        "key",
        "--prompt",
        "text",
        "--task",
        "kind",
        "--models",
        "large,small",
        "--cost-suffix",
        "_usd",
        "--percent",
    ];
    let formats: [(&str, &str, &[&str], u64); 3] = [
        ("routerbench", "rb.csv", &[], 40),
        ("wide", "wide.jsonl", &wide, 40),
        ("long", "long.csv", &["--map", map], 80),
    ];
    let mut reports = Vec::new();
    for (format, file, options, read) in formats {
        // The report names its table by the file.
        let out = "table.parquet";
        let arguments = [&["import", format, file, "--out", out], options].concat();
        let done = json(dir.path(), &arguments);
        assert_eq!(counts(&done), [read, 80, 0], "{format}");
        assert_eq!(done["next"], format!("bellwether replay outcomes {out}"));
        let replay = ["replay", "outcomes", out, "--seeds", "2", "--lambda", "0"];
        reports.push(json(dir.path(), &replay));
    }
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0], reports[2]);
    let report = reports[0].get(0).unwrap_or(&reports[0]);
    let best = &report["baselines"]["best_single"];
    assert_eq!(
        (&best["arm"], &best["reward"]),
        (&"large".into(), &0.9.into())
    );
}

/// Requests that LiteLLM drew among two models by 7 to 3, what came of them, and the mean of the second.
fn gateway(rows: usize) -> (String, String, f64) {
    let (mut log, mut scores) = (String::new(), "request_id,passed\n".to_owned());
    let (mut right, mut drawn) = (0.0, 0.0);
    for row in 0..rows {
        let first = (row as f64 * 0.618_033_988_749_895).fract() < 0.7;
        let passed = row % 5 < if first { 4 } else { 2 };
        let model = if first { "gpt-4o" } else { "haiku" };
        let tag = ["task:fix", "task:ask"][row % 2];
        let line = serde_json::json!({
            "request_id": format!("r{row}"), "model": model, "model_group": "chat", "spend": 0.01,
            "startTime": "2026-05-01T12:00:00Z", "endTime": "2026-05-01T12:00:01.5Z", "status": "success",
            "request_tags": ["User-Agent: curl", tag], "cache_hit": "False",
        });
        writeln!(log, "{line}").unwrap();
        writeln!(scores, "r{row},{passed}").unwrap();
        if !first {
            drawn += 1.0;
            right += f64::from(u8::from(passed));
        }
    }
    (log, scores, right / drawn)
}

#[test]
fn a_gateway_s_log_says_what_another_mix_would_be_worth() {
    let dir = tempfile::tempdir().unwrap();
    let (log, scores, mean) = gateway(2000);
    let failed = r#"{"request_id":"x","model":"haiku","model_group":"chat","status":"failure"}"#;
    std::fs::write(dir.path().join("log.jsonl"), format!("{log}{failed}\n")).unwrap();
    std::fs::write(dir.path().join("scores.csv"), scores).unwrap();
    let import = [
        "import",
        "litellm",
        "log.jsonl",
        "--out",
        "log.parquet",
        "--outcomes",
        "scores.csv",
        "--score",
        "passed",
        "--weights",
    ];
    let done = json(dir.path(), &[&import[..], &["gpt-4o=7,haiku=3"]].concat());
    assert_eq!(counts(&done), [2001, 2000, 1]);
    assert_eq!(done["arms"][1]["probability"], 0.3);
    let estimate = [
        "estimate",
        "--log",
        "log.parquet",
        "--target",
        "arm:1",
        "--columns",
        "slice=tag",
    ];
    let report = json(dir.path(), &estimate);
    assert_eq!(report["refusal"], Value::Null, "{report}");
    let found = &report["estimates"]["snips"]["value"];
    assert!(
        (found.as_f64().unwrap() - mean).abs() < 1e-9,
        "{found}, not {mean}"
    );
    let slices: Vec<&String> = report["slices"].as_object().unwrap().keys().collect();
    assert_eq!(slices, ["task:ask", "task:fix"]);
    // Weights that are not those that drew are found out.
    json(dir.path(), &[&import[..], &["gpt-4o=3,haiku=7"]].concat());
    let report = json(dir.path(), &estimate);
    assert_eq!(report["refusal"]["reason"], "calibration");
}

#[test]
fn what_does_not_fit_is_told_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    file("wide.csv", "prompt_id,a,b\n1,1,0.5\n2,1.5,0\n");
    file("noid.csv", "id,a,b\n1,1,0.5\n");
    file("words.csv", "prompt_id,answer\n1,yes\n");
    file("empty.csv", "prompt_id,a,b\n");
    file("long.csv", "prompt_id,model,score\n1,a,1\n1,a,0\n");
    file("table.txt", "");
    let shop = "item_id,position,click,propensity_score\n0,1,0,0.5\n1,1,1,0.4\n";
    file("shop.csv", shop);
    file("clicks.csv", &shop.replace("0,1,0,", "0,1,2,"));
    let (log, scores, _) = gateway(4);
    file("log.jsonl", &log);
    file(
        "times.jsonl",
        &log.replace("2026-05-01T12:00:01.5Z", "noon"),
    );
    file("groups.jsonl", &log.replacen("chat", "code", 1));
    file("scores.csv", &scores);
    file("twice.csv", &format!("{scores}r1,1\n"));
    file("others.csv", "request_id,passed\nother,1\n");
    let mut said = Said::default();
    let mut asked = |case: &str, arguments: &[&str]| {
        let out = ["--out", "out.parquet"];
        let arguments = [&["import"], arguments, &out].concat();
        run(&mut said, case, dir.path(), &arguments);
    };
    asked("a score above 1", &["wide", "wide.csv"]);
    asked("no id", &["wide", "noid.csv"]);
    asked("no scores", &["wide", "words.csv"]);
    asked("no rows", &["wide", "empty.csv"]);
    asked(
        "a model that is not there",
        &["wide", "wide.csv", "--models", "a,c"],
    );
    asked("no such ending", &["wide", "table.txt"]);
    asked("no such file", &["routerbench", "absent.csv"]);
    asked("an outcome given twice", &["long", "long.csv"]);
    asked(
        "a field that is none",
        &["long", "long.csv", "--map", "colour=red"],
    );
    asked("no such format", &["csv", "long.csv"]);
    asked(
        "not uniform",
        &["open-bandit", "shop.csv", "--pmf", "uniform"],
    );
    asked("a click that is none", &["open-bandit", "clicks.csv"]);
    asked(
        "a column that is not there",
        &["open-bandit", "shop.csv", "--map", "reward=bought"],
    );
    let litellm = |log: &'static str, scores: &'static str, weights: &'static [&'static str]| {
        let arguments = ["litellm", log, "--outcomes", scores, "--score", "passed"];
        [&arguments, weights].concat()
    };
    let weights = &["--weights", "gpt-4o=7,haiku=3"];
    asked("no weights", &litellm("log.jsonl", "scores.csv", &[]));
    let one = &["--weights", "gpt-4o=7"];
    asked("one weight", &litellm("log.jsonl", "scores.csv", one));
    asked(
        "a time that is none",
        &litellm("times.jsonl", "scores.csv", weights),
    );
    asked(
        "two groups",
        &litellm("groups.jsonl", "scores.csv", weights),
    );
    asked(
        "two outcomes of one request",
        &litellm("log.jsonl", "twice.csv", weights),
    );
    asked(
        "outcomes of other requests",
        &litellm("log.jsonl", "others.csv", weights),
    );
    assert!(!dir.path().join("out.parquet").exists());
    std::fs::write(dir.path().join("in.parquet"), "kept").unwrap();
    let over = ["import", "wide", "in.parquet", "--out", "in.parquet"];
    run(&mut said, "over what is read", dir.path(), &over);
    let kept = std::fs::read_to_string(dir.path().join("in.parquet")).unwrap();
    assert_eq!(kept, "kept");
    let csv = ["import", "wide", "wide.csv", "--out", "out.csv"];
    run(&mut said, "not Parquet", dir.path(), &csv);
    let good = [
        "import",
        "litellm",
        "log.jsonl",
        "--outcomes",
        "scores.csv",
        "--score",
        "passed",
        "--weights",
    ];
    let good = [&good[..], &["gpt-4o=7,haiku=3", "--out", "out.parquet"]].concat();
    run(&mut said, "for comparison, what fits", dir.path(), &good);
    check("bad_import.txt", &said.text);
}
