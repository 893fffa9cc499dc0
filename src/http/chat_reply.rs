//! A whole answer as OpenAI's object, and what of ours goes with every answer.
//!
//! The object has beside OpenAI's fields `reasoning_content` and `reasoning_details` on the message, where the
//! model thought, and `bellwether`: decision, arms, endpoint, cost, attempts, checks. Its `id` is `chatcmpl-`
//! and the decision's, which feedback names.
//!
//! Invariants: `model` is the arm that served; a cost is that of all attempts together; a reason to stop that
//! OpenAI's clients do not know is `stop`, and the true one stands in `bellwether`.
//!
//! Not here: answers in pieces (`sse`).
//!
//! Units: USD, milliseconds, tokens.

use super::body::{Reply, ReplyBody};
use super::guardrail::GuardrailOut;
use super::limits;
use crate::chat::{Message, Reasoning, ToolCall};
use crate::complete::{Checked, Completed};
use crate::decision::{Attempt, Cell, Usage};
use crate::id::Name;
use crate::provider::FinishReason;
use crate::route::Routed;
use crate::unit::NanoUsd;
use http::{HeaderMap, HeaderValue, header};
use serde::Serialize;

/// Seconds since the epoch, as OpenAI's `created`.
pub(super) fn created(routed: &Routed) -> i64 {
    routed.decision.time.micros() / 1_000_000
}

/// The reason to stop, in OpenAI's words.
pub(super) fn stopped(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Other => "stop",
        known => known.as_str(),
    }
}

#[derive(Serialize)]
struct Object<'a> {
    id: String,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: [Choice<'a>; 1],
    usage: UsageOut,
    bellwether: More<'a>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: MessageOut<'a>,
    logprobs: Option<()>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct MessageOut<'a> {
    role: &'static str,
    content: Option<String>,
    refusal: Option<()>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<Thought<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
}

/// What a model thought, with the proof that its provider wants back.
#[derive(Serialize)]
pub(super) struct Thought<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    format: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl<'a> Thought<'a> {
    pub(super) fn of(thought: &'a Reasoning) -> Self {
        Self {
            kind: "reasoning.text",
            text: &thought.text,
            signature: thought.signature.as_deref(),
            format: &thought.dialect,
            id: thought.tool_call.as_deref(),
        }
    }
}

/// A call of a tool.
#[derive(Serialize)]
pub(super) struct Call<'a> {
    /// Its place among the calls; in pieces only.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: Called<'a>,
}

#[derive(Serialize)]
struct Called<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> Call<'a> {
    pub(super) fn of(call: &'a ToolCall, index: Option<usize>) -> Self {
        Self {
            index,
            id: &call.id,
            kind: "function",
            function: Called {
                name: &call.name,
                arguments: &call.arguments_json,
            },
        }
    }
}

/// Tokens in OpenAI's form; what is not known is 0.
#[derive(Serialize)]
pub(super) struct UsageOut {
    prompt_tokens: u32,
    completion_tokens: u32,
    total_tokens: u32,
    prompt_tokens_details: PromptTokens,
    completion_tokens_details: CompletionTokens,
}

#[derive(Serialize)]
struct PromptTokens {
    cached_tokens: u32,
}

#[derive(Serialize)]
struct CompletionTokens {
    reasoning_tokens: u32,
}

impl UsageOut {
    pub(super) fn of(usage: &Usage) -> Self {
        let (input, output) = (usage.input.unwrap_or(0), usage.output.unwrap_or(0));
        Self {
            prompt_tokens: input,
            completion_tokens: output,
            total_tokens: input.saturating_add(output),
            prompt_tokens_details: PromptTokens {
                cached_tokens: usage.cached_input.unwrap_or(0),
            },
            completion_tokens_details: CompletionTokens {
                reasoning_tokens: usage.reasoning.unwrap_or(0),
            },
        }
    }
}

/// Our extension.
#[derive(Serialize)]
pub(super) struct More<'a> {
    decision_id: String,
    arm: &'a str,
    chosen_arm: &'a str,
    endpoint: &'a str,
    propensity: f64,
    cost_usd: Option<f64>,
    finish_reason: &'static str,
    attempts: Vec<Tried<'a>>,
    checks: Vec<Check<'a>>,
    repaired: bool,
    repeated: bool,
    held_out: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    guardrail: Option<GuardrailOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loop_warning: Option<String>,
}

