//! Messages as the turns of a conversation.
//!
//! Invariants: two turns that follow each other have different roles; a signature goes back on the call or
//! the text that it came with, unchanged.
//!
//! System messages go into a field of their own, wherever they stand. Results of tools are the user's and
//! name the tool, which is looked up by the call's id. Ids of our own making ([`made_up`]) are not sent.
//!
//! Gemini 3 refuses a turn that calls tools without a signature on its first call. A call that another model
//! made has none: it gets the word that Google gives out for that ([`FOREIGN`]), of models that want one.
//!
//! Not here: the rest of the body (`request`).
//!
//! Source: "Function calling" and "Thought signatures" in the Gemini API guides.

use super::DIALECT;
use crate::chat::{ContentPart, Message, Role, ToolCall};
use crate::provider::data_url::DataUrl;
use crate::provider::json::Json;
use crate::provider::{Error, Kind};
use serde::Serialize;

/// Stands for the signature of a call that another model made.
const FOREIGN: &str = "skip_thought_signature_validator";

/// What was said so far.
pub(super) struct Said<'a> {
    /// Standing instructions.
    pub(super) system: Option<Turn<'a>>,
    /// The turns, oldest first.
    pub(super) turns: Vec<Turn<'a>>,
    /// Whether a call of another model must be said to be one.
    wants_signatures: bool,
}

/// One turn.
#[derive(Serialize)]
pub(super) struct Turn<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: Vec<Part<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Part<'a> {
    #[serde(flatten)]
    what: What<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thought_signature: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum What<'a> {
    Text(&'a str),
    InlineData(Inline<'a>),
    FileData(File<'a>),
    FunctionCall(Called<'a>),
    FunctionResponse(Outcome<'a>),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inline<'a> {
    mime_type: String,
    data: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    file_uri: &'a str,
}

#[derive(Serialize)]
struct Called<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    args: Json,
}

#[derive(Serialize)]
struct Outcome<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    name: &'a str,
    response: Output,
}

#[derive(Serialize)]
struct Output {
    output: String,
}

impl<'a> Said<'a> {
    /// Reads the messages, oldest first, for `model`.
    pub(super) fn new(messages: &'a [Message], model: &str) -> Result<Self, Error> {
        let older = ["gemini-1", "gemini-2"];
        let mut said = Self {
            system: None,
            turns: Vec::new(),
            wants_signatures: !older.iter().any(|name| model.contains(name)),
        };
        for (index, message) in messages.iter().enumerate() {
            let before = messages.get(..index).unwrap_or_default();
            said.add(message, before)?;
        }
        if said.turns.is_empty() {
            // Instructions alone are a question.
            let parts = said.system.take().map_or_else(Vec::new, |turn| turn.parts);
            said.say("user", parts);
        }
        Ok(said)
    }

    fn add(&mut self, message: &'a Message, before: &'a [Message]) -> Result<(), Error> {
        match message.role {
            Role::System => {
                let texts = message.texts().filter(|text| !text.is_empty());
                let nothing = Turn {
                    role: None,
                    parts: Vec::new(),
                };
                let system = self.system.get_or_insert(nothing);
                system
                    .parts
                    .extend(texts.map(|text| What::Text(text).into()));
            }
            Role::User => self.say("user", parts(&message.content)?),
            Role::Assistant => {
                let mut parts = parts(&message.content)?;
                parts.extend(calls(message, self.wants_signatures));
                self.say("model", parts);
            }
            Role::Tool => {
                let mut parts = parts(&message.content)?;
                // Its texts are the result; images and such stand beside it.
                parts.retain(|part| !matches!(part.what, What::Text(_)));
                parts.insert(0, What::FunctionResponse(result(message, before)?).into());
                self.say("user", parts);
            }
        }
        Ok(())
    }

    fn say(&mut self, role: &'static str, parts: Vec<Part<'a>>) {
        match self.turns.last_mut() {
            _ if parts.is_empty() => {}
            Some(turn) if turn.role == Some(role) => turn.parts.extend(parts),
            _ => self.turns.push(Turn {
                role: Some(role),
                parts,
            }),
        }
    }
}

impl<'a> From<What<'a>> for Part<'a> {
    fn from(what: What<'a>) -> Self {
        Self {
            what,
            thought_signature: None,
        }
    }
}

/// The number in an id that we gave a call which had none (`reply`).
fn made_up(id: &str) -> Option<usize> {
    let number = id.strip_prefix("call_")?;
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    number.parse().ok().filter(|_| digits)
}

/// The number of the next id that no call of the conversation has.
pub(super) fn next_number(messages: &[Message]) -> usize {
    let calls = messages.iter().flat_map(|message| &message.tool_calls);
    let last = calls.filter_map(|call| made_up(&call.id)).max();
    last.map_or(0, |number| number.saturating_add(1))
}

/// The parts of a message but for its calls.
fn parts(content: &[ContentPart]) -> Result<Vec<Part<'_>>, Error> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for part in content {
        match part {
            ContentPart::Text(text) if text.is_empty() => {}
            ContentPart::Text(text) => parts.push(What::Text(text).into()),
            ContentPart::ImageUrl(url) => parts.push(file(url)?.into()),
            ContentPart::File { data_url, .. } => parts.push(file(data_url)?.into()),
            ContentPart::Audio { data, format } => parts.push(
                What::InlineData(Inline {
                    mime_type: format!("audio/{format}"),
                    data,
                })
                .into(),
            ),
            ContentPart::Reasoning(reasoning) => {
                let signature = reasoning.signature.as_deref();
                if reasoning.dialect != DIALECT || reasoning.tool_call.is_some() {
                    continue;
                }
                match (signature, parts.last_mut()) {
                    (None, _) => {}
                    (Some(_), Some(last))
                        if last.thought_signature.is_none()
                            && matches!(last.what, What::Text(_)) =>
                    {
                        last.thought_signature = signature;
                    }
                    // It came with a text that was empty.
                    (Some(_), _) => parts.push(Part {
                        what: What::Text(""),
                        thought_signature: signature,
                    }),
                }
            }
        }
    }
    Ok(parts)
}

