//! The table's cells as a team would have reported them.
//!
//! The score says how good an answer was, so it is the normalised value of its signal: 0.7 is seven tenths of
//! the way from the signal's worst to its best; of a flag it is 0 (bad) or 1 (good). A value from the
//! table's `signals` is in the signal's own unit, as feedback gives it: true, false or a number, or the
//! reports of one (`dataset generate` writes them), of which the last counts.
//!
//! Invariants: every value of a row is one that the scorecard can read.
//!
//! Not here: contexts (`run`).

use super::error::Error;
use super::plan::{Plan, SCORE};
use crate::id::Name;
use crate::scorecard::{Kind, Scorecard, Spec};
use crate::signal::Value;
use crate::table::{Cell, OutcomeTable};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeSet;

/// What one arm did on one prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) arm: Name,
    pub(super) signals: Vec<(Name, Value)>,
    pub(super) cost_usd: Option<f64>,
    pub(super) latency_ms: Option<f64>,
    pub(super) input_tokens: Option<u32>,
}

/// What a signal may be read from: the score, and what stands in the table's `signals`.
pub(super) fn sources(table: &OutcomeTable) -> Result<BTreeSet<String>, Error> {
    let mut found = BTreeSet::from([SCORE.to_owned()]);
    for prompt in 0..table.prompts.len() {
        for (arm, cell) in table.arms.iter().zip(table.cells(prompt)) {
            let read = object(cell).map_err(|problem| fault(table, prompt, arm, problem))?;
            for name in read.into_iter().map(|(name, _)| name) {
                found.insert(name);
            }
        }
    }
    Ok(found)
}

/// The rows of a prompt, in the table's order of arms.
pub(super) fn rows(
    plan: &Plan<'_>,
    table: &OutcomeTable,
    prompt: usize,
) -> Result<Vec<Row>, Error> {
    let cells = table.arms.iter().zip(&plan.arms).zip(table.cells(prompt));
    let row = |((theirs, arm), cell): ((&Name, &Name), &Cell)| {
        let signals = signals(plan, cell);
        Ok(Row {
            arm: arm.clone(),
            signals: signals.map_err(|problem| fault(table, prompt, theirs, problem))?,
            cost_usd: cell.cost_usd,
            latency_ms: cell.latency_ms,
            input_tokens: cell.input_tokens,
        })
    };
    cells.map(row).collect()
}

fn fault(table: &OutcomeTable, prompt: usize, arm: &Name, problem: String) -> Error {
    let prompt = table.prompts.get(prompt);
    Error::Value {
        prompt: prompt.map(|prompt| prompt.id.clone()).unwrap_or_default(),
        arm: arm.clone(),
        problem,
    }
}

fn signals(plan: &Plan<'_>, cell: &Cell) -> Result<Vec<(Name, Value)>, String> {
    let others = plan.signals.iter().any(|(source, _)| source != SCORE);
    let read = if others { object(cell)? } else { Map::new() };
    let mut found = Vec::with_capacity(plan.signals.len());
    for (source, number) in &plan.signals {
        let (Some(spec), Some(name)) = (plan.scorecard.signals().get(*number), plan.name(*number))
        else {
            continue;
        };
        let value = match source.as_str() {
            SCORE => Some(of_score(cell.score, spec)?),
            source => read
                .get(source)
                .map(|json| of_json(json, spec))
                .transpose()?
                .flatten(),
        };
        if let Some(value) = value {
            check(plan.scorecard, *number, &value)?;
            found.push((name.clone(), value));
        }
    }
    Ok(found)
}

fn check(scorecard: &Scorecard, signal: usize, value: &Value) -> Result<(), String> {
    let normalised = scorecard.normalise(signal, value);
    normalised.map(drop).map_err(|error| error.to_string())
}

/// The object in a cell's `signals`; an empty one where there is nothing.
fn object(cell: &Cell) -> Result<Map<String, Json>, String> {
    let Some(text) = cell.signals.as_deref().filter(|text| !text.is_empty()) else {
        return Ok(Map::new());
    };
    serde_json::from_str(text).map_err(|error| format!("signals: {error}: allowed a JSON object"))
}

