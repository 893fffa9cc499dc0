//! What a request demands, of arms and endpoints and of what is predicted.
//!
//! Not here: reading it from a request (`grpc`, `route`).

use super::endpoint::Endpoint;
use crate::chat::{InputTokens, Parameters};
use crate::decision::{Excluded, Reason};
use crate::id::Name;
use crate::unit::NanoUsd;
use std::collections::BTreeSet;

/// Where a request's data may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataPolicy {
    /// Only these regions. Empty: any.
    pub regions: Vec<Name>,
    /// Only endpoints that keep nothing.
    pub zero_retention: bool,
    /// Only endpoints that do not train on requests.
    pub no_training: bool,
    /// Only endpoints with all of these certifications.
    pub certifications: Vec<Name>,
}

impl DataPolicy {
    pub(super) fn permits(&self, endpoint: &Endpoint) -> bool {
        let region = self.regions.is_empty()
            || endpoint
                .region
                .as_ref()
                .is_some_and(|r| self.regions.contains(r));
        region
            && (!self.zero_retention || endpoint.zero_retention)
            && (!self.no_training || !endpoint.trains)
            && self
                .certifications
                .iter()
                .all(|c| endpoint.certifications.contains(c))
    }

    /// What both demand; `None` where their regions have none in common.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        if both.regions.is_empty() {
            both.regions.clone_from(&other.regions);
        } else if !other.regions.is_empty() {
            both.regions.retain(|region| other.regions.contains(region));
            if both.regions.is_empty() {
                return None;
            }
        }
        both.zero_retention |= other.zero_retention;
        both.no_training |= other.no_training;
        let missing = |c: &&Name| !self.certifications.contains(c);
        let more = other.certifications.iter().filter(missing).cloned();
        both.certifications.extend(more);
        Some(both)
    }

    /// The exclusion's detail where no endpoint is permitted.
    pub(super) fn demands(&self) -> String {
        let mut demands = Vec::new();
        if !self.regions.is_empty() {
            let regions: Vec<_> = self.regions.iter().map(Name::as_str).collect();
            demands.push(format!("in region {}", regions.join(" or ")));
        }
        if self.zero_retention {
            demands.push("with zero retention".to_owned());
        }
        if self.no_training {
            demands.push("without training on requests".to_owned());
        }
        if !self.certifications.is_empty() {
            let all: Vec<_> = self.certifications.iter().map(Name::as_str).collect();
            demands.push(format!("certified for {}", all.join(" and ")));
        }
        format!("no endpoint {}", demands.join(", "))
    }
}

/// What a request needs of its arm and endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Need<'a> {
    /// The arms that the key may use. `None`: every arm.
    pub key_arms: Option<&'a BTreeSet<Name>>,
    /// The endpoints that the key may use. `None`: every endpoint.
    pub key_endpoints: Option<&'a BTreeSet<Name>>,
    /// The caller's list. Empty: every arm.
    pub allowed: &'a [Name],
    /// Arms that the caller refuses.
    pub denied: &'a [Name],
    /// Arms that the team's rule for the task refuses.
    pub task_denied: &'a [Name],
    /// Capabilities that the arm must have.
    pub capabilities: &'a [Name],
    /// Input tokens: how many to expect, and how many there can be.
    pub input: InputTokens,
    /// Most output tokens that the caller accepts. `None`: the arm's own limit.
    pub max_output_tokens: Option<u32>,
    /// Where the data may go.
    pub data_policy: &'a DataPolicy,
    /// Where the team lets its data go at most.
    pub team_policy: &'a DataPolicy,
    /// Where data of the request's class may go. `None`: nowhere, for there is no such class.
    pub class_policy: Option<&'a DataPolicy>,
    /// What the endpoint's dialect must be able to express.
    pub parameters: Parameters,
    /// Only these endpoints, by their names or their providers'. Empty: any.
    pub allowed_endpoints: &'a [Name],
    /// Never these endpoints, by their names or their providers'.
    pub denied_endpoints: &'a [Name],
    /// Endpoints that are not asked for a while, by their place in the catalogue; places beyond its end are
    /// asked.
    pub unavailable: &'a [bool],
}

impl<'a> Need<'a> {
    /// Nothing but that the data may go where `data_policy` lets it.
    pub fn under(data_policy: &'a DataPolicy) -> Self {
        Self {
            key_arms: None,
            key_endpoints: None,
            allowed: &[],
            denied: &[],
            task_denied: &[],
            capabilities: &[],
            input: InputTokens::default(),
            max_output_tokens: None,
            data_policy,
            team_policy: data_policy,
            class_policy: Some(data_policy),
            parameters: Parameters::default(),
            allowed_endpoints: &[],
            denied_endpoints: &[],
            unavailable: &[],
        }
    }

