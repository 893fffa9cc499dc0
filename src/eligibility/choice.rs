//! The arms that a request may use, and the reasons against the others.
//!
//! Not here: the draw among them (`bandit`), limits on predictions (`need::Limits`), what a request costs at worst (`worst`).

use super::catalogue::{Arm, Catalogue};
use super::endpoint::{REFERENCE_OUTPUT_TOKENS, reference_cost_usd};
use super::need::Need;
use crate::chat::Parameters;
use crate::decision::{Excluded, Reason};
use crate::id::Name;
use crate::unit::Timestamp;

/// An arm that may take the request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EligibleArm {
    /// Index into [`Catalogue::arms`].
    pub arm: usize,
    /// [`reference_cost_usd`] at its cheapest endpoint.
    pub reference_cost_usd: f64,
    first: usize,
    count: usize,
}

/// The arms that may take a request, and the others with their reasons.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Eligible {
    /// In catalogue order.
    pub arms: Vec<EligibleArm>,
    /// In catalogue order.
    pub excluded: Vec<Excluded>,
    ranked: Ranked,
}

/// Endpoints of all eligible arms, arm after arm, with their reference costs.
#[derive(Debug, Clone, PartialEq, Default)]
struct Ranked {
    endpoints: Vec<usize>,
    costs_usd: Vec<f64>,
}

impl Ranked {
    /// Puts an endpoint among those from `first` on, after all that cost no more.
    fn insert(&mut self, first: usize, endpoint: usize, cost_usd: f64) {
        let earlier = self.costs_usd.get(first..).unwrap_or_default();
        let at = first + earlier.partition_point(|c| *c <= cost_usd);
        self.endpoints.insert(at, endpoint);
        self.costs_usd.insert(at, cost_usd);
    }
}

impl Eligible {
    /// Indices into [`Catalogue::endpoints`] of an eligible arm's endpoints, cheapest first.
    pub fn endpoints(&self, arm: &EligibleArm) -> &[usize] {
        self.ranked
            .endpoints
            .get(arm.first..arm.first + arm.count)
            .unwrap_or_default()
    }
}

impl Catalogue {
    /// The arms that satisfy `need` at `now`, and the first reason why each other one does not.
    ///
    /// Runs on every request: one pass, three allocations, and one detail for each exclusion.
    pub fn eligible(&self, need: &Need<'_>, now: Timestamp) -> Eligible {
        let mut found = Eligible {
            arms: Vec::with_capacity(self.arms.len()),
            excluded: Vec::new(),
            ranked: Ranked {
                endpoints: Vec::with_capacity(self.endpoints.len()),
                costs_usd: Vec::with_capacity(self.endpoints.len()),
            },
        };
        let wanted = self.wanted(need);
        for (index, ((arm, of_arm), can)) in self
            .arms
            .iter()
            .zip(&self.of_arm)
            .zip(&self.can)
            .enumerate()
        {
            let lacking = self.lacking(wanted, *can);
            let result = check_arm(arm, lacking, need)
                .and_then(|()| self.choose(index, of_arm, need, now, &mut found.ranked));
            match result {
                Ok(eligible) => found.arms.push(eligible),
                Err((reason, detail)) => found.excluded.push(Excluded {
                    arm: arm.name.clone(),
                    reason,
                    detail,
                }),
            }
        }
        found
    }

    /// The first reason why the endpoint at `place` may not be asked, by what [`Catalogue::eligible`] checks, whatever
    /// other endpoints its arm has. `None`: it may.
    pub fn against(&self, place: usize, need: &Need<'_>, now: Timestamp) -> Option<Excluded> {
        let index = self.of_arm.iter().position(|of| of.contains(&place))?;
        let (arm, can) = (self.arms.get(index)?, self.can.get(index)?);
        let lacking = self.lacking(self.wanted(need), *can);
        let opened = self.endpoints.get(place).is_some_and(|e| need.opens(e));
        let alone = || match opened {
            true => self.choose(index, &[place], need, now, &mut Ranked::default()),
            false => Err((Reason::NotAllowed, "the key may not use it".to_owned())),
        };
        let checked = check_arm(arm, lacking, need).and_then(|()| alone());
        let (reason, detail) = checked.err()?;
        let arm = arm.name.clone();
        Some(Excluded {
            arm,
            reason,
            detail,
        })
    }

