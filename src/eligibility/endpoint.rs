//! Endpoints and what they cost.
//!
//! Units: prices in USD per million tokens, costs in USD or nano-dollars.
//!
//! Not here: how many tokens an answer will have (`learn`), how an endpoint is called (`provider`).

use crate::chat::Parameters;
use crate::decision::Usage;
use crate::id::Name;
use crate::unit::{NanoUsd, Timestamp};
use std::time::Duration;

/// Output tokens at which arms are compared before anything is known of their answers, and for which
/// room must be left in the context where the caller states no limit.
pub const REFERENCE_OUTPUT_TOKENS: u32 = 256;

/// A provider deployment that serves an arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Its name.
    pub name: Name,
    /// The arm it serves.
    pub arm: Name,
    /// Wire dialect: `simulated`, `openai`, `azure`, `anthropic` or `gemini`.
    pub provider: Name,
    /// The model's name there.
    pub model: String,
    /// Address of its API; empty for the simulated provider.
    pub base_url: String,
    /// Where the data goes. `None`: not known, so no demand for a region is met.
    pub region: Option<Name>,
    /// Keeps nothing after answering.
    pub zero_retention: bool,
    /// Trains on requests.
    pub trains: bool,
    /// What it is certified for, in the operator's own names, as in `iso27001`.
    pub certifications: Vec<Name>,
    /// What its dialect can express.
    pub expresses: Parameters,
    /// How long it is waited for.
    pub waits: Waits,
    /// Prices, ascending by `from`.
    pub prices: Vec<Price>,
}

/// How long an endpoint is waited for, always within the caller's own deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a connection.
    pub connect: Duration,
    /// For the first piece of a streamed answer.
    pub first_token: Duration,
    /// Between two pieces of a streamed answer.
    pub idle: Duration,
    /// For the whole answer.
    pub total: Duration,
}

impl Default for Waits {
    /// 5 seconds, 60, 60, and 5 minutes: models that think say nothing for long, and a caller who waits ten
    /// minutes (the default) has time left for another road.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            total: Duration::from_secs(300),
        }
    }
}

/// What tokens cost from a moment on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Holds from here until the next price.
    pub from: Timestamp,
    /// USD per million input tokens.
    pub input: f64,
    /// USD per million input tokens read from the provider's cache.
    pub cached_input: f64,
    /// USD per million input tokens written to the provider's cache.
    pub cache_write: f64,
    /// USD per million output tokens.
    pub output: f64,
}

impl Price {
    /// Cost in USD of `input` tokens, `cached` of them from the cache, and `output` tokens (a whole number, or
    /// an expectation).
    ///
    /// ```
    /// use bellwether::{eligibility::Price, unit::Timestamp};
    /// let from = Timestamp::from_micros(0);
    /// let price = Price { from, input: 2.0, cached_input: 0.5, cache_write: 2.0, output: 8.0 };
    /// // 600,000 * 2 + 400,000 * 0.5 + 100,000 * 8 = 2.2 million millionths.
    /// assert!((price.cost_usd(1_000_000, 400_000, 100_000_u32) - 2.2).abs() < 1e-12);
    /// ```
    pub fn cost_usd(&self, input: u32, cached: u32, output: impl Into<f64>) -> f64 {
        let cached = cached.min(input);
        let fresh = f64::from(input - cached);
        let millionths = fresh * self.input
            + f64::from(cached) * self.cached_input
            + output.into() * self.output;
        millionths * 1e-6
    }
}

impl Endpoint {
    /// The price that holds at `now`: the last one that has begun.
    pub fn price(&self, now: Timestamp) -> Option<&Price> {
        self.prices.iter().rev().find(|price| price.from <= now)
    }

    /// What `usage` cost at `now`; `None` without a price or where tokens were not counted.
    pub fn cost(&self, usage: &Usage, now: Timestamp) -> Option<NanoUsd> {
        let (input, output) = (usage.input?, usage.output?);
        let cached = usage.cached_input.unwrap_or(0).min(input);
        let price = self.price(now)?;
        let written = usage.cache_write.unwrap_or(0).min(input - cached);
        let extra = f64::from(written) * (price.cache_write - price.input) * 1e-6;
        NanoUsd::from_usd(price.cost_usd(input, cached, output) + extra).ok()
    }
}

