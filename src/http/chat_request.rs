//! The body of a chat completion, read in one pass and turned into the router's request.
//!
//! Why by hand: `serde(flatten)` would copy every value twice to find what nobody reads; here a field that is
//! known goes where it belongs and any other is kept as the text that it was.
//!
//! Invariants: those of `route::request`; of a field given twice the last one counts; the hash of a request
//! with an idempotency key is over the body as it came and the headers that steer it.
//!
//! Not here: what each part may be (`message`, `tool`, `generation`, `routing`).

use super::call::said;
use super::declared;
use super::generation::{SaidGeneration, generation};
use super::json::{self, Key, Place, Texts};
use super::message::{self, SaidMessage};
use super::routing::{self, Known, SaidOurs, SaidRouting};
use super::session::session;
use super::status::Failure;
use super::tool::{self, SaidFormat, SaidTool};
use crate::chat::Extra;
use crate::decision;
use crate::field::Fields;
use crate::id::Name;
use crate::path::Path;
use crate::route::Request;
use http::HeaderMap;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use xxhash_rust::xxh3::Xxh3;

/// What is asked, and in which form.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) request: Request,
    /// Whether the usage is to be told at the end of a stream.
    pub(super) include_usage: bool,
}

/// The body, field by field.
#[derive(Debug, Default)]
struct Asked<'a> {
    routing: SaidRouting<'a>,
    generation: SaidGeneration<'a>,
    messages: Vec<SaidMessage<'a>>,
    tools: Option<Vec<SaidTool<'a>>>,
    response_format: Option<SaidFormat<'a>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    bellwether: Option<SaidOurs>,
    session_id: Option<String>,
    litellm_session_id: Option<String>,
    prompt_cache_key: Option<String>,
    metadata: Option<&'a RawValue>,
    /// The functions of before there were tools.
    legacy: bool,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// What is read of the caller's own metadata, where it has this form.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    tags: Option<Texts>,
    session_id: Option<String>,
}

/// What each field may be, for one that is something else.
fn allowed(field: &str) -> &'static str {
    match field {
        "" => "one JSON object",
        "model" | "session_id" | "litellm_session_id" | "prompt_cache_key" | "reasoning_effort" => {
            "a text"
        }
        "models" | "fallbacks" | "modalities" => "a list of texts",
        "messages" => "a list of messages, each with a role",
        "tools" => "a list of {\"type\": \"function\", \"function\": {\"name\": ..}}",
        "tool_choice" => "a word, or {\"type\": \"function\", \"function\": {\"name\": ..}}",
        "stop" => "a text or a list of texts",
        "temperature" | "top_p" | "presence_penalty" | "frequency_penalty" => "a number",
        "n" | "seed" | "max_tokens" | "max_completion_tokens" => "a whole number",
        "stream" | "parallel_tool_calls" => "true or false",
        "stream_options" => "{\"include_usage\": true or false}",
        "response_format" => "{\"type\": .., \"json_schema\": {\"schema\": ..}}",
        "reasoning" => "{\"effort\": .., \"enabled\": ..}",
        "provider" => {
            "{order, only, ignore, allow_fallbacks, require_parameters, data_collection, zdr, max_price: {prompt, completion}}"
        }
        "bellwether" => {
            "{task, episode_id, session_id, request_id, tags, explore, embedding, input_tokens, required_capabilities, denied_arms, max_cost_usd, max_latency_ms, regions, certifications, data_class}"
        }
        _ => "any JSON",
    }
}

