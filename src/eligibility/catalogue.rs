//! The arms and endpoints of a configuration.
//!
//! Invariants: see the module; [`Catalogue::new`] reports every breach at once.
//!
//! Not here: which of them a request may use (`choice`).

use super::endpoint::Endpoint;
use super::need::Need;
use crate::id::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A model with its settings: what the bandit chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// Its name.
    pub name: Name,
    /// What it can do: `tools`, `json`, `json_schema`, `vision`, or a name of the operator's own.
    pub capabilities: BTreeSet<Name>,
    /// Most tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Most tokens of an answer. `None`: only the context limits it.
    pub max_output_tokens: Option<u32>,
}

impl Arm {
    /// Most output tokens to expect of an answer: as many as the caller or the arm allows, or else as the context
    /// still holds. The bound for money is [`Arm::output_bound`].
    pub fn most_output_tokens(&self, need: &Need<'_>) -> u32 {
        let most = [need.max_output_tokens, self.max_output_tokens];
        let room = self.context_tokens.saturating_sub(need.input.expected());
        most.into_iter().flatten().min().unwrap_or(room)
    }
}

/// Why a catalogue was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// Nothing to choose from.
    #[error("the catalogue has no arm: allowed 1 or more")]
    NoArm,
    /// Two arms of one name.
    #[error("arm {arm} is defined twice: allowed once")]
    ArmTwice {
        /// The name.
        arm: Name,
    },
    /// Two endpoints of one name.
    #[error("endpoint {endpoint} is defined twice: allowed once")]
    EndpointTwice {
        /// The name.
        endpoint: Name,
    },
    /// An endpoint of no arm.
    #[error("endpoint {endpoint} serves arm {arm}, which does not exist")]
    UnknownArm {
        /// The endpoint.
        endpoint: Name,
        /// What it names.
        arm: Name,
    },
    /// An arm that nothing serves.
    #[error("arm {arm} has no endpoint: allowed 1 or more")]
    NoEndpoint {
        /// The arm.
        arm: Name,
    },
    /// A price that is negative or no number.
    #[error("endpoint {endpoint} has a price of {value} USD per million tokens: allowed 0 to 1e6")]
    Price {
        /// The endpoint.
        endpoint: Name,
        /// The price.
        value: f64,
    },
    /// Prices out of order, or two from the same moment.
    #[error("endpoint {endpoint} has prices out of order: allowed ascending `from`, each once")]
    PriceOrder {
        /// The endpoint.
        endpoint: Name,
    },
    /// More different capabilities than are told apart.
    #[error("the arms have {count} different capabilities: allowed 64")]
    Capabilities {
        /// How many.
        count: usize,
    },
}

/// The arms and endpoints of a configuration, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    pub(super) arms: Vec<Arm>,
    pub(super) endpoints: Vec<Arc<Endpoint>>,
    /// Endpoints of each arm, in catalogue order.
    pub(super) of_arm: Vec<Vec<usize>>,
    /// Every capability that some arm has; its place is its bit.
    pub(super) capabilities: Vec<Name>,
    /// Capabilities of each arm, as bits.
    pub(super) can: Vec<u64>,
}

