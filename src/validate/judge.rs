//! An answer held to its checks.
//!
//! Invariants: one verdict for each check, in the order asked; the text is parsed at most once, whatever is
//! asked of it.
//!
//! Not here: mending (`mend`), what a failed check leads to (`complete`).

use super::cache::Validators;
use super::check::{Asked, Check, Finish, Judged, Reason, Verdict};
use super::{json, refusal};
use crate::chat::{Message, ResponseFormat, Tool, ToolCall};
use serde_json::Value;
use std::borrow::Cow;
use std::cell::OnceCell;

/// Holds `answer`, which ended by `finish`, to `checks`.
///
/// ```
/// use bellwether::chat::{Message, ResponseFormat, Role};
/// use bellwether::validate::{Asked, Check, Finish, Validators, judge};
///
/// let schema = r#"{"required":["city"],"properties":{"city":{"type":"string"}}}"#;
/// let format = ResponseFormat::JsonSchema(schema.into());
/// let asked = Asked { format: &format, tools: &[] };
/// let checks = [Check::JsonSchema, Check::NotTruncated];
/// let answer = Message::text(Role::Assistant, r#"{"city":7}"#);
/// let judged = judge(&answer, Finish::Other, &checks, asked, &Validators::default());
/// assert!(!judged[0].verdict.passed() && judged[1].verdict.passed());
/// ```
pub fn judge<'c>(
    answer: &Message,
    finish: Finish,
    checks: &'c [Check],
    asked: Asked<'_>,
    validators: &Validators,
) -> Vec<Judged<'c>> {
    let heard = Heard {
        message: answer,
        finish,
        text: text_of(answer),
        value: OnceCell::new(),
        asked,
        validators,
    };
    let judged = checks.iter().map(|check| Judged {
        check,
        verdict: Verdict::from(heard.hold(check)),
    });
    judged.collect()
}

/// An answer, with what is known of it so far.
struct Heard<'a> {
    message: &'a Message,
    finish: Finish,
    /// None where it calls tools and says nothing.
    text: Option<Cow<'a, str>>,
    value: OnceCell<Result<Value, Reason>>,
    asked: Asked<'a>,
    validators: &'a Validators,
}

impl Heard<'_> {
    fn hold(&self, check: &Check) -> Result<(), Reason> {
        let text = self.text.as_deref().unwrap_or_default();
        match check {
            Check::Json => self.json(),
            Check::JsonSchema => self.json_schema(),
            Check::ToolArguments => self.tool_arguments(),
            Check::NotRefusal => self.not_refusal(),
            Check::NotTruncated if self.finish == Finish::Length => Err(Reason::Truncated),
            Check::Matches(pattern) if !pattern.found_in(text) => Err(Reason::NoMatch),
            Check::MatchesNot(pattern) if pattern.found_in(text) => Err(Reason::Match),
            Check::NotTruncated | Check::Matches(_) | Check::MatchesNot(_) => Ok(()),
        }
    }

    /// The text as JSON; None where nothing is said.
    fn value(&self) -> Result<Option<&Value>, Reason> {
        let Some(text) = &self.text else {
            return Ok(None);
        };
        match self.value.get_or_init(|| json::parse(text)) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => Err(reason.clone()),
        }
    }

    fn json(&self) -> Result<(), Reason> {
        let object = *self.asked.format == ResponseFormat::JsonObject;
        match self.value()? {
            Some(value) if object && !value.is_object() => Err(Reason::NotObject),
            _ => Ok(()),
        }
    }

    fn json_schema(&self) -> Result<(), Reason> {
        let ResponseFormat::JsonSchema(schema) = self.asked.format else {
            return Ok(());
        };
        match self.value()? {
            Some(value) => self.validators.get(schema)?.check(value),
            None => Ok(()),
        }
    }

    fn tool_arguments(&self) -> Result<(), Reason> {
        for (call, made) in self.message.tool_calls.iter().enumerate() {
            let mut tools = self.asked.tools.iter();
            let tool = tools
                .find(|tool| tool.name == made.name)
                .ok_or(Reason::UnknownTool { call })?;
            arguments(made, tool, self.validators).map_err(|reason| Reason::Arguments {
                call,
                reason: Box::new(reason),
            })?;
        }
        Ok(())
    }

    fn not_refusal(&self) -> Result<(), Reason> {
        if self.finish == Finish::ContentFilter {
            return Err(Reason::Filtered);
        }
        let calls = !self.message.tool_calls.is_empty();
        match &self.text {
            Some(text) if !calls && refusal::is_refusal(text) => Err(Reason::Refused),
            _ => Ok(()),
        }
    }
}

