//! `[[teams]]`.

use super::budget;
use super::catalogue::arm_names;
use super::checks;
use super::data_policy;
use super::fields::Fields;
use super::guardrail;
use super::params::{Recording, Team};
use super::problem::Problem;
use super::scorecard_file;
use super::tasks;
use super::{limits, loops};
use crate::bandit::{Policy, SpecError};
use crate::eligibility::Catalogue;
use crate::id::Name;
use crate::learn::Pooling;
use crate::route::Baseline;
use crate::scorecard::Scorecard;
use crate::signal::Guard;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

const DEFAULT_POLICY: &str = "linear-thompson";
const DEFAULT_EXPLORE_FLOOR: f64 = 0.02;
const DEFAULT_HOLDOUT: f64 = 0.05;

/// The names of all teams, for references, and those that are valid.
pub(super) struct Teams {
    pub(super) names: BTreeSet<Name>,
    pub(super) valid: Vec<Team>,
}

/// Reads the list. Scorecards are looked for beside the configuration, in `dir`; their problems go to
/// `problems`.
pub(super) fn read(
    root: &Fields<'_>,
    dir: &Path,
    catalogue: Option<&Catalogue>,
    problems: &mut Vec<Problem>,
) -> Teams {
    let mut teams = Teams {
        names: BTreeSet::new(),
        valid: Vec::new(),
    };
    let classes = data_policy::classes(root);
    for fields in root
        .required("teams", |f, key| Some(f.tables(key)))
        .unwrap_or_default()
    {
        let name = fields.required("name", Fields::name);
        if name
            .as_ref()
            .is_some_and(|n| !teams.names.insert(n.clone()))
        {
            fields.problem("name", "used twice", "a name of its own");
        }
        let team = team(&fields, name, dir, (catalogue, &classes), problems);
        teams.valid.extend(team);
        fields.done();
    }
    teams
}

fn team(
    fields: &Fields<'_>,
    name: Option<Name>,
    dir: &Path,
    (catalogue, classes): (Option<&Catalogue>, &data_policy::Classes),
    problems: &mut Vec<Problem>,
) -> Option<Team> {
    let floor = fields.number("explore_floor", "0 to 0.1", |eps| {
        (0.0..=0.1).contains(&eps)
    });
    let words = [
        ("features", Recording::Features),
        ("full", Recording::Full),
        ("nothing", Recording::Nothing),
        ("redacted", Recording::Redacted),
    ];
    let recording = fields.choice("recording", &words);
    let policy = policy(fields, catalogue);
    let guardrail = guardrail::read(fields);
    let data_policy = data_policy::of_team(fields, classes);
    let budget = budget::of_team(fields);
    let quota = limits::read(fields);
    let loops = loops::read(fields);
    let baseline = baseline(fields, catalogue);
    let embedding_length = fields.integer("embedding_length", 64..=4096);
    let words = [
        ("none", Pooling::None),
        ("give", Pooling::Give),
        ("take", Pooling::Take),
        ("both", Pooling::Both),
    ];
    let pooling = fields.choice("pooling", &words);
    let scorecard = scorecard(fields, dir, problems);
    let guards = guards(fields, scorecard.as_ref().map(|(card, _)| card));
    let checks = checks::read(fields, scorecard.as_ref().map(|(card, _)| card));
    let tasks = tasks::read(fields, catalogue, scorecard.as_ref().map(|(card, _)| card));
    let (scorecard, scorecard_text) = scorecard?;
    Some(Team {
        name: name?,
        scorecard,
        scorecard_text,
        policy: policy?,
        explore_floor: floor.unwrap_or(DEFAULT_EXPLORE_FLOOR),
        budget: budget.map(|(budget, _)| budget),
        terms: budget.and_then(|(_, terms)| terms),
        baseline,
        guards,
        checks,
        tasks,
        recording: recording.unwrap_or(Recording::Features),
        guardrail,
        data_policy: data_policy?,
        data_classes: Arc::clone(&classes.valid),
        embedding_length,
        pooling: pooling.unwrap_or_default(),
        quota,
        loops,
    })
}

