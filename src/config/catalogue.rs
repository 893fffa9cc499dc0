//! `[[arms]]` and `[[endpoints]]`: the lists, and whether they fit each other.
//!
//! Not here: what stands in an endpoint (`endpoint`).

use super::endpoint::endpoint;
use super::fields::Fields;
use super::params::Connection;
use crate::eligibility::{Arm, Catalogue, Error};
use crate::id::Name;

/// Reads both lists. `is_set` tells whether an environment variable is.
pub(super) fn read(
    root: &Fields<'_>,
    is_set: &dyn Fn(&str) -> bool,
) -> Option<(Catalogue, Vec<Connection>)> {
    let arm_tables = root.tables("arms");
    let endpoint_tables = root.tables("endpoints");
    let arms: Vec<_> = arm_tables.iter().map(arm).collect();
    let endpoints: Vec<_> = endpoint_tables
        .iter()
        .map(|fields| endpoint(fields, is_set))
        .collect();
    // An arm or endpoint whose name could not be read must not make others look dangling.
    let whole = arms.iter().all(Option::is_some) && endpoints.iter().all(Option::is_some);
    let (endpoints, connections): (Vec<_>, Vec<_>) = endpoints.into_iter().flatten().unzip();
    let result = Catalogue::new(arms.into_iter().flatten().collect(), endpoints);
    if whole {
        let report = Lists {
            root,
            arms: &arm_tables,
            endpoints: &endpoint_tables,
        };
        let errors = result.as_ref().err().map_or(&[][..], Vec::as_slice);
        let dangling = errors.iter().any(|e| matches!(e, Error::UnknownArm { .. }));
        for error in errors {
            // An arm may lack an endpoint because the endpoint misspells it: one mistake, not two.
            if !(dangling && matches!(error, Error::NoEndpoint { .. })) {
                report.error(error);
            }
        }
    }
    for fields in arm_tables.into_iter().chain(endpoint_tables) {
        fields.done();
    }
    Some((result.ok()?, connections))
}

fn arm(fields: &Fields<'_>) -> Option<Arm> {
    let name = fields.required("name", Fields::name);
    let capabilities = fields.names("capabilities").into_iter().collect();
    let context_tokens =
        fields.required("context_tokens", |f, key| f.integer(key, 1..=100_000_000));
    let max_output_tokens = fields.integer("max_output_tokens", 1..=100_000_000);
    Some(Arm {
        name: name?,
        capabilities,
        // Stands in after a problem, so that the endpoints of this arm are not called dangling.
        context_tokens: context_tokens.unwrap_or(1),
        max_output_tokens,
    })
}

/// The names of all arms, to be offered in a problem.
pub(super) fn arm_names(catalogue: &Catalogue) -> String {
    let names: Vec<_> = catalogue.arms().iter().map(|a| a.name.as_str()).collect();
    names.join(", ")
}

/// The lists as written, to say where an error of the catalogue stands.
struct Lists<'a> {
    root: &'a Fields<'a>,
    arms: &'a [Fields<'a>],
    endpoints: &'a [Fields<'a>],
}

impl Lists<'_> {
    fn error(&self, error: &Error) {
        match error {
            Error::NoArm => self
                .root
                .problem("arms", "is required", "at least one [[arms]]"),
            Error::ArmTwice { arm } => repeated(self.arms, arm),
            Error::EndpointTwice { endpoint } => repeated(self.endpoints, endpoint),
            Error::NoEndpoint { arm } => {
                let allowed = "at least one [[endpoints]] that names it";
                first(self.arms, arm, |f| {
                    f.problem("name", "has no endpoint", allowed)
                });
            }
            Error::UnknownArm { endpoint, .. } => {
                let arms = self.arms.iter().filter_map(|f| f.text("name"));
                let allowed = arms.collect::<Vec<_>>().join(", ");
                first(self.endpoints, endpoint, |f| {
                    f.problem("arm", "no such arm", allowed.clone());
                });
            }
            Error::PriceOrder { endpoint } => {
                let allowed = "ascending `from`, each date once";
                first(self.endpoints, endpoint, |f| {
                    f.secret_problem("prices", "out of order", allowed);
                });
            }
            Error::Capabilities { .. } | Error::Price { .. } => {
                self.root.secret_problem("arms", &error.to_string(), "");
            }
        }
    }
}

/// Applies `report` to the first table of that name.
fn first(tables: &[Fields<'_>], name: &Name, report: impl FnOnce(&Fields<'_>)) {
    let mut named = tables
        .iter()
        .filter(|f| f.text("name") == Some(name.as_str()));
    if let Some(fields) = named.next() {
        report(fields);
    }
}

/// Reports the second table of that name.
fn repeated(tables: &[Fields<'_>], name: &Name) {
    let mut named = tables
        .iter()
        .filter(|f| f.text("name") == Some(name.as_str()));
    if let Some(fields) = named.nth(1) {
        fields.problem("name", "used twice", "a name of its own");
    }
}
