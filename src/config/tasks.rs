//! `[[teams.tasks]]`: what holds for single tasks.
//!
//! Invariants: a task has one rule; arms are the catalogue's, a signal the scorecard's; at least one arm is left.

use super::catalogue::arm_names;
use super::fields::Fields;
use crate::eligibility::Catalogue;
use crate::id::Name;
use crate::route::{Fallbacks, TaskRule};
use crate::scorecard::Scorecard;
use std::collections::BTreeMap;

/// Reads the list; absent reads as empty.
pub(super) fn read(
    team: &Fields<'_>,
    catalogue: Option<&Catalogue>,
    scorecard: Option<&Scorecard>,
) -> BTreeMap<Name, TaskRule> {
    let mut rules = BTreeMap::new();
    if !team.has("tasks") {
        team.know(&["tasks"]);
        return rules;
    }
    for fields in team.tables("tasks") {
        let name = fields.required("name", Fields::name);
        let denied_arms = arms(&fields, "denied_arms", catalogue);
        let left = |c: &Catalogue| c.arms().iter().any(|arm| !denied_arms.contains(&arm.name));
        if catalogue.is_some_and(|c| !left(c)) {
            fields.problem("denied_arms", "leaves no arm", "fewer than all arms");
        }
        let fallbacks = fallbacks(&fields, catalogue, scorecard);
        let rule = TaskRule {
            denied_arms,
            fallbacks,
        };
        if let Some(name) = name
            && rules.insert(name, rule).is_some()
        {
            fields.problem("name", "used twice", "one rule for each task");
        }
        fields.done();
    }
    rules
}

fn fallbacks(
    fields: &Fields<'_>,
    catalogue: Option<&Catalogue>,
    scorecard: Option<&Scorecard>,
) -> Fallbacks {
    let ordered = arms(fields, "fallbacks", catalogue);
    let signal = fields.name("fallbacks_by");
    if fields.has("fallbacks") && fields.has("fallbacks_by") {
        fields.problem("fallbacks_by", "given beside fallbacks", "one of the two");
    }
    match signal {
        None if ordered.is_empty() => Fallbacks::ByUtility,
        None => Fallbacks::Ordered(ordered),
        Some(signal) => {
            let signals = scorecard.map_or(&[][..], Scorecard::signals).iter();
            let signals: Vec<_> = signals.map(|spec| spec.name.as_str()).collect();
            if scorecard.is_some() && !signals.contains(&signal.as_str()) {
                fields.problem("fallbacks_by", "no such signal", signals.join(", "));
            }
            Fallbacks::BySignal(signal)
        }
    }
}

fn arms(fields: &Fields<'_>, key: &'static str, catalogue: Option<&Catalogue>) -> Vec<Name> {
    if !fields.has(key) {
        fields.know(&[key]);
        return Vec::new();
    }
    let arms = fields.names(key);
    let unknown = |c: &&Catalogue| {
        arms.iter()
            .find(|arm| c.arm(arm.as_str()).is_none())
            .cloned()
    };
    if let Some((catalogue, arm)) = catalogue.and_then(|c| Some((c, unknown(&c)?))) {
        fields.problem(key, &format!("no such arm: {arm}"), arm_names(catalogue));
    }
    arms
}
