//! The configuration that matches an outcome table: its arms, one team, one signal.
//!
//! Prices are made so that a prompt of the table's mean length with 256 output tokens costs the arm's
//! mean cost: a stand-in for what the table does not say, and said so in the file.
//!
//! Not here: reading a configuration (`config`).

use super::error::Error;
use crate::eligibility::REFERENCE_OUTPUT_TOKENS;
use crate::replay::Bench;
use crate::table::OutcomeTable;
use std::fmt::Write;

/// What one full point of quality is worth where the table has no costs.
const QUALITY_USD: f64 = 1.0;

/// The configuration as TOML. `quality_usd` is c_ref / lambda, so that the server's utility is the
/// drive's reward; `dir` is where the server shall keep its data, `policy` how it shall choose.
pub fn configuration(
    table: &OutcomeTable,
    lambda: f64,
    dir: &str,
    policy: &str,
) -> Result<String, Error> {
    let bench = Bench::rewards_only(table, lambda)?;
    let quality_usd = match bench.reference_cost_usd() {
        Some(cost) if lambda > 0.0 => cost / lambda,
        _ => QUALITY_USD,
    };
    let characters: usize = table
        .prompts
        .iter()
        .filter_map(|p| p.text.as_ref())
        .map(|t| t.chars().count())
        .sum();
    let input_tokens = characters as f64 / 4.0 / table.prompts.len().max(1) as f64;
    let mut text = format!(
        "# Made from the outcome table {name}: prices are implied by its mean costs, not list prices.
[server]
listen = \"127.0.0.1:7431\"
open = true  # no keys: loopback only

[store]
dir = {dir:?}
durability = \"group\"

[[teams]]
name = \"drive\"
policy = {policy:?}
explore_floor = 0.02
scorecard_toml = '''
name = \"drive\"
quality_usd = {quality_usd:?}

[[signals]]
name = \"score\"
kind = \"number\"
worst = 0.0
best = 1.0
weight = 1.0
level = \"decision\"
closes_after_hours = 24
missing = \"unknown\"
'''
",
        name = table.name
    );
    for arm in &bench.baselines().arms {
        let name = arm.arm.as_str();
        // Output tokens four times as dear as input tokens, as list prices commonly are.
        let weighted = input_tokens + 4.0 * f64::from(REFERENCE_OUTPUT_TOKENS);
        let input = arm.cost_usd.unwrap_or(0.0) / weighted * 1e6;
        let output = 4.0 * input;
        // Writing to a string has no way to fail.
        let _ = write!(
            text,
            "
[[arms]]
name = {name:?}
context_tokens = 1000000

[[endpoints]]
name = {name:?}
arm = {name:?}
provider = \"simulated\"
model = {name:?}

[[endpoints.prices]]
input_usd_per_million = {input:?}
output_usd_per_million = {output:?}
"
        );
    }
    Ok(text)
}