/// From the file that `scorecard` names, or from the document that stands in `scorecard_toml`.
fn scorecard(
    fields: &Fields<'_>,
    dir: &Path,
    problems: &mut Vec<Problem>,
) -> Option<(Scorecard, String)> {
    if let Some(text) = fields.text("scorecard_toml") {
        if fields.has("scorecard") {
            fields.know(&["scorecard"]);
            fields.problem("scorecard_toml", "given beside scorecard", "one of the two");
            return None;
        }
        let place = dir.join(format!("{}.scorecard_toml", fields.path()));
        let parsed = scorecard_file::parse(&place, text);
        let scorecard = parsed.map_err(|found| problems.extend(found)).ok()?;
        return Some((scorecard, text.to_owned()));
    }
    let path = dir.join(fields.required("scorecard", Fields::text)?);
    if !path.is_file() {
        let allowed = "the path of a scorecard, relative to this file";
        fields.problem("scorecard", "no such file", allowed);
        return None;
    }
    let loaded = scorecard_file::load_scorecard(&path);
    loaded.map_err(|found| problems.extend(found)).ok()
}

fn policy(fields: &Fields<'_>, catalogue: Option<&Catalogue>) -> Option<Policy> {
    let text = fields.text("policy").unwrap_or(DEFAULT_POLICY);
    match text.parse() {
        Ok(Policy::Fixed { arm }) if catalogue.is_some_and(|c| c.arm(arm.as_str()).is_none()) => {
            fields.problem(
                "policy",
                "no such arm",
                catalogue.map_or(String::new(), arm_names),
            );
            None
        }
        Ok(policy) => Some(policy),
        Err(SpecError::Policy(_)) => {
            let allowed = "linear-thompson, square-cb, lin-ucb, epsilon-greedy, greedy, fixed:arm=NAME, uniform";
            fields.problem("policy", "no such policy", allowed);
            None
        }
        Err(error) => {
            // The error itself says what is allowed.
            fields.problem("policy", &error.to_string(), "");
            None
        }
    }
}

/// The arm that episodes which are held out get, and their share.
fn baseline(fields: &Fields<'_>, catalogue: Option<&Catalogue>) -> Option<Baseline> {
    let holdout = fields.number("holdout", "0 to 0.5", |share| (0.0..=0.5).contains(&share));
    let arm = fields.name("baseline");
    if fields.has("holdout") && !fields.has("baseline") {
        fields.problem("holdout", "stands alone", "with `baseline`");
    }
    let arm = arm?;
    if catalogue.is_some_and(|c| c.arm(arm.as_str()).is_none()) {
        let arms = catalogue.map_or(String::new(), arm_names);
        fields.problem("baseline", "no such arm", arms);
        return None;
    }
    let holdout = holdout.unwrap_or(DEFAULT_HOLDOUT);
    Some(Baseline { arm, holdout })
}

/// The signals in which the router may not be worse than the baseline: a table of margins, or a list of names.
fn guards(fields: &Fields<'_>, scorecard: Option<&Scorecard>) -> Vec<Guard> {
    if fields.has("guards") && !fields.has("baseline") {
        fields.problem("guards", "stands alone", "with `baseline`");
    }
    let signals = scorecard.map_or(&[][..], Scorecard::signals).iter();
    let signals: Vec<_> = signals.map(|spec| spec.name.as_str()).collect();
    let known = |name: &str| scorecard.is_none() || signals.contains(&name);
    let mut guards: Vec<Guard> = Vec::new();
    if fields.is_list("guards") {
        for signal in fields.names("guards") {
            if guards.iter().any(|guard| guard.signal == signal) {
                fields.problem(
                    "guards",
                    &format!("{signal} stands twice"),
                    "each signal once",
                );
            } else if !known(signal.as_str()) {
                let problem = format!("no such signal: {signal}");
                fields.problem("guards", &problem, signals.join(", "));
            }
            let margin = Guard::MARGIN;
            guards.push(Guard { signal, margin });
        }
        return guards;
    }
    let Some(table) = fields.table("guards") else {
        return guards;
    };
    for key in table.keys() {
        let margin = table.number_at(key, "0 to 0.5", |m| (0.0..=Guard::WIDEST).contains(&m));
        match Name::new(key) {
            Ok(signal) if known(key) => {
                guards.extend(margin.map(|margin| Guard { signal, margin }))
            }
            _ => table.problem(key, "no such signal", signals.join(", ")),
        }
    }
    guards
}
