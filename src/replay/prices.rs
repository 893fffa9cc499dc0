//! List prices assumed for public tables that record no cost, so that a cost weight means something
//! on them. An assumption, never a measurement: reports say where it was used.
//!
//! Units: USD per million tokens, input then output.
//!
//! Source: SCIENCE 5: cost = (code points / 4 x p_in + 200 x p_out) / 1e6.

/// Output tokens assumed for every answer.
const OUTPUT_TOKENS: f64 = 200.0;

/// Code points of a token, assumed.
const CODE_POINTS_PER_TOKEN: f64 = 4.0;

const PRICES: [(&str, f64, f64); 11] = [
    ("codegemma-7b", 0.20, 0.20),
    ("gemma-2-9b-it", 0.20, 0.20),
    ("gpt-4-1106-preview", 10.0, 30.0),
    ("llama-3.1-8b-instruct", 0.20, 0.20),
    ("llama-3.1-nemotron-51b-instruct", 0.90, 0.90),
    ("llama-3.3-nemotron-super-49b-v1", 0.90, 0.90),
    ("llama3-chatqa-1.5-70b", 0.90, 0.90),
    ("llama3-chatqa-1.5-8b", 0.20, 0.20),
    ("mistral-7b-instruct-v0.3", 0.20, 0.20),
    ("mistralai/Mixtral-8x7B-Instruct-v0.1", 0.24, 0.24),
    ("qwen2.5-7b-instruct", 0.20, 0.20),
];

/// The cost assumed for `arm` to answer `prompt`, in USD; nothing where no price is assumed.
pub(super) fn assumed_cost_usd(arm: &str, prompt: &str) -> Option<f64> {
    let (_, input, output) = PRICES.iter().find(|(name, ..)| *name == arm)?;
    let tokens = prompt.chars().count() as f64 / CODE_POINTS_PER_TOKEN;
    Some((tokens * input + OUTPUT_TOKENS * output) / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_cost_counts_code_points_and_200_output_tokens() {
        // 8 code points are 2 tokens: (2 x 10 + 200 x 30) / 1e6.
        let found = assumed_cost_usd("gpt-4-1106-preview", "äöüßäöüß").unwrap();
        assert!((found - 0.00602).abs() < 1e-12);
        assert_eq!(assumed_cost_usd("gpt-9", "a"), None);
    }
}
