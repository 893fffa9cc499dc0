//! `estimate` on logs of others: equal to the reference values, near the truth where there is one, and refused
//! where the log cannot answer.

use crate::bad_input::{Said, check, run};
use polars::prelude::{CsvReadOptions, ParquetWriter, SerReader};
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared");

fn asked(log: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(["estimate", "--format", "json", "--log"]);
    command.arg(log).args(arguments).output().unwrap()
}

fn estimate(log: &Path, arguments: &[&str]) -> Value {
    let output = asked(log, arguments);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The reference logs, or a line that says that they are absent.
fn fixture(name: &str) -> Option<std::path::PathBuf> {
    let file = Path::new(SHARED).join("fixtures/ope").join(name);
    if !file.exists() {
        eprintln!("skipped: ../shared/fixtures/ope is absent");
        return None;
    }
    Some(file)
}

fn reference(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(fixture(name)?).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// Where a value of the reference stands in the report.
fn value<'a>(report: &'a Value, key: &str) -> &'a Value {
    match key {
        "n" => &report["rows"],
        "K" => &report["arms"],
        "truth" | "truth_mu" => &report["truth"],
        "ess" => &report["overlap"]["effective_sample_size"],
        "w_mean" => &report["overlap"]["mean_weight"],
        "w_max" => &report["overlap"]["largest_weight"],
        _ => {
            if let Some(estimator) = key.strip_suffix("_se") {
                &report["estimates"][estimator]["standard_error"]
            } else if let Some(tuned) = key.strip_suffix("_lambda") {
                &report["tuned"][tuned]["lambda"]
            } else if key.contains("_tuned_") {
                &report["tuned"][key]["value"]
            } else {
                &report["estimates"][key]["value"]
            }
        }
    }
}

/// Every number of `reference` is in `report`, within `most`.
fn compare(report: &Value, reference: &Value, most: f64) -> usize {
    let keys = reference.as_object().unwrap().iter();
    let keys = keys.filter(|(key, _)| !["seed", "target"].contains(&key.as_str()));
    let mut compared = 0;
    for (key, wanted) in keys {
        let found = value(report, key).as_f64();
        let found = found.unwrap_or_else(|| panic!("{key} is missing"));
        let wanted = wanted.as_f64().unwrap();
        // The effective sample size is hundreds: relative there, and the largest weight is tens.
        let scale = wanted.abs().max(1.0);
        assert!(
            (found - wanted).abs() <= most * scale,
            "{key}: {found}, not {wanted}"
        );
        compared += 1;
    }
    compared
}

/// How a target of the adaptive logs is asked for.
fn target(name: &str) -> Vec<&str> {
    match name {
        "uniform" => vec!["--target", "uniform"],
        // Fitted on the even rows.
        "greedy_half" => vec!["--target", "choice", "--rows", "1::2"],
        "soft_greedy" => vec!["--target", "choice:0.9"],
        "const_0" => vec!["--target", "arm:0"],
        "const_1" => vec!["--target", "arm:1"],
        "const_2" => vec!["--target", "arm:2"],
        "const_3" => vec!["--target", "arm:3"],
        other => panic!("{other}"),
    }
}

#[test]
fn the_reference_logs_give_every_reference_value() {
    let Some(values) = reference("obp_reference.json") else {
        return;
    };
    let synthetic = fixture("synth_log.csv").unwrap();
    let report = estimate(&synthetic, &[]);
    assert_eq!(report["refusal"], Value::Null);
    assert!(compare(&report, &values["synth"], 1e-12) > 38);
    for case in values["igw_paretobandit"].as_array().unwrap() {
        let log = fixture(&format!("igw_log_paretobandit_seed{}.csv", case["seed"])).unwrap();
        let mut arguments = target(case["target"].as_str().unwrap());
        // Some have an effective sample size below 100.
        arguments.extend([
            "--regardless",
            "--columns",
            "truth=r_full_,choice=greedy_half",
        ]);
        compare(&estimate(&log, &arguments), case, 1e-9);
    }
}

