//! What an arm is expected to cost on this request, at the prices of now.
//!
//! cost = fresh input x p_in + cached input x p_cache + output x p_out, at the arm's cheapest eligible
//! endpoint, with
//! - output: what its attempts that told tokens lead to expect ([`Expected::output_tokens`]), 256 where there
//!   are none, and never more than there can be ([`Arm::most_output_tokens`]);
//! - cached input: what the endpoint's cache is expected to hold of the session ([`Warm`]), so that an arm
//!   that is left for another must be that much better: the other one reads the whole prompt anew.
//!
//! Attempts that told money alone lead to a second figure, the reference cost (the same sum at 256 output
//! tokens) times their ratio, no more than the most tokens cost. The two are weighed by
//! [`Expected::token_share`].
//!
//! Invariants: prices are looked up when the request is decided and are in nothing that was learned, so a
//! change of price carries over at once.
//!
//! Not here: what was learned (`learn`), which endpoint is cheapest (`eligibility`), the worst case that a hard
//! limit holds ([`Catalogue::worst_case`]), which looks at the most tokens that there can be instead of those to
//! expect.
//!
//! Source: SCIENCE 2.6.

#[cfg(doc)]
use crate::eligibility::Arm;
use crate::eligibility::{Catalogue, Eligible, EligibleArm, Need, REFERENCE_OUTPUT_TOKENS};
use crate::learn::Expected;
use crate::unit::Timestamp;
use crate::warmth::Warm;

/// What a request is priced by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pricing<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) eligible: &'a Eligible,
    pub(super) need: &'a Need<'a>,
    pub(super) warm: &'a Warm,
    pub(super) now: Timestamp,
}

/// What an arm is expected to cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    pub(super) usd: f64,
    /// With 256 output tokens.
    pub(super) reference_usd: f64,
}

