//! The arms that a request may use, and the reasons against the others.
//!
//! Not here: the draw among them (`bandit`), limits on predictions (`need::Limits`).

use super::catalogue::{Arm, Catalogue, bits};
use super::endpoint::{REFERENCE_OUTPUT_TOKENS, reference_cost_usd};
use super::need::Need;
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
    /// Endpoints of all eligible arms, arm after arm: one allocation for all.
    endpoints: Vec<usize>,
}

impl Eligible {
    /// Indices into [`Catalogue::endpoints`] of an eligible arm's endpoints, cheapest first.
    pub fn endpoints(&self, arm: &EligibleArm) -> &[usize] {
        self.endpoints
            .get(arm.first..arm.first + arm.count)
            .unwrap_or_default()
    }
}

impl Catalogue {
    /// The arms that satisfy `need` at `now`, and the first reason why each other one does not.
    ///
    /// Runs on every request: one pass, three allocations, and one for each exclusion's detail.
    pub fn eligible(&self, need: &Need<'_>, now: Timestamp) -> Eligible {
        let mut found = Eligible {
            arms: Vec::with_capacity(self.arms.len()),
            excluded: Vec::new(),
            endpoints: Vec::with_capacity(self.endpoints.len()),
        };
        let wanted = bits(&self.capabilities, |c| need.capabilities.contains(c));
        // A capability that no arm has no bit for.
        let nobody = need
            .capabilities
            .iter()
            .find(|c| self.capabilities.binary_search(c).is_err());
        for (index, ((arm, of_arm), can)) in self
            .arms
            .iter()
            .zip(&self.of_arm)
            .zip(&self.can)
            .enumerate()
        {
            let lacking = nobody.or_else(|| {
                let bit = (wanted & !can).trailing_zeros() as usize;
                self.capabilities.get(bit)
            });
            let result = check_arm(arm, lacking, need)
                .and_then(|()| self.choose(index, of_arm, need, now, &mut found.endpoints));
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

    /// Puts the endpoints of one arm that may be used into `out`, cheapest first.
    fn choose(
        &self,
        arm: usize,
        of_arm: &[usize],
        need: &Need<'_>,
        now: Timestamp,
        out: &mut Vec<usize>,
    ) -> Result<EligibleArm, (Reason, String)> {
        let first = out.len();
        let cost = |index: &usize| {
            let endpoint = self.endpoints.get(*index)?;
            reference_cost_usd(endpoint, need.input_tokens, now)
        };
        let permits = |index: &&usize| {
            let endpoint = self.endpoints.get(**index);
            endpoint.is_some_and(|e| need.data_policy.permits(e))
        };
        let mut permitted = of_arm.iter().filter(permits).peekable();
        if permitted.peek().is_none() {
            return Err((Reason::DataPolicy, need.data_policy.demands()));
        }
        out.extend(permitted.filter(|index| cost(index).is_some()));
        let chosen = out.get_mut(first..).unwrap_or_default();
        chosen.sort_by(|a, b| cost(a).unwrap_or(0.0).total_cmp(&cost(b).unwrap_or(0.0)));
        match chosen.first().and_then(cost) {
            Some(reference_cost_usd) => Ok(EligibleArm {
                arm,
                reference_cost_usd,
                first,
                count: chosen.len(),
            }),
            None => {
                let detail = "no endpoint has a price that holds now".to_owned();
                Err((Reason::NoPrice, detail))
            }
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
    if let Some(capability) = lacking {
        return Err((Reason::Capability, format!("lacks {capability}")));
    }
    let asked = need.max_output_tokens.unwrap_or(REFERENCE_OUTPUT_TOKENS);
    let output = arm.max_output_tokens.map_or(asked, |most| asked.min(most));
    if need.input_tokens.saturating_add(output) > arm.context_tokens {
        let (input, context) = (need.input_tokens, arm.context_tokens);
        let detail = format!("{input} input + {output} output tokens > context of {context}");
        return Err((Reason::ContextLength, detail));
    }
    Ok(())
}