/// An attempt.
#[derive(Serialize)]
pub(super) struct Tried<'a> {
    arm: &'a str,
    endpoint: &'a str,
    error: Option<&'a str>,
    latency_ms: Option<f64>,
    cost_usd: Option<f64>,
}

impl<'a> Tried<'a> {
    pub(super) fn of(attempt: &'a Attempt) -> Self {
        Self {
            arm: attempt.arm.as_str(),
            endpoint: attempt.endpoint.as_str(),
            error: attempt.error.as_ref().map(Name::as_str),
            latency_ms: attempt.latency_ms,
            cost_usd: attempt.cost.map(NanoUsd::as_usd),
        }
    }
}

#[derive(Serialize)]
struct Check<'a> {
    check: &'a str,
    passed: bool,
    problem: Option<&'a str>,
}

/// What an answer came to.
#[derive(Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) routed: &'a Routed,
    pub(super) finish_reason: FinishReason,
    pub(super) attempts: &'a [Attempt],
    pub(super) checks: &'a [Checked],
    pub(super) repaired: bool,
}

impl<'a> Outcome<'a> {
    /// The arm and endpoint that served.
    pub(super) fn served(&self) -> (&'a Name, &'a Name) {
        let routed = self.routed;
        let served = Attempt::served(self.attempts);
        served.map_or((&routed.endpoint.arm, &routed.endpoint.name), |attempt| {
            (&attempt.arm, &attempt.endpoint)
        })
    }

    /// What all attempts cost together, as far as it is known.
    fn cost(&self) -> Option<NanoUsd> {
        let known = self.attempts.iter().filter_map(|attempt| attempt.cost);
        known.reduce(|sum, cost| sum.checked_add(cost).unwrap_or(sum))
    }

    pub(super) fn usage(&self) -> UsageOut {
        let served = Attempt::served(self.attempts).map(|attempt| attempt.usage);
        UsageOut::of(&served.unwrap_or_default())
    }

    pub(super) fn more(&self) -> More<'a> {
        let (arm, endpoint) = self.served();
        let decision = &self.routed.decision;
        let check = |checked: &'a Checked| Check {
            check: &checked.check,
            passed: checked.problem.is_none(),
            problem: checked.problem.as_deref(),
        };
        More {
            decision_id: decision.id.to_string(),
            arm: arm.as_str(),
            chosen_arm: decision.drawn.arm().map_or("", Name::as_str),
            endpoint: endpoint.as_str(),
            propensity: decision.drawn.propensity(),
            cost_usd: self.cost().map(NanoUsd::as_usd),
            finish_reason: self.finish_reason.as_str(),
            attempts: self.attempts.iter().map(Tried::of).collect(),
            checks: self.checks.iter().map(check).collect(),
            repaired: self.repaired,
            repeated: self.routed.repeated,
            held_out: decision.cell == Cell::Holdout,
            guardrail: self.routed.told.as_ref().map(GuardrailOut::of),
            loop_warning: self.routed.warning().map(ToString::to_string),
        }
    }
}

/// The reply to a call that asked for a whole answer.
pub(super) fn whole(done: &Completed) -> Reply {
    let outcome = Outcome {
        routed: &done.routed,
        finish_reason: done.finish_reason,
        attempts: &done.attempts,
        checks: &done.checks,
        repaired: done.repaired,
    };
    let (arm, endpoint) = outcome.served();
    let object = Object {
        id: format!("chatcmpl-{}", done.routed.decision.id),
        object: "chat.completion",
        created: created(&done.routed),
        model: arm.as_str(),
        choices: [Choice {
            index: 0,
            message: message(&done.message),
            logprobs: None,
            finish_reason: stopped(done.finish_reason),
        }],
        usage: outcome.usage(),
        bellwether: outcome.more(),
    };
    let mut reply = json(&object);
    let head = reply.headers_mut();
    tell(head, &done.routed, (arm, endpoint), done.attempts.len());
    if let Some(cost) = outcome.cost() {
        put(
            head,
            "x-bellwether-cost-usd",
            &format!("{:.9}", cost.as_usd()),
        );
    }
    reply
}