/// The calls of a message, each with its signature.
fn calls(message: &Message, wants_signatures: bool) -> Vec<Part<'_>> {
    let signature = |call: &ToolCall| {
        let mut thoughts = message.reasoning().filter(|r| r.dialect == DIALECT);
        let of_it = thoughts.find(|r| r.tool_call.as_ref() == Some(&call.id))?;
        of_it.signature.as_deref()
    };
    let mut parts: Vec<_> = message
        .tool_calls
        .iter()
        .map(|call| Part {
            what: What::FunctionCall(Called {
                id: own_id(&call.id),
                name: &call.name,
                args: Json::arguments(&call.arguments_json),
            }),
            thought_signature: signature(call),
        })
        .collect();
    let unsigned = parts.iter().all(|part| part.thought_signature.is_none());
    if let Some(first) = parts.first_mut().filter(|_| wants_signatures && unsigned) {
        first.thought_signature = Some(FOREIGN);
    }
    parts
}

/// The result of a call that was made `before`.
fn result<'a>(message: &'a Message, before: &'a [Message]) -> Result<Outcome<'a>, Error> {
    let id = message.tool_call_id.as_deref().unwrap_or_default();
    // The latest of that id, should a caller use one again.
    let mut calls = before.iter().rev().flat_map(|m| &m.tool_calls);
    let call = calls.find(|call| call.id == id);
    let texts: Vec<_> = message.texts().collect();
    Ok(Outcome {
        id: own_id(id),
        name: &call.ok_or(Kind::InvalidRequest)?.name,
        response: Output {
            output: texts.join("\n"),
        },
    })
}

