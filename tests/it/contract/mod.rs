//! The gRPC edge over a real socket, on use cases that answer from memory: what a stranger, a careless
//! client and a hurried one get.

mod served;

use bellwether::grpc::REQUEST_ID;
use bellwether::proto::v1::{self, feedback_result, stream_complete_response::Event};
use served::{Served, asked, client, served};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

/// The code and the reason of a refusal, and that its reply has an id.
fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    let status = result.expect_err("refused");
    assert!(status.metadata().contains_key(REQUEST_ID), "{status:?}");
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(info.domain, "bellwether");
    (status.code(), info.reason)
}

async fn route(served: &Served, task: &str) -> Result<v1::RouteResponse, Status> {
    let mut router = client!(served, router_service_client::RouterServiceClient);
    let request = v1::RouteRequest {
        context: Some(v1::RequestContext {
            task: Some(task.to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    };
    router
        .route(asked(request))
        .await
        .map(tonic::Response::into_inner)
}

#[tokio::test]
async fn a_decision_comes_whole_over_the_wire() {
    let served = served().await;
    let reply = route(&served, "triage").await.unwrap();
    assert_eq!((reply.arm.as_str(), reply.propensity), ("small", 0.75));
    assert_eq!(reply.endpoint.unwrap().region, "eu");
    assert_eq!(reply.fallbacks.len(), 1);
    let [small, large] = &reply.estimates[..] else {
        panic!("two arms were drawn from");
    };
    assert_eq!(small.signals[1].mean, 0.25);
    assert_eq!(
        (small.cost_nano_usd, small.latency_ms),
        (2_000_000, Some(300.0))
    );
    assert_eq!(large.latency_ms, None, "nothing is known of it yet");
    assert_eq!(reply.excluded[0].reason(), v1::ExclusionReason::MaxCost);
}

#[tokio::test]
async fn a_stranger_gets_nothing_but_health_and_reflection() {
    let served = served().await;
    let mut router = client!(served, router_service_client::RouterServiceClient);
    let (code, reason) = refusal(router.route(v1::RouteRequest::default()).await);
    assert_eq!(
        (code, reason.as_str()),
        (Code::Unauthenticated, "KEY_UNKNOWN")
    );
    let mut admin = client!(served, admin_service_client::AdminServiceClient);
    let other = v1::GetTeamRequest {
        team: "other".to_owned(),
    };
    let (code, reason) = refusal(admin.get_team(asked(other)).await);
    assert_eq!(
        (code, reason.as_str()),
        (Code::PermissionDenied, "NOT_ALLOWED")
    );

    let mut health = tonic_health::pb::health_client::HealthClient::new(served.channel.clone());
    let check = |service: &str| tonic_health::pb::HealthCheckRequest {
        service: service.to_owned(),
    };
    let service = "bellwether.v1.RouterService";
    assert_eq!(
        health
            .check(check(service))
            .await
            .unwrap()
            .into_inner()
            .status,
        2
    );
    served.health.set(true).await;
    assert_eq!(
        health
            .check(check(service))
            .await
            .unwrap()
            .into_inner()
            .status,
        1
    );
    assert_eq!(
        health.check(check("")).await.unwrap().into_inner().status,
        1
    );
    let ours = ["Admin", "Evaluation", "Feedback", "Router"];
    let ours = ours.map(|name| format!("bellwether.v1.{name}Service"));
    let versions = ["v1", "v1alpha"];
    for (version, listed) in versions.iter().zip(served.reflected_services().await) {
        assert_eq!(listed[..4], ours);
        let reflection = format!("grpc.reflection.{version}.ServerReflection");
        assert_eq!(
            listed[4..],
            ["grpc.health.v1.Health".to_owned(), reflection]
        );
    }
}

#[tokio::test]
async fn a_careless_body_is_refused_with_every_violation_and_disturbs_nothing() {
    let served = served().await;
    let mut router = client!(served, router_service_client::RouterServiceClient);
    let tag = v1::ContextTag {
        key: "k".to_owned(),
        value: None,
    };
    let many = v1::RouteRequest {
        context: Some(v1::RequestContext {
            tags: vec![tag; 10_000],
            embedding: vec![f32::NAN; 3],
            ..Default::default()
        }),
        ..Default::default()
    };
    let status = router.route(asked(many)).await.expect_err("refused");
    let fields = status.get_details_bad_request().unwrap().field_violations;
    let fields: Vec<_> = fields.iter().map(|v| v.field.as_str()).collect();
    assert_eq!(fields, ["context.tags", "context.embedding"]);

    let message = v1::Message::default();
    let bad = v1::RouteRequest {
        context: Some(v1::RequestContext {
            messages: vec![message; 4096],
            ..Default::default()
        }),
        ..Default::default()
    };
    let (_, reason) = refusal(router.route(asked(bad)).await);
    assert_eq!(
        reason, "INVALID_FIELD",
        "4096 violations fit in a status that clients accept"
    );

    let long = v1::RouteRequest {
        request_id: Some("x".repeat(50 << 20)),
        ..Default::default()
    };
    let (code, reason) = refusal(router.route(asked(long)).await);
    assert_eq!(
        (code, reason.as_str()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );

    // Field 1 is a message in RouteRequest and an integer here.
    let garbage = v1::ListDecisionsRequest {
        page_size: 7,
        ..Default::default()
    };
    let (code, reason) = refusal(served.route_raw(garbage).await);
    assert_eq!(
        (code, reason.as_str()),
        (Code::InvalidArgument, "INVALID_FIELD")
    );

    assert!(route(&served, "triage").await.is_ok());
}

#[tokio::test]
async fn a_panic_inside_ends_one_call() {
    let served = served().await;
    let (code, reason) = refusal(route(&served, "panic").await);
    assert_eq!((code, reason.as_str()), (Code::Internal, "INTERNAL"));
    assert!(route(&served, "triage").await.is_ok());
}

#[tokio::test]
async fn a_call_ends_at_its_deadline() {
    let served = served().await;
    let request = v1::RouteRequest {
        context: Some(v1::RequestContext {
            task: Some("hang".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    };
    // Over bare HTTP/2: tonic's client would end the call itself, before the server's word arrives.
    let status = served.route_within("5m", request).await;
    let (code, reason) = refusal(Err::<(), _>(status));
    assert_eq!(
        (code, reason.as_str()),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED")
    );
}

async fn stream(served: &Served, text: &str) -> (Vec<&'static str>, Option<Code>) {
    let mut router = client!(served, router_service_client::RouterServiceClient);
    let part = v1::content_part::Part::Text(text.to_owned());
    let message = v1::Message {
        role: v1::Role::User.into(),
        content: vec![v1::ContentPart { part: Some(part) }],
        ..Default::default()
    };
    let request = v1::CompleteRequest {
        context: Some(v1::RequestContext {
            messages: vec![message],
            ..Default::default()
        }),
        ..Default::default()
    };
    let request = v1::StreamCompleteRequest {
        request: Some(request),
    };
    let mut pieces = router
        .stream_complete(asked(request))
        .await
        .unwrap()
        .into_inner();
    let mut seen = Vec::new();
    loop {
        match pieces.message().await {
            Ok(Some(piece)) => seen.push(match piece.event.unwrap() {
                Event::Decision(_) => "decision",
                Event::TextDelta(_) => "text",
                Event::ToolCall(_) => "tool_call",
                Event::Reasoning(_) => "reasoning",
                Event::Done(_) => "done",
            }),
            Ok(None) => return (seen, None),
            Err(status) => {
                assert!(status.get_details_error_info().is_some(), "{status:?}");
                return (seen, Some(status.code()));
            }
        }
    }
}

#[tokio::test]
async fn a_cut_stream_is_never_taken_for_a_whole_one() {
    let served = served().await;
    let whole = (vec!["decision", "text", "tool_call", "done"], None);
    assert_eq!(stream(&served, "whole").await, whole);
    let cut = (vec!["decision", "text"], Some(Code::Internal));
    assert_eq!(stream(&served, "cut").await, cut);
    assert_eq!(stream(&served, "panic").await, cut);
    let failed = (vec!["decision", "text"], Some(Code::Unavailable));
    assert_eq!(stream(&served, "failed").await, failed);
}

#[tokio::test]
async fn feedback_is_judged_item_by_item_in_order() {
    let served = served().await;
    let mut feedback = client!(served, feedback_service_client::FeedbackServiceClient);
    let item = |episode: &str| v1::Feedback {
        subject: Some(v1::feedback::Subject::EpisodeId(episode.to_owned())),
        signals: vec![v1::Signal {
            name: "escalated".to_owned(),
            value: Some(v1::SignalValue {
                value: Some(v1::signal_value::Value::Flag(false)),
            }),
            kind: 0,
        }],
        ..Default::default()
    };
    let batch = v1::SubmitFeedbackRequest {
        items: vec![item("e1"), item(""), item("e2")],
        dry_run: false,
    };
    let results = feedback
        .submit_feedback(asked(batch))
        .await
        .unwrap()
        .into_inner()
        .results;
    let statuses: Vec<_> = results.iter().map(v1::FeedbackResult::status).collect();
    use feedback_result::Status::{Accepted, Refused};
    assert_eq!(statuses, [Accepted, Refused, Accepted]);
    assert!(results[1].message.starts_with("episode_id: is empty"));
    let (_, reason) = refusal(
        feedback
            .submit_feedback(Request::new(Default::default()))
            .await,
    );
    assert_eq!(reason, "KEY_UNKNOWN");
}

#[tokio::test]
async fn a_decision_is_shown_with_its_attempts_and_the_signals_that_stand() {
    let served = served().await;
    let mut router = client!(served, router_service_client::RouterServiceClient);
    let id = served.decision_id.clone();
    let shown = router.get_decision(asked(v1::GetDecisionRequest { decision_id: id }));
    let record = shown.await.unwrap().into_inner().decision.unwrap();
    assert_eq!((record.attempts.len(), record.cost_nano_usd), (2, 1500));
    let names: Vec<_> = record.signals.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["minutes"], "the other was retracted");
    let value = record.signals[0].value.clone().unwrap().value.unwrap();
    assert_eq!(
        value,
        v1::signal_value::Value::Number(7.5),
        "corrected from 5"
    );
    let foreign = v1::GetDecisionRequest {
        decision_id: "018bcfe5-6800-7001-8000-000037f07baa".to_owned(),
    };
    let (code, reason) = refusal(router.get_decision(asked(foreign)).await);
    assert_eq!(
        (code, reason.as_str()),
        (Code::NotFound, "DECISION_NOT_FOUND")
    );
}
