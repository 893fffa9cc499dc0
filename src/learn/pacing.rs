//! One team's spend, kept at its budget: what decisions promise to cost and what attempts say they did.
//!
//! Rules, stated because numbers depend on them:
//! - Every decision is a request, an inherited one too: it costs what its arm was expected to.
//! - The first attempt for it corrects that to what it cost; further ones add their cost. One of unknown
//!   cost, and a decision that nobody tells an attempt of, stand at the prediction.
//! - A budget that changes keeps debt and savings.
//!
//! Invariants: a pure function of the journal's records, so that a rebuild gives the same bits.
//!
//! Not here: the price's maths (`budget`), the hard limit (`account`), what a request does with the price
//! (`route`).

use crate::bandit::Policy;
use crate::budget::{Budget, Offer, Pace, Pacer, PacerError, Params};
use crate::decision::{Attempt, Decision};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// The pacer of a team that has a budget a request.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Pacing(Option<Pacer>);

impl Pacing {
    /// Where it stands.
    pub(super) fn pace(&self) -> Option<Pace> {
        self.0.as_ref().map(|pacer| *pacer.pace())
    }

    /// The team's budget is another one from here on. One that cannot be paced paces nothing.
    pub(super) fn set(&mut self, budget: Option<&Budget>) -> Result<(), PacerError> {
        let Some(request_usd) = budget.and_then(|budget| budget.request_usd) else {
            self.0 = None;
            return Ok(());
        };
        match &mut self.0 {
            Some(pacer) if pacer.pace().params().request_usd == request_usd => {}
            Some(pacer) => pacer.retarget(request_usd)?,
            None => self.0 = Some(Pacer::new(Params::new(request_usd))?),
        }
        Ok(())
    }

    /// A request was decided; what it is taken to cost until an attempt says, in USD.
    pub(super) fn decided(&mut self, decision: &Decision) -> Option<f64> {
        let pacer = self.0.as_mut()?;
        let allowance = decision.allowance.as_ref()?;
        let drawn = &decision.drawn;
        // The policy's own doubt, so that the price knows what exploring costs.
        // One that this build cannot read is taken at its word: as if it had no doubt.
        let policy: Policy = decision.policy.parse().unwrap_or(Policy::Greedy);
        let count = drawn.arms.len();
        let offer = |(utility, sd, cost_usd): (f64, f64, f64)| {
            let (utility, quality_sd) = policy.belief(utility, sd, (drawn.samples, count));
            Offer {
                quality: utility + allowance.price * cost_usd,
                quality_sd,
                cost_usd,
            }
        };
        let eligible = drawn.utility.iter().zip(&drawn.utility_sd);
        let eligible = eligible.zip(&drawn.cost_usd);
        let eligible = eligible.map(|((utility, sd), cost)| (*utility, *sd, *cost));
        let withheld = allowance.withheld.iter();
        let withheld = withheld.map(|arm| (arm.utility, arm.utility_sd, arm.cost_usd));
        let offers: Vec<Offer> = eligible.chain(withheld).map(offer).collect();
        let seed = xxh3_64(decision.id.to_string().as_bytes());
        pacer.foresee(&offers, &mut SmallRng::seed_from_u64(seed));
        let cost_usd = *drawn.cost_usd.get(drawn.chosen as usize)?;
        pacer.record(cost_usd).ok()?;
        Some(cost_usd)
    }

    /// An attempt has ended, for a decision that was taken to cost `predicted`: 0 once it is settled.
    pub(super) fn attempted(&mut self, predicted: &mut f64, attempt: &Attempt) {
        if let (Some(pacer), Some(cost)) = (&mut self.0, attempt.cost)
            // A negative cost is refused where it comes in.
            && pacer.correct(*predicted, cost.as_usd()).is_ok()
        {
            *predicted = 0.0;
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.0.as_ref().is_none_or(Pacer::is_whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Allowance, Withheld};
    use crate::store::Record;
    use crate::store::sample::{attempt, decision, name};
    use crate::unit::NanoUsd;

    fn paced(request_usd: f64) -> Pacing {
        let mut pacing = Pacing::default();
        let budget = Budget {
            request_usd: Some(request_usd),
            limit: None,
        };
        pacing.set(Some(&budget)).unwrap();
        pacing
    }

    /// `large` at 0.01 USD, drawn.
    fn decided(number: u64) -> Decision {
        let mut decision = decision(number);
        decision.allowance = Some(Allowance {
            price: 0.0,
            held: NanoUsd::ZERO,
            withheld: Vec::new(),
            asks: false,
        });
        decision
    }

    fn tried(cost: Option<i64>) -> Attempt {
        let Record::Attempt { mut attempt, .. } = attempt(1, 0) else {
            unreachable!("an attempt");
        };
        attempt.cost = cost.map(NanoUsd::new);
        attempt
    }

    fn balance(pacing: &Pacing, expected: f64) {
        let found = pacing.pace().unwrap().balance_usd();
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn a_decision_costs_its_prediction_until_an_attempt_says_more() {
        let mut pacing = paced(0.002);
        let mut predicted = pacing.decided(&decided(1)).unwrap();
        balance(&pacing, 0.002 - 0.01);
        pacing.attempted(&mut predicted, &tried(None));
        balance(&pacing, 0.002 - 0.01);
        pacing.attempted(&mut predicted, &tried(Some(4_000_000)));
        balance(&pacing, 0.002 - 0.004);
        pacing.attempted(&mut predicted, &tried(Some(1_000_000)));
        balance(&pacing, 0.002 - 0.005);
    }

    #[test]
    fn a_decision_from_before_the_budget_is_none_of_its_requests() {
        let mut pacing = paced(0.002);
        assert_eq!(pacing.decided(&decision(1)), None);
        balance(&pacing, 0.0);
        assert_eq!(Pacing::default().decided(&decided(1)), None);
    }

    #[test]
    fn an_arm_that_the_budget_kept_out_still_says_what_money_would_buy() {
        // The dear arm is worth 0.2 points more for 0.009 USD more, of which 0.001 is there a request.
        let price = |withhold: bool| {
            let mut pacing = paced(0.002);
            for number in 0..300 {
                let mut decision = decided(number);
                decision.policy = "greedy".to_owned();
                decision.drawn.chosen = 0;
                if withhold {
                    let drawn = &mut decision.drawn;
                    let large = Withheld {
                        arm: name("large"),
                        utility: drawn.utility.pop().unwrap(),
                        utility_sd: drawn.utility_sd.pop().unwrap(),
                        cost_usd: drawn.cost_usd.pop().unwrap(),
                    };
                    decision.allowance.as_mut().unwrap().withheld.push(large);
                }
                pacing.decided(&decision).unwrap();
            }
            pacing.pace().unwrap().price()
        };
        assert_eq!(price(true), price(false));
        assert!(price(true).high > 0.2 / 0.009);
    }

    #[test]
    fn a_budget_that_changes_keeps_what_is_owed_and_one_that_ends_forgets() {
        let mut pacing = paced(0.002);
        pacing.decided(&decided(1)).unwrap();
        let more = Budget {
            request_usd: Some(0.004),
            limit: None,
        };
        pacing.set(Some(&more)).unwrap();
        balance(&pacing, 0.002 - 0.01);
        assert_eq!(pacing.pace().unwrap().params().request_usd, 0.004);
        pacing.set(None).unwrap();
        assert_eq!(pacing.pace(), None);
    }
}
