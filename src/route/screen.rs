//! What of a request may be kept, and what may leave: content as it is recorded, and a team's guardrail.
//!
//! Invariants: what a guardrail redacts is redacted once, before the choice, so that every endpoint of every hop gets the
//! same text, and the context and what is kept are of that text; a refusal names kinds and places and shows nothing of
//! the text; a request with more than [`AT_ONCE`] bytes of text, wherever they stand, is looked into on
//! a thread that may block.
//!
//! Not here: how things are found (`redaction`); the answer, which is told as the model gave it.

use super::choose::Route;
use super::error::Error;
use super::request::Request;
use super::team::{Action, Recording};
use crate::access::Grant;
use crate::chat::{ContentPart, Extra, Message, ResponseFormat};
use crate::decision::Decision;
use crate::redaction::{Finding, Kinds, Place, Redacted, Redactor};
use std::borrow::Cow;
use std::sync::Arc;

/// Most bytes of text that are looked into at once.
const AT_ONCE: usize = 32 * 1024;

/// A request as it may leave.
pub(super) struct Screened<'a> {
    /// The request.
    pub(super) request: Cow<'a, Request>,
    /// What was found in it. `None`: nothing, or nothing was looked for.
    pub(super) told: Option<Told>,
}

/// What a guardrail found, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What it did.
    pub action: Action,
    /// What it found, in the request's order; at least one.
    pub findings: Arc<[Finding]>,
}

impl Told {
    /// All kinds that were found.
    pub fn kinds(&self) -> Kinds {
        let kinds = self.findings.iter().map(|finding| finding.kinds);
        kinds.fold(Kinds::NONE, Kinds::and)
    }
}

/// A guardrail refuses a request. The doors tell it in these words.
#[derive(Debug, thiserror::Error)]
#[error("the team's guardrail refuses what the request holds: {}", listed(.0))]
pub struct Blocked(pub Arc<[Finding]>);

fn listed(findings: &[Finding]) -> String {
    let Some((Finding { place, kinds }, rest)) = findings.split_first() else {
        return "nothing".to_owned();
    };
    match rest.len() {
        0 => format!("{place} has {kinds}"),
        more => format!("{place} has {kinds} (and {more} more)"),
    }
}

/// What was found, and the request without it.
struct Found<'a> {
    findings: Vec<Finding>,
    request: Cow<'a, Request>,
}

impl Route {
    /// A request as it may leave, by the guardrail of its team.
    pub(super) async fn screen<'a>(
        &self,
        caller: &Grant,
        request: &'a Request,
    ) -> Result<Screened<'a>, Error> {
        let named = self.teams.get(&caller.team);
        let Some(guardrail) = named.and_then(|named| named.team.guardrail.as_ref()) else {
            return Ok(Screened {
                request: Cow::Borrowed(request),
                told: None,
            });
        };
        let redactor = &guardrail.redactor;
        let found = match bytes(request) > AT_ONCE {
            false => Found::look(redactor, request),
            true => Found::look_aside(Arc::clone(redactor), request).await?,
        };
        if found.findings.is_empty() {
            return Ok(Screened {
                request: Cow::Borrowed(request),
                told: None,
            });
        }
        let told = Told {
            action: guardrail.action,
            findings: found.findings.into(),
        };
        let kinds = told.kinds();
        let kinds = kinds.iter().map(|kind| kind.as_str());
        self.metrics().guardrail(told.action.as_str(), kinds);
        let request = match told.action {
            Action::Block => return Err(Blocked(told.findings).into()),
            Action::Redact => found.request,
            Action::Flag => Cow::Borrowed(request),
        };
        let told = Some(told);
        Ok(Screened { request, told })
    }

    /// What is kept of a request's words.
    pub(super) async fn content(&self, caller: &Grant, request: &Request) -> Option<String> {
        let recording = self.teams.get(&caller.team)?.team.recording;
        if request.messages.is_empty() {
            return None;
        }
        match recording {
            Recording::Nothing | Recording::Features => None,
            Recording::Full => serde_json::to_string(&request.messages).ok(),
            Recording::Redacted if bytes(request) > AT_ONCE => {
                let messages = request.messages.clone();
                aside(move || redacted(&messages)).await.ok().flatten()
            }
            Recording::Redacted => redacted(&request.messages),
        }
    }
}

/// Does long work where nobody waits for the thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Bug("a text could not be looked into"))
}

fn redacted(messages: &[Message]) -> Option<String> {
    let redactor = Redactor::whole();
    let kept: Vec<Message> = messages.iter().map(|one| redactor.kept(one)).collect();
    let kept = serde_json::to_string(&kept).ok()?;
    Some(Decision::redacted(&kept))
}

