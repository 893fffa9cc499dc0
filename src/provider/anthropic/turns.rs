//! Messages as the turns of a conversation.
//!
//! Invariants: two turns that follow each other have different roles; no block of text is empty (the API
//! refuses both); what a model thought is sent back only where Anthropic signed it, unchanged.
//!
//! System messages go into a field of their own, wherever they stand. Results of tools are the user's. The
//! name of a document is its title; a document of plain text is sent as text.
//!
//! Not here: the rest of the body (`request`).

use super::{DIALECT, REDACTED};
use crate::chat::{ContentPart, Message, Reasoning, Role, ToolCall};
use crate::provider::data_url::DataUrl;
use crate::provider::json::Json;
use crate::provider::{Error, Kind};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// What was said so far.
#[derive(Default)]
pub(super) struct Said<'a> {
    /// Standing instructions.
    pub(super) system: Vec<Marked<'a>>,
    /// The turns, oldest first.
    pub(super) turns: Vec<Turn<'a>>,
}

/// One turn.
#[derive(Serialize)]
pub(super) struct Turn<'a> {
    role: &'static str,
    content: Vec<Marked<'a>>,
}

/// A block, and whether the provider is to keep all up to it.
#[derive(Serialize)]
pub(super) struct Marked<'a> {
    #[serde(flatten)]
    block: Block<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<Keep>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Keep {
    Ephemeral,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    Text {
        text: &'a str,
    },
    Image {
        source: Source<'a>,
    },
    Document {
        source: Source<'a>,
        #[serde(skip_serializing_if = "str::is_empty")]
        title: &'a str,
    },
    Thinking {
        thinking: &'a str,
        signature: &'a str,
    },
    RedactedThinking {
        data: &'a str,
    },
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Json,
    },
    ToolResult {
        tool_use_id: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        content: Vec<Block<'a>>,
    },
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Source<'a> {
    Base64 {
        media_type: &'a str,
        data: &'a str,
    },
    Url {
        url: &'a str,
    },
    Text {
        media_type: &'static str,
        data: String,
    },
}

impl<'a> Said<'a> {
    /// Reads the messages, oldest first.
    pub(super) fn new(messages: &'a [Message]) -> Result<Self, Error> {
        let mut said = Self::default();
        for message in messages {
            said.add(message)?;
        }
        if said.turns.is_empty() {
            // Instructions alone are a question.
            let content = std::mem::take(&mut said.system);
            said.turns.push(Turn {
                role: "user",
                content,
            });
        }
        Ok(said)
    }

    fn add(&mut self, message: &'a Message) -> Result<(), Error> {
        let blocks = message
            .content
            .iter()
            .filter_map(|part| block(part).transpose());
        match message.role {
            Role::System => {
                let texts = message.texts().filter_map(text);
                self.system.extend(texts.map(Marked::from));
            }
            Role::User => {
                let blocks = blocks.collect::<Result<Vec<_>, _>>()?;
                let spoken = blocks.into_iter().filter(|block| !block.is_thought());
                self.say("user", spoken);
            }
            Role::Assistant => {
                let mut blocks = blocks.collect::<Result<Vec<_>, _>>()?;
                blocks.extend(message.tool_calls.iter().map(called));
                self.say("assistant", blocks);
            }
            Role::Tool => {
                let result = Block::ToolResult {
                    tool_use_id: message.tool_call_id.as_deref().unwrap_or_default(),
                    content: blocks.collect::<Result<_, _>>()?,
                };
                self.say("user", [result]);
            }
        }
        Ok(())
    }

    fn say(&mut self, role: &'static str, blocks: impl IntoIterator<Item = Block<'a>>) {
        let mut blocks = blocks.into_iter().map(Marked::from).peekable();
        if blocks.peek().is_none() {
            return;
        }
        match self.turns.last_mut() {
            Some(turn) if turn.role == role => turn.content.extend(blocks),
            _ => self.turns.push(Turn {
                role,
                content: blocks.collect(),
            }),
        }
    }

    /// One more standing instruction.
    pub(super) fn instruct(&mut self, text: &'a str) {
        self.system.push(Block::Text { text }.into());
    }

    /// Has the provider keep the instructions, and all up to the last turn.
    pub(super) fn keep(&mut self) {
        let last = self.turns.last_mut().map(|turn| &mut turn.content);
        for blocks in [Some(&mut self.system), last].into_iter().flatten() {
            // A thought cannot be marked.
            let mut markable = blocks.iter_mut().rev().filter(|b| !b.block.is_thought());
            if let Some(marked) = markable.next() {
                marked.cache_control = Some(Keep::Ephemeral);
            }
        }
    }
}

