//! `POST /v1/embeddings`: vectors for texts, from an arm with the capability `embeddings`.
//!
//! Vectors come as numbers or, as the SDKs ask for, as base64 of little-endian 32-bit floats.
//!
//! Invariants: 1 to 2048 texts, none empty; one vector for each, in their order. Tokens in place of texts are
//! refused: they are one model's own.
//!
//! Not here: the choice of the arm (`route`), the call (`complete`).

use super::body::Reply;
use super::call::deadline;
use super::chat_reply::{Outcome, json, tell};
use super::chat_request::idempotency;
use super::declared;
use super::json::{self, Place, Texts};
use super::routing::{self, EMBEDDINGS, Known, SaidOurs, SaidRouting};
use super::status::Failure;
use crate::chat::{Generation, Message, ResponseFormat, Role};
use crate::complete::{Complete, Embedded};
use crate::field::Fields;
use crate::id::Name;
use crate::path::Path;
use crate::provider::FinishReason;
use crate::route::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use serde::Deserialize;
use serde::Serialize;
use std::borrow::Cow;
use std::marker::PhantomData;
use tokio::time::{Instant, timeout_at};

const TEXTS: usize = 2048;
const DIMENSIONS: std::ops::RangeInclusive<i64> = 1..=65_536;

#[derive(Debug, Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    input: Option<Texts>,
    encoding_format: Option<String>,
    dimensions: Option<i64>,
    bellwether: Option<SaidOurs>,
}

/// What is asked.
struct Wanted {
    request: Request,
    texts: Vec<String>,
    dimensions: Option<u32>,
    base64: bool,
}

/// Answers one call that came in at `arrived`.
pub(super) async fn answer(
    complete: &Complete,
    known: Known<'_>,
    head: &HeaderMap,
    body: &[u8],
    arrived: Instant,
) -> Result<Reply, Failure> {
    let wanted = read(body, head, known)?;
    let deadline = deadline(head, false, arrived);
    let Wanted {
        request,
        texts,
        dimensions,
        base64,
    } = wanted;
    let asked = complete.embed(known.grant, &request, &texts, dimensions, deadline);
    let done = timeout_at(deadline, asked).await;
    let done = done.map_err(|_| Failure::DeadlineExceeded)??;
    Ok(reply(&done, base64))
}