/// The score as a value of its signal.
fn of_score(score: f64, spec: &Spec) -> Result<Value, String> {
    match spec.kind {
        Kind::Number { worst, best } => Ok(Value::Number(worst + score * (best - worst))),
        Kind::Flag { good } if score == 1.0 => Ok(Value::Flag(good)),
        Kind::Flag { good } if score == 0.0 => Ok(Value::Flag(!good)),
        Kind::Flag { .. } => Err(format!(
            "score is {score}: allowed 0 or 1, for signal {} is a flag",
            spec.name
        )),
    }
}

/// A value of the table's `signals`; nothing where it is null or there are no reports.
fn of_json(json: &Json, spec: &Spec) -> Result<Option<Value>, String> {
    let refused = || {
        format!(
            "signal {} is {json}: allowed true, false, a number or null",
            spec.name
        )
    };
    match json {
        Json::Null => Ok(None),
        Json::Bool(flag) => Ok(Some(Value::Flag(*flag))),
        Json::Number(number) => {
            let number = number.as_f64().ok_or_else(refused)?;
            Ok(Some(match spec.kind {
                Kind::Flag { .. } if number == 1.0 || number == 0.0 => Value::Flag(number == 1.0),
                _ => Value::Number(number),
            }))
        }
        Json::Array(reports) => reports.last().map_or(Ok(None), |last| of_json(last, spec)),
        Json::Object(report) => match report.get("value") {
            Some(value) if !value.is_object() => of_json(value, spec),
            _ => Err(refused()),
        },
        Json::String(_) => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scorecard::{Level, Missing};
    use std::time::Duration;

    fn spec(kind: Kind) -> Spec {
        Spec {
            name: Name::new("it").unwrap(),
            kind,
            weight: 1.0,
            gate: None,
            level: Level::Decision,
            closes_after: Duration::from_secs(1),
            missing: Missing::Unknown,
        }
    }

    const LINES: Kind = Kind::Number {
        worst: 400.0,
        best: 0.0,
    };

    #[test]
    fn a_score_is_so_far_from_worst_to_best() {
        let check = |score, kind, expected: Result<Value, &str>| {
            let found = of_score(score, &spec(kind));
            assert_eq!(found, expected.map_err(str::to_owned));
        };
        check(0.75, LINES, Ok(Value::Number(100.0)));
        check(1.0, Kind::Flag { good: true }, Ok(Value::Flag(true)));
        check(1.0, Kind::Flag { good: false }, Ok(Value::Flag(false)));
        check(0.0, Kind::Flag { good: false }, Ok(Value::Flag(true)));
        let refused = "score is 0.5: allowed 0 or 1, for signal it is a flag";
        check(0.5, Kind::Flag { good: true }, Err(refused));
    }

    #[test]
    fn a_value_is_as_feedback_gives_it_and_of_reports_the_last_counts() {
        let flag = Kind::Flag { good: false };
        let check = |json: &str, kind, expected: Result<Option<Value>, &str>| {
            let found = of_json(&serde_json::from_str(json).unwrap(), &spec(kind));
            assert_eq!(found, expected.map_err(str::to_owned), "{json}");
        };
        check("true", flag, Ok(Some(Value::Flag(true))));
        check("0", flag, Ok(Some(Value::Flag(false))));
        check("12", LINES, Ok(Some(Value::Number(12.0))));
        check("null", LINES, Ok(None));
        check("[]", LINES, Ok(None));
        let reports = r#"[{"value":3,"after_s":1},{"value":9,"after_s":2}]"#;
        check(reports, LINES, Ok(Some(Value::Number(9.0))));
        let refused = r#"signal it is "no": allowed true, false, a number or null"#;
        check(r#""no""#, flag, Err(refused));
        let refused = r#"signal it is {"v":1}: allowed true, false, a number or null"#;
        check(r#"{"v":1}"#, flag, Err(refused));
    }
}
