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

/// What one full point of quality is worth where the table has no costs.
const QUALITY_USD: f64 = 1.0;

const HEAD: &str = r#"# Made from the outcome table TABLE: prices are implied by its mean costs, not list prices.
[server]
listen = "127.0.0.1:7431"
open = true  # no keys: loopback only

[store]
dir = DIR
durability = "group"

[[teams]]
name = "drive"
policy = POLICY
explore_floor = 0.02
scorecard_toml = '''
name = "drive"
quality_usd = QUALITY_USD

[[signals]]
name = "score"
kind = "number"
worst = 0.0
best = 1.0
weight = 1.0
level = "decision"
closes_after_hours = 24
missing = "unknown"
'''
"#;

const ARM: &str = r#"
[[arms]]
name = NAME
context_tokens = 1000000

[[endpoints]]
name = NAME
arm = NAME
provider = "simulated"
model = NAME

[[endpoints.prices]]
input_usd_per_million = INPUT
output_usd_per_million = OUTPUT
"#;

/// Where a server for this table keeps its data, unless told otherwise: a folder of its own, for a
/// store that has seen other arms is of no use to it.
pub fn folder(table: &OutcomeTable) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_".contains(c) {
            c
        } else {
            '-'
        }
    };
    let name: String = table.name.chars().map(plain).collect();
    format!("bellwether-drive-{name}")
}

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
    let mut text = HEAD
        .replace("TABLE", &table.name)
        .replace("DIR", &quoted(dir))
        .replace("POLICY", &quoted(policy))
        .replace("QUALITY_USD", &format!("{quality_usd:?}"));
    // Output tokens four times as dear as input tokens, as list prices commonly are.
    let weighted = mean_input_tokens(table) + 4.0 * f64::from(REFERENCE_OUTPUT_TOKENS);
    for arm in &bench.baselines().arms {
        let input = arm.cost_usd.unwrap_or(0.0) / weighted * 1e6;
        let filled = ARM
            .replace("INPUT", &format!("{input:?}"))
            .replace("OUTPUT", &format!("{:?}", 4.0 * input))
            .replace("NAME", &quoted(arm.arm.as_str()));
        text.push_str(&filled);
    }
    Ok(text)
}

fn mean_input_tokens(table: &OutcomeTable) -> f64 {
    let texts = table
        .prompts
        .iter()
        .filter_map(|prompt| prompt.text.as_ref());
    let characters: usize = texts.map(|text| text.chars().count()).sum();
    characters as f64 / 4.0 / table.prompts.len().max(1) as f64
}

/// A string as TOML writes it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