#[test]
fn the_adaptive_logs_give_the_reference_bounds_at_every_peek() {
    let Some(values) = reference("ebcs_reference.json") else {
        return;
    };
    for case in values.as_array().unwrap() {
        let log = fixture(&format!("igw_log_paretobandit_seed{}.csv", case["seed"])).unwrap();
        for (rows, suffix) in [("", ""), (":1000", "_1000")] {
            let mut arguments = target(case["target"].as_str().unwrap());
            arguments.extend(["--regardless", "--columns", "choice=greedy_half"]);
            arguments.extend(["--first-guess", "half", "--rows", rows]);
            let bounds = &estimate(&log, &arguments)["anytime"];
            for (k, side, end) in ["ipw", "dr1", "dr5", "dr20"]
                .into_iter()
                .flat_map(|k| [(k, "lo", "lower"), (k, "hi", "upper")])
            {
                let key = format!("{k}_{side}{suffix}");
                if let Some(wanted) = case[&key].as_f64() {
                    let found = bounds[k][end].as_f64().unwrap();
                    assert!(
                        (found - wanted).abs() < 1e-9,
                        "{key}: {found}, not {wanted}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_log_without_a_model_has_the_bounds_that_need_none() {
    let Some(log) = fixture("igw_log_paretobandit_seed0.csv") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.csv");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&file, text.replace(",q_", ",other_")).unwrap();
    let target = ["--target", "arm:3"];
    let (with, without) = (estimate(&log, &target), estimate(&file, &target));
    assert_eq!(with["anytime"]["ipw"], without["anytime"]["ipw"]);
    assert!(without["anytime"]["ipw"]["lower"].as_f64().unwrap() > 0.5);
    assert_eq!(without["anytime"].as_object().unwrap().len(), 1);
    assert!(with["estimates"]["dr"].is_object() && without["estimates"]["dr"].is_null());
}

#[test]
fn slices_say_what_their_rows_alone_would_and_an_episode_of_one_row_changes_nothing() {
    let Some(synthetic) = fixture("synth_log.csv") else {
        return;
    };
    let text = std::fs::read_to_string(&synthetic).unwrap();
    let mut lines = text.lines();
    let mut sliced = format!("{},half,session\n", lines.next().unwrap());
    for (row, line) in lines.enumerate() {
        let half = ["even", "odd"][row % 2];
        writeln!(sliced, "{line},{half},{row}").unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log.csv");
    std::fs::write(&file, sliced).unwrap();
    let near = |found: &Value, wanted: &Value| {
        let (found, wanted) = (found.as_object().unwrap(), wanted.as_object().unwrap());
        assert!(found.len() > 15 && found.keys().eq(wanted.keys()));
        for (name, wanted) in wanted {
            for part in ["value", "standard_error", "lower", "upper"] {
                let pair = [&found[name][part], &wanted[part]].map(|v| v.as_f64().unwrap());
                assert!((pair[0] - pair[1]).abs() < 1e-12, "{name} {part}: {pair:?}");
            }
        }
    };
    let whole = estimate(&synthetic, &[]);
    for columns in ["slice=half", "slice=half,episode=session"] {
        let report = estimate(&file, &["--columns", columns]);
        near(&report["estimates"], &whole["estimates"]);
        for (slice, rows) in [("even", "::2"), ("odd", "1::2")] {
            let alone = estimate(&synthetic, &["--rows", rows]);
            let slice = &report["slices"][slice];
            near(&slice["estimates"], &alone["estimates"]);
            assert_eq!(slice["overlap"]["rows"], 1000);
        }
    }
}

/// A log of the real shop, and its clicks.
fn shop(policy: &str, campaign: &str) -> Option<(String, Vec<f64>)> {
    let file = format!("{SHARED}/datasets/obd/{policy}_{campaign}.csv");
    let Ok(text) = std::fs::read_to_string(&file) else {
        eprintln!("skipped: ../shared/datasets/obd is absent");
        return None;
    };
    let click = |line: &str| line.split(',').nth(4).unwrap().parse().unwrap();
    Some((file, text.lines().skip(1).map(click).collect()))
}

/// Writes a log of the shop as `import` does; the number of arms and rows that it tells of.
fn import(file: &str, out: &Path, options: &[&str]) -> (usize, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    command.args(["import", "open-bandit", file, "--format", "json", "--out"]);
    let output = command.arg(out).args(options).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = done["rows_written"].as_u64().unwrap();
    (done["arms"].as_array().unwrap().len(), rows)
}

#[test]
fn a_shop_s_two_policies_foretell_each_other_or_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (campaign, arms) in [("men", 34), ("women", 46)] {
        let (Some(random), Some(thompson)) = (shop("random", campaign), shop("bts", campaign))
        else {
            return;
        };
        let file = dir.path().join("log.parquet");
        // The Thompson policy looks at the position alone: its pmf there, averaged over the week, is how often
        // it showed each item.
        let of_thompson = ["--pmf", "uniform", "--target", &thompson.0];
        for (name, (log, clicks), options, other) in [
            ("random, of Thompson", &random, &of_thompson[..], &thompson),
            ("Thompson, of random", &thompson, &[][..], &random),
        ] {
            assert_eq!(import(log, &file, options), (arms, clicks.len() as u64));
            let report = estimate(&file, &["--columns", "slice=position"]);
            assert_eq!(report["slices"].as_object().unwrap().len(), 3);
            let refusal = &report["refusal"]["reason"];
            if refusal == "effective_sample_size" {
                eprintln!("{campaign}, {name}: refused, {}", report["refusal"]);
                continue;
            }
            assert_eq!(*refusal, Value::Null, "{campaign}, {name}: {report}");
            let n = other.1.len() as f64;
            let truth = other.1.iter().sum::<f64>() / n;
            let snips = &report["estimates"]["snips"];
            let (found, error) = (&snips["value"], &snips["standard_error"]);
            let (found, error) = (found.as_f64().unwrap(), error.as_f64().unwrap());
            let combined = error.hypot((truth * (1.0 - truth) / n).sqrt());
            eprintln!(
                "{campaign}, {name}: {found:.5}, on policy {truth:.5}, combined error {combined:.5}"
            );
            assert!((found - truth).abs() < 3.0 * combined, "{campaign}, {name}");
        }
        // By shares every item drawn is as likely as it was frequent, so the log agrees with itself.
        import(&thompson.0, &file, &["--pmf", "shares"]);
        let report = estimate(&file, &["--target", "uniform", "--regardless"]);
        assert_ne!(report["refusal"]["reason"], "calibration");
        assert_eq!(report["arms"], arms);
    }
}

/// A log of four arms with its pmf, drawn by the numbers of a fixed generator.
fn drawn(
    rows: u64,
    pmf: impl Fn(u64) -> [f64; 4],
    logged: impl Fn([f64; 4]) -> [f64; 4],
) -> String {
    let mut text = String::from("action,reward,pscore,p_0,p_1,p_2,p_3\n");
    for row in 0..rows {
        let (p, mut left) = (pmf(row), (row as f64 * 0.618_033_988_749_895).fract());
        let mut chosen = 0;
        while chosen < 3 && left >= p[chosen] {
            left -= p[chosen];
            chosen += 1;
        }
        let [a, b, c, d] = logged(p);
        let pscore = [a, b, c, d][chosen];
        let reward = u64::from(row % 3 == 0);
        writeln!(text, "{chosen},{reward},{pscore},{a},{b},{c},{d}").unwrap();
    }
    text
}

/// Writes rows as Parquet, in row groups of `group` rows.
fn write_parquet(file: &Path, text: &str, group: usize) {
    let read = CsvReadOptions::default().into_reader_with_file_handle(std::io::Cursor::new(text));
    let mut frame = read.finish().unwrap();
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let out = std::fs::File::create(file).unwrap();
    let writer = ParquetWriter::new(out).with_row_group_size(Some(group));
    writer.finish(&mut frame).unwrap();
}

/// A log of three arms' worth of chance and one of none, with a model and with what `more` says of each row.
fn modelled(rows: u64, more: &str, of: impl Fn(u64) -> String) -> (String, Vec<String>) {
    let pmf = |row: u64| {
        if row.is_multiple_of(3) {
            [0.4, 0.3, 0.2, 0.1]
        } else {
            [0.1, 0.2, 0.3, 0.4]
        }
    };
    let log = drawn(rows, pmf, |p| p);
    let mut lines = log.lines();
    let head = format!("{},q_0,q_1,q_2,q_3{more}", lines.next().unwrap());
    let line = |(row, line): (u64, &str)| {
        let q = (row % 10) as f64 / 10.0;
        format!("{line},{q},0.5,{},0.25{}", 1.0 - q, of(row))
    };
    (head, (0..).zip(lines).map(line).collect())
}

#[test]
fn a_folder_by_team_and_day_is_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let teams = |row: u64| ["a", "a", "b", "c", "c", "c"][(row / 1000) as usize];
    let (head, lines) = modelled(6000, ",squad", |row| format!(",{}", teams(row)));
    let all = dir.path().join("all.csv");
    std::fs::write(&all, format!("{head}\n{}", lines.join("\n"))).unwrap();
    let log = dir.path().join("log");
    let mut parts = Vec::new();
    for (day, part) in lines.chunks(1000).enumerate() {
        let team = teams(1000 * day as u64);
        // In the folder the names alone say the team.
        let bare = |line: &String| line.rsplit_once(',').unwrap().0.to_owned();
        let bare: Vec<String> = part.iter().map(bare).collect();
        let text = format!("{}\n{}", bare_head(&head), bare.join("\n"));
        let file = log.join(format!("team={team}/day={day}/part.parquet"));
        write_parquet(&file, &text, [7000, 300][day % 2]);
        parts.push(file);
    }
    std::fs::write(log.join("team=a/notes.txt"), "no log").unwrap();
    let asked = |file: &Path, slice: &str, rows: &str| {
        let columns = format!("slice={slice}");
        let arguments = ["--target", "uniform", "--columns", &columns, "--rows", rows];
        estimate(file, &arguments)
    };
    for rows in ["", "1500:4500:2"] {
        let (whole, folder) = (asked(&all, "squad", rows), asked(&log, "team", rows));
        assert_eq!(whole, folder);
        assert_eq!(folder["slices"].as_object().unwrap().len(), 3);
        assert!(folder["anytime"]["dr20"]["lower"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(
        asked(&log, "day", "")["slices"].as_object().unwrap().len(),
        6
    );
    // The files one by one, as a shell spells out a pattern, and in another order: another log.
    let named: Vec<&str> = parts.iter().map(|part| part.to_str().unwrap()).collect();
    let first = Path::new(named[0]);
    let mut arguments = named[1..].to_vec();
    arguments.extend(["--target", "uniform", "--columns", "slice=team"]);
    assert_eq!(estimate(first, &arguments), asked(&log, "team", ""));
    let turned = [
        "--log", named[1], "--log", named[0], "--target", "arm:3", "--rows", ":1000",
    ];
    let second = ["--target", "arm:3"];
    let json = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        let output = command
            .args(["estimate", "--format", "json"])
            .args(arguments);
        serde_json::from_slice::<Value>(&output.output().unwrap().stdout).unwrap()
    };
    assert_eq!(
        json(&turned)["estimates"],
        estimate(Path::new(named[1]), &second)["estimates"]
    );
}

/// Without its last column.
fn bare_head(head: &str) -> &str {
    head.rsplit_once(',').unwrap().0
}

#[test]
fn a_report_depends_neither_on_threads_nor_on_row_groups() {
    let dir = tempfile::tempdir().unwrap();
    let (head, lines) = modelled(150_000, ",kind", |row| format!(",{}", row % 5));
    let text = format!("{head}\n{}", lines.join("\n"));
    let files = [1_000_000, 40_000].map(|group| {
        let file = dir.path().join(format!("{group}.parquet"));
        write_parquet(&file, &text, group);
        file
    });
    let reports = files.iter().flat_map(|file| {
        ["1", "3"].map(|threads| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
            command.env("POLARS_MAX_THREADS", threads);
            command.args(["estimate", "--format", "json", "--target", "arm:1"]);
            command.args(["--columns", "slice=kind", "--log"]).arg(file);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            output.stdout
        })
    });
    let reports: Vec<Vec<u8>> = reports.collect();
    assert!(reports.iter().all(|report| *report == reports[0]));
    let report: Value = serde_json::from_slice(&reports[0]).unwrap();
    assert_eq!(report["rows"], 150_000);
    assert_eq!(report["slices"]["4"]["rows"], 30_000);
    // The whole is its slices together.
    let file = dir.path().join("log.csv");
    std::fs::write(&file, text).unwrap();
    let plain = estimate(&file, &["--target", "arm:1"]);
    for (name, wanted) in plain["estimates"].as_object().unwrap() {
        for part in ["value", "standard_error"] {
            let pair = [&report["estimates"][name][part], &wanted[part]];
            let pair = pair.map(|v| v.as_f64().unwrap());
            assert!((pair[0] - pair[1]).abs() < 1e-12, "{name} {part}: {pair:?}");
        }
    }
    assert_eq!(plain["anytime"], report["anytime"]);
    assert_eq!(plain["tuned"].as_object().unwrap().len(), 8);
}

#[test]
fn a_log_that_cannot_answer_is_refused_for_the_right_reason() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |text: &str, target: &str, reason: &str| {
        let file = dir.path().join("log.csv");
        std::fs::write(&file, text).unwrap();
        let report = estimate(&file, &["--target", target]);
        assert_eq!(report["refusal"]["reason"], reason, "{report}");
        assert_eq!(report["estimates"], serde_json::json!({}));
        assert_eq!(report["anytime"], serde_json::json!({}));
        // Asked for all the same, the numbers come with the refusal beside them.
        let all = estimate(&file, &["--target", target, "--regardless"]);
        assert_eq!(all["refusal"]["reason"], reason);
        assert_eq!(
            all["estimates"]["ips"]["value"].is_number(),
            reason != "no_rows"
        );
    };
    let honest = |p: [f64; 4]| p;
    // One arm's probability doubled, and all made to sum to 1 again.
    let tampered = |[a, b, c, d]: [f64; 4]| [2.0 * a, b, c, d].map(|p| p / (1.0 + a));
    refused(
        &drawn(4000, |_| [0.25; 4], tampered),
        "uniform",
        "calibration",
    );
    // Without the pmf the weights show it.
    let log = drawn(4000, |_| [0.25; 4], tampered);
    let bare: Vec<String> = log
        .lines()
        .map(|line| line.split(',').take(3).collect::<Vec<_>>().join(","))
        .zip(std::iter::once("pi_0,pi_1,pi_2,pi_3").chain(std::iter::repeat("0.85,0.05,0.05,0.05")))
        .map(|(line, target)| format!("{line},{target}"))
        .collect();
    refused(&bare.join("\n"), "columns", "mean_weight");
    // Nothing of the target was ever drawn, or hardly anything.
    refused(
        &drawn(4000, |_| [0.5, 0.5, 0.0, 0.0], honest),
        "arm:2",
        "support",
    );
    refused(
        &drawn(400, |_| [0.9, 0.05, 0.03, 0.02], honest),
        "arm:3",
        "effective_sample_size",
    );
    // A policy without chance: only itself is known.
    refused(
        &drawn(400, |_| [1.0, 0.0, 0.0, 0.0], honest),
        "uniform",
        "support",
    );
    refused("action,reward,pscore,p_0,p_1\n", "uniform", "no_rows");
}

#[test]
fn a_file_that_is_no_log_is_told_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut said = Said::default();
    let mut asked = |case: &str, text: &str, options: &[&str]| {
        std::fs::write(dir.path().join("log.csv"), text).unwrap();
        let arguments = [&["estimate", "--log", "log.csv"], options].concat();
        run(&mut said, case, dir.path(), &arguments);
    };
    let known = "action,reward,p_0,p_1\n0,1,0.5,0.5\n";
    let good = "action,reward,pscore,pi_0,pi_1\n0,1,0.5,1,0\n1,0,0.5,1,0\n";
    asked(
        "an outcome is missing",
        "action,pscore,pi_0\n0,0.5,1\n",
        &[],
    );
    asked("no probability", "action,reward,pi_0\n0,1,1\n", &[]);
    asked("no target", "action,reward,pscore\n0,1,0.5\n", &[]);
    asked(
        "an unknown number of arms",
        "action,reward,pscore\n0,1,0.5\n",
        &["--target", "uniform"],
    );
    asked("not a number", &good.replace("0,1,", "0,NaN,"), &[]);
    asked("a word", &good.replace("0,1,", "0,yes,"), &[]);
    asked(
        "a taken action without a chance",
        &good.replace("1,0,0.5", "1,0,0"),
        &[],
    );
    asked(
        "a pmf that does not sum to 1",
        &good.replace("0.5,1,0", "0.5,1,0.2"),
        &[],
    );
    asked("no such arm", &good.replace("1,0,0.5", "2,0,0.5"), &[]);
    let unlike = "action,reward,pscore,p_0,p_1\n0,1,0.5,0.4,0.6\n";
    asked(
        "a pmf that says otherwise",
        unlike,
        &["--target", "uniform"],
    );
    let fewer = "action,reward,pscore,pi_0,pi_1,q_0\n0,1,0.5,1,0,0.5\n";
    asked("a model of fewer arms", fewer, &[]);
    asked("a field that is none", good, &["--columns", "colour=red"]);
    asked(
        "a column that is not there",
        good,
        &["--columns", "episode=session"],
    );
    asked(
        "a model that is not there",
        known,
        &["--target", "uniform", "--columns", "model=pred_"],
    );
    asked("no such target", good, &["--target", "best"]);
    asked("an arm beyond the last", known, &["--target", "arm:2"]);
    asked(
        "a choice without its column",
        known,
        &["--target", "choice"],
    );
    asked("rows that are none", good, &["--rows", "1:2:0"]);
    asked("an empty slice", good, &["--rows", "5:"]);
    let mut ids = String::from("action,reward,p_0,p_1,id\n");
    (0..1001).for_each(|id| writeln!(ids, "0,1,0.5,0.5,{id}").unwrap());
    let by_id = ["--target", "uniform", "--columns", "slice=id"];
    asked("a slice for each row", &ids, &by_id);
    std::fs::write(dir.path().join("torn.parquet"), "PAR1").unwrap();
    for (case, file) in [
        ("a Parquet file that is cut off", "torn.parquet"),
        ("an ending that is no log's", "log.txt"),
        ("no such file", "absent.csv"),
    ] {
        run(&mut said, case, dir.path(), &["estimate", "--log", file]);
    }
    bad_files(&mut said, dir.path());
    check("bad_log.txt", &said.text);
}

/// Parquet files and folders that are no log.
fn bad_files(said: &mut Said, dir: &Path) {
    let (head, lines) = modelled(50, "", |_| String::new());
    let text = format!("{head}\n{}", lines.join("\n"));
    write_parquet(&dir.join("good.parquet"), &text, 20);
    let whole = std::fs::read(dir.join("good.parquet")).unwrap();
    std::fs::write(dir.join("cut.parquet"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(dir.join("empty.parquet"), "").unwrap();
    write_parquet(&dir.join("other.parquet"), &text.replace("q_", "pred_"), 20);
    write_parquet(
        &dir.join("bad.parquet"),
        &text.replacen("\n0,1,", "\n9,1,", 1),
        20,
    );
    for folder in ["none", "log/team=a", "log/day=1"] {
        std::fs::create_dir_all(dir.join(folder)).unwrap();
    }
    for part in ["log/team=a/x.parquet", "log/day=1/y.parquet"] {
        std::fs::write(dir.join(part), &whole).unwrap();
    }
    let uniform = ["--target", "uniform"];
    let mut asked = |case: &str, logs: &[&str], options: &[&str]| {
        let mut arguments = vec!["estimate", "--log"];
        arguments.extend(logs.iter().chain(&uniform).chain(options));
        run(said, case, dir, &arguments);
    };
    asked("a Parquet file cut in the middle", &["cut.parquet"], &[]);
    asked("a file of no bytes", &["empty.parquet"], &[]);
    asked(
        "a second file without the model",
        &["good.parquet", "other.parquet"],
        &[],
    );
    asked(
        "a second file with a model",
        &["other.parquet", "good.parquet"],
        &[],
    );
    asked("a folder without a log", &["none"], &[]);
    asked(
        "a key that not every folder has",
        &["log"],
        &["--columns", "slice=team"],
    );
    asked(
        "a bad row of a second file",
        &["good.parquet", "bad.parquet"],
        &[],
    );
}
