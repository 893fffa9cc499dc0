//! The reference logs of `../shared/fixtures/ope`, for tests: rows, and what the reference makes of them.

use super::{Row, expected, importance_weight};
use serde_json::Value;
use std::collections::BTreeMap;

const DIR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/ope");

/// A table of numbers; cells that are none are 0.
pub(super) struct Log {
    columns: BTreeMap<String, Vec<f64>>,
    pub(super) rows: usize,
}

impl Log {
    fn read(name: &str) -> Option<Self> {
        let Ok(text) = std::fs::read_to_string(format!("{DIR}/{name}")) else {
            println!("skipped: ../shared/fixtures/ope is absent");
            return None;
        };
        let mut lines = text.lines();
        let names: Vec<&str> = lines.next().unwrap().split(',').collect();
        let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for line in lines {
            for (name, cell) in names.iter().zip(line.split(',')) {
                let column = columns.entry((*name).to_owned()).or_default();
                column.push(cell.parse().unwrap_or(0.0));
            }
        }
        let rows = columns["reward"].len();
        Some(Self { columns, rows })
    }

    pub(super) fn cell(&self, column: &str, row: usize) -> f64 {
        self.columns[column][row]
    }

    pub(super) fn chosen(&self, row: usize) -> usize {
        self.cell("action", row) as usize
    }

    /// Cells of the columns `prefix`0, `prefix`1, ...
    pub(super) fn arms(&self, prefix: &str, row: usize) -> Vec<f64> {
        let column = |k: usize| self.columns.get(&format!("{prefix}{k}"));
        let columns = (0..).map_while(column);
        columns.map(|column| column[row]).collect()
    }

    fn weighted(&self, row: usize, cluster: usize, target: &[f64]) -> Row {
        let (model, chosen) = (self.arms("q_", row), self.chosen(row));
        Row {
            cluster,
            weight: importance_weight(target[chosen], self.cell("pscore", row)),
            weight_before: 1.0,
            reward: self.cell("reward", row),
            model_value: expected(target, &model),
            model_chosen: model[chosen],
        }
    }
}

/// One log under one target, with the reference's values.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) rows: Vec<Row>,
    pub(super) reference: Value,
}

/// The synthetic log.
pub(super) fn synthetic() -> Option<Case> {
    let log = Log::read("synth_log.csv")?;
    let rows = 0..log.rows;
    let rows = rows.map(|row| log.weighted(row, row, &log.arms("pi_", row)));
    Some(Case {
        name: "synth".to_owned(),
        rows: rows.collect(),
        reference: json("obp_reference.json")["synth"].clone(),
    })
}

pub(super) fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(format!("{DIR}/{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The log of an adaptive policy with this seed.
pub(super) fn adaptive(seed: u64) -> Option<Log> {
    Log::read(&format!("igw_log_paretobandit_seed{seed}.csv"))
}

/// The pmf of a target of the adaptive logs over their four arms.
pub(super) fn target(log: &Log, name: &str, row: usize) -> Vec<f64> {
    let only = |arm: usize| (0..4).map(|a| f64::from(u8::from(a == arm))).collect();
    match name {
        "uniform" => vec![0.25; 4],
        "greedy_half" => only(log.cell("greedy_half", row) as usize),
        "soft_greedy" => {
            let greedy: Vec<f64> = only(log.cell("greedy_half", row) as usize);
            greedy.iter().map(|g| 0.9 * g + 0.025).collect()
        }
        constant => only(constant.strip_prefix("const_").unwrap().parse().unwrap()),
    }
}

/// The adaptive logs under each target. The greedy one was fitted on the even rows: it is judged on the odd.
pub(super) fn cases() -> Option<Vec<Case>> {
    let logs: Option<Vec<Log>> = (0..5).map(adaptive).collect();
    let logs = logs?;
    let reference = json("obp_reference.json");
    let cases = reference["igw_paretobandit"].as_array().unwrap().iter();
    let cases = cases.map(|reference| {
        let seed = reference["seed"].as_u64().unwrap();
        let name = reference["target"].as_str().unwrap();
        let log = &logs[seed as usize];
        let used = (0..log.rows).filter(|row| name != "greedy_half" || row % 2 == 1);
        let rows = used.enumerate();
        let rows = rows.map(|(cluster, row)| log.weighted(row, cluster, &target(log, name, row)));
        Case {
            name: format!("seed {seed}, {name}"),
            rows: rows.collect(),
            reference: reference.clone(),
        }
    });
    Some(cases.collect())
}