fn arguments(call: &ToolCall, tool: &Tool, validators: &Validators) -> Result<(), Reason> {
    let value = json::parse(&call.arguments_json)?;
    if !value.is_object() {
        return Err(Reason::NotObject);
    }
    if tool.parameters_json_schema.is_empty() {
        return Ok(());
    }
    let schema = validators.get(&tool.parameters_json_schema)?;
    schema.check(&value)
}

/// What the answer says, its text parts joined; None where it calls tools and says nothing.
pub(super) fn text_of(message: &Message) -> Option<Cow<'_, str>> {
    let mut texts = message.texts();
    let first = texts.next().unwrap_or_default();
    let mut text = Cow::Borrowed(first);
    for more in texts {
        text.to_mut().push_str(more);
    }
    let silent = text.trim().is_empty() && !message.tool_calls.is_empty();
    (!silent).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ContentPart, Role};
    use crate::validate::{Pattern, Violation};

    const SCHEMA: &str =
        r#"{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}"#;

    fn tools() -> [Tool; 2] {
        let tool = |name: &str, schema: &str| Tool {
            name: name.into(),
            description: String::new(),
            parameters_json_schema: schema.into(),
        };
        [tool("count", SCHEMA), tool("now", "")]
    }

    fn calling(calls: &[(&str, &str)]) -> Message {
        let call = |(name, arguments): &(&str, &str)| ToolCall {
            id: "c".into(),
            name: (*name).into(),
            arguments_json: (*arguments).into(),
        };
        Message {
            content: Vec::new(),
            tool_calls: calls.iter().map(call).collect(),
            ..said("")
        }
    }

    fn said(text: &str) -> Message {
        Message::text(Role::Assistant, text)
    }

    fn check_as(
        answer: &Message,
        finish: Finish,
        format: ResponseFormat,
        check: Check,
        expected: Result<(), Reason>,
    ) {
        let validators = Validators::default();
        let asked = Asked {
            format: &format,
            tools: &tools(),
        };
        let checks = [Check::NotTruncated, check];
        let judged = judge(answer, finish, &checks, asked, &validators);
        assert_eq!(judged.len(), 2);
        assert_eq!(judged[1].check, &checks[1]);
        assert_eq!(judged[1].verdict, Verdict::from(expected), "{answer:?}");
    }

    fn check(answer: &Message, format: ResponseFormat, check: Check, expected: Result<(), Reason>) {
        check_as(answer, Finish::Other, format, check, expected);
    }

    #[test]
    fn json_is_any_value_and_an_object_where_one_was_asked_for() {
        let object = ResponseFormat::JsonObject;
        check(&said(" [1] "), ResponseFormat::Text, Check::Json, Ok(()));
        check(
            &said("[1]"),
            object.clone(),
            Check::Json,
            Err(Reason::NotObject),
        );
        check(&said("{}"), object.clone(), Check::Json, Ok(()));
        let broken = Reason::NotJson { line: 1, column: 1 };
        check(&said("Here: {}"), object.clone(), Check::Json, Err(broken));
        check(
            &said(&"[".repeat(100_000)),
            object.clone(),
            Check::Json,
            Err(Reason::TooDeep),
        );
        check(&calling(&[("now", "{}")]), object, Check::Json, Ok(()));
    }

    #[test]
    fn a_text_in_parts_is_read_as_one() {
        let mut answer = said("{\"n\":");
        answer.content.push(ContentPart::Text("1}".into()));
        let format = ResponseFormat::JsonSchema(SCHEMA.into());
        check(&answer, format.clone(), Check::JsonSchema, Ok(()));
        check(&answer, format, Check::Json, Ok(()));
    }

    #[test]
    fn a_text_is_held_to_the_schema_that_was_asked_for() {
        let asked = || ResponseFormat::JsonSchema(SCHEMA.into());
        check(&said("{\"n\":1}"), asked(), Check::JsonSchema, Ok(()));
        let places = vec![Violation::new("/n", "type")];
        let broken = Err(Reason::Violations(places));
        check(&said("{\"n\":\"one\"}"), asked(), Check::JsonSchema, broken);
        check(&said("no"), ResponseFormat::Text, Check::JsonSchema, Ok(()));
        let remote = ResponseFormat::JsonSchema("{\"$ref\":\"https://example.org\"}".into());
        let reason = Reason::Schema(crate::validate::SchemaError::Remote);
        check(&said("{}"), remote, Check::JsonSchema, Err(reason));
    }

    #[test]
    fn a_tool_call_names_an_offered_tool_and_its_arguments_fit() {
        let of = |calls: &[(&str, &str)], expected| {
            let answer = calling(calls);
            check(
                &answer,
                ResponseFormat::Text,
                Check::ToolArguments,
                expected,
            );
        };
        let wrong = |call, reason| {
            let reason = Box::new(reason);
            Err(Reason::Arguments { call, reason })
        };
        of(&[("count", "{\"n\":1}"), ("now", "{}")], Ok(()));
        of(&[("now", "{\"x\":1}")], Ok(()));
        of(
            &[("now", "{}"), ("drop", "{}")],
            Err(Reason::UnknownTool { call: 1 }),
        );
        of(&[("now", "[]")], wrong(0, Reason::NotObject));
        of(
            &[("now", "{")],
            wrong(0, Reason::NotJson { line: 1, column: 1 }),
        );
        let missing = Reason::Violations(vec![Violation::new("", "required")]);
        of(&[("count", "{}")], wrong(0, missing));
    }

    #[test]
    fn a_refusal_is_told_by_its_finish_or_its_first_words() {
        let no = said("I'm sorry, but I can't help with that.");
        let text = || ResponseFormat::Text;
        check(&no, text(), Check::NotRefusal, Err(Reason::Refused));
        let filtered = Err(Reason::Filtered);
        check_as(
            &said("x"),
            Finish::ContentFilter,
            text(),
            Check::NotRefusal,
            filtered,
        );
        let mut calls = calling(&[("now", "{}")]);
        calls.content = no.content;
        check(&calls, text(), Check::NotRefusal, Ok(()));
    }

    #[test]
    fn an_answer_that_met_the_limit_is_truncated() {
        let text = || ResponseFormat::Text;
        let cut = Err(Reason::Truncated);
        check_as(&said("x"), Finish::Length, text(), Check::NotTruncated, cut);
        check(&said("x"), text(), Check::NotTruncated, Ok(()));
    }

    #[test]
    fn a_pattern_of_the_operator_is_sought_in_the_text() {
        let found = || Pattern::new("^[A-D]$").unwrap();
        let text = || ResponseFormat::Text;
        check(&said("B"), text(), Check::Matches(found()), Ok(()));
        check(
            &said("E"),
            text(),
            Check::Matches(found()),
            Err(Reason::NoMatch),
        );
        check(
            &said("B"),
            text(),
            Check::MatchesNot(found()),
            Err(Reason::Match),
        );
        check(&said("E"), text(), Check::MatchesNot(found()), Ok(()));
    }
}
