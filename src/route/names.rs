//! Names in a request's constraints that the configuration does not have: a mistyped one would
//! otherwise leave no arm, or the wrong ones, without a word.
//!
//! Invariants: every unknown name is reported, with its place and the names that there are.
//!
//! Not here: whether an arm that exists qualifies (`eligibility`).

use super::context::Capabilities;
use super::error::Error;
use super::request::{Constraints, Request};
use super::team::Team;
use crate::eligibility::{Catalogue, Endpoint};
use crate::id::{Name, listed};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A name that the configuration does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is not configured: allowed {known}")]
pub struct UnknownName {
    /// Its place in the request.
    pub field: String,
    /// The name.
    pub name: Name,
    /// Those that there are.
    pub known: String,
}

/// Checks every name.
pub(super) fn check(
    (catalogue, capabilities): (&Catalogue, &Capabilities),
    team: &Team,
    request: &Request,
) -> Result<(), Error> {
    let constraints = &request.constraints;
    let mut unknown = Vec::new();
    let mut look = |field: &str, said: &[Name], known: &dyn Fn() -> BTreeSet<Name>| {
        if said.is_empty() {
            return;
        }
        let known = known();
        for (index, name) in said.iter().enumerate() {
            if !known.contains(name) {
                unknown.push(UnknownName {
                    field: format!("constraints.{field}[{index}]"),
                    name: name.clone(),
                    known: listed(&known),
                });
            }
        }
    };
    let (arms, endpoints) = (catalogue.arms(), catalogue.endpoints());
    let names = || arms.iter().map(|arm| arm.name.clone()).collect();
    look("allowed_arms", &constraints.allowed_arms, &names);
    look("denied_arms", &constraints.denied_arms, &names);
    look("arm_order", &constraints.arm_order, &names);
    let roads = || {
        let named = |e: &Arc<Endpoint>| [e.name.clone(), e.provider.clone()];
        endpoints.iter().flat_map(named).collect()
    };
    look("allowed_endpoints", &constraints.allowed_endpoints, &roads);
    look("endpoint_order", &constraints.endpoint_order, &roads);
    look("denied_endpoints", &constraints.denied_endpoints, &roads);
    let able = || {
        let of_arms = arms.iter().flat_map(|arm| &arm.capabilities);
        of_arms.chain(capabilities.all()).cloned().collect()
    };
    let required = &constraints.required_capabilities;
    look("required_capabilities", required, &able);
    if let Some(policy) = &constraints.data_policy {
        let regions = || endpoints.iter().filter_map(|e| e.region.clone()).collect();
        look("data_policy.regions", &policy.regions, &regions);
        let certified = || {
            let all = endpoints.iter().flat_map(|e| &e.certifications);
            all.cloned().collect()
        };
        let wanted = &policy.certifications;
        look("data_policy.certifications", wanted, &certified);
    }
    unknown.extend(class(constraints, team));
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownNames(unknown))
    }
}

/// The class of the request's data, where there is none of that name.
fn class(constraints: &Constraints, team: &Team) -> Option<UnknownName> {
    let name = constraints.data_class.as_ref()?;
    let unknown = UnknownName {
        field: "constraints.data_class".to_owned(),
        name: name.clone(),
        known: listed(team.data_classes.keys()),
    };
    (!team.data_classes.contains_key(name)).then_some(unknown)
}
