//! A conversation without what is to be redacted.
//!
//! Looked into are texts, what was thought, names of documents, arguments of tool calls, descriptions and schemas of
//! tools, the schema of an answer and the texts at which it ends. Not looked into are images, sound and documents, the
//! signatures of thoughts, and identifiers (roles, ids, names of tools).
//!
//! Invariants: messages in which nothing is found are not copied; what is redacted still passes [`Message::check`]; a
//! thought in which something is found is left out, since its signature holds for the words as they were; of what is
//! kept nothing is left that was not looked into ([`Redactor::kept`]).
//!
//! Not here: who is told, and whether the call goes on (`route`).

use super::kind::Kinds;
use super::redactor::{Redacted, Redactor};
use crate::chat::{ContentPart, Message, ResponseFormat, Tool};
use std::fmt;

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The message of this index.
    Message(usize),
    /// The tool of this index.
    Tool(usize),
    /// The schema of the answer.
    ResponseFormat,
    /// The text of this index at which the answer ends.
    Stop(usize),
    /// The parameter of this index among those that are passed on as they came.
    Extra(usize),
}

/// What was found in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub kinds: Kinds,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(index) => write!(f, "messages[{index}]"),
            Self::Tool(index) => write!(f, "tools[{index}]"),
            Self::ResponseFormat => f.write_str("response_format"),
            Self::Stop(index) => write!(f, "stop[{index}]"),
            Self::Extra(index) => write!(f, "extra[{index}]"),
        }
    }
}

impl Redactor {
    /// A message as it may leave. `None`: nothing was found.
    pub fn message(&self, message: &Message) -> Option<(Message, Kinds)> {
        let mut kinds = Kinds::NONE;
        let mut changed: Option<Message> = None;
        let mut thought = false;
        for (index, part) in message.content.iter().enumerate() {
            let (found, put): (_, fn(String) -> ContentPart) = match part {
                ContentPart::Text(text) => (self.text(text), ContentPart::Text),
                ContentPart::Reasoning(said) => (self.text(&said.text), nothing),
                ContentPart::File { name, .. } => (self.text(name), nothing),
                ContentPart::ImageUrl(_) | ContentPart::Audio { .. } => continue,
            };
            let Some(Redacted { kinds: more, text }) = found else {
                continue;
            };
            kinds = kinds.and(more);
            let changed = changed.get_or_insert_with(|| message.clone());
            thought |= matches!(part, ContentPart::Reasoning(_));
            if let Some(part) = changed.content.get_mut(index) {
                match part {
                    ContentPart::File { name, .. } => *name = text,
                    part => *part = put(text),
                }
            }
        }
        for (index, call) in message.tool_calls.iter().enumerate() {
            if let Some(Redacted { kinds: more, text }) = self.json(&call.arguments_json) {
                kinds = kinds.and(more);
                let changed = changed.get_or_insert_with(|| message.clone());
                if let Some(call) = changed.tool_calls.get_mut(index) {
                    call.arguments_json = text;
                }
            }
        }
        let mut changed = changed?;
        if thought {
            without_nothing(&mut changed);
        }
        Some((changed, kinds))
    }

    /// A tool as it may leave. `None`: nothing was found.
    pub fn tool(&self, tool: &Tool) -> Option<(Tool, Kinds)> {
        let (described, schema) = (
            self.text(&tool.description),
            self.json(&tool.parameters_json_schema),
        );
        let kinds = [&described, &schema].into_iter().flatten();
        let kinds = kinds.fold(Kinds::NONE, |all, found| all.and(found.kinds));
        let text =
            |found: Option<Redacted>, was: &str| found.map_or_else(|| was.to_owned(), |r| r.text);
        (!kinds.is_empty()).then(|| {
            let tool = Tool {
                name: tool.name.clone(),
                description: text(described, &tool.description),
                parameters_json_schema: text(schema, &tool.parameters_json_schema),
            };
            (tool, kinds)
        })
    }