fn message(message: &Message) -> MessageOut<'_> {
    let mut content: Option<String> = None;
    for text in message.texts() {
        content.get_or_insert_default().push_str(text);
    }
    let mut thought: Option<String> = None;
    for reasoning in message.reasoning() {
        thought.get_or_insert_default().push_str(&reasoning.text);
    }
    MessageOut {
        role: "assistant",
        content,
        refusal: None,
        reasoning_content: thought,
        reasoning_details: message.reasoning().map(Thought::of).collect(),
        tool_calls: message
            .tool_calls
            .iter()
            .map(|call| Call::of(call, None))
            .collect(),
    }
}

/// A value as a JSON reply.
pub(super) fn json(value: &impl Serialize) -> Reply {
    let mut bytes = Vec::with_capacity(1024);
    // Nothing in these types can fail to be written.
    if serde_json::to_writer(&mut bytes, value).is_err() {
        bytes.clear();
    }
    let mut reply = Reply::new(ReplyBody::whole(bytes));
    let kind = HeaderValue::from_static("application/json");
    reply.headers_mut().insert(header::CONTENT_TYPE, kind);
    reply
}

/// Says in the head what is known when the answer begins.
pub(super) fn tell(
    head: &mut HeaderMap,
    routed: &Routed,
    (arm, endpoint): (&Name, &Name),
    attempts: usize,
) {
    put(
        head,
        "x-bellwether-decision-id",
        &routed.decision.id.to_string(),
    );
    put(head, "x-bellwether-arm", arm.as_str());
    put(head, "x-bellwether-endpoint", endpoint.as_str());
    head.insert("x-bellwether-attempts", HeaderValue::from(attempts));
    if let Some(told) = &routed.told {
        let said = format!("{}; {}", told.action.as_str(), told.kinds());
        put(head, "x-bellwether-guardrail", &said);
    }
    if let Some(warning) = routed.warning() {
        put(head, "x-bellwether-loop", &warning.to_string());
    }
    if let Some(pass) = &routed.pass {
        limits::tell(head, pass.told());
    }
}

/// A name may have characters that only bytes can carry.
fn put(head: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        head.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{ContentPart, Role};

    #[test]
    fn thoughts_and_calls_stand_beside_the_words() {
        let said = Message {
            role: Role::Assistant,
            content: vec![
                ContentPart::Reasoning(Reasoning {
                    text: "2+2".into(),
                    signature: Some("sig".into()),
                    dialect: "anthropic".into(),
                    tool_call: None,
                }),
                ContentPart::Text("It is ".into()),
                ContentPart::Text("4".into()),
            ],
            tool_calls: vec![ToolCall {
                id: "c1".into(),
                name: "find".into(),
                arguments_json: "{}".into(),
            }],
            tool_call_id: None,
        };
        let found = serde_json::to_value(message(&said)).unwrap();
        let expected = serde_json::json!({
            "role": "assistant", "content": "It is 4", "refusal": null, "reasoning_content": "2+2",
            "reasoning_details": [{"type": "reasoning.text", "text": "2+2", "signature": "sig",
                "format": "anthropic"}],
            "tool_calls": [{"id": "c1", "type": "function",
                "function": {"name": "find", "arguments": "{}"}}],
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn an_answer_of_calls_alone_has_no_content() {
        let silent = Message {
            content: Vec::new(),
            ..Message::text(Role::Assistant, "")
        };
        let found = serde_json::to_value(message(&silent)).unwrap();
        assert_eq!(found["content"], serde_json::Value::Null);
        assert!(found.get("tool_calls").is_none());
    }

    #[test]
    fn a_reason_that_clients_do_not_know_is_a_stop() {
        assert_eq!(stopped(FinishReason::Other), "stop");
        assert_eq!(stopped(FinishReason::ContentFilter), "content_filter");
    }

    #[test]
    fn usage_is_told_with_its_parts() {
        let usage = Usage {
            input: Some(10),
            cached_input: Some(4),
            output: Some(5),
            reasoning: Some(2),
            ..Usage::default()
        };
        let found = serde_json::to_value(UsageOut::of(&usage)).unwrap();
        let expected = serde_json::json!({
            "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2},
        });
        assert_eq!(found, expected);
    }
}
