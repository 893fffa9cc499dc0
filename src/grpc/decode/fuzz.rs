//! Bytes of every request, changed at random, through protobuf and the conversion to the house's own types.
//!
//! Not here: anything outside tests.

use super::*;
use crate::fuzz::fuzz as fuzzed;
use crate::id::{Name, Secret};
use crate::proto::v1::{self, content_part::Part, signal::Kind, signal_value::Value};
use crate::route::Request;
use crate::unit::Timestamp;
use prost::Message;
use std::collections::BTreeMap;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn secret() -> Secret {
    Secret::new([7; 32])
}

fn said(role: v1::Role, text: &str) -> v1::Message {
    let image = Part::ImageUrl("https://example.org/a.png".to_owned());
    let content =
        [Part::Text(text.to_owned()), image].map(|part| v1::ContentPart { part: Some(part) });
    v1::Message {
        role: role.into(),
        content: content.into(),
        ..Default::default()
    }
}

fn context() -> v1::RequestContext {
    v1::RequestContext {
        task: Some("fix".to_owned()),
        episode_id: Some("episode".to_owned()),
        session_id: Some("session".to_owned()),
        messages: vec![
            said(v1::Role::System, "be brief"),
            said(v1::Role::User, "h\u{e9}llo"),
        ],
        tools: vec![v1::Tool {
            name: "find".to_owned(),
            description: "finds".to_owned(),
            parameters_json_schema: r#"{"type":"object"}"#.to_owned(),
        }],
        embedding: vec![0.5; 64],
        input_tokens: Some(100),
        max_output_tokens: Some(10),
        ..Default::default()
    }
}

fn constraints() -> v1::Constraints {
    v1::Constraints {
        allowed_arms: vec!["a".to_owned(), "b".to_owned()],
        max_cost_nano_usd: Some(5),
        max_latency_ms: Some(1.5),
        data_policy: Some(v1::DataPolicy {
            regions: vec!["eu".to_owned()],
            certifications: vec!["iso".to_owned()],
            ..Default::default()
        }),
        data_class: Some("patient".to_owned()),
        arm_order: vec!["a".to_owned()],
        ..Default::default()
    }
}

fn complete_request() -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(context()),
        constraints: Some(constraints()),
        generation: Some(v1::Generation {
            top_p: Some(0.5),
            stop: vec!["end".to_owned()],
            seed: Some(7),
            ..Default::default()
        }),
        request_id: Some("r-1".to_owned()),
        ..Default::default()
    }
}

/// What holds of every request that came through.
fn holds(request: &Request) {
    for message in &request.messages {
        assert_eq!(message.check(), Ok(()));
    }
    let finite = |vector: &Vec<f32>| vector.iter().all(|entry| entry.is_finite());
    assert!(request.embedding.as_ref().is_none_or(finite));
    let tags: BTreeMap<&Name, ()> = request.tags.iter().map(|(key, _)| (key, ())).collect();
    assert_eq!(tags.len(), request.tags.len());
    let constraints = &request.constraints;
    assert!(constraints.max_cost.is_none_or(|cost| cost.get() >= 0));
    assert!(
        constraints
            .max_latency_ms
            .is_none_or(|ms| ms > 0.0 && ms.is_finite())
    );
}

#[test]
fn fuzz_requests() {
    let whole = complete_request().encode_to_vec();
    let route_request = v1::RouteRequest {
        context: Some(context()),
        constraints: Some(constraints()),
        request_id: Some("r-1".to_owned()),
        ..Default::default()
    };
    let streamed = v1::StreamCompleteRequest {
        request: Some(complete_request()),
    };
    let (decision, streamed) = (route_request.encode_to_vec(), streamed.encode_to_vec());
    fuzzed(
        "Route, Complete",
        4_000,
        &[&whole, &decision, &streamed],
        |bytes| {
            let decided =
                v1::RouteRequest::decode(bytes).map(|said| route(said).ok().as_ref().map(holds));
            let whole = v1::CompleteRequest::decode(bytes)
                .map(|said| complete(said).ok().as_ref().map(holds));
            let said = v1::StreamCompleteRequest::decode(bytes);
            let streamed = said.map(|said| stream_complete(said).ok().as_ref().map(holds));
            drop((decided, whole, streamed));
        },
    );
}

#[test]
fn fuzz_feedback() {
    let signal = v1::Signal {
        name: "tests_passed".to_owned(),
        value: Some(v1::SignalValue {
            value: Some(Value::Number(0.5)),
        }),
        kind: Kind::Observed.into(),
    };
    let item = |subject| v1::Feedback {
        subject: Some(subject),
        signals: vec![signal.clone()],
        request_id: Some("f-1".to_owned()),
        ..Default::default()
    };
    let id = secret().mint(NOW, 5).to_string();
    let request = v1::SubmitFeedbackRequest {
        items: vec![
            item(v1::feedback::Subject::DecisionId(id.clone())),
            item(v1::feedback::Subject::EpisodeId("episode".to_owned())),
        ],
        dry_run: true,
    };
    let report = v1::ReportAttemptRequest {
        decision_id: id,
        endpoint: "e".to_owned(),
        latency_ms: Some(3.0),
        cost_nano_usd: Some(4),
        ..Default::default()
    };
    let (request, report) = (request.encode_to_vec(), report.encode_to_vec());
    let team = Name::new("team").unwrap();
    fuzzed(
        "SubmitFeedback, ReportAttempt",
        4_000,
        &[&request, &report],
        |bytes| {
            if let Ok(said) = v1::SubmitFeedbackRequest::decode(bytes) {
                let items = said.items.len();
                let read = feedback(said, &team, &secret(), NOW);
                assert!(read.is_err() || read.is_ok_and(|read| read.len() == items));
            }
            if let Ok(said) = v1::ReportAttemptRequest::decode(bytes) {
                drop(report_attempt(said, &secret()));
            }
        },
    );
}

#[test]
fn fuzz_the_rest() {
    let key = v1::CreateKeyRequest {
        team: "coding".to_owned(),
        name: "ci".to_owned(),
        scopes: vec![v1::Scope::Route.into()],
        ..Default::default()
    };
    let list = v1::ListDecisionsRequest {
        page_size: 10,
        page_token: "ff".to_owned(),
        episode_id: "episode".to_owned(),
        arm: "a".to_owned(),
    };
    let inputs = [
        key.encode_to_vec(),
        list.encode_to_vec(),
        v1::ReplayRequest::default().encode_to_vec(),
    ];
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    fuzzed("keys, lists, controls, replay", 4_000, &inputs, |bytes| {
        drop(v1::CreateKeyRequest::decode(bytes).map(create_key));
        drop(v1::RotateKeyRequest::decode(bytes).map(|said| rotate_key(&said)));
        drop(v1::RevokeKeyRequest::decode(bytes).map(|said| revoke_key(&said)));
        drop(v1::ListKeysRequest::decode(bytes).map(|said| list_keys(&said)));
        drop(v1::ListDecisionsRequest::decode(bytes).map(|said| list_decisions(&said)));
        drop(v1::GetDecisionRequest::decode(bytes).map(|said| get_decision(&said, &secret())));
        drop(v1::CloseEpisodeRequest::decode(bytes).map(close_episode));
        drop(v1::SetControlRequest::decode(bytes).map(|said| set_control(&said)));
        drop(v1::GetTeamRequest::decode(bytes).map(|said| team(&said)));
        drop(v1::ReplayRequest::decode(bytes).map(replay));
    });
}