fn own_id(id: &str) -> Option<&str> {
    Some(id).filter(|id| !id.is_empty() && made_up(id).is_none())
}

/// What stands in a data URL, or behind an address, which newer models fetch themselves.
fn file(url: &str) -> Result<What<'_>, Error> {
    match DataUrl::parse(url) {
        Some(DataUrl { media_type, data }) => Ok(What::InlineData(Inline {
            mime_type: media_type.to_owned(),
            data,
        })),
        None if url.starts_with("data:") => Err(Kind::InvalidRequest.into()),
        None => Ok(What::FileData(File { file_uri: url })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Reasoning;
    use crate::provider::testing::golden;

    fn check(model: &str, messages: &[Message], expected: &str) {
        let said = Said::new(messages, model).unwrap();
        golden(
            serde_json::to_vec(&(said.system, said.turns)).unwrap(),
            expected,
        );
    }

    fn calls(content: Vec<ContentPart>, ids: &[&str]) -> Message {
        let call = |id: &&str| ToolCall {
            id: (*id).into(),
            name: format!("tool-{id}"),
            arguments_json: r#"{"z": 1, "a": 2}"#.into(),
        };
        Message {
            role: Role::Assistant,
            content,
            tool_calls: ids.iter().map(call).collect(),
            tool_call_id: None,
        }
    }

    fn result(id: &str, text: &str) -> Message {
        Message {
            tool_call_id: Some(id.into()),
            ..Message::text(Role::Tool, text)
        }
    }

    fn signed(signature: &str, tool_call: Option<&str>) -> ContentPart {
        ContentPart::Reasoning(Reasoning {
            text: String::new(),
            signature: Some(signature.into()),
            dialect: "gemini".into(),
            tool_call: tool_call.map(Into::into),
        })
    }

    #[test]
    fn instructions_have_their_field_and_turns_of_one_role_are_one() {
        check(
            "m",
            &[
                Message::text(Role::System, "be brief"),
                Message::text(Role::User, "one"),
                Message::text(Role::User, "two"),
                Message::text(Role::Assistant, "yes"),
            ],
            r#"[{"parts":[{"text":"be brief"}]},
            [{"role":"user","parts":[{"text":"one"},{"text":"two"}]},
            {"role":"model","parts":[{"text":"yes"}]}]]"#,
        );
        check(
            "m",
            &[Message::text(Role::System, "write a poem")],
            r#"[null,[{"role":"user","parts":[{"text":"write a poem"}]}]]"#,
        );
    }

    #[test]
    fn results_name_the_tool_of_the_latest_call_of_their_id() {
        let again = Message {
            tool_calls: vec![ToolCall {
                id: "call_0".into(),
                name: "other".into(),
                arguments_json: String::new(),
            }],
            ..calls(Vec::new(), &[])
        };
        check(
            "gemini-2.5-pro",
            &[
                calls(Vec::new(), &["call_0", "fc-1"]),
                result("call_0", "a"),
                result("fc-1", "b"),
                again,
                result("call_0", "c"),
            ],
            r#"[null,[{"role":"model","parts":[
            {"functionCall":{"name":"tool-call_0","args":{"z":1,"a":2}}},
            {"functionCall":{"id":"fc-1","name":"tool-fc-1","args":{"z":1,"a":2}}}]},
            {"role":"user","parts":[
            {"functionResponse":{"name":"tool-call_0","response":{"output":"a"}}},
            {"functionResponse":{"id":"fc-1","name":"tool-fc-1","response":{"output":"b"}}}]},
            {"role":"model","parts":[{"functionCall":{"name":"other","args":{}}}]},
            {"role":"user","parts":[{"functionResponse":{"name":"other","response":{"output":"c"}}}]}]]"#,
        );
        let ids = |ids: &[&str]| next_number(&[calls(Vec::new(), ids)]);
        assert_eq!(ids(&[]), 0);
        assert_eq!(ids(&["call_7", "call_3", "call_x9", "fc-12", "call_"]), 8);
        let unknown = Said::new(&[result("x", "a")], "m").err();
        assert_eq!(unknown, Some(Kind::InvalidRequest.into()));
    }

    #[test]
    fn a_signature_goes_back_to_where_it_came_from() {
        let content = vec![
            ContentPart::Text("so".into()),
            signed("one", None),
            signed("two", None),
            signed("three", Some("b")),
        ];
        check(
            "gemini-3-pro",
            &[calls(content, &["a", "b"])],
            r#"[null,[{"role":"model","parts":[{"text":"so","thoughtSignature":"one"},
            {"text":"","thoughtSignature":"two"},
            {"functionCall":{"id":"a","name":"tool-a","args":{"z":1,"a":2}}},
            {"functionCall":{"id":"b","name":"tool-b","args":{"z":1,"a":2}},"thoughtSignature":"three"}]}]]"#,
        );
    }

    #[test]
    fn a_call_of_another_model_is_said_to_be_one_where_that_is_wanted() {
        let thought = ContentPart::Reasoning(Reasoning {
            text: "hm".into(),
            signature: Some("c2ln".into()),
            dialect: "anthropic".into(),
            tool_call: Some("a".into()),
        });
        let messages = [calls(vec![thought], &["a", "b"])];
        let call = |id: &str| {
            format!(r#"{{"functionCall":{{"id":"{id}","name":"tool-{id}","args":{{"z":1,"a":2}}}}"#)
        };
        let (a, b) = (call("a"), call("b"));
        let plain = format!(r#"[null,[{{"role":"model","parts":[{a}}},{b}}}]}}]]"#);
        check("gemini-2.5-flash", &messages, &plain);
        let said = format!(
            r#"[null,[{{"role":"model","parts":[{a},"thoughtSignature":"{FOREIGN}"}},{b}}}]}}]]"#
        );
        check("gemini-3-flash", &messages, &said);
        check("gemini-flash-latest", &messages, &said);
    }

    #[test]
    fn images_sound_and_documents_are_sent() {
        let mut message = Message::text(Role::User, "see");
        message.content.extend([
            ContentPart::ImageUrl("data:image/png;base64,AA".into()),
            ContentPart::ImageUrl("https://example.org/x.png".into()),
            ContentPart::Audio {
                data: "UklG".into(),
                format: "wav".into(),
            },
            ContentPart::File {
                name: "a.pdf".into(),
                data_url: "data:application/pdf;base64,JVBE".into(),
            },
        ]);
        check(
            "m",
            &[message.clone()],
            r#"[null,[{"role":"user","parts":[{"text":"see"},
            {"inlineData":{"mimeType":"image/png","data":"AA"}},
            {"fileData":{"fileUri":"https://example.org/x.png"}},
            {"inlineData":{"mimeType":"audio/wav","data":"UklG"}},
            {"inlineData":{"mimeType":"application/pdf","data":"JVBE"}}]}]]"#,
        );
        message.content = vec![ContentPart::ImageUrl("data:nonsense".into())];
        let refused = Said::new(&[message], "m").err();
        assert_eq!(refused, Some(Kind::InvalidRequest.into()));
    }

    #[test]
    fn a_tools_image_stands_beside_its_result() {
        let mut shot = result("a", "taken");
        let image = ContentPart::ImageUrl("data:image/png;base64,AA".into());
        shot.content.push(image);
        check(
            "gemini-2.5-pro",
            &[calls(Vec::new(), &["a"]), shot],
            r#"[null,[{"role":"model","parts":[{"functionCall":{"id":"a","name":"tool-a","args":{"z":1,"a":2}}}]},
            {"role":"user","parts":[
            {"functionResponse":{"id":"a","name":"tool-a","response":{"output":"taken"}}},
            {"inlineData":{"mimeType":"image/png","data":"AA"}}]}]]"#,
        );
    }
}