    /// Whether the key may use it.
    pub(super) fn opens(&self, endpoint: &Endpoint) -> bool {
        let may = |endpoints: &BTreeSet<Name>| endpoints.contains(&endpoint.name);
        self.key_endpoints.is_none_or(may)
    }

    /// Whether the data may go there: the request's own demands, its class's and the team's all hold.
    pub(super) fn permits(&self, endpoint: &Endpoint) -> bool {
        let class = self.class_policy.is_some_and(|p| p.permits(endpoint));
        class && self.data_policy.permits(endpoint) && self.team_policy.permits(endpoint)
    }

    /// The exclusion's detail where the data may go to no endpoint.
    pub(super) fn demands(&self) -> String {
        let Some(class) = self.class_policy else {
            return "there is no such data class".to_owned();
        };
        let policies = [self.data_policy, class, self.team_policy];
        let strictest = policies.into_iter().find(|p| **p != DataPolicy::default());
        strictest.unwrap_or(self.team_policy).demands()
    }

    /// Whether the caller lets it be asked, and it can be asked.
    pub(super) fn admits(&self, endpoint: &Endpoint) -> bool {
        let named = |list: &[Name]| {
            let is = |name: &Name| *name == endpoint.name || *name == endpoint.provider;
            list.iter().any(is)
        };
        (self.allowed_endpoints.is_empty() || named(self.allowed_endpoints))
            && !named(self.denied_endpoints)
            && self.parameters.without(endpoint.expresses).is_empty()
    }

    /// The exclusion's detail where no permitted endpoint is admitted.
    pub(super) fn lacks(&self, expressed: Parameters) -> String {
        let missing = self.parameters.without(expressed);
        if missing.is_empty() {
            "the caller's allowed and denied endpoints leave none".to_owned()
        } else {
            format!("no endpoint can express {missing}")
        }
    }
}

/// Limits on what is predicted; checked when the predictions exist.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Most expected cost.
    pub max_cost: Option<NanoUsd>,
    /// Most expected latency in milliseconds.
    pub max_latency_ms: Option<f64>,
}

impl Limits {
    /// Why `arm` breaks a limit, if it does. A latency that is unknown (`None` or NaN) breaks none:
    /// an arm nobody has tried must be able to be tried.
    pub fn check(&self, arm: &Name, cost_usd: f64, latency_ms: Option<f64>) -> Option<Excluded> {
        let exclude = |reason, detail| {
            let arm = arm.clone();
            Some(Excluded {
                arm,
                reason,
                detail,
            })
        };
        if let Some(most) = self.max_cost.map(NanoUsd::as_usd)
            && cost_usd > most
        {
            let detail = format!("expected cost {cost_usd:.9} USD > limit {most:.9} USD");
            return exclude(Reason::MaxCost, detail);
        }
        if let (Some(most), Some(ms)) = (self.max_latency_ms, latency_ms)
            && ms > most
        {
            let detail = format!("expected latency {ms:.1} ms > limit {most:.1} ms");
            return exclude(Reason::MaxLatency, detail);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cost_usd: f64, latency_ms: Option<f64>, expected: Option<&str>) {
        let limits = Limits {
            max_cost: Some(NanoUsd::new(2_000_000)),
            max_latency_ms: Some(500.0),
        };
        let arm = Name::new("a").unwrap();
        let found = limits.check(&arm, cost_usd, latency_ms);
        let found = found.map(|e| format!("{:?}: {}", e.reason, e.detail));
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn a_prediction_at_the_limit_is_within_it() {
        check(0.002, Some(500.0), None);
    }

    #[test]
    fn a_prediction_beyond_a_limit_names_both_figures() {
        let cost = "MaxCost: expected cost 0.002500000 USD > limit 0.002000000 USD";
        check(0.0025, Some(600.0), Some(cost));
        let latency = "MaxLatency: expected latency 600.0 ms > limit 500.0 ms";
        check(0.001, Some(600.0), Some(latency));
    }

    #[test]
    fn what_is_not_known_breaks_no_limit() {
        check(0.001, None, None);
        check(0.001, Some(f64::NAN), None);
        let none = Limits::default();
        assert_eq!(none.check(&Name::new("a").unwrap(), 1e9, Some(1e9)), None);
    }
}
