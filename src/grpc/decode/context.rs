//! What a request is: task, tags, conversation, embedding.
//!
//! Invariants: at most 64 tags, keys unique, numbers finite; an embedding of 64 to 4096 finite
//! numbers or none.
//!
//! Not here: the messages (`chat`), the vector made of all this (`feature`).

use super::super::field::Fields;
use super::chat;
use crate::chat::Generation;
use crate::id::Name;
use crate::path::Path;
use crate::proto::v1::{self, context_tag};
use crate::route::{Constraints, Request, Tag};
use std::collections::BTreeSet;

const TAGS: usize = 64;
const TAG_CHARS: usize = 128;
const EMBEDDING: std::ops::RangeInclusive<usize> = 64..=4096;

/// Entries of an embedding named as not finite, before the rest is counted.
const MOST_NAMED: usize = 8;

/// Beyond this a number is no scaled feature; squares of it still fit a float.
const MOST_NUMBER: f64 = 1e9;

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
        tags: tags(fields, at.field("tags"), said.tags),
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

fn tags(fields: &mut Fields, at: Path<'_>, tags: Vec<v1::ContextTag>) -> Vec<(Name, Tag)> {
    if !fields.count(at, tags.len(), 0..=TAGS) {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut read = Vec::with_capacity(tags.len());
    for (i, tag) in tags.into_iter().enumerate() {
        let key = fields.name(at.index(i).field("key"), &tag.key);
        let value = value(fields, at.index(i), tag.value);
        let (Some(key), Some(value)) = (key, value) else {
            continue;
        };
        if seen.insert(key.clone()) {
            read.push((key, value));
        } else {
            fields.refuse(at.index(i).field("key"), "is given twice: allowed once");
        }
    }
    read
}

fn value(fields: &mut Fields, at: Path<'_>, value: Option<context_tag::Value>) -> Option<Tag> {
    match fields.required(at.field("value"), value)? {
        context_tag::Value::Number(number) => fields
            .number(at.field("number"), Some(number), -MOST_NUMBER..=MOST_NUMBER)
            .map(Tag::Number),
        context_tag::Value::Text(text) => {
            let chars = text.chars().count();
            if chars > TAG_CHARS {
                fields.refuse(
                    at.field("text"),
                    format_args!("has {chars} characters: allowed at most {TAG_CHARS}"),
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
    if !EMBEDDING.contains(&found) {
        let (least, most) = EMBEDDING.into_inner();
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