/// Bytes of all that [`Found::look`] looks into.
fn bytes(request: &Request) -> usize {
    let part = |part: &ContentPart| match part {
        ContentPart::Text(text) => text.len(),
        ContentPart::Reasoning(thought) => thought.text.len(),
        ContentPart::File { name, .. } => name.len(),
        ContentPart::ImageUrl(_) | ContentPart::Audio { .. } => 0,
    };
    let message = |message: &Message| {
        let parts = message.content.iter().map(part);
        let calls = message.tool_calls.iter();
        let calls = calls.map(|call| call.arguments_json.len());
        parts.chain(calls).sum::<usize>()
    };
    let form = match &request.response_format {
        ResponseFormat::JsonSchema(schema) => schema.len(),
        ResponseFormat::Text | ResponseFormat::JsonObject => 0,
    };
    let generation = &request.generation;
    let messages = request.messages.iter().map(message);
    let tools = request.tools.iter();
    let tools = tools.map(|tool| tool.description.len() + tool.parameters_json_schema.len());
    let stop = generation.stop.iter().map(String::len);
    let extra = generation.extra.iter().map(|extra| extra.json.len());
    form + messages
        .chain(tools)
        .chain(stop)
        .chain(extra)
        .sum::<usize>()
}

impl<'a> Found<'a> {
    /// Looks into all that leaves with a request.
    fn look(redactor: &Redactor, request: &'a Request) -> Self {
        let mut found = Self {
            findings: Vec::new(),
            request: Cow::Borrowed(request),
        };
        for (index, message) in request.messages.iter().enumerate() {
            if let Some((message, kinds)) = redactor.message(message) {
                put(
                    &mut found.note(Place::Message(index), kinds).messages,
                    index,
                    message,
                );
            }
        }
        for (index, tool) in request.tools.iter().enumerate() {
            if let Some((tool, kinds)) = redactor.tool(tool) {
                put(
                    &mut found.note(Place::Tool(index), kinds).tools,
                    index,
                    tool,
                );
            }
        }
        if let Some((form, kinds)) = redactor.form(&request.response_format) {
            found.note(Place::ResponseFormat, kinds).response_format = form;
        }
        for (index, stop) in request.generation.stop.iter().enumerate() {
            if let Some(Redacted { kinds, text }) = redactor.text(stop) {
                let generation = &mut found.note(Place::Stop(index), kinds).generation;
                put(&mut generation.stop, index, text);
            }
        }
        for (index, extra) in request.generation.extra.iter().enumerate() {
            if let Some(Redacted { kinds, text }) = redactor.json(&extra.json) {
                let generation = &mut found.note(Place::Extra(index), kinds).generation;
                let name = extra.name.clone();
                put(&mut generation.extra, index, Extra { name, json: text });
            }
        }
        found
    }

    /// As [`Found::look`], on a thread that may block.
    async fn look_aside(redactor: Arc<Redactor>, request: &Request) -> Result<Found<'a>, Error> {
        let request = request.clone();
        aside(move || {
            let Found { findings, request } = Found::look(&redactor, &request);
            let request = Cow::Owned(request.into_owned());
            Found { findings, request }
        })
        .await
    }

    /// Something was found; the request to change.
    fn note(&mut self, place: Place, kinds: Kinds) -> &mut Request {
        self.findings.push(Finding { place, kinds });
        self.request.to_mut()
    }
}

fn put<T>(list: &mut [T], index: usize, value: T) {
    if let Some(place) = list.get_mut(index) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Generation, Role, Tool, ToolCall};
    use crate::route::Constraints;

    fn request() -> Request {
        Request {
            task: None,
            episode: None,
            session: None,
            tags: Vec::new(),
            messages: Vec::new(),
            tools: Vec::new(),
            response_format: ResponseFormat::Text,
            embedding: None,
            input_tokens: None,
            max_output_tokens: None,
            generation: Generation::default(),
            constraints: Constraints::default(),
            request: None,
            explore: true,
            streaming: false,
        }
    }

    /// Of a text that stands in one place, each byte counts, and it is found there.
    fn check(put: impl Fn(&mut Request, String)) {
        let text = r#"{"to":"alice@example.com"}"#;
        let mut with = request();
        put(&mut with, text.to_owned());
        assert_eq!(bytes(&with), text.len(), "{with:?}");
        let redactor = Redactor::new(Kinds::ALL);
        assert_eq!(Found::look(&redactor, &with).findings.len(), 1, "{with:?}");
    }

    #[test]
    fn all_that_is_looked_into_is_counted() {
        assert_eq!(bytes(&request()), 0);
        check(|with, text| with.messages = vec![Message::text(Role::User, text)]);
        check(|with, text| {
            let mut message = Message::text(Role::User, "");
            let data_url = String::new();
            message.content = vec![ContentPart::File {
                name: text,
                data_url,
            }];
            with.messages = vec![message];
        });
        check(|with, text| {
            let mut message = Message::text(Role::Assistant, "");
            message.tool_calls = vec![ToolCall {
                id: "c1".to_owned(),
                name: "find".to_owned(),
                arguments_json: text,
            }];
            with.messages = vec![message];
        });
        let tool = |description, parameters_json_schema| Tool {
            name: "find".to_owned(),
            description,
            parameters_json_schema,
        };
        check(|with, text| with.tools = vec![tool(text, String::new())]);
        check(|with, text| with.tools = vec![tool(String::new(), text)]);
        check(|with, text| with.response_format = ResponseFormat::JsonSchema(text));
        check(|with, text| with.generation.stop = vec![text]);
        check(|with, json| {
            let name = "user".to_owned();
            with.generation.extra = vec![Extra { name, json }];
        });
    }
}
