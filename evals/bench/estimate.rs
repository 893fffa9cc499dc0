//! Time and memory of `bellwether estimate` on a large log, beside polars' own scan of the same file:
//! `cargo bench --bench estimate -- FILE [ROWS]`.
//!
//! A file that is not there is made first: 10 arms, their pmf and a model's predictions, 20 slices, 10 million rows
//! unless ROWS says otherwise (some 1.6 GB). The scan sums every column of the file with polars' streaming engine.
//! Both are programs of their own and run in turn, three times each; memory is the most that each held at once.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark may stop where it cannot begin, and says what it found"
)]

use polars::prelude::{
    Column, DataFrame, Engine, LazyFrame, ParquetCompression, ParquetWriter, PlRefPath,
    ScanArgsParquet, all,
};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ARMS: usize = 10;
const SLICES: u32 = 20;
const GROUP: usize = 500_000;

fn main() {
    // Cargo adds its own.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut arguments = arguments.iter().filter(|a| !a.starts_with("--"));
    let Some(file) = arguments.next() else {
        println!("skipped: say which file, as in `cargo bench --bench estimate -- log.parquet`");
        return;
    };
    let more = arguments.next().map(String::as_str);
    if more == Some("scan") {
        return scan(file);
    }
    let rows = more.map_or(10_000_000, |rows| rows.parse().expect("a number of rows"));
    if !Path::new(file).exists() {
        make(file, rows);
    }
    let own = std::env::current_exe().expect("this program");
    for _ in 0..3 {
        let mut scan = Command::new(&own);
        measure("scan", scan.args([file, "scan"]));
        let mut estimate = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        let asked = ["--target", "uniform", "--columns", "slice=slice"];
        let asked = estimate
            .args(["estimate", "--format", "json", "--log", file])
            .args(asked);
        measure("estimate", asked);
    }
}

/// Runs a program, and says how long it took and what it held.
fn measure(name: &str, command: &mut Command) {
    let begun = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("a program");
    let status = format!("/proc/{}/status", child.id());
    let mut most = String::from("unknown (no /proc)");
    while child.try_wait().expect("its end").is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        most = line.map_or(most, |line| line.trim().to_owned());
        std::thread::sleep(Duration::from_millis(5));
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{name:9} {seconds:6.2} s, at most {most}");
}

/// Reads every column.
fn scan(file: &str) {
    let frame = LazyFrame::scan_parquet(PlRefPath::new(file), ScanArgsParquet::default());
    let sums = frame
        .expect("a Parquet file")
        .select([all().as_expr().sum()]);
    let sums = sums.collect_with_engine(Engine::Streaming).expect("sums");
    let sums = sums.unwrap_single();
    println!("{sums}");
}

/// Writes a log as a router with a floor of 1 % would have it.
fn make(file: &str, rows: usize) {
    let out = std::fs::File::create(file).expect("a new file");
    let mut rng = SmallRng::seed_from_u64(1);
    let schema = group(&mut rng, 1).schema().clone();
    let writer = ParquetWriter::new(out).with_compression(ParquetCompression::Snappy);
    let mut writer = writer.batched(&schema).expect("a writer");
    for first in (0..rows).step_by(GROUP) {
        let group = group(&mut rng, GROUP.min(rows - first));
        writer.write_batch(&group).expect("rows");
    }
    writer.finish().expect("a footer");
}

fn group(rng: &mut SmallRng, rows: usize) -> DataFrame {
    let mut pmf = vec![Vec::new(); ARMS];
    let mut model = pmf.clone();
    let (mut action, mut reward, mut pscore, mut slice) = (vec![], vec![], vec![], vec![]);
    for _ in 0..rows {
        let raw: [f64; ARMS] = std::array::from_fn(|_| -(1.0 - rng.random::<f64>()).ln());
        let whole: f64 = raw.iter().sum();
        let p = raw.map(|raw| 0.9 * raw / whole + 0.1 / ARMS as f64);
        let q: [f64; ARMS] =
            std::array::from_fn(|_| (rng.random_range(0.2..0.9_f64) * 1e3).round() / 1e3);
        let (mut left, mut chosen) = (rng.random::<f64>(), 0);
        while chosen + 1 < ARMS && left >= p[chosen] {
            left -= p[chosen];
            chosen += 1;
        }
        for arm in 0..ARMS {
            pmf[arm].push(p[arm]);
            model[arm].push(q[arm]);
        }
        action.push(chosen as i64);
        pscore.push(p[chosen]);
        reward.push(f64::from(u8::from(rng.random::<f64>() < q[chosen])));
        slice.push(i64::from(rng.random_range(0..SLICES)));
    }
    let mut columns = vec![
        Column::new("action".into(), action),
        Column::new("reward".into(), reward),
        Column::new("pscore".into(), pscore),
        Column::new("slice".into(), slice),
    ];
    for (prefix, family) in [("p_", pmf), ("q_", model)] {
        for (arm, numbers) in family.into_iter().enumerate() {
            columns.push(Column::new(format!("{prefix}{arm}").into(), numbers));
        }
    }
    DataFrame::new(rows, columns).expect("columns of one length")
}