impl Pricing<'_> {
    /// Nothing only for an arm that is not eligible.
    pub(super) fn cost(&self, arm: &EligibleArm, learned: &Expected, x: &[f32]) -> Option<Cost> {
        let cheapest = *self.eligible.endpoints(arm).first()?;
        self.cost_at(arm, cheapest, learned, x)
    }

    /// At the endpoint at `place` of the catalogue.
    pub(super) fn cost_at(
        &self,
        arm: &EligibleArm,
        place: usize,
        learned: &Expected,
        x: &[f32],
    ) -> Option<Cost> {
        let endpoint = self.catalogue.endpoints().get(place)?;
        let price = endpoint.price(self.now)?;
        let arm = self.catalogue.arms().get(arm.arm)?;
        let input = self.need.input.expected();
        let cached = self.warm.tokens(&endpoint.name, input);
        let with = |output: f64| price.cost_usd(input, cached, output);
        let reference = f64::from(REFERENCE_OUTPUT_TOKENS);
        let most = f64::from(arm.most_output_tokens(self.need));
        let output = learned.output_tokens(x).unwrap_or(reference);
        let (by_tokens, reference_usd) = (with(output.min(most)), with(reference));
        let share = learned.token_share();
        let usd = if share < 1.0 {
            let by_money = (learned.cost_ratio(x) * reference_usd).min(with(most));
            by_money + share * (by_tokens - by_money)
        } else {
            by_tokens
        };
        Some(Cost { usd, reference_usd })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::InputTokens;
    use crate::decision::{Attempt, Decision, Usage};
    use crate::eligibility::{Arm, DataPolicy, Endpoint, Price};
    use crate::learn::sample::{HOUR, Maker, name, params};
    use crate::learn::{Learner, Snapshot};
    use crate::store::{Position, Record};
    use crate::unit::NanoUsd;
    use crate::warmth::Warmth;
    use std::collections::BTreeMap;

    const X: [f32; 2] = [0.5, 1.0];

    /// Reference cost of the decisions whose attempts teach: 1000 nano-dollars.
    const REFERENCE_USD: f64 = 1e-6;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    /// Arm a at 2 USD a million tokens in, 0.5 cached and 8 out; 16 out from second 100 on.
    fn catalogue() -> Catalogue {
        let price = |from, output| Price {
            from: at(from),
            input: 2.0,
            cached_input: 0.5,
            cache_write: 2.0,
            output,
        };
        let arm = Arm {
            name: name("a"),
            capabilities: Default::default(),
            context_tokens: 100_000,
            max_output_tokens: None,
        };
        let endpoint = Endpoint {
            name: name("e"),
            arm: name("a"),
            provider: name("simulated"),
            model: String::new(),
            base_url: String::new(),
            region: None,
            zero_retention: false,
            trains: false,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            prices: vec![price(0, 8.0), price(100, 16.0)],
        };
        Catalogue::new(vec![arm], vec![endpoint]).unwrap()
    }

    /// What twenty attempts lead to expect that each told so many output tokens or so many nano-dollars.
    fn learned(output: Option<u32>, cost: Option<i64>) -> Expected {
        let (params, mut maker) = (params(HOUR), Maker::new());
        let mut learner = Learner::new(&params);
        let (mut records, mut changed) = (Vec::new(), BTreeMap::new());
        for _ in 0..20 {
            let mut decision: Decision = maker.decision(None);
            decision.drawn.reference_cost_usd = vec![REFERENCE_USD; 2];
            let attempt = Attempt {
                decision: decision.id,
                arm: name("a"),
                endpoint: name("e"),
                ended: maker.now,
                latency_ms: None,
                usage: Usage {
                    output,
                    ..Usage::default()
                },
                cost: cost.map(NanoUsd::new),
                error: None,
                reported: true,
                request: None,
                first_token_ms: None,
            };
            let team = name("team");
            records.push(Record::Decision(Box::new(decision)));
            records.push(Record::Attempt { team, attempt });
        }
        for (index, record) in records.iter().enumerate() {
            let at = Position {
                sequence: index as u64 + 1,
                offset: 0,
            };
            let applied = learner.apply(at, record, &params, &records, &mut changed);
            applied.unwrap();
        }
        let snapshot = learner.snapshot(&Snapshot::default(), &changed, &params);
        let snapshot = snapshot.unwrap();
        snapshot.teams["team"].arms["a"].expected.clone()
    }

    /// What 1000 tokens of input are expected to cost, in dollars a million such requests.
    fn cost(learned: &Expected, second: i64, warm: &Warm, most: Option<u32>) -> (f64, f64) {
        let (catalogue, policy) = (catalogue(), DataPolicy::default());
        let need = Need {
            input: InputTokens::counted(1000),
            max_output_tokens: most,
            ..Need::under(&policy)
        };
        let eligible = catalogue.eligible(&need, at(second));
        let pricing = Pricing {
            catalogue: &catalogue,
            eligible: &eligible,
            need: &need,
            warm,
            now: at(second),
        };
        let found = pricing.cost(&eligible.arms[0], learned, &X).unwrap();
        (found.usd * 1e6, found.reference_usd * 1e6)
    }

    fn near(found: f64, expected: f64) {
        let error = (found - expected).abs();
        assert!(error < 1e-9 * expected, "{found}, not {expected}");
    }

    #[test]
    fn an_unknown_arm_costs_256_output_tokens_and_no_answer_is_longer_than_it_can_be() {
        let (nothing, cold) = (learned(None, None), Warm::default());
        // 1000 x 2 + 256 x 8.
        let both = cost(&nothing, 0, &cold, None);
        near(both.0, 4048.0);
        near(both.1, 4048.0);
        let short = cost(&nothing, 0, &cold, Some(10));
        near(short.0, 2080.0);
        near(short.1, 4048.0);
    }

    #[test]
    fn tokens_that_were_learned_are_priced_as_of_now() {
        let (long, cold) = (learned(Some(1000), Some(7)), Warm::default());
        let tokens = long.output_tokens(&X).unwrap();
        assert!((tokens / 1000.0 - 1.0).abs() < 0.1, "{tokens}");
        near(cost(&long, 0, &cold, None).0, 2000.0 + tokens * 8.0);
        near(cost(&long, 100, &cold, None).0, 2000.0 + tokens * 16.0);
        near(cost(&long, 0, &cold, Some(300)).0, 2000.0 + 300.0 * 8.0);
    }

    #[test]
    fn money_that_was_learned_is_a_multiple_of_what_the_reference_costs_now() {
        let (dear, cold) = (learned(None, Some(3000)), Warm::default());
        let ratio = dear.cost_ratio(&X);
        assert!((ratio - 3.0).abs() < 0.1, "{ratio}");
        near(cost(&dear, 0, &cold, None).0, ratio * 4048.0);
        near(cost(&dear, 100, &cold, None).0, ratio * 6096.0);
        // No more than 300 tokens cost: 2000 + 300 x 8.
        near(cost(&dear, 0, &cold, Some(300)).0, 4400.0);
    }

    #[test]
    fn what_the_cache_still_holds_costs_less_whichever_way_the_rest_was_learned() {
        let warmth = Warmth::default();
        let mut maker = Maker::new();
        let mut decision = maker.decision(None);
        (decision.session, decision.input_tokens) = (Some(name("s")), 800);
        warmth.note(&Record::Decision(Box::new(decision)));
        let warm = warmth.of(&name("team"), &name("s"), maker.now);
        let check = |learned: Expected, discount: f64| {
            let cold = cost(&learned, 0, &Warm::default(), None);
            let warm = cost(&learned, 0, &warm, None);
            near(cold.0 - warm.0, discount);
            // 800 x (2 - 0.5).
            near(cold.1 - warm.1, 1200.0);
        };
        check(learned(None, None), 1200.0);
        check(learned(Some(1000), None), 1200.0);
        let dear = learned(None, Some(3000));
        let ratio = dear.cost_ratio(&X);
        check(dear, 1200.0 * ratio);
    }
}
