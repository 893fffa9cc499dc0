//! How to answer, as OpenAI's body says it.
//!
//! Invariants: those of [`Generation`].
//!
//! Not here: messages and tools (`message`), which arm answers (`routing`).

use super::json::Texts;
use crate::chat::{Effort, Extra, Generation, ToolChoice};
use crate::field::Fields;
use crate::path::Path;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::borrow::Cow;

const EXTRAS: usize = 64;
const EXTRA_BYTES: usize = 128;

/// What is said of it.
#[derive(Debug, Default)]
pub(super) struct SaidGeneration<'a> {
    pub(super) temperature: Option<f64>,
    pub(super) top_p: Option<f64>,
    pub(super) n: Option<i64>,
    pub(super) stop: Option<Texts>,
    pub(super) seed: Option<i64>,
    pub(super) presence_penalty: Option<f64>,
    pub(super) frequency_penalty: Option<f64>,
    pub(super) reasoning_effort: Option<Cow<'a, str>>,
    pub(super) reasoning: Option<SaidReasoning>,
    pub(super) tool_choice: Option<SaidChoice>,
    pub(super) parallel_tool_calls: Option<bool>,
    pub(super) max_tokens: Option<i64>,
    pub(super) max_completion_tokens: Option<i64>,
    pub(super) modalities: Option<Vec<String>>,
    pub(super) extra: Vec<Extra>,
}

/// OpenRouter's `reasoning`.
#[derive(Debug, Deserialize)]
pub(super) struct SaidReasoning {
    effort: Option<String>,
    enabled: Option<bool>,
    max_tokens: Option<IgnoredAny>,
    exclude: Option<bool>,
}

/// Which tool to call.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum SaidChoice {
    Word(String),
    Named {
        #[serde(rename = "type")]
        kind: String,
        function: Option<SaidName>,
    },
}

#[derive(Debug, Deserialize)]
pub(super) struct SaidName {
    name: String,
}

/// How to answer, and the most output tokens.
pub(super) fn generation(
    fields: &mut Fields,
    said: SaidGeneration<'_>,
    strict: bool,
) -> (Generation, Option<u32>) {
    let root = Path::Root;
    if said.n.is_some_and(|n| n != 1) {
        fields.refuse("n", "is not 1: allowed 1 answer a call");
    }
    if said.modalities.is_some_and(|m| m != ["text"]) {
        fields.refuse("modalities", "is more than text: allowed [\"text\"]");
    }
    let most = [
        fields.tokens("max_tokens", said.max_tokens, 1),
        fields.tokens("max_completion_tokens", said.max_completion_tokens, 1),
    ];
    let penalty = -2.0..=2.0;
    let effort = effort(fields, said.reasoning_effort.as_deref(), said.reasoning);
    extras(fields, &said.extra);
    let generation = Generation {
        temperature: fields.number("temperature", said.temperature, 0.0..=2.0),
        top_p: fields.number("top_p", said.top_p, 0.0..=1.0),
        stop: stops(fields, root.field("stop"), said.stop),
        seed: said.seed,
        presence_penalty: fields.number("presence_penalty", said.presence_penalty, penalty.clone()),
        frequency_penalty: fields.number("frequency_penalty", said.frequency_penalty, penalty),
        effort,
        tool_choice: tool_choice(fields, root.field("tool_choice"), said.tool_choice),
        parallel_tool_calls: said.parallel_tool_calls,
        strict,
        extra: said.extra,
    };
    (generation, most.into_iter().flatten().min())
}

fn stops(fields: &mut Fields, at: Path<'_>, said: Option<Texts>) -> Vec<String> {
    let stops = said.map(|texts| texts.0).unwrap_or_default();
    if !fields.count(at, stops.len(), 0..=Generation::MAX_STOPS) {
        return Vec::new();
    }
    for (i, stop) in stops.iter().enumerate() {
        fields.bytes(at.index(i), stop, 1..=Generation::MAX_STOP_BYTES);
    }
    stops
}

fn effort(
    fields: &mut Fields,
    word: Option<&str>,
    reasoning: Option<SaidReasoning>,
) -> Option<Effort> {
    let at = Path::Root.field("reasoning");
    let mut within = None;
    if let Some(said) = reasoning {
        if said.max_tokens.is_some() {
            fields.refuse(at.field("max_tokens"), "is not supported: allowed `effort`");
        }
        if said.exclude == Some(true) {
            fields.refuse(at.field("exclude"), "is not supported: allowed false");
        }
        let off = (said.enabled == Some(false)).then_some(Effort::None);
        let effort = said.effort.as_deref();
        within = off.or_else(|| named(fields, at.field("effort"), effort?));
    }
    let said = word.and_then(|word| named(fields, Path::Root.field("reasoning_effort"), word));
    said.or(within)
}

fn named(fields: &mut Fields, at: Path<'_>, word: &str) -> Option<Effort> {
    let found = Effort::ALL.into_iter().find(|(known, _)| *known == word);
    if found.is_none() {
        let words = Effort::ALL.map(|(word, _)| word).join(", ");
        fields.refuse(at, format_args!("is unknown: allowed {words}"));
    }
    found.map(|(_, effort)| effort)
}

