//! `[[teams.checks]]`: what a team's answers are held to.
//!
//! Invariants: a rule that names a signal names one of the team's scorecard that is a flag, is given for single
//! decisions, and is true where all is well; a pattern compiles within its limits.

use super::fields::Fields;
use crate::complete::{OnFailure, Rule};
use crate::id::Name;
use crate::scorecard::{Kind, Level, Scorecard};
use crate::validate::{Check, Pattern};

const CHECKS: [(&str, Which); 7] = [
    ("json", Which::Json),
    ("json_schema", Which::JsonSchema),
    ("tool_arguments", Which::ToolArguments),
    ("not_refusal", Which::NotRefusal),
    ("not_truncated", Which::NotTruncated),
    ("matches", Which::Matches),
    ("matches_not", Which::MatchesNot),
];

const FOLLOWS: [(&str, OnFailure); 4] = [
    ("return", OnFailure::Return),
    ("repair", OnFailure::Repair),
    ("retry", OnFailure::Retry),
    ("fall_back", OnFailure::FallBack),
];

#[derive(Clone, Copy, PartialEq)]
enum Which {
    Json,
    JsonSchema,
    ToolArguments,
    NotRefusal,
    NotTruncated,
    Matches,
    MatchesNot,
}

/// Reads the list; absent reads as empty.
pub(super) fn read(team: &Fields<'_>, scorecard: Option<&Scorecard>) -> Vec<Rule> {
    let tables = match team.has("checks") {
        true => team.tables("checks"),
        false => {
            team.know(&["checks"]);
            Vec::new()
        }
    };
    let mut rules: Vec<Rule> = Vec::new();
    for fields in tables {
        let rule = rule(&fields, scorecard);
        if let Some(rule) = rule {
            if rules.iter().any(|other| other.name == rule.name) {
                fields.problem(
                    "name",
                    "used twice",
                    "a name of its own, where a check stands twice",
                );
            }
            rules.push(rule);
        }
        fields.done();
    }
    rules
}

fn rule(fields: &Fields<'_>, scorecard: Option<&Scorecard>) -> Option<Rule> {
    let which = fields.required("check", |f, key| f.choice(key, &CHECKS));
    let pattern = pattern(fields, which);
    let named = fields.name("name");
    let signal = signal(fields, scorecard);
    let on_failure = fields.choice("on_failure", &FOLLOWS).unwrap_or_default();
    let tasks = fields.names("tasks");
    let check = match (which?, pattern) {
        (Which::Json, _) => Check::Json,
        (Which::JsonSchema, _) => Check::JsonSchema,
        (Which::ToolArguments, _) => Check::ToolArguments,
        (Which::NotRefusal, _) => Check::NotRefusal,
        (Which::NotTruncated, _) => Check::NotTruncated,
        (Which::Matches, pattern) => Check::Matches(pattern?),
        (Which::MatchesNot, pattern) => Check::MatchesNot(pattern?),
    };
    Some(Rule {
        name: match named {
            Some(name) => name,
            None => Name::new(check.as_str()).ok()?,
        },
        check,
        signal,
        on_failure,
        tasks,
    })
}

fn pattern(fields: &Fields<'_>, which: Option<Which>) -> Option<Pattern> {
    if !matches!(which, None | Some(Which::Matches | Which::MatchesNot)) {
        if fields.has("pattern") {
            fields.know(&["pattern"]);
            fields.problem(
                "pattern",
                "stands alone",
                "with check = \"matches\" or \"matches_not\"",
            );
        }
        return None;
    }
    let text = match which {
        Some(_) => fields.required("pattern", Fields::text)?,
        None => fields.text("pattern")?,
    };
    let pattern = Pattern::new(text);
    pattern
        .map_err(|error| fields.problem("pattern", &error.to_string(), "a regular expression"))
        .ok()
}

/// The signal that a check reports.
fn signal(fields: &Fields<'_>, scorecard: Option<&Scorecard>) -> Option<Name> {
    let signal = fields.name("signal")?;
    let Some(scorecard) = scorecard else {
        return Some(signal);
    };
    let fits = |spec: &&crate::scorecard::Spec| {
        spec.kind == Kind::Flag { good: true } && spec.level == Level::Decision
    };
    let known = scorecard.signals().iter().filter(fits);
    let known: Vec<_> = known.map(|spec| spec.name.as_str()).collect();
    if known.contains(&signal.as_str()) {
        return Some(signal);
    }
    let allowed = match known.as_slice() {
        [] => "a flag of the scorecard that is true where all is well, given for decisions: there is none".to_owned(),
        known => known.join(", "),
    };
    fields.problem("signal", "is no signal that a check can report", allowed);
    None
}