impl Catalogue {
    /// Checks everything, and reports everything that is wrong.
    pub fn new(arms: Vec<Arm>, endpoints: Vec<Endpoint>) -> Result<Self, Vec<Error>> {
        let mut errors = Vec::new();
        if arms.is_empty() {
            errors.push(Error::NoArm);
        }
        let mut place = BTreeMap::new();
        for (index, arm) in arms.iter().enumerate() {
            if place.insert(arm.name.clone(), index).is_some() {
                let arm = arm.name.clone();
                errors.push(Error::ArmTwice { arm });
            }
        }
        let mut of_arm = vec![Vec::new(); arms.len()];
        let mut names = BTreeSet::new();
        for (index, endpoint) in endpoints.iter().enumerate() {
            check_endpoint(endpoint, &mut errors);
            if !names.insert(&endpoint.name) {
                let endpoint = endpoint.name.clone();
                errors.push(Error::EndpointTwice { endpoint });
            }
            match place.get(&endpoint.arm).and_then(|at| of_arm.get_mut(*at)) {
                Some(list) => list.push(index),
                None => errors.push(Error::UnknownArm {
                    endpoint: endpoint.name.clone(),
                    arm: endpoint.arm.clone(),
                }),
            }
        }
        for (arm, list) in arms.iter().zip(&of_arm) {
            // The second of two arms of one name would be reported for the wrong reason.
            let first = place.get(&arm.name).and_then(|at| of_arm.get(*at));
            if list.is_empty() && first.is_none_or(Vec::is_empty) {
                let arm = arm.name.clone();
                errors.push(Error::NoEndpoint { arm });
            }
        }
        let all: BTreeSet<&Name> = arms.iter().flat_map(|a| &a.capabilities).collect();
        let capabilities: Vec<Name> = all.into_iter().cloned().collect();
        if capabilities.len() > 64 {
            let count = capabilities.len();
            errors.push(Error::Capabilities { count });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let has = |arm: &Arm| bits(&capabilities, |c| arm.capabilities.contains(c));
        Ok(Self {
            can: arms.iter().map(has).collect(),
            arms,
            endpoints: endpoints.into_iter().map(Arc::new).collect(),
            of_arm,
            capabilities,
        })
    }

    /// The arms, in the order that every pmf of this catalogue keeps.
    pub fn arms(&self) -> &[Arm] {
        &self.arms
    }

    /// The endpoints.
    pub fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    /// Index of the arm called `name`.
    pub fn arm(&self, name: &str) -> Option<usize> {
        self.arms.iter().position(|a| a.name.as_str() == name)
    }

    /// Index of the endpoint called `name`.
    pub fn place(&self, name: &Name) -> Option<usize> {
        self.endpoints.iter().position(|e| e.name == *name)
    }

    /// The endpoint called `name`.
    pub fn endpoint(&self, name: &str) -> Option<&Arc<Endpoint>> {
        self.endpoints.iter().find(|e| e.name.as_str() == name)
    }
}

/// The bits of the capabilities that `has`.
fn bits(capabilities: &[Name], has: impl Fn(&Name) -> bool) -> u64 {
    let set = capabilities.iter().enumerate().filter(|(_, c)| has(c));
    set.fold(0, |bits, (index, _)| bits | 1_u64 << index)
}

fn check_endpoint(endpoint: &Endpoint, errors: &mut Vec<Error>) {
    for price in &endpoint.prices {
        for value in [
            price.input,
            price.cached_input,
            price.cache_write,
            price.output,
        ] {
            if !(0.0..=1e6).contains(&value) {
                let endpoint = endpoint.name.clone();
                errors.push(Error::Price { endpoint, value });
            }
        }
    }
    let ordered = endpoint.prices.is_sorted_by(|a, b| a.from < b.from);
    if !ordered {
        let endpoint = endpoint.name.clone();
        errors.push(Error::PriceOrder { endpoint });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eligibility::Price;
    use crate::unit::Timestamp;

    fn arm(name: &str) -> Arm {
        Arm {
            name: Name::new(name).unwrap(),
            capabilities: BTreeSet::new(),
            context_tokens: 1000,
            max_output_tokens: None,
        }
    }

    /// An endpoint with a price of `usd` from each of `seconds`.
    fn endpoint(name: &str, arm: &str, usd: f64, seconds: &[i64]) -> Endpoint {
        let price = |second: &i64| Price {
            from: Timestamp::from_micros(second * 1_000_000),
            input: usd,
            cached_input: 0.0,
            cache_write: 0.0,
            output: 0.0,
        };
        Endpoint {
            name: Name::new(name).unwrap(),
            arm: Name::new(arm).unwrap(),
            provider: Name::new("simulated").unwrap(),
            model: String::new(),
            base_url: String::new(),
            region: None,
            zero_retention: false,
            trains: true,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            prices: seconds.iter().map(price).collect(),
        }
    }

    fn check(arms: Vec<Arm>, endpoints: Vec<Endpoint>, expected: &[&str]) {
        let found: Vec<_> = match Catalogue::new(arms, endpoints) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_good_catalogue_is_taken_and_searched_by_name() {
        let catalogue = Catalogue::new(
            vec![arm("a"), arm("b")],
            vec![endpoint("e", "b", 1.0, &[0]), endpoint("f", "a", 1.0, &[0])],
        )
        .unwrap();
        assert_eq!(catalogue.arm("b"), Some(1));
        assert_eq!(catalogue.arm("c"), None);
        assert_eq!(catalogue.endpoint("f").map(|e| e.arm.as_str()), Some("a"));
    }

    #[test]
    fn every_breach_is_reported_at_once() {
        check(
            vec![arm("a"), arm("a"), arm("b")],
            vec![
                endpoint("e", "a", -1.0, &[0]),
                endpoint("e", "a", 1.0, &[0]),
                endpoint("f", "nobody", 1.0, &[5, 5]),
                endpoint("g", "a", f64::NAN, &[0]),
            ],
            &[
                "arm a is defined twice: allowed once",
                "endpoint e has a price of -1 USD per million tokens: allowed 0 to 1e6",
                "endpoint e is defined twice: allowed once",
                "endpoint f has prices out of order: allowed ascending `from`, each once",
                "endpoint f serves arm nobody, which does not exist",
                "endpoint g has a price of NaN USD per million tokens: allowed 0 to 1e6",
                "arm b has no endpoint: allowed 1 or more",
            ],
        );
    }

    #[test]
    fn a_catalogue_has_an_arm_and_at_most_64_capabilities() {
        check(
            vec![],
            vec![],
            &["the catalogue has no arm: allowed 1 or more"],
        );
        let many = (0..65)
            .map(|i| Name::new(format!("c{i}")).unwrap())
            .collect();
        let able = Arm {
            capabilities: many,
            ..arm("a")
        };
        check(
            vec![able],
            vec![endpoint("e", "a", 1.0, &[0])],
            &["the arms have 65 different capabilities: allowed 64"],
        );
    }
}
