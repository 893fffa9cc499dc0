//! How long a model is to think, and how many tokens that leaves for the answer.
//!
//! Invariants: what is asked for never exceeds the caller's limit of output tokens, thoughts included (a
//! budget of money was held for it); a budget is at least [`LEAST_BUDGET`] and at most half of the limit.
//!
//! Two ways: models up to Claude 4.5 take a budget of tokens, later ones think as much as they find good
//! and are told an effort (Claude 4.6 takes both, newer ones refuse a budget). An endpoint's settings say
//! which.
//!
//! | effort | budget, tokens | effort in the adaptive way |
//! |---|---|---|
//! | none | not asked to think | not asked to think |
//! | minimal | 1,024 | low |
//! | low | 2,048 | low |
//! | medium | 8,192 | medium |
//! | high | 16,384 | high |
//! | most | 24,576 | max |
//!
//! No thinking is asked for where the API would refuse the request for it: where a tool is forced; where
//! the budget does not fit; and, in the way of budgets, where the last call of tools was made by another
//! model (it must begin with a thought that Anthropic signed).
//!
//! Units: tokens.
//!
//! Source: "Extended thinking" and "Adaptive thinking" in the Claude guides. The table is ours.

use super::turns;
use crate::chat::{Effort, Parameter, ToolChoice};
use crate::provider::Prompt;
use serde::Serialize;

/// How an endpoint's model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// By a budget of tokens: models up to Claude 4.6.
    #[default]
    Budget,
    /// By an effort: Claude 4.6 and later.
    Adaptive,
}

/// Output tokens where the caller states no limit, beside those to think with: the API requires a number.
pub(super) const DEFAULT_MAX_TOKENS: u32 = 4096;

/// The least budget that the API takes.
const LEAST_BUDGET: u32 = 1024;

/// The field `thinking`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Asked {
    Enabled { budget_tokens: u32 },
    Adaptive,
}

/// How much to think, and how much to say in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) max_tokens: u32,
    pub(super) thinking: Option<Asked>,
    pub(super) effort: Option<&'static str>,
}

/// The plan for `prompt`.
pub(super) fn plan(prompt: &Prompt<'_>, way: Thinking) -> Plan {
    let most = prompt.max_output_tokens;
    let silent = Plan {
        max_tokens: most.unwrap_or(DEFAULT_MAX_TOKENS),
        thinking: None,
        effort: None,
    };
    let says = !prompt.leave_out.contains(Parameter::Reasoning);
    let asked = prompt.generation.effort.filter(|_| says);
    let row = asked.and_then(row).filter(|_| !forces_a_tool(prompt));
    let Some((budget, effort)) = row else {
        return silent;
    };
    let budget = most.map_or(budget, |most| budget.min(most / 2));
    let max_tokens = most.unwrap_or(DEFAULT_MAX_TOKENS + budget);
    match way {
        Thinking::Adaptive => Plan {
            max_tokens,
            thinking: Some(Asked::Adaptive),
            effort: Some(effort),
        },
        Thinking::Budget
            if budget < LEAST_BUDGET || turns::called_without_thought(prompt.messages) =>
        {
            silent
        }
        Thinking::Budget => Plan {
            max_tokens,
            thinking: Some(Asked::Enabled {
                budget_tokens: budget,
            }),
            effort: None,
        },
    }
}

/// A row of the table: the budget, and the effort in the adaptive way.
const fn row(effort: Effort) -> Option<(u32, &'static str)> {
    match effort {
        Effort::None => None,
        Effort::Minimal => Some((1024, "low")),
        Effort::Low => Some((2048, "low")),
        Effort::Medium => Some((8192, "medium")),
        Effort::High => Some((16_384, "high")),
        Effort::Most => Some((24_576, "max")),
    }
}

fn forces_a_tool(prompt: &Prompt<'_>) -> bool {
    let choice = &prompt.generation.tool_choice;
    let forces = matches!(choice, ToolChoice::Required | ToolChoice::Named(_));
    forces && !prompt.tools.is_empty() && !prompt.leave_out.contains(Parameter::ToolChoice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Generation, Message, Parameters, Role, Tool};

    /// What is planned for `effort` within `most` tokens: the limit, the budget.
    fn check(effort: Effort, most: Option<u32>, expected: (u32, Option<u32>)) {
        let messages = [Message::text(Role::User, "hi")];
        let generation = Generation {
            effort: Some(effort),
            ..Generation::default()
        };
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        prompt.max_output_tokens = most;
        let plan = plan(&prompt, Thinking::Budget);
        let budget = plan.thinking.map(|asked| match asked {
            Asked::Enabled { budget_tokens } => budget_tokens,
            Asked::Adaptive => panic!("a budget was asked for"),
        });
        assert_eq!((plan.max_tokens, budget), expected, "{effort:?} {most:?}");
    }

    #[test]
    fn a_budget_follows_the_table_and_the_answer_has_room_beside_it() {
        check(Effort::None, None, (4096, None));
        check(Effort::Minimal, None, (5120, Some(1024)));
        check(Effort::Low, None, (6144, Some(2048)));
        check(Effort::Medium, None, (12_288, Some(8192)));
        check(Effort::High, None, (20_480, Some(16_384)));
        check(Effort::Most, None, (28_672, Some(24_576)));
    }

    #[test]
    fn a_callers_limit_is_never_passed_for_thinking() {
        check(Effort::High, Some(64_000), (64_000, Some(16_384)));
        check(Effort::High, Some(10_000), (10_000, Some(5000)));
        check(Effort::High, Some(2048), (2048, Some(1024)));
        check(Effort::High, Some(2047), (2047, None));
    }

    #[test]
    fn the_adaptive_way_says_an_effort_and_neither_thinks_where_a_tool_is_forced() {
        let messages = [Message::text(Role::User, "hi")];
        let tools = [Tool {
            name: "find".into(),
            description: String::new(),
            parameters_json_schema: String::new(),
        }];
        let mut generation = Generation::default();
        for (effort, word) in [
            (Effort::None, None),
            (Effort::Minimal, Some("low")),
            (Effort::Low, Some("low")),
            (Effort::Medium, Some("medium")),
            (Effort::High, Some("high")),
            (Effort::Most, Some("max")),
        ] {
            generation.effort = Some(effort);
            let mut prompt = Prompt::new("m", &messages);
            prompt.generation = &generation;
            let planned = plan(&prompt, Thinking::Adaptive);
            assert_eq!(planned.effort, word);
            assert_eq!(planned.thinking.is_some(), word.is_some());
        }
        generation.tool_choice = ToolChoice::Required;
        for way in [Thinking::Budget, Thinking::Adaptive] {
            let mut prompt = Prompt::new("m", &messages);
            prompt.generation = &generation;
            assert!(plan(&prompt, way).thinking.is_some(), "there is no tool");
            prompt.tools = &tools;
            assert_eq!(plan(&prompt, way).thinking, None);
            prompt.leave_out = Parameters::of(&[Parameter::ToolChoice]);
            assert!(plan(&prompt, way).thinking.is_some());
        }
    }
}
