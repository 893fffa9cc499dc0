//! An answer whose JSON is nearly right, mended.
//!
//! Invariants: an answer is handed back only if it then passes every JSON check; what was right is not touched. The
//! arguments of a tool call that were cut off are not completed: half a path or a command must not be run.
//!
//! Not here: whether to mend or to ask again (`complete`).

use super::cache::Validators;
use super::check::{Asked, Check, Finish};
use super::json;
use super::judge::{judge, text_of};
use super::repair::{repair, repair_whole};
use crate::chat::{ContentPart, Message, ResponseFormat};

/// Mends the text, where JSON was asked for, and the arguments of tool calls. None where there is nothing to
/// mend, or where what comes of it fails [`Check::Json`], [`Check::JsonSchema`] or [`Check::ToolArguments`].
///
/// ```
/// use bellwether::chat::{Message, ResponseFormat, Role};
/// use bellwether::validate::{Asked, Validators, repair_answer};
///
/// let asked = Asked { format: &ResponseFormat::JsonObject, tools: &[] };
/// let answer = Message::text(Role::Assistant, "Sure: {\"a\": 1}");
/// let mended = repair_answer(&answer, asked, &Validators::default()).unwrap();
/// assert_eq!(mended, Message::text(Role::Assistant, "{\"a\": 1}"));
/// ```
pub fn repair_answer(
    answer: &Message,
    asked: Asked<'_>,
    validators: &Validators,
) -> Option<Message> {
    let mut mended = answer.clone();
    let mut changed = false;
    if *asked.format != ResponseFormat::Text
        && let Some(text) = text_of(answer)
        && json::parse(&text).is_err()
    {
        say(&mut mended, repair(&text)?);
        changed = true;
    }
    for call in &mut mended.tool_calls {
        if json::parse(&call.arguments_json).is_err() {
            call.arguments_json = repair_whole(&call.arguments_json)?;
            changed = true;
        }
    }
    if !changed {
        return None;
    }
    let checks: &[Check] = match asked.format {
        // Free text is not held to be JSON.
        ResponseFormat::Text => &[Check::ToolArguments],
        _ => &[Check::Json, Check::JsonSchema, Check::ToolArguments],
    };
    let judged = judge(&mended, Finish::Other, checks, asked, validators);
    judged
        .iter()
        .all(|judged| judged.verdict.passed())
        .then_some(mended)
}

/// Puts `text` in the place of all texts.
fn say(message: &mut Message, text: String) {
    let text = ContentPart::Text(text);
    message
        .content
        .retain(|part| !matches!(part, ContentPart::Text(_)));
    message.content.insert(0, text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Role, Tool, ToolCall};

    const SCHEMA: &str =
        r#"{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}"#;

    fn check(text: &str, arguments: &str, format: ResponseFormat, expected: Option<(&str, &str)>) {
        let tools = [Tool {
            name: "count".into(),
            description: String::new(),
            parameters_json_schema: SCHEMA.into(),
        }];
        let asked = Asked {
            format: &format,
            tools: &tools,
        };
        let mut answer = Message::text(Role::Assistant, text);
        if !arguments.is_empty() {
            answer.tool_calls.push(ToolCall {
                id: "c".into(),
                name: "count".into(),
                arguments_json: arguments.into(),
            });
        }
        let mended = repair_answer(&answer, asked, &Validators::default());
        let expected = expected.map(|(text, arguments)| {
            let mut message = answer.clone();
            message.content = vec![ContentPart::Text(text.into())];
            for call in &mut message.tool_calls {
                call.arguments_json = arguments.into();
            }
            message
        });
        assert_eq!(mended, expected, "{text} {arguments}");
    }

    #[test]
    fn an_answer_is_mended_only_to_what_was_asked_for() {
        let asked = || ResponseFormat::JsonSchema(SCHEMA.into());
        check(
            "```json\n{\"n\":1}\n```",
            "",
            asked(),
            Some(("{\"n\":1}", "")),
        );
        check(
            "{\"n\":1,\"more\":\"te",
            "",
            asked(),
            Some(("{\"n\":1,\"more\":\"te\"}", "")),
        );
        check("Sure: {\"m\":1}", "", asked(), None);
        check("{\"m\":1}", "", asked(), None);
        check("{\"n\":1}", "", asked(), None);
        check("See [1]", "", ResponseFormat::JsonObject, None);
    }

    #[test]
    fn free_text_is_left_alone() {
        check("Sure: {\"n\":1}", "", ResponseFormat::Text, None);
        check(
            "Sure: {\"n\":1}",
            "{\"n\":1,}",
            ResponseFormat::Text,
            Some(("Sure: {\"n\":1}", "{\"n\":1}")),
        );
    }

    #[test]
    fn arguments_that_were_cut_off_are_not_completed() {
        check("", "{\"n\":1,\"path\":\"/ho", ResponseFormat::Text, None);
        check(
            "",
            "{\"n\":1,\"path\":\"/home\",}",
            ResponseFormat::Text,
            Some(("", "{\"n\":1,\"path\":\"/home\"}")),
        );
    }

    #[test]
    fn a_call_that_stays_wrong_keeps_the_text_from_being_mended() {
        let format = || ResponseFormat::JsonObject;
        check("Sure: {\"a\":1}", "{\"n\":\"x\"}", format(), None);
        check(
            "Sure: {\"a\":1}",
            "{\"n\":1}",
            format(),
            Some(("{\"a\":1}", "{\"n\":1}")),
        );
    }

    #[test]
    fn an_answer_in_parts_is_mended_to_one_text() {
        let mut answer = Message::text(Role::Assistant, "Sure: {\"n\"");
        answer.content.push(ContentPart::Text(":1}".into()));
        let format = ResponseFormat::JsonSchema(SCHEMA.into());
        let asked = Asked {
            format: &format,
            tools: &[],
        };
        let mended = repair_answer(&answer, asked, &Validators::default()).unwrap();
        assert_eq!(mended, Message::text(Role::Assistant, "{\"n\":1}"));
    }
}