    /// The form of an answer as it may leave. `None`: nothing was found.
    pub fn form(&self, form: &ResponseFormat) -> Option<(ResponseFormat, Kinds)> {
        let ResponseFormat::JsonSchema(schema) = form else {
            return None;
        };
        let found = self.json(schema)?;
        Some((ResponseFormat::JsonSchema(found.text), found.kinds))
    }

    /// A message as it is kept: without what was found, and without what cannot be looked into.
    pub fn kept(&self, message: &Message) -> Message {
        let mut kept = self
            .message(message)
            .map_or_else(|| message.clone(), |(redacted, _)| redacted);
        for part in &mut kept.content {
            let unseen = match part {
                ContentPart::Text(_) => continue,
                ContentPart::Reasoning(thought) => {
                    thought.signature = None;
                    continue;
                }
                ContentPart::ImageUrl(_) => "[REDACTED:IMAGE]",
                ContentPart::Audio { .. } => "[REDACTED:AUDIO]",
                ContentPart::File { .. } => "[REDACTED:FILE]",
            };
            *part = ContentPart::Text(unseen.to_owned());
        }
        kept
    }
}

/// In place of a thought that is left out; such a part is taken out afterwards.
fn nothing(_: String) -> ContentPart {
    ContentPart::Text(String::new())
}

/// Takes out the parts that stand for thoughts, unless the message would say nothing.
fn without_nothing(message: &mut Message) {
    let empty = |part: &ContentPart| matches!(part, ContentPart::Text(text) if text.is_empty());
    let says_more = !message.tool_calls.is_empty() || !message.content.iter().all(empty);
    if says_more {
        message.content.retain(|part| !empty(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Reasoning, Role, ToolCall};

    fn said(content: Vec<ContentPart>) -> Message {
        Message {
            content,
            ..Message::text(Role::Assistant, "")
        }
    }

    #[test]
    fn a_message_is_redacted_in_all_that_can_be_read() {
        let mut message = said(vec![
            ContentPart::Text("write to alice@example.com".into()),
            ContentPart::ImageUrl("https://example.com/a.png".into()),
        ]);
        message.tool_calls.push(ToolCall {
            id: "1".into(),
            name: "pay".into(),
            arguments_json: r#"{"card": "4111 1111 1111 1111"}"#.into(),
        });
        let (found, kinds) = Redactor::whole().message(&message).unwrap();
        assert_eq!(kinds.to_string(), "email,credit_card");
        assert_eq!(
            found.texts().collect::<Vec<_>>(),
            ["write to [REDACTED:EMAIL]"]
        );
        assert_eq!(
            found.tool_calls[0].arguments_json,
            r#"{"card": "[REDACTED:CREDIT_CARD]"}"#
        );
        assert!(found.has_image() && found.check().is_ok());
        assert_eq!(
            Redactor::whole().message(&said(vec![ContentPart::Text("hello".into())])),
            None
        );
    }

    #[test]
    fn a_thought_that_holds_something_is_left_out_with_its_signature() {
        let thought = ContentPart::Reasoning(Reasoning {
            text: "alice@example.com asks".into(),
            signature: Some("sig".into()),
            ..Reasoning::default()
        });
        let message = said(vec![thought.clone(), ContentPart::Text("yes".into())]);
        let (found, _) = Redactor::whole().message(&message).unwrap();
        assert_eq!(found.content, [ContentPart::Text("yes".into())]);
        let (alone, _) = Redactor::whole().message(&said(vec![thought])).unwrap();
        assert_eq!(alone.check(), Ok(()));
    }

    #[test]
    fn what_is_kept_has_nothing_that_was_not_looked_into() {
        let message = said(vec![
            ContentPart::ImageUrl("data:image/png;base64,AAAA".into()),
            ContentPart::Audio {
                data: "AAAA".into(),
                format: "wav".into(),
            },
            ContentPart::File {
                name: "a.pdf".into(),
                data_url: "data:,AAAA".into(),
            },
        ]);
        let kept = Redactor::whole().kept(&message);
        let marks = ["[REDACTED:IMAGE]", "[REDACTED:AUDIO]", "[REDACTED:FILE]"];
        assert_eq!(kept.texts().collect::<Vec<_>>(), marks);
    }
}