    /// What is to be able to do, as bits, and the first of it that no arm can.
    fn wanted<'a>(&self, need: &Need<'a>) -> (u64, Option<&'a Name>) {
        let (mut wanted, mut nobody) = (0_u64, None);
        for capability in need.capabilities {
            match self.capabilities.binary_search(capability) {
                Ok(bit) => wanted |= 1 << bit,
                // No arm has it, so it has no bit.
                Err(_) => nobody = nobody.or(Some(capability)),
            }
        }
        (wanted, nobody)
    }

    /// The first that is wanted of those that an arm that can do `can` lacks.
    fn lacking<'a>(
        &'a self,
        (wanted, nobody): (u64, Option<&'a Name>),
        can: u64,
    ) -> Option<&'a Name> {
        nobody.or_else(|| {
            let bit = (wanted & !can).trailing_zeros() as usize;
            self.capabilities.get(bit)
        })
    }

    /// Puts the endpoints of one arm that may be used into `ranked`, cheapest first.
    fn choose(
        &self,
        arm: usize,
        of_arm: &[usize],
        need: &Need<'_>,
        now: Timestamp,
        ranked: &mut Ranked,
    ) -> Result<EligibleArm, (Reason, String)> {
        let first = ranked.endpoints.len();
        let mut passed = Passed::default();
        for &index in of_arm {
            let endpoint = self.endpoints.get(index).filter(|e| need.opens(e));
            passed.opened |= endpoint.is_some();
            let Some(endpoint) = endpoint.filter(|e| need.permits(e)) else {
                continue;
            };
            passed.permitted = true;
            if !need.admits(endpoint) {
                passed.expressed = endpoint.expresses;
                continue;
            }
            passed.admitted = true;
            if need.unavailable.get(index).is_some_and(|out| *out) {
                continue;
            }
            passed.available = true;
            if let Some(cost) = reference_cost_usd(endpoint, need.input.expected(), now) {
                ranked.insert(first, index, cost);
            }
        }
        match ranked.costs_usd.get(first) {
            Some(&reference_cost_usd) => Ok(EligibleArm {
                arm,
                reference_cost_usd,
                first,
                count: ranked.endpoints.len() - first,
            }),
            None => Err(passed.reason(need)),
        }
    }
}

/// How far an arm's endpoints came.
#[derive(Default)]
struct Passed {
    /// The key may use one.
    opened: bool,
    /// The data policy lets one be asked.
    permitted: bool,
    /// The caller does, and its dialect can express what is asked.
    admitted: bool,
    /// It has not failed just now.
    available: bool,
    /// What one that was not admitted can express.
    expressed: Parameters,
}

impl Passed {
    /// Why none is left: the first check that all of them failed.
    fn reason(&self, need: &Need<'_>) -> (Reason, String) {
        let said = |text: &str| text.to_owned();
        match self {
            Self { opened: false, .. } if need.key_endpoints.is_some() => (
                Reason::NotAllowed,
                said("the key may use none of its endpoints"),
            ),
            Self {
                permitted: false, ..
            } => (Reason::DataPolicy, need.demands()),
            Self {
                admitted: false, ..
            } => (Reason::Parameters, need.lacks(self.expressed)),
            Self {
                available: false, ..
            } => (
                Reason::Unavailable,
                said("its endpoints have failed and are not asked for a while"),
            ),
            _ => (
                Reason::NoPrice,
                said("no endpoint has a price that holds now"),
            ),
        }
    }
}

