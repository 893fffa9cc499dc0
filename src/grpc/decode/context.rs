//! What a request is: task, tags, conversation, embedding.
//!
//! Invariants: at most 64 tags, keys unique, numbers finite; an embedding of 64 to 4096 finite
//! numbers or none.
//!
//! Not here: the messages (`chat`), the vector made of all this (`feature`).

use super::chat;
use crate::chat::Generation;
use crate::field::Fields;
use crate::id::Name;
use crate::path::Path;
use crate::proto::v1::{self, context_tag};
use crate::route::{Constraints, Request, Tag};

/// Entries of an embedding named as not finite, before the rest is counted.
const MOST_NAMED: usize = 8;

/// The context as a request without limits, idempotency key or wish not to explore.
pub(super) fn request(
    fields: &mut Fields,
    at: Path<'_>,
    said: Option<v1::RequestContext>,
) -> Request {
    let said = said.unwrap_or_default();
    Request {
        task: fields.name_if_said(at.field("task"), said.task.as_deref()),
        episode: fields.name_if_said(at.field("episode_id"), said.episode_id.as_deref()),
        session: fields.name_if_said(at.field("session_id"), said.session_id.as_deref()),
        tags: fields.named(
            at.field("tags"),
            "key",
            said.tags,
            0..=Request::MAX_TAGS,
            tag,
        ),
        messages: chat::messages(fields, at.field("messages"), said.messages),
        tools: chat::tools(fields, at.field("tools"), said.tools),
        response_format: chat::response_format(
            fields,
            at.field("response_format"),
            said.response_format,
        ),
        embedding: embedding(fields, at.field("embedding"), said.embedding),
        input_tokens: fields.tokens(at.field("input_tokens"), said.input_tokens, 0),
        max_output_tokens: fields.tokens(at.field("max_output_tokens"), said.max_output_tokens, 1),
        generation: Generation::default(),
        constraints: Constraints::default(),
        request: None,
        explore: true,
        streaming: false,
    }
}

fn tag(fields: &mut Fields, at: Path<'_>, said: v1::ContextTag) -> (Option<Name>, Option<Tag>) {
    let key = fields.name(at.field("key"), &said.key);
    (key, value(fields, at, said.value))
}

fn value(fields: &mut Fields, at: Path<'_>, value: Option<context_tag::Value>) -> Option<Tag> {
    match fields.required(at.field("value"), value)? {
        context_tag::Value::Number(number) => fields
            .number(
                at.field("number"),
                Some(number),
                -Tag::MAX_NUMBER..=Tag::MAX_NUMBER,
            )
            .map(Tag::Number),
        context_tag::Value::Text(text) => {
            let (chars, most) = (text.chars().count(), Tag::MAX_CHARS);
            if chars > most {
                fields.refuse(
                    at.field("text"),
                    format_args!("has {chars} characters: allowed at most {most}"),
                );
            }
            Some(Tag::Text(text))
        }
    }
}

fn embedding(fields: &mut Fields, at: Path<'_>, embedding: Vec<f32>) -> Option<Vec<f32>> {
    let found = embedding.len();
    if found == 0 {
        return None;
    }
    if !Request::EMBEDDING.contains(&found) {
        let (least, most) = Request::EMBEDDING.into_inner();
        let problem = format!("has {found} entries: allowed none, or {least} to {most}");
        fields.refuse(at, problem);
        return None;
    }
    let mut bad = embedding.iter().enumerate().filter(|(_, x)| !x.is_finite());
    for (i, x) in bad.by_ref().take(MOST_NAMED) {
        fields.refuse(at.index(i), format_args!("is {x}: allowed finite numbers"));
    }
    let more = bad.count();
    if more > 0 {
        let problem = format!("has {more} more entries that are not finite");
        fields.refuse(at, problem);
    }
    Some(embedding)
}