impl<'a> From<Block<'a>> for Marked<'a> {
    fn from(block: Block<'a>) -> Self {
        Self {
            block,
            cache_control: None,
        }
    }
}

impl Block<'_> {
    const fn is_thought(&self) -> bool {
        matches!(self, Self::Thinking { .. } | Self::RedactedThinking { .. })
    }
}

/// Whether results of tools end the conversation, and the call that they answer has no thought that we
/// could send back with it.
pub(super) fn called_without_thought(messages: &[Message]) -> bool {
    let mut before = messages.iter().rev().skip_while(|m| m.role == Role::Tool);
    let ends_with_results = messages.last().is_some_and(|m| m.role == Role::Tool);
    let thought = |m: &Message| m.reasoning().any(|reasoning| thought(reasoning).is_some());
    ends_with_results && !before.next().is_some_and(thought)
}

/// A part on the wire, if it has anything to say.
fn block(part: &ContentPart) -> Result<Option<Block<'_>>, Error> {
    Ok(match part {
        ContentPart::Text(said) => text(said),
        ContentPart::ImageUrl(url) => Some(Block::Image {
            source: source(url),
        }),
        ContentPart::File { name, data_url } => Some(Block::Document {
            source: document(data_url)?,
            title: name,
        }),
        ContentPart::Audio { .. } => return Err(Kind::Unsupported.into()),
        ContentPart::Reasoning(reasoning) => thought(reasoning),
    })
}

fn text(text: &str) -> Option<Block<'_>> {
    (!text.trim().is_empty()).then_some(Block::Text { text })
}

fn thought(reasoning: &Reasoning) -> Option<Block<'_>> {
    let signature = reasoning.signature.as_deref();
    let signature = signature.filter(|_| reasoning.dialect == DIALECT)?;
    Some(match signature.strip_prefix(REDACTED) {
        Some(data) => Block::RedactedThinking { data },
        None => Block::Thinking {
            thinking: &reasoning.text,
            signature,
        },
    })
}

fn source(url: &str) -> Source<'_> {
    match DataUrl::parse(url) {
        Some(DataUrl { media_type, data }) => Source::Base64 { media_type, data },
        None => Source::Url { url },
    }
}

fn document(url: &str) -> Result<Source<'_>, Error> {
    match DataUrl::parse(url) {
        Some(DataUrl { media_type, data }) if media_type.starts_with("text/") => {
            let bytes = STANDARD.decode(data).map_err(|_| Kind::InvalidRequest)?;
            Ok(Source::Text {
                media_type: "text/plain",
                data: String::from_utf8(bytes).map_err(|_| Kind::InvalidRequest)?,
            })
        }
        _ => Ok(source(url)),
    }
}

