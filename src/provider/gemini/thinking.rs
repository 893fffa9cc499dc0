//! How long a model is to think.
//!
//! Two ways: Gemini 2.5 takes a budget of tokens; Gemini 3 takes a level, and a budget for the sake of old
//! callers. An endpoint's settings say which.
//!
//! | effort | budget, tokens | level |
//! |---|---|---|
//! | none | 0 | minimal |
//! | minimal | 1,024 | minimal |
//! | low | 1,024 | low |
//! | medium | 8,192 | medium |
//! | high, most | 24,576 | high |
//!
//! Every Gemini 2.5 takes these but 0, which its Pro refuses: it always thinks. Thoughts count as output, so
//! they are within the caller's limit. Whoever asks for an effort gets a summary of the thoughts.
//!
//! Units: tokens.
//!
//! Source: "Thinking" in the Gemini API guides; the budgets are those that Google gives OpenAI's efforts in
//! its own compatible door.

use crate::chat::{Effort, Parameter};
use crate::provider::Prompt;
use serde::Serialize;

/// How an endpoint's model is told to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Thinking {
    /// By a budget of tokens: Gemini 2.5, and 3 too.
    #[default]
    Budget,
    /// By a level: Gemini 3 and later.
    Level,
}

/// The field `thinkingConfig`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    include_thoughts: bool,
}

/// What `prompt` asks for.
pub(super) fn asked(prompt: &Prompt<'_>, way: Thinking) -> Option<Asked> {
    let says = !prompt.leave_out.contains(Parameter::Reasoning);
    let effort = prompt.generation.effort.filter(|_| says)?;
    let (budget, level) = match effort {
        Effort::None => (0, "minimal"),
        Effort::Minimal => (1024, "minimal"),
        Effort::Low => (1024, "low"),
        Effort::Medium => (8192, "medium"),
        Effort::High | Effort::Most => (24_576, "high"),
    };
    Some(Asked {
        thinking_budget: (way == Thinking::Budget).then_some(budget),
        thinking_level: (way == Thinking::Level).then_some(level),
        include_thoughts: effort != Effort::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Generation, Message, Role};

    fn check(effort: Effort, expected: (&str, &str)) {
        let messages = [Message::text(Role::User, "hi")];
        let generation = Generation {
            effort: Some(effort),
            ..Generation::default()
        };
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        let written = |way| serde_json::to_string(&asked(&prompt, way)).unwrap();
        let found = (written(Thinking::Budget), written(Thinking::Level));
        assert_eq!((found.0.as_str(), found.1.as_str()), expected);
    }

    #[test]
    fn an_effort_is_a_budget_or_a_level() {
        check(
            Effort::None,
            (r#"{"thinkingBudget":0}"#, r#"{"thinkingLevel":"minimal"}"#),
        );
        for (effort, budget, level) in [
            (Effort::Minimal, 1024, "minimal"),
            (Effort::Low, 1024, "low"),
            (Effort::Medium, 8192, "medium"),
            (Effort::High, 24_576, "high"),
            (Effort::Most, 24_576, "high"),
        ] {
            let budget = format!(r#"{{"thinkingBudget":{budget},"includeThoughts":true}}"#);
            let level = format!(r#"{{"thinkingLevel":"{level}","includeThoughts":true}}"#);
            check(effort, (&budget, &level));
        }
    }

    #[test]
    fn nothing_is_asked_for_where_nothing_was_said() {
        let messages = [Message::text(Role::User, "hi")];
        assert_eq!(asked(&Prompt::new("m", &messages), Thinking::Budget), None);
    }
}
