//! Where data may go: `[[data_classes]]`, and `data_policy` and `data_class` of a team.
//!
//! Invariants: a class has a name of its own; what a team's class demands holds of every request of the team, beside its
//! `data_policy`; where the two leave no region, that is a problem and not a team that nothing can serve.
//!
//! Not here: which endpoints meet a policy (`eligibility`), the class of one request (`route`).

use super::fields::Fields;
use crate::eligibility::DataPolicy;
use crate::id::{Name, listed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The names of all classes, for references, and those that are valid.
pub(super) struct Classes {
    names: BTreeSet<Name>,
    pub(super) valid: Arc<BTreeMap<Name, DataPolicy>>,
}

/// Reads the list; absent reads as empty.
pub(super) fn classes(root: &Fields<'_>) -> Classes {
    let (mut names, mut valid) = (BTreeSet::new(), BTreeMap::new());
    if !root.has("data_classes") {
        root.know(&["data_classes"]);
    } else {
        for fields in root.tables("data_classes") {
            let name = fields.required("name", Fields::name);
            let policy = policy(&fields);
            if let Some(name) = name {
                if !names.insert(name.clone()) {
                    fields.problem("name", "used twice", "a name of its own");
                }
                valid.insert(name, policy);
            }
            fields.done();
        }
    }
    Classes {
        names,
        valid: Arc::new(valid),
    }
}

/// What the team's own policy and its class demand together.
pub(super) fn of_team(team: &Fields<'_>, classes: &Classes) -> Option<DataPolicy> {
    let own = team.table("data_policy").map(|fields| {
        let policy = policy(&fields);
        fields.done();
        policy
    });
    let own = own.unwrap_or_default();
    let Some(name) = team.name("data_class") else {
        return Some(own);
    };
    if !classes.names.contains(&name) {
        let known = listed(&classes.names);
        team.problem("data_class", "no such class", known);
        return None;
    }
    let both = own.and(classes.valid.get(&name)?);
    if both.is_none() {
        let allowed = "one that has a region of the team's data_policy";
        team.problem("data_class", "leaves no region", allowed);
    }
    both
}

fn policy(fields: &Fields<'_>) -> DataPolicy {
    DataPolicy {
        regions: fields.names("regions"),
        zero_retention: fields.flag("zero_retention").unwrap_or(false),
        no_training: fields.flag("no_training").unwrap_or(false),
        certifications: fields.names("certifications"),
    }
}
