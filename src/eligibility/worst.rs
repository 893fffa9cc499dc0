//! What a request costs at worst: what a hard limit holds.
//!
//! It is as many input tokens as there can be ([`TokenBound`]), none of them from the cache and all of them at the
//! dearer of the price to read and the price to keep for later, and as many output tokens as can be billed.
//!
//! What can be billed as output is what the provider is told as the most, thoughts included: the OpenAI dialect's
//! `max_completion_tokens` (and the `max_tokens` of servers that reason), Anthropic's `max_tokens`, of which a budget to
//! think is a part, and Gemini's `maxOutputTokens` each end thoughts and words together. We tell it where the caller
//! or the arm's configuration says one, the lesser of both. Where neither does, nothing but the arm's context
//! ends an answer, so the whole context is held for: configure `max_output_tokens`, or say it. A configured
//! `context_tokens` below the model's own is taken at its word, and is then no bound.
//!
//! Invariants: the more there can be, the more is held; what [`Endpoint::cost`](super::Endpoint::cost) makes of a usage within the bounds is
//! never more.
//!
//! Not here: prices that depend on what is asked (long prompts, sound in and out, a dearer tier of service, calls of
//! the provider's own tools: who passes such parameters on unread is charged what it says it cost), what is
//! expected (`route::cost`).
//!
//! Source: OpenAI, "Reasoning models" (`max_completion_tokens`: visible and reasoning tokens); Anthropic, "Extended
//! thinking" (`budget_tokens` below `max_tokens`); googleapis/python-genai issue 2062, of Gemini 2.5 and 3 (the two
//! together end at `maxOutputTokens`, though `thoughtsTokenCount` is told beside `candidatesTokenCount`).

use super::catalogue::{Arm, Catalogue};
use super::choice::EligibleArm;
use super::endpoint::Endpoint;
use super::need::Need;
use crate::chat::TokenBound;
use crate::unit::{NanoUsd, Timestamp};

impl Arm {
    /// Most output tokens that can be billed where the caller accepts at most `asked`: what the provider is told,
    /// or else all that the context holds.
    pub fn output_bound(&self, asked: Option<u32>) -> TokenBound {
        let told = [asked, self.max_output_tokens].into_iter().flatten().min();
        TokenBound::new(told.unwrap_or(self.context_tokens))
    }
}

/// What a request of at most `input` tokens costs at most at an endpoint of `arm`, where the caller accepts at most
/// `asked` output tokens; `None` without a price. A prompt beyond the arm's context is refused at no cost.
pub fn worst_case(
    (arm, endpoint): (&Arm, &Endpoint),
    input: TokenBound,
    asked: Option<u32>,
    now: Timestamp,
) -> Option<NanoUsd> {
    let price = endpoint.price(now)?;
    let input = input.at_most(arm.context_tokens).get();
    let output = arm.output_bound(asked).get();
    let usd = price.cost_usd(input, 0, output);
    let dearest = price.cache_write.max(price.cached_input);
    let more = (dearest - price.input).max(0.0);
    NanoUsd::from_usd(usd + f64::from(input) * more * 1e-6).ok()
}

/// Most output tokens that so much money pays for beside `input` tokens, each at its dearest, and at least one;
/// `None` where it pays for all that there can be, or without a price.
pub fn paid_output(
    (arm, endpoint): (&Arm, &Endpoint),
    input: TokenBound,
    money: NanoUsd,
    now: Timestamp,
) -> Option<u32> {
    let pays = |output| {
        let worst = worst_case((arm, endpoint), input, Some(output), now)?;
        Some(worst <= money)
    };
    let (mut paid, mut unpaid) = (0, arm.output_bound(None).get());
    if pays(unpaid)? {
        return None;
    }
    // Between the two lies the answer: 32 halves at most.
    while unpaid - paid > 1 {
        let middle = paid + (unpaid - paid) / 2;
        match pays(middle)? {
            true => paid = middle,
            false => unpaid = middle,
        }
    }
    Some(paid.max(1))
}