/// Reads the body and what the head says beside it.
pub(super) fn read(body: &[u8], head: &HeaderMap, known: Known<'_>) -> Result<Wanted, Failure> {
    let place = Place::new("");
    let asked = json::read(body, Reader(&place), &place, allowed)?;
    let mut fields = Fields::default();
    if asked.legacy {
        let problem = "are not supported: allowed `tools` and `tool_choice`";
        fields.refuse("functions", problem);
    }
    let mut ours = asked.bellwether.unwrap_or_default();
    let mut chosen = routing::chosen(&mut fields, asked.routing, &ours, known)?;
    if chosen.constraints.allowed_arms.is_empty() {
        chosen.constraints.denied_arms.extend(known.mute().cloned());
    }
    let messages = message::messages(&mut fields, asked.messages);
    let (tools, strict_tools) = tool::tools(&mut fields, asked.tools.unwrap_or_default());
    let (response_format, strict) = tool::format(&mut fields, asked.response_format);
    let strict = strict || strict_tools;
    let (generation, max_output_tokens) = generation(&mut fields, asked.generation, strict);
    let metadata = metadata(asked.metadata);
    let labels = metadata.tags.map(|texts| texts.0).unwrap_or_default();
    let first = [
        &ours.session_id,
        &asked.session_id,
        &asked.litellm_session_id,
        &metadata.session_id,
    ];
    let session = session(
        first.map(Option::as_deref),
        head,
        asked.prompt_cache_key.as_deref(),
        &messages,
        known.grant,
    );
    let names = Names::read(&mut fields, &ours, head);
    let request = Request {
        task: names.task.or(chosen.task),
        episode: names.episode,
        session,
        tags: declared::tags(&mut fields, ours.tags.take(), labels),
        messages,
        tools,
        response_format,
        embedding: declared::embedding(&mut fields, ours.embedding.take()),
        input_tokens: fields.tokens("bellwether.input_tokens", ours.input_tokens, 0),
        max_output_tokens,
        generation,
        constraints: chosen.constraints,
        request: names.request.map(|id| idempotency(id, body, head)),
        explore: ours.explore.unwrap_or(true),
        streaming: asked.stream == Some(true),
    };
    let include_usage = asked
        .stream_options
        .and_then(|options| options.include_usage);
    Ok(fields.finish(Some(Wanted {
        request,
        include_usage: include_usage == Some(true),
    }))?)
}

/// Names that come in the body or, where they do not, in the head.
struct Names {
    task: Option<Name>,
    episode: Option<Name>,
    request: Option<Name>,
}

impl Names {
    fn read(fields: &mut Fields, ours: &SaidOurs, head: &HeaderMap) -> Self {
        let at = Path::Root.field("bellwether");
        let mut name = |field, body: &Option<String>, headers: &[&'static str]| {
            if let Some(text) = body {
                return fields.name(at.field(field), text);
            }
            let mut found = headers
                .iter()
                .filter_map(|header| Some((header, said(head, header)?)));
            let (header, text) = found.next()?;
            fields.name(header, text)
        };
        Self {
            task: name("task", &ours.task, &["x-bellwether-task"]),
            episode: name("episode_id", &ours.episode_id, &["x-bellwether-episode"]),
            request: name(
                "request_id",
                &ours.request_id,
                &["x-bellwether-request-id", "idempotency-key"],
            ),
        }
    }
}

/// The idempotency key with the hash of everything that makes the request what it is.
pub(super) fn idempotency(id: Name, body: &[u8], head: &HeaderMap) -> decision::Request {
    let mut hasher = Xxh3::new();
    hasher.update(b"http\0");
    for name in [
        "x-bellwether-task",
        "x-bellwether-episode",
        "x-bellwether-session",
    ] {
        hasher.update(said(head, name).unwrap_or_default().as_bytes());
        hasher.update(&[0]);
    }
    hasher.update(body);
    let body_hash = hasher.digest();
    decision::Request { id, body_hash }
}

/// The caller's own affair: what has another form is passed over.
fn metadata(raw: Option<&RawValue>) -> Metadata {
    let read = raw.map(|raw| serde_json::from_str(raw.get()));
    read.and_then(Result::ok).unwrap_or_default()
}

/// Reads the body's object, field by field.
struct Reader<'p>(&'p Place);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Asked<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Asked<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Asked<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Asked<'de>, A::Error> {
        let mut asked = Asked::default();
        while let Some(Key(key)) = map.next_key()? {
            if !asked.take(self.0, &key, &mut map)?
                && !asked.generation.take(self.0, &key, &mut map)?
            {
                self.0.set("");
                asked.other(&key, &mut map)?;
            }
        }
        // Whatever is wrong from here on is wrong with the object.
        self.0.set("");
        Ok(asked)
    }
}

