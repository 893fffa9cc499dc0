//! A scorecard as a team writes it; `evals/scorecards/` has two worked ones.
//!
//! | where | fields (default) |
//! |---|---|
//! | top | `name`, `quality_usd`, `latency_target_ms` (latency is free), `latency_weight` (0) |
//! | `[[signals]]` | `name`, `kind` ("flag", "number"), `weight`, `gate` (none), `level` ("decision", "episode"), `closes_after_hours`, `missing` ("unknown", "worst", "best") |
//! | a flag | `good` (true) |
//! | a number | `worst`, `best` |

use super::fields::Fields;
use super::problem::Problem;
use super::report::Report;
use crate::id::Name;
use crate::scorecard::{self, Definition, Kind, Level, Missing, Scorecard, Spec};
use std::path::Path;
use std::time::Duration;

const TEN_YEARS_HOURS: f64 = 87_600.0;

/// Reads the scorecard at `path`, and its text; or everything that is wrong with it.
pub fn load_scorecard(path: &Path) -> Result<(Scorecard, String), Vec<Problem>> {
    let text = super::build::read_text(path)?;
    let scorecard = parse(path, &text)?;
    Ok((scorecard, text))
}

/// Reads the scorecard `text`; problems name `path` as its place.
pub fn parse(path: &Path, text: &str) -> Result<Scorecard, Vec<Problem>> {
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
    fields.number(key, "finite", |_| true)
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
        None if root.has("signals") => {
            root.secret_problem("signals", problem.problem, &*problem.allowed);
        }
        // That there are none was reported when they were asked for.
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::render;
    use crate::signal::Value;

    const CODING: &str = include_str!("../../evals/scorecards/coding.toml");
    const SUPPORT: &str = include_str!("../../evals/scorecards/support.toml");

    fn parsed(text: &str) -> Scorecard {
        parse(Path::new("card.toml"), text).unwrap_or_else(|p| panic!("{}", render(&p)))
    }

    fn check(text: &str, expected: &str) {
        let problems = parse(Path::new("card.toml"), text).unwrap_err();
        assert_eq!(render(&problems), expected);
    }

    #[test]
    fn the_coding_scorecard_scores_as_its_comments_say() {
        let card = parsed(CODING);
        let raw = [
            ("tests_passed", Value::Flag(true)),
            ("json_valid", Value::Flag(true)),
            ("patch_lines", Value::Number(100.0)),
            ("review_accepted", Value::Flag(false)),
            ("conventions_kept", Value::Number(2.0)),
        ];
        let mut values = [None; 5];
        for (name, value) in raw {
            let index = card.signal(name).unwrap();
            values[index] = card.normalise(index, &value).unwrap();
        }
        // (5 * 1 + 1 * 0.75 + 3 * 0 + 1 * 0.8) / 10
        let quality = card.score(&values).quality.unwrap();
        assert!((quality - 0.655).abs() < 1e-12, "{quality}");
        values[1] = Some(0.0);
        assert_eq!(card.score(&values).quality, Some(0.0));
        let groups: Vec<_> = card.groups().iter().map(|g| g.targets.clone()).collect();
        assert_eq!(groups, [vec![0, 1, 2, 4], vec![3]]);
    }

    #[test]
    fn a_support_conversation_that_nobody_complained_of_is_perfect() {
        let card = parsed(SUPPORT);
        let values: Vec<_> = card.signals().iter().map(|s| s.missing.value()).collect();
        assert_eq!(card.score(&values).quality, Some(1.0));
        let violation = card.signal("policy_violation").unwrap();
        let found = card.normalise(violation, &Value::Flag(true));
        let mut values = values;
        values[violation] = found.unwrap();
        assert_eq!(card.score(&values).quality, Some(0.0));
    }

    #[test]
    fn every_mistake_in_a_scorecard_is_reported_at_once() {
        let text = r#"name = "x"
quality_usd = -1
latency_weight = 0.1
colour = "red"
[[signals]]
name = "a"
kind = "flag"
weight = -2
worst = 1
closes_after_hours = 0
[[signals]]
kind = "number"
worst = 3
best = 3
weight = 1
gate = 2
closes_after_hours = 1
missing = "never"
[[signals]]
name = "a"
kind = "number"
best = 1
weight = "much"
closes_after_hours = 1
"#;
        check(
            text,
            "\
13 problems:
  card.toml:2: quality_usd = -1: out of range; allowed above 0
  card.toml:3: latency_weight = 0.1: has no effect without a latency target; allowed 0, or give latency_target_ms
  card.toml:4: colour: is not a field; allowed signals, name, quality_usd, latency_target_ms, latency_weight
  card.toml:8: signals[0].weight = -2: out of range; allowed 0 or more
  card.toml:9: signals[0].worst: is not a field; allowed name, closes_after_hours, kind, good, weight, gate, level, missing
  card.toml:10: signals[0].closes_after_hours = 0: out of range; allowed above 0, at most 87600
  card.toml:11: signals[1].name: is required
  card.toml:14: signals[1].best = 3: equal to worst; allowed another number
  card.toml:16: signals[1].gate = 2: out of range; allowed above 0, at most 1 (normalised: 0 worst, 1 best)
  card.toml:18: signals[1].missing = \"never\": not understood; allowed \"unknown\", \"worst\", \"best\"
  card.toml:19: signals[2].worst: is required
  card.toml:20: signals[2].name = \"a\": used twice; allowed a name of its own
  card.toml:23: signals[2].weight = \"much\": wrong type; allowed a number, finite
",
        );
    }

    #[test]
    fn a_scorecard_needs_weight() {
        check(
            "name = \"x\"\nquality_usd = 1\n[[signals]]\nname = \"a\"\nkind = \"flag\"\nweight = 0\ncloses_after_hours = 1\n",
            "1 problem:\n  card.toml:3: signals: no signal has weight; allowed a sum above 0\n",
        );
    }

    #[test]
    fn an_empty_scorecard_names_what_it_needs() {
        check(
            "",
            "\
3 problems:
  card.toml: signals: is required
  card.toml: name: is required
  card.toml: quality_usd: is required
",
        );
    }
}
