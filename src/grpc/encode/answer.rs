//! A model's answer, whole or in pieces.
//!
//! Invariants: a whole answer and the end of a stream name the attempt that served them.
//!
//! Not here: that a stream ends properly (`stream`).

use super::decision::route_response;
use super::record::attempt;
use crate::chat::{ContentPart, Message, Reasoning, Role, ToolCall};
use crate::complete::Checked;
use crate::decision::Attempt;
use crate::grpc::router::{Completed, Event};
use crate::proto::v1::{self, content_part::Part, stream_complete_response as piece};

/// The reply to `Complete`.
pub(in crate::grpc) fn complete_response(completed: Completed) -> v1::CompleteResponse {
    v1::CompleteResponse {
        decision: Some(route_response(&completed.routed)),
        message: Some(message(completed.message)),
        finish_reason: completed.finish_reason.to_owned(),
        attempt: Attempt::served(&completed.attempts).map(attempt),
        attempts: completed.attempts.iter().map(attempt).collect(),
        checks: completed.checks.into_iter().map(check).collect(),
        repaired: completed.repaired,
    }
}

fn check(checked: Checked) -> v1::AnswerCheck {
    v1::AnswerCheck {
        check: checked.check,
        passed: checked.problem.is_none(),
        problem: checked.problem.unwrap_or_default(),
    }
}

/// A message of `StreamComplete`.
pub(in crate::grpc) fn stream_event(event: Event) -> v1::StreamCompleteResponse {
    let event = match event {
        Event::Decided(routed) => piece::Event::Decision(route_response(&routed)),
        Event::Text(text) => piece::Event::TextDelta(text),
        Event::ToolCall(call) => piece::Event::ToolCall(tool_call(call)),
        Event::Reasoning(thought) => piece::Event::Reasoning(reasoning(thought)),
        Event::Done {
            finish_reason,
            attempts,
            checks,
        } => piece::Event::Done(v1::StreamDone {
            decision_id: attempts
                .last()
                .map(|served| served.decision.to_string())
                .unwrap_or_default(),
            finish_reason: finish_reason.to_owned(),
            attempt: Attempt::served(&attempts).map(attempt),
            attempts: attempts.iter().map(attempt).collect(),
            checks: checks.into_iter().map(check).collect(),
        }),
    };
    v1::StreamCompleteResponse { event: Some(event) }
}

fn message(message: Message) -> v1::Message {
    let role = match message.role {
        Role::System => v1::Role::System,
        Role::User => v1::Role::User,
        Role::Assistant => v1::Role::Assistant,
        Role::Tool => v1::Role::Tool,
    };
    v1::Message {
        role: role.into(),
        content: message.content.into_iter().map(part).collect(),
        tool_calls: message.tool_calls.into_iter().map(tool_call).collect(),
        tool_call_id: message.tool_call_id.unwrap_or_default(),
    }
}

fn part(part: ContentPart) -> v1::ContentPart {
    v1::ContentPart {
        part: Some(match part {
            ContentPart::Text(text) => Part::Text(text),
            ContentPart::ImageUrl(url) => Part::ImageUrl(url),
            ContentPart::Audio { data, format } => Part::Audio(v1::Audio { data, format }),
            ContentPart::File { name, data_url } => Part::File(v1::File { name, data_url }),
            ContentPart::Reasoning(thought) => Part::Reasoning(reasoning(thought)),
        }),
    }
}

fn reasoning(thought: Reasoning) -> v1::Reasoning {
    v1::Reasoning {
        text: thought.text,
        signature: thought.signature.unwrap_or_default(),
        dialect: thought.dialect,
        tool_call_id: thought.tool_call.unwrap_or_default(),
    }
}

fn tool_call(call: ToolCall) -> v1::ToolCall {
    v1::ToolCall {
        id: call.id,
        name: call.name,
        arguments_json: call.arguments_json,
    }
}