/// Reads one field into its place, of which it keeps note.
macro_rules! take {
    ($place:ident, $map:ident, $name:literal => $target:expr) => {{
        $place.set($name);
        $target = $map.next_value()?;
    }};
}

impl<'de> Asked<'de> {
    /// Reads a field that is known here; whether it is.
    fn take<A: MapAccess<'de>>(
        &mut self,
        place: &Place,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        let routing = &mut self.routing;
        match key {
            "messages" => take!(place, map, "messages" => self.messages),
            "model" => take!(place, map, "model" => routing.model),
            "models" => take!(place, map, "models" => routing.models),
            "fallbacks" => take!(place, map, "fallbacks" => routing.fallbacks),
            "provider" => take!(place, map, "provider" => routing.provider),
            "bellwether" => take!(place, map, "bellwether" => self.bellwether),
            "tools" => take!(place, map, "tools" => self.tools),
            "response_format" => take!(place, map, "response_format" => self.response_format),
            "stream" => take!(place, map, "stream" => self.stream),
            "stream_options" => take!(place, map, "stream_options" => self.stream_options),
            "session_id" => take!(place, map, "session_id" => self.session_id),
            "litellm_session_id" => {
                take!(place, map, "litellm_session_id" => self.litellm_session_id);
            }
            "prompt_cache_key" => take!(place, map, "prompt_cache_key" => self.prompt_cache_key),
            "metadata" => take!(place, map, "metadata" => self.metadata),
            "functions" | "function_call" => {
                let said: Option<IgnoredAny> = map.next_value()?;
                self.legacy |= said.is_some();
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Keeps a field that nobody here knows, as it was written; but for what steers nothing and what says
    /// no more than the default.
    fn other<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        const ADVISORY: [&str; 5] = [
            "store",
            "user",
            "safety_identifier",
            "prompt_cache_retention",
            "num_retries",
        ];
        let value: &'de RawValue = map.next_value()?;
        let json = value.get();
        let default = matches!(
            (key, json),
            (_, "null") | ("logprobs", "false") | ("service_tier", "\"auto\"")
        );
        let extra = &mut self.generation.extra;
        extra.retain(|extra| extra.name != key);
        if !default && !ADVISORY.contains(&key) {
            extra.push(Extra {
                name: key.to_owned(),
                json: json.to_owned(),
            });
        }
        Ok(())
    }
}

impl<'de> SaidGeneration<'de> {
    /// As [`Asked::take`].
    fn take<A: MapAccess<'de>>(
        &mut self,
        place: &Place,
        key: &str,
        map: &mut A,
    ) -> Result<bool, A::Error> {
        match key {
            "temperature" => take!(place, map, "temperature" => self.temperature),
            "top_p" => take!(place, map, "top_p" => self.top_p),
            "n" => take!(place, map, "n" => self.n),
            "stop" => take!(place, map, "stop" => self.stop),
            "seed" => take!(place, map, "seed" => self.seed),
            "presence_penalty" => take!(place, map, "presence_penalty" => self.presence_penalty),
            "frequency_penalty" => take!(place, map, "frequency_penalty" => self.frequency_penalty),
            "reasoning_effort" => take!(place, map, "reasoning_effort" => self.reasoning_effort),
            "reasoning" => take!(place, map, "reasoning" => self.reasoning),
            "tool_choice" => take!(place, map, "tool_choice" => self.tool_choice),
            "parallel_tool_calls" => {
                take!(place, map, "parallel_tool_calls" => self.parallel_tool_calls);
            }
            "max_tokens" => take!(place, map, "max_tokens" => self.max_tokens),
            "max_completion_tokens" => {
                take!(place, map, "max_completion_tokens" => self.max_completion_tokens);
            }
            "modalities" => take!(place, map, "modalities" => self.modalities),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests;