fn called(call: &ToolCall) -> Block<'_> {
    Block::ToolUse {
        id: &call.id,
        name: &call.name,
        input: Json::arguments(&call.arguments_json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::testing::golden;

    fn check(messages: &[Message], expected: &str) {
        let said = Said::new(messages).unwrap();
        golden(
            serde_json::to_vec(&(said.system, said.turns)).unwrap(),
            expected,
        );
    }

    fn calls(content: Vec<ContentPart>, id: &str) -> Message {
        Message {
            role: Role::Assistant,
            content,
            tool_calls: vec![ToolCall {
                id: id.into(),
                name: "find".into(),
                arguments_json: r#"{"z": 1, "a": 2}"#.into(),
            }],
            tool_call_id: None,
        }
    }

    fn result(id: &str, text: &str) -> Message {
        Message {
            tool_call_id: Some(id.into()),
            ..Message::text(Role::Tool, text)
        }
    }

    fn signed(text: &str, signature: &str, dialect: &str) -> ContentPart {
        ContentPart::Reasoning(Reasoning {
            text: text.into(),
            signature: Some(signature.into()),
            dialect: dialect.into(),
            tool_call: None,
        })
    }

    #[test]
    fn instructions_have_their_field_and_turns_of_one_role_are_one() {
        check(
            &[
                Message::text(Role::System, "be brief"),
                Message::text(Role::User, "one"),
                Message::text(Role::User, "two"),
                Message::text(Role::Assistant, " "),
                Message::text(Role::System, "be kind"),
            ],
            r#"[[{"type":"text","text":"be brief"},{"type":"text","text":"be kind"}],
            [{"role":"user","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}]}]]"#,
        );
        check(
            &[Message::text(Role::System, "write a poem")],
            r#"[[],[{"role":"user","content":[{"type":"text","text":"write a poem"}]}]]"#,
        );
    }

    #[test]
    fn calls_and_their_results_take_turns() {
        let text = ContentPart::Text("looking".into());
        check(
            &[
                Message::text(Role::User, "find it"),
                calls(vec![text], "c1"),
                result("c1", "found"),
                result("c2", ""),
                Message::text(Role::User, "and?"),
            ],
            r#"[[],[{"role":"user","content":[{"type":"text","text":"find it"}]},
            {"role":"assistant","content":[{"type":"text","text":"looking"},
            {"type":"tool_use","id":"c1","name":"find","input":{"z":1,"a":2}}]},
            {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"found"}]},
            {"type":"tool_result","tool_use_id":"c2"},
            {"type":"text","text":"and?"}]}]]"#,
        );
    }

    #[test]
    fn thoughts_go_back_unchanged_where_anthropic_signed_them_and_nowhere_else() {
        let unsigned = ContentPart::Reasoning(Reasoning {
            text: "why".into(),
            ..Reasoning::default()
        });
        let thoughts = vec![
            signed("hm", "c2ln", "anthropic"),
            signed("", "redacted:ZGF0YQ", "anthropic"),
            signed("hm", "c2ln", "gemini"),
            unsigned,
        ];
        check(
            &[calls(thoughts, "c1"), result("c1", "x")],
            r#"[[],[{"role":"assistant","content":[
            {"type":"thinking","thinking":"hm","signature":"c2ln"},
            {"type":"redacted_thinking","data":"ZGF0YQ"},
            {"type":"tool_use","id":"c1","name":"find","input":{"z":1,"a":2}}]},
            {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"x"}]}]}]]"#,
        );
    }

    #[test]
    fn a_call_of_another_model_is_seen_to_have_no_thought() {
        let without = |content, ends: bool| {
            let mut messages = vec![calls(content, "c1"), result("c1", "x")];
            if !ends {
                messages.push(Message::text(Role::User, "and?"));
            }
            called_without_thought(&messages)
        };
        assert!(without(Vec::new(), true));
        assert!(without(vec![signed("hm", "s", "gemini")], true));
        assert!(!without(vec![signed("hm", "s", "anthropic")], true));
        assert!(!without(Vec::new(), false));
        assert!(!called_without_thought(&[]));
    }

    #[test]
    fn images_and_documents_are_sent_by_what_they_are() {
        let part = |name: &str, data_url: &str| ContentPart::File {
            name: name.into(),
            data_url: data_url.into(),
        };
        let mut message = Message::text(Role::User, "see");
        message.content.extend([
            ContentPart::ImageUrl("data:image/png;base64,AA".into()),
            ContentPart::ImageUrl("https://example.org/x.png".into()),
            part("a.pdf", "data:application/pdf;base64,JVBE"),
            part("", "data:text/markdown;base64,aGk="),
        ]);
        check(
            &[message.clone()],
            r#"[[],[{"role":"user","content":[{"type":"text","text":"see"},
            {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA"}},
            {"type":"image","source":{"type":"url","url":"https://example.org/x.png"}},
            {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBE"},"title":"a.pdf"},
            {"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"}}]}]]"#,
        );
        let mut refused = |part| {
            message.content.push(part);
            let refused = Said::new(std::slice::from_ref(&message)).err();
            message.content.pop();
            refused.map(|error| error.kind)
        };
        let sound = ContentPart::Audio {
            data: "UklG".into(),
            format: "wav".into(),
        };
        assert_eq!(refused(sound), Some(Kind::Unsupported));
        let broken = part("", "data:text/plain;base64,?");
        assert_eq!(refused(broken), Some(Kind::InvalidRequest));
    }

    #[test]
    fn what_is_to_be_kept_is_marked_twice_and_never_on_a_thought() {
        let mut ends = Message::text(Role::Assistant, "so");
        ends.content.push(signed("hm", "c2ln", "anthropic"));
        let messages = [Message::text(Role::System, "be brief"), ends];
        let mut said = Said::new(&messages).unwrap();
        said.keep();
        golden(
            serde_json::to_vec(&(said.system, said.turns)).unwrap(),
            r#"[[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral"}}],
            [{"role":"assistant","content":[
            {"type":"text","text":"so","cache_control":{"type":"ephemeral"}},
            {"type":"thinking","thinking":"hm","signature":"c2ln"}]}]]"#,
        );
    }
}
