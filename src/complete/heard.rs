//! What of an answer was heard so far: counted, and its words where they are to be kept.
//!
//! Not here: what it costs and where it is kept (`running`).
//!
//! Units: characters.

use crate::chat::{ContentPart, Message, Reasoning, Role, ToolCall};
use crate::provider::Piece;

/// What was heard of one answer.
#[derive(Debug)]
pub(super) struct Heard {
    characters: usize,
    /// Only where the team records content.
    words: Option<Message>,
}

impl Heard {
    /// Nothing yet; words are kept if `keep`.
    pub(super) fn new(keep: bool) -> Self {
        let nothing = Message {
            role: Role::Assistant,
            content: Vec::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        };
        Self {
            characters: 0,
            words: keep.then_some(nothing),
        }
    }

    /// Characters so far.
    pub(super) fn characters(&self) -> usize {
        self.characters
    }

    /// The words so far, where they are kept.
    pub(super) fn words(&self) -> Option<&Message> {
        self.words.as_ref()
    }

    /// A whole answer.
    pub(super) fn message(&mut self, message: &Message) {
        self.count(message.characters());
        if let Some(words) = &mut self.words {
            words.clone_from(message);
        }
    }

    /// The next piece of a streamed one.
    pub(super) fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Text(text) => self.text(text),
            Piece::ToolCall(call) => self.call(call),
            Piece::Reasoning(thought) => self.thought(thought),
            Piece::Told(_) | Piece::Done { .. } => {}
        }
    }

    fn text(&mut self, text: &str) {
        self.count(text.chars().count());
        let Some(words) = &mut self.words else {
            return;
        };
        match words.content.last_mut() {
            Some(ContentPart::Text(last)) => last.push_str(text),
            _ => words.content.push(ContentPart::Text(text.to_owned())),
        }
    }

    /// What was thought in a streamed one: words are put together, a signature is of those before it.
    fn thought(&mut self, thought: &Reasoning) {
        self.count(thought.text.chars().count());
        let Some(words) = &mut self.words else {
            return;
        };
        match words.content.last_mut() {
            Some(ContentPart::Reasoning(last)) if last.signature.is_none() => {
                last.text.push_str(&thought.text);
                last.signature.clone_from(&thought.signature);
            }
            _ => words.content.push(ContentPart::Reasoning(thought.clone())),
        }
    }

    fn call(&mut self, call: &ToolCall) {
        self.count(call.name.chars().count() + call.arguments_json.chars().count());
        if let Some(words) = &mut self.words {
            words.tool_calls.push(call.clone());
        }
    }

    fn count(&mut self, characters: usize) {
        self.characters = self.characters.saturating_add(characters);
    }
}
