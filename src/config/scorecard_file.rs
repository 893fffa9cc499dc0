//! A scorecard as a team writes it; `evals/scorecards/` has two worked ones.
//!
//! | where | fields (default) |
//! |---|---|
//! | top | `name`, `quality_usd`, `latency_target_ms` (latency is free), `latency_weight` (0) |
//! | `[[signals]]` | `name`, `kind` ("flag", "number"), `weight`, `gate` (none), `level` ("decision", "episode"), `closes_after_hours`, `missing` ("unknown", "worst", "best") |
//! | a flag | `good` (true) |
//! | a number | `worst`, `best` |

use super::fields::{Fields, Report};
use super::problem::Problem;
use crate::id::Name;
use crate::scorecard::{self, Definition, Kind, Level, Missing, Scorecard, Spec};
use std::path::Path;
use std::time::Duration;

const TEN_YEARS_HOURS: f64 = 87_600.0;

/// Reads the scorecard at `path`, and its text; or everything that is wrong with it.
pub fn load_scorecard(path: &Path) -> Result<(Scorecard, String), Vec<Problem>> {
    let text = super::build::read_text(path).map_err(|problem| vec![problem])?;
    let scorecard = parse(path, &text)?;
    Ok((scorecard, text))
}

fn parse(path: &Path, text: &str) -> Result<Scorecard, Vec<Problem>> {
    let report = Report::new(path, text);
    let scorecard = report.parse().and_then(|document| {
        let root = report.root(&document);
        let scorecard = read(&root);
        root.done();
        scorecard
    });
    let problems = report.problems();
    match scorecard {
        Some(scorecard) if problems.is_empty() => Ok(scorecard),
        _ => Err(problems),
    }
}

/// Reads everything, then checks everything. After a problem a valid stand-in takes the field's place,
/// so that the checks of the other fields still run; nothing built from stand-ins is returned.
fn read(root: &Fields<'_>) -> Option<Scorecard> {
    let tables = root.required("signals", |f, key| Some(f.tables(key)));
    let tables = tables.unwrap_or_default();
    let definition = Definition {
        name: root.required("name", Fields::name).or_else(stand_in)?,
        signals: tables.iter().map(signal).collect::<Option<_>>()?,
        quality_usd: root.required("quality_usd", any_number).unwrap_or(1.0),
        latency_target_ms: any_number(root, "latency_target_ms"),
        latency_weight: any_number(root, "latency_weight").unwrap_or(0.0),
    };
    let result = Scorecard::new(definition);
    for problem in result.as_ref().err().into_iter().flatten() {
        point_to(root, &tables, problem);
    }
    for fields in tables {
        fields.done();
    }
    result.ok()
}

fn stand_in() -> Option<Name> {
    Name::new("unnamed").ok()
}

/// A number whose range the scorecard itself checks.
fn any_number(fields: &Fields<'_>, key: &'static str) -> Option<f64> {
    fields.number(key, "a finite number", |_| true)
}

fn signal(fields: &Fields<'_>) -> Option<Spec> {
    let levels = [("decision", Level::Decision), ("episode", Level::Episode)];
    let absences = [
        ("unknown", Missing::Unknown),
        ("worst", Missing::Worst),
        ("best", Missing::Best),
    ];
    let name = fields.required("name", Fields::name);
    let hours = fields.required("closes_after_hours", |f, key| {
        f.number(key, "above 0, at most 87600", |hours| {
            hours > 0.0 && hours <= TEN_YEARS_HOURS
        })
    });
    Some(Spec {
        // Two unnamed signals would be called equal; the index of the table tells them apart.
        name: name.or_else(|| Name::new(fields.path()).ok())?,
        kind: kind(fields),
        weight: fields.required("weight", any_number).unwrap_or(1.0),
        gate: any_number(fields, "gate"),
        level: fields.choice("level", &levels).unwrap_or(Level::Decision),
        closes_after: Duration::from_secs_f64(hours.unwrap_or(1.0) * 3600.0),
        missing: fields
            .choice("missing", &absences)
            .unwrap_or(Missing::Unknown),
    })
}

fn kind(fields: &Fields<'_>) -> Kind {
    let flag = Kind::Flag { good: true };
    let number = Kind::Number {
        worst: 0.0,
        best: 1.0,
    };
    let words = [("flag", flag), ("number", number)];
    match fields.required("kind", |f, key| f.choice(key, &words)) {
        Some(Kind::Flag { .. }) => Kind::Flag {
            good: fields.flag("good").unwrap_or(true),
        },
        Some(Kind::Number { .. }) => {
            let worst = fields.required("worst", any_number);
            let best = fields.required("best", any_number);
            match (worst, best) {
                (Some(worst), Some(best)) => Kind::Number { worst, best },
                _ => number,
            }
        }
        None => {
            fields.know(&["good", "worst", "best"]);
            flag
        }
    }
}

/// Reports a problem of the scorecard at the field where it stands.
fn point_to(root: &Fields<'_>, tables: &[Fields<'_>], problem: &scorecard::Problem) {
    let place = problem.path.strip_prefix("signals[").and_then(|rest| {
        let (index, field) = rest.split_once("].")?;
        Some((tables.get(index.parse::<usize>().ok()?)?, field))
    });
    match place {
        Some((fields, field)) => fields.problem(field, problem.problem, &*problem.allowed),
        None if root.has(&problem.path) => {
            root.problem(&problem.path, problem.problem, &*problem.allowed);
        }
        None => root.secret_problem("signals", problem.problem, &*problem.allowed),
    }
}