/// Cost in USD of `input_tokens` and [`REFERENCE_OUTPUT_TOKENS`] at `now`; `None` without a price.
///
/// ```
/// use bellwether::eligibility::{Endpoint, Price, reference_cost_usd};
/// use bellwether::{id::Name, unit::Timestamp};
/// let from = Timestamp::from_micros(0);
/// let name = Name::new("a").unwrap();
/// let endpoint = Endpoint {
///     name: name.clone(), arm: name.clone(), provider: name, model: String::new(),
///     base_url: String::new(), region: None, zero_retention: true, trains: false,
///     certifications: Vec::new(),
///     expresses: Default::default(), waits: Default::default(),
///     prices: vec![Price { from, input: 1.0, cached_input: 0.1, cache_write: 1.0, output: 10.0 }],
/// };
/// // (1000 * 1 + 256 * 10) / 1e6
/// let cost = reference_cost_usd(&endpoint, 1000, from).unwrap();
/// assert!((cost - 0.00356).abs() < 1e-15);
/// ```
pub fn reference_cost_usd(endpoint: &Endpoint, input_tokens: u32, now: Timestamp) -> Option<f64> {
    let price = endpoint.price(now)?;
    Some(price.cost_usd(input_tokens, 0, REFERENCE_OUTPUT_TOKENS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn endpoint() -> Endpoint {
        let price = |from, input| Price {
            from: at(from),
            input,
            cached_input: 0.1,
            cache_write: input,
            output: 15.0,
        };
        Endpoint {
            name: Name::new("e").unwrap(),
            arm: Name::new("a").unwrap(),
            provider: Name::new("openai").unwrap(),
            model: "m".into(),
            base_url: String::new(),
            region: None,
            zero_retention: false,
            trains: true,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            prices: vec![price(100, 3.0), price(200, 1.0)],
        }
    }

    fn check(second: i64, input: Option<f64>) {
        assert_eq!(endpoint().price(at(second)).map(|p| p.input), input);
    }

    #[test]
    fn a_price_holds_from_its_moment_until_the_next() {
        check(99, None);
        check(100, Some(3.0));
        check(199, Some(3.0));
        check(200, Some(1.0));
        check(i64::from(u32::MAX), Some(1.0));
    }

    #[test]
    fn usage_costs_whole_nano_dollars_and_nothing_is_guessed() {
        let usage = Usage {
            input: Some(1000),
            cached_input: Some(400),
            output: Some(10),
            ..Usage::default()
        };
        // 600 * 3000 + 400 * 100 + 10 * 15000 nano-dollars.
        let cost = endpoint().cost(&usage, at(100));
        assert_eq!(cost, Some(NanoUsd::new(1_990_000)));
        assert_eq!(endpoint().cost(&usage, at(0)), None);
        // Three hundred of those that were not read were written, at twice the price of reading.
        let mut dearer = endpoint();
        for price in &mut dearer.prices {
            price.cache_write = 2.0 * price.input;
        }
        let written = Usage {
            cache_write: Some(300),
            ..usage
        };
        let cost = |endpoint: &Endpoint, usage| endpoint.cost(usage, at(100)).map(NanoUsd::get);
        let (plain, dear) = (cost(&dearer, &usage), cost(&dearer, &written));
        assert_eq!(dear.zip(plain).map(|(d, p)| d - p), Some(300 * 3000));
        let uncounted = Usage {
            output: None,
            ..usage
        };
        assert_eq!(endpoint().cost(&uncounted, at(100)), None);
    }

    #[test]
    fn no_more_than_the_input_can_come_from_the_cache() {
        let price = endpoint().prices[0];
        assert_eq!(
            price.cost_usd(10, 4_000_000, 0_u32),
            price.cost_usd(10, 10, 0_u32)
        );
    }
}