fn read(body: &[u8], head: &HeaderMap, known: Known<'_>) -> Result<Wanted, Failure> {
    let place = Place::new("");
    let allowed = |_: &str| "{model: a text, input: a text or a list of texts (no tokens), encoding_format, dimensions}";
    let asked = json::read(body, PhantomData::<Asked<'_>>, &place, allowed)?;
    let mut fields = Fields::default();
    let ours = asked.bellwether.unwrap_or_default();
    let said = SaidRouting {
        model: asked.model,
        ..SaidRouting::default()
    };
    let chosen = routing::chosen(&mut fields, said, &ours, known)?;
    let mut constraints = chosen.constraints;
    if !able(known, &constraints.allowed_arms) {
        fields.refuse(
            "model",
            "makes no embeddings: allowed an arm with the capability `embeddings`",
        );
    }
    constraints
        .required_capabilities
        .extend(Name::new(EMBEDDINGS).ok());
    let texts = self::texts(&mut fields, asked.input);
    let base64 = in_base64(&mut fields, asked.encoding_format.as_deref());
    let dimensions = fields.number("dimensions", asked.dimensions, DIMENSIONS);
    let task = fields.name_if_said("bellwether.task", ours.task.as_deref());
    let episode = fields.name_if_said("bellwether.episode_id", ours.episode_id.as_deref());
    let id = ours.request_id.as_deref();
    let id = id.or_else(|| super::call::said(head, "idempotency-key"));
    let id = fields.name_if_said("bellwether.request_id", id);
    let request = Request {
        task: task.or(chosen.task),
        episode,
        session: None,
        tags: declared::tags(&mut fields, ours.tags, Vec::new()),
        messages: texts
            .iter()
            .map(|text| Message::text(Role::User, text))
            .collect(),
        tools: Vec::new(),
        response_format: ResponseFormat::Text,
        embedding: declared::embedding(&mut fields, ours.embedding),
        input_tokens: fields.tokens("bellwether.input_tokens", ours.input_tokens, 0),
        // Nothing is said back.
        max_output_tokens: Some(1),
        generation: Generation::default(),
        constraints,
        request: id.map(|id| idempotency(id, body, head)),
        explore: ours.explore.unwrap_or(true),
        streaming: false,
    };
    Ok(fields.finish(Some(Wanted {
        request,
        texts,
        dimensions: dimensions.and_then(|d| u32::try_from(d).ok()),
        base64,
    }))?)
}

/// 1 to 2048 texts, none empty.
fn texts(fields: &mut Fields, said: Option<Texts>) -> Vec<String> {
    let texts = said.map(|texts| texts.0).unwrap_or_default();
    if fields.count("input", texts.len(), 1..=TEXTS) {
        let at = Path::Root.field("input");
        let empty = texts.iter().enumerate().filter(|(_, text)| text.is_empty());
        empty
            .for_each(|(i, _)| fields.refuse(at.index(i), "is empty: allowed 1 character or more"));
    }
    texts
}

/// Whether vectors are to come as their bytes.
fn in_base64(fields: &mut Fields, said: Option<&str>) -> bool {
    match said {
        None | Some("float") => false,
        Some("base64") => true,
        Some(_) => {
            fields.refuse("encoding_format", "is unknown: allowed float, base64");
            false
        }
    }
}

/// Whether one of these arms that the key may use (none: of all) makes embeddings.
fn able(known: Known<'_>, arms: &[Name]) -> bool {
    known.catalogue.arms().iter().any(|arm| {
        arm.capabilities.contains(EMBEDDINGS)
            && (arms.is_empty() || arms.contains(&arm.name))
            && known.grant.may_use(known.catalogue, &arm.name)
    })
}

#[derive(Serialize)]
struct Object<'a> {
    object: &'static str,
    data: Vec<Datum<'a>>,
    model: &'a str,
    usage: Tokens,
    bellwether: super::chat_reply::More<'a>,
}

#[derive(Serialize)]
struct Datum<'a> {
    object: &'static str,
    index: usize,
    embedding: Vector<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector<'a> {
    Numbers(&'a [f32]),
    Base64(String),
}

#[derive(Serialize)]
struct Tokens {
    prompt_tokens: u32,
    total_tokens: u32,
}

fn reply(done: &Embedded, base64: bool) -> Reply {
    let outcome = Outcome {
        routed: &done.routed,
        finish_reason: FinishReason::Stop,
        attempts: &done.attempts,
        checks: &[],
        repaired: false,
    };
    let served = outcome.served();
    let tokens = done.usage.input.unwrap_or(0);
    let vectors = done.vectors.iter().enumerate();
    let object = Object {
        object: "list",
        data: vectors
            .map(|(index, vector)| Datum {
                object: "embedding",
                index,
                embedding: self::vector(vector, base64),
            })
            .collect(),
        model: served.0.as_str(),
        usage: Tokens {
            prompt_tokens: tokens,
            total_tokens: tokens,
        },
        bellwether: outcome.more(),
    };
    let mut reply = json(&object);
    tell(
        reply.headers_mut(),
        &done.routed,
        served,
        done.attempts.len(),
    );
    reply
}

fn vector(numbers: &[f32], base64: bool) -> Vector<'_> {
    if !base64 {
        return Vector::Numbers(numbers);
    }
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    Vector::Base64(STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(base64: bool, expected: &str) {
        let found = serde_json::to_string(&vector(&[1.0, -0.5], base64)).unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_vector_is_numbers_or_their_bytes_in_base64() {
        check(false, "[1.0,-0.5]");
        // 00 00 80 3f, 00 00 00 bf
        check(true, "\"AACAPwAAAL8=\"");
    }
}