fn tool_choice(fields: &mut Fields, at: Path<'_>, said: Option<SaidChoice>) -> ToolChoice {
    match said {
        None => return ToolChoice::Auto,
        Some(SaidChoice::Word(word)) => match word.as_str() {
            "auto" => return ToolChoice::Auto,
            "none" => return ToolChoice::None,
            "required" => return ToolChoice::Required,
            _ => {}
        },
        Some(SaidChoice::Named {
            kind,
            function: Some(SaidName { name }),
        }) if kind == "function" => {
            fields.name(at.field("function").field("name"), &name);
            return ToolChoice::Named(name);
        }
        Some(SaidChoice::Named { .. }) => {}
    }
    let problem = "is unknown: allowed auto, none, required, {\"type\": \"function\", \"function\": {\"name\": ..}}";
    fields.refuse(at, problem);
    ToolChoice::Auto
}

fn extras(fields: &mut Fields, extra: &[Extra]) {
    let long = extra.iter().any(|extra| extra.name.len() > EXTRA_BYTES);
    if long {
        let problem = format_args!("have a name of more than {EXTRA_BYTES} bytes");
        fields.refuse("other parameters", problem);
    }
    fields.count("other parameters", extra.len(), 0..=EXTRAS);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::testing::violations;

    fn check(change: impl FnOnce(&mut SaidGeneration<'_>), bad: &[&str]) {
        let mut said = SaidGeneration::default();
        change(&mut said);
        let mut fields = Fields::default();
        generation(&mut fields, said, false);
        let found = fields
            .finish(Some(()))
            .map_or_else(violations, |()| Vec::new());
        assert_eq!(found, bad);
    }

    fn reasoning(json: &str) -> Option<SaidReasoning> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_bad_setting_is_named_with_what_is_allowed() {
        check(|_| {}, &[]);
        check(|s| s.n = Some(1), &[]);
        check(|s| s.n = Some(2), &["n: is not 1: allowed 1 answer a call"]);
        check(
            |s| s.temperature = Some(2.1),
            &["temperature: is 2.1: allowed 0 to 2"],
        );
        check(
            |s| s.top_p = Some(-0.1),
            &["top_p: is -0.1: allowed 0 to 1"],
        );
        check(
            |s| s.presence_penalty = Some(3.0),
            &["presence_penalty: is 3: allowed -2 to 2"],
        );
        check(
            |s| s.max_tokens = Some(0),
            &["max_tokens: is 0: allowed 1 to 100000000"],
        );
        let stops = |n: usize| Some(Texts(vec!["x".to_owned(); n]));
        check(
            |s| s.stop = stops(17),
            &["stop: has 17 entries: allowed 0 to 16"],
        );
        let empty = Some(Texts(vec![String::new()]));
        check(
            |s| s.stop = empty,
            &["stop[0]: has 0 bytes: allowed 1 to 1024"],
        );
        check(
            |s| s.reasoning_effort = Some("very".into()),
            &["reasoning_effort: is unknown: allowed none, minimal, low, medium, high, xhigh"],
        );
        check(
            |s| s.reasoning = reasoning(r#"{"max_tokens":2000,"exclude":true}"#),
            &[
                "reasoning.max_tokens: is not supported: allowed `effort`",
                "reasoning.exclude: is not supported: allowed false",
            ],
        );
        let audio = || Some(vec!["text".to_owned(), "audio".to_owned()]);
        check(
            |s| s.modalities = audio(),
            &["modalities: is more than text: allowed [\"text\"]"],
        );
    }

    #[test]
    fn a_tool_is_chosen_by_word_or_by_name() {
        let choice = |json: &str| {
            let mut fields = Fields::default();
            let said = serde_json::from_str(json).unwrap();
            let found = tool_choice(&mut fields, Path::Root.field("tool_choice"), Some(said));
            fields.finish(Some(found)).ok()
        };
        assert_eq!(choice(r#""auto""#), Some(ToolChoice::Auto));
        assert_eq!(choice(r#""required""#), Some(ToolChoice::Required));
        let named = r#"{"type":"function","function":{"name":"find"}}"#;
        assert_eq!(choice(named), Some(ToolChoice::Named("find".into())));
        assert_eq!(choice(r#"{"type":"allowed_tools"}"#), None);
        assert_eq!(choice(r#""any""#), None);
    }

    #[test]
    fn an_effort_is_said_in_openais_words_or_openrouters() {
        let effort = |word: Option<&str>, json: &str| {
            super::effort(&mut Fields::default(), word, reasoning(json))
        };
        assert_eq!(effort(Some("low"), "null"), Some(Effort::Low));
        assert_eq!(effort(None, r#"{"effort":"high"}"#), Some(Effort::High));
        assert_eq!(effort(None, r#"{"enabled":false}"#), Some(Effort::None));
        assert_eq!(
            effort(Some("low"), r#"{"effort":"high"}"#),
            Some(Effort::Low)
        );
    }

    #[test]
    fn of_two_output_limits_the_smaller_holds() {
        let said = SaidGeneration {
            max_tokens: Some(100),
            max_completion_tokens: Some(50),
            ..SaidGeneration::default()
        };
        assert_eq!(generation(&mut Fields::default(), said, false).1, Some(50));
    }
}