/// The checks that need no endpoint, in the order in which they are reported.
fn check_arm(arm: &Arm, lacking: Option<&Name>, need: &Need<'_>) -> Result<(), (Reason, String)> {
    if need.key_arms.is_some_and(|arms| !arms.contains(&arm.name)) {
        let detail = "the key may not use it".to_owned();
        return Err((Reason::NotAllowed, detail));
    }
    if !need.allowed.is_empty() && !need.allowed.contains(&arm.name) {
        let detail = "not in the caller's allowed arms".to_owned();
        return Err((Reason::NotAllowed, detail));
    }
    if need.denied.contains(&arm.name) {
        let detail = "in the caller's denied arms".to_owned();
        return Err((Reason::Denied, detail));
    }
    if need.task_denied.contains(&arm.name) {
        let detail = "the team's rule for this task denies it".to_owned();
        return Err((Reason::Denied, detail));
    }
    if let Some(capability) = lacking {
        return Err((Reason::Capability, format!("lacks {capability}")));
    }
    let asked = need.max_output_tokens.unwrap_or(REFERENCE_OUTPUT_TOKENS);
    let output = arm.max_output_tokens.map_or(asked, |most| asked.min(most));
    // What is expected: a prompt that turns out longer its provider refuses at no cost, and the next arm is asked.
    let (input, context) = (need.input.expected(), arm.context_tokens);
    if input.saturating_add(output) > context {
        let detail = format!("{input} input + {output} output tokens > context of {context}");
        return Err((Reason::ContextLength, detail));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::InputTokens;
    use crate::eligibility::{DataPolicy, Endpoint, Price};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn names(text: &str) -> Vec<Name> {
        text.split_whitespace().map(name).collect()
    }

    fn arm(text: &str, capabilities: &str, context_tokens: u32) -> Arm {
        Arm {
            name: name(text),
            capabilities: names(capabilities).into_iter().collect(),
            context_tokens,
            max_output_tokens: None,
        }
    }

    /// An endpoint in the EU that keeps nothing, does not train and is certified, at `usd` a million either way
    /// from second `from` on.
    fn endpoint(text: &str, arm: &str, usd: f64, from: i64) -> Endpoint {
        Endpoint {
            name: name(text),
            arm: name(arm),
            provider: name("simulated"),
            model: String::new(),
            base_url: String::new(),
            region: Some(name("eu")),
            zero_retention: true,
            trains: false,
            certifications: names("iso soc2 hipaa"),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            prices: vec![Price {
                from: Timestamp::from_micros(from * 1_000_000),
                input: usd,
                cached_input: usd,
                cache_write: usd,
                output: usd,
            }],
        }
    }

    /// `big` can all and is dear; `small` can only use tools, by two endpoints; `late` has no price
    /// before second 1000.
    fn catalogue() -> Catalogue {
        let loose = Endpoint {
            region: None,
            zero_retention: false,
            trains: true,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            ..endpoint("small-us", "small", 1.0, 0)
        };
        Catalogue::new(
            vec![
                arm("big", "tools vision json", 100_000),
                arm("small", "tools", 8_000),
                arm("late", "tools", 8_000),
            ],
            vec![
                endpoint("big-eu", "big", 10.0, 0),
                endpoint("small-eu", "small", 2.0, 0),
                loose,
                endpoint("late-eu", "late", 0.5, 1000),
            ],
        )
        .unwrap()
    }

    fn free() -> &'static DataPolicy {
        const {
            &DataPolicy {
                regions: Vec::new(),
                zero_retention: false,
                no_training: false,
                certifications: Vec::new(),
            }
        }
    }

    fn need() -> Need<'static> {
        Need {
            input: InputTokens::counted(1000),
            ..Need::under(free())
        }
    }

    /// Compares the eligible arms with their endpoints, and the reasons of the others.
    fn check(need: &Need<'_>, second: i64, eligible: &[&str], excluded: &[&str]) {
        let catalogue = catalogue();
        let found = catalogue.eligible(need, Timestamp::from_micros(second * 1_000_000));
        let arms: Vec<_> = found
            .arms
            .iter()
            .map(|arm| {
                let endpoints: Vec<_> = found.endpoints(arm).iter().collect();
                let endpoints: Vec<_> = endpoints
                    .into_iter()
                    .map(|e| catalogue.endpoints()[*e].name.as_str())
                    .collect();
                format!(
                    "{}: {}",
                    catalogue.arms()[arm.arm].name,
                    endpoints.join(" ")
                )
            })
            .collect();
        assert_eq!(arms, eligible);
        let reasons: Vec<_> = found
            .excluded
            .iter()
            .map(|e| format!("{}: {:?}: {}", e.arm, e.reason, e.detail))
            .collect();
        assert_eq!(reasons, excluded);
    }

    const LATE: &str = "late: NoPrice: no endpoint has a price that holds now";

    #[test]
    fn arms_come_in_catalogue_order_with_their_endpoints_cheapest_first() {
        check(
            &need(),
            5000,
            &["big: big-eu", "small: small-us small-eu", "late: late-eu"],
            &[],
        );
    }

    #[test]
    fn an_arm_without_a_price_that_holds_yet_is_left_out() {
        let rest = ["big: big-eu", "small: small-us small-eu"];
        check(&need(), 999, &rest, &[LATE]);
    }

    #[test]
    fn the_reference_cost_is_that_of_the_cheapest_endpoint() {
        let found = catalogue().eligible(&need(), Timestamp::from_micros(0));
        let costs: Vec<_> = found.arms.iter().map(|a| a.reference_cost_usd).collect();
        // (1000 + 256) tokens at 10 and at 1 USD a million.
        for (cost, expected) in costs.iter().zip([0.01256, 0.001256]) {
            assert!((cost - expected).abs() < 1e-15, "{cost}");
        }
    }

    #[test]
    fn the_key_the_callers_list_and_the_callers_refusal_exclude_in_that_order() {
        let key_arms: BTreeSet<_> = names("small late").into_iter().collect();
        let (allowed, denied) = (names("big small"), names("small"));
        let need = Need {
            key_arms: Some(&key_arms),
            allowed: &allowed,
            denied: &denied,
            ..need()
        };
        check(
            &need,
            5000,
            &[],
            &[
                "big: NotAllowed: the key may not use it",
                "small: Denied: in the caller's denied arms",
                "late: NotAllowed: not in the caller's allowed arms",
            ],
        );
    }

    #[test]
    fn endpoints_that_the_key_may_not_use_are_none_and_an_arm_without_others_is_left_out() {
        let key_endpoints: BTreeSet<_> = names("small-eu late-eu").into_iter().collect();
        let mut need = Need {
            key_endpoints: Some(&key_endpoints),
            ..need()
        };
        let big = "big: NotAllowed: the key may use none of its endpoints";
        check(&need, 5000, &["small: small-eu", "late: late-eu"], &[big]);
        let us = names("small-us");
        need.allowed_endpoints = &us;
        let none = "the caller's allowed and denied endpoints leave none";
        let [small, late] = ["small", "late"].map(|arm| format!("{arm}: Parameters: {none}"));
        check(&need, 5000, &[], &[big, &small, &late]);
    }

    #[test]
    fn an_arm_that_lacks_a_capability_is_left_out_with_the_capability() {
        let capabilities = names("tools vision");
        let need = Need {
            capabilities: &capabilities,
            ..need()
        };
        let lacking = [
            "small: Capability: lacks vision",
            "late: Capability: lacks vision",
        ];
        check(&need, 5000, &["big: big-eu"], &lacking);
    }

    #[test]
    fn a_capability_that_no_arm_has_leaves_none() {
        let capabilities = names("tools telepathy");
        let found = catalogue().eligible(
            &Need {
                capabilities: &capabilities,
                ..need()
            },
            Timestamp::from_micros(0),
        );
        assert!(found.arms.is_empty());
        assert!(found.excluded.iter().all(|e| e.detail == "lacks telepathy"));
    }

    #[test]
    fn prompt_and_answer_must_fit_the_context() {
        let tight = Need {
            input: InputTokens::counted(7_744),
            ..need()
        };
        let all = ["big: big-eu", "small: small-us small-eu", "late: late-eu"];
        check(&tight, 5000, &all, &[]);
        let over = Need {
            max_output_tokens: Some(257),
            ..tight
        };
        check(
            &over,
            5000,
            &["big: big-eu"],
            &[
                "small: ContextLength: 7744 input + 257 output tokens > context of 8000",
                "late: ContextLength: 7744 input + 257 output tokens > context of 8000",
            ],
        );
    }

    #[test]
    fn an_arm_that_answers_briefly_needs_only_that_much_room() {
        let brief = Arm {
            max_output_tokens: Some(10),
            ..arm("brief", "", 1_010)
        };
        let catalogue = Catalogue::new(vec![brief], vec![endpoint("e", "brief", 1.0, 0)]).unwrap();
        let found = catalogue.eligible(&need(), Timestamp::from_micros(0));
        assert_eq!(found.arms.len(), 1);
    }

    #[test]
    fn each_demand_on_data_leaves_only_endpoints_that_meet_it() {
        let regions = |text| DataPolicy {
            regions: names(text),
            ..DataPolicy::default()
        };
        let zero = DataPolicy {
            zero_retention: true,
            ..DataPolicy::default()
        };
        let untrained = DataPolicy {
            no_training: true,
            ..DataPolicy::default()
        };
        let certified = DataPolicy {
            certifications: names("iso soc2"),
            ..DataPolicy::default()
        };
        for policy in [regions("us eu"), zero, untrained, certified] {
            let need = Need {
                data_policy: &policy,
                ..need()
            };
            let kept = ["big: big-eu", "small: small-eu", "late: late-eu"];
            check(&need, 5000, &kept, &[]);
            let (free, classed) = (free(), need.data_policy);
            for (team_policy, class_policy) in [(classed, free), (free, classed)] {
                let need = Need {
                    data_policy: free,
                    team_policy,
                    class_policy: Some(class_policy),
                    ..need
                };
                check(&need, 5000, &kept, &[]);
            }
        }
    }

    #[test]
    fn data_of_a_class_that_does_not_exist_goes_nowhere() {
        let need = Need {
            class_policy: None,
            allowed: &names("big"),
            ..need()
        };
        let found = catalogue().eligible(&need, Timestamp::from_micros(0));
        assert!(found.arms.is_empty());
        assert_eq!(found.excluded[0].detail, "there is no such data class");
    }

    #[test]
    fn what_two_policies_demand_together_loosens_neither() {
        let policy = |regions, certifications, zero_retention, no_training| DataPolicy {
            regions: names(regions),
            zero_retention,
            no_training,
            certifications: names(certifications),
        };
        let (one, other) = (
            policy("eu ch", "iso", true, false),
            policy("us eu", "soc2 iso", false, true),
        );
        assert_eq!(one.and(&other), Some(policy("eu", "iso soc2", true, true)));
        assert_eq!(one.and(&policy("us", "", false, false)), None);
        assert_eq!(one.and(free()), Some(one.clone()));
        assert_eq!(free().and(&one), Some(one));
    }

    #[test]
    fn an_arm_without_a_permitted_endpoint_is_left_out_with_all_that_was_demanded() {
        let policy = DataPolicy {
            regions: names("us ch"),
            zero_retention: true,
            no_training: true,
            certifications: names("iso soc2"),
        };
        let need = Need {
            data_policy: &policy,
            allowed: &names("big"),
            ..need()
        };
        let found = catalogue().eligible(&need, Timestamp::from_micros(0));
        assert_eq!(found.excluded[0].reason, Reason::DataPolicy);
        assert_eq!(
            found.excluded[0].detail,
            "no endpoint in region us or ch, with zero retention, without training on requests, certified for iso and soc2"
        );
    }

    proptest! {
        #[test]
        fn every_arm_is_either_eligible_or_excluded(
            input in 0_u32..20_000, output in proptest::option::of(0_u32..20_000),
            allow in proptest::collection::vec(0_usize..3, 0..3),
            deny in proptest::collection::vec(0_usize..3, 0..3),
            second in 0_i64..2000,
        ) {
            let catalogue = catalogue();
            let pick = |list: &[usize]| -> Vec<Name> {
                list.iter().map(|i| catalogue.arms()[*i].name.clone()).collect()
            };
            let (allowed, denied) = (pick(&allow), pick(&deny));
            let need = Need {
                allowed: &allowed, denied: &denied, input: InputTokens::counted(input), max_output_tokens: output, ..need()
            };
            let found = catalogue.eligible(&need, Timestamp::from_micros(second * 1_000_000));
            prop_assert_eq!(found.arms.len() + found.excluded.len(), 3);
            for arm in &found.arms {
                let name = &catalogue.arms()[arm.arm].name;
                prop_assert!(!denied.contains(name));
                prop_assert!(allowed.is_empty() || allowed.contains(name));
                prop_assert!(!found.endpoints(arm).is_empty());
                prop_assert!(found.excluded.iter().all(|e| e.arm != *name));
            }
        }
    }
}