impl Catalogue {
    /// What the request costs at most at the endpoint at `place` of an eligible arm: [`worst_case`].
    pub fn worst_case(
        &self,
        arm: &EligibleArm,
        place: usize,
        need: &Need<'_>,
        now: Timestamp,
    ) -> Option<NanoUsd> {
        let (arm, endpoint) = (self.arms.get(arm.arm)?, self.endpoints.get(place)?);
        let bound = need.input.bound();
        worst_case((arm, endpoint), bound, need.max_output_tokens, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Usage;
    use crate::eligibility::Price;
    use crate::id::Name;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn arm(max_output_tokens: Option<u32>) -> Arm {
        Arm {
            name: Name::new("a").unwrap(),
            capabilities: Default::default(),
            context_tokens: 10_000,
            max_output_tokens,
        }
    }

    /// At these prices in, cached, kept for later and out, in nano-dollars a token.
    fn endpoint([input, cached_input, cache_write, output]: [u32; 4]) -> Endpoint {
        let usd = |nano: u32| f64::from(nano) / 1e3;
        let name = Name::new("a").unwrap();
        Endpoint {
            name: name.clone(),
            arm: name.clone(),
            provider: name,
            model: String::new(),
            base_url: String::new(),
            region: None,
            zero_retention: true,
            trains: false,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            prices: vec![Price {
                from: NOW,
                input: usd(input),
                cached_input: usd(cached_input),
                cache_write: usd(cache_write),
                output: usd(output),
            }],
        }
    }

    fn check(
        most: Option<u32>,
        asked: Option<u32>,
        (input, prices): (u32, [u32; 4]),
        expected: i64,
    ) {
        let (arm, endpoint) = (arm(most), endpoint(prices));
        let found = worst_case((&arm, &endpoint), TokenBound::new(input), asked, NOW);
        assert_eq!(found.map(NanoUsd::get), Some(expected));
    }

    #[test]
    fn every_token_counts_at_its_dearest_and_no_more_than_the_context_holds() {
        let plain = [1000, 100, 1000, 5000];
        check(None, Some(20), (10, plain), 10_000 + 100_000);
        check(
            None,
            Some(20),
            (10, [1000, 100, 1250, 5000]),
            12_500 + 100_000,
        );
        check(
            None,
            Some(20),
            (10, [1000, 2000, 500, 5000]),
            20_000 + 100_000,
        );
        check(None, Some(20), (1_000_000, plain), 10_000_000 + 100_000);
    }

    #[test]
    fn output_is_what_the_provider_is_told_or_else_all_that_the_context_holds() {
        let free = (0, [0, 0, 0, 1]);
        check(Some(300), Some(20), free, 20);
        check(Some(300), Some(400), free, 300);
        check(Some(300), None, free, 300);
        check(None, Some(400), free, 400);
        check(None, None, free, 10_000);
    }

    #[test]
    fn without_a_price_nothing_can_be_said() {
        let mut endpoint = endpoint([1; 4]);
        endpoint.prices.clear();
        let input = TokenBound::new(1);
        assert_eq!(worst_case((&arm(None), &endpoint), input, None, NOW), None);
    }

    proptest! {
        #[test]
        fn the_output_that_money_pays_for_is_the_most_that_it_pays_for(
            prices in prop::array::uniform4(0_u32..100_000),
            input in 0_u32..20_000,
            money in 0_i64..1_000_000_000_000,
        ) {
            let (arm, endpoint) = (arm(Some(4_000)), endpoint(prices));
            let (money, input) = (NanoUsd::new(money), TokenBound::new(input));
            let cost = |output| worst_case((&arm, &endpoint), input, Some(output), NOW).unwrap();
            match paid_output((&arm, &endpoint), input, money, NOW) {
                None => prop_assert!(cost(4_000) <= money),
                Some(paid) => {
                    prop_assert!(cost(paid) <= money || paid == 1);
                    prop_assert!(cost(paid + 1) > money);
                }
            }
        }

        #[test]
        fn no_usage_within_the_bounds_costs_more(
            prices in prop::array::uniform4(0_u32..100_000),
            most in (0_u32..10_000, 1_u32..10_000),
            told in (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>()),
        ) {
            let (arm, endpoint) = (arm(None), endpoint(prices));
            let within = |told: u32, most: u32| told % (most + 1);
            let input = within(told.0, most.0);
            let cached = within(told.1, input);
            let usage = Usage {
                input: Some(input),
                cached_input: Some(cached),
                output: Some(within(told.2, most.1)),
                cache_write: Some(within(told.3, input - cached)),
                ..Usage::default()
            };
            let worst = worst_case((&arm, &endpoint), TokenBound::new(most.0), Some(most.1), NOW);
            prop_assert!(endpoint.cost(&usage, NOW) <= worst, "{usage:?}");
        }
    }
}
