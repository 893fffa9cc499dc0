//! Requests of `RouterService`.
//!
//! Invariants: those of `route::request`; a body's hash is taken before it is taken apart, and only
//! where an idempotency key asks for it.
//!
//! Not here: whether the decision, the endpoint or the arm exists (`route`).

use super::super::body;
use super::super::status::Failure;
use super::{constraints, context, generation};
use crate::complete::AttemptReport;
use crate::decision;
use crate::field::Fields;
use crate::id::{DecisionId, Secret};
use crate::learn::EpisodeClosing;
use crate::path::Path;
use crate::proto::v1;
use crate::route::{DecisionQuery, Request};
use crate::unit::NanoUsd;

/// What an empty page size means.
const PAGE: i64 = 50;

/// A request for a decision.
pub(in crate::grpc) fn route(mut said: v1::RouteRequest) -> Result<Request, Failure> {
    let mut fields = Fields::default();
    let id = said.request_id.take();
    let key = idempotency(&mut fields, Path::Root, id, "Route", &said);
    let mut request = context::request(&mut fields, Path::Root.field("context"), said.context);
    let at = Path::Root.field("constraints");
    request.constraints = constraints::constraints(&mut fields, at, said.constraints);
    request.request = key;
    request.explore = said.explore.unwrap_or(true);
    Ok(fields.finish(Some(request))?)
}

/// A request for a decision and an answer.
pub(in crate::grpc) fn complete(said: v1::CompleteRequest) -> Result<Request, Failure> {
    let mut fields = Fields::default();
    let asked = ask(&mut fields, Path::Root, said);
    Ok(fields.finish(Some(asked))?)
}

/// As [`complete`], to be answered in pieces.
pub(in crate::grpc) fn stream_complete(
    said: v1::StreamCompleteRequest,
) -> Result<Request, Failure> {
    let mut fields = Fields::default();
    let at = Path::Root.field("request");
    let said = fields.required(at, said.request);
    let asked = said.map(|said| Request {
        streaming: true,
        ..ask(&mut fields, at, said)
    });
    Ok(fields.finish(asked)?)
}

fn ask(fields: &mut Fields, at: Path<'_>, mut said: v1::CompleteRequest) -> Request {
    let id = said.request_id.take();
    let key = idempotency(fields, at, id, "Complete", &said);
    let silent = said.context.as_ref().is_none_or(|c| c.messages.is_empty());
    if silent {
        let problem = "is empty: at least one message is required";
        fields.refuse(at.field("context").field("messages"), problem);
    }
    let mut request = context::request(fields, at.field("context"), said.context);
    let limits = constraints::constraints(fields, at.field("constraints"), said.constraints);
    request.constraints = limits;
    request.request = key;
    request.explore = said.explore.unwrap_or(true);
    request.generation = generation::generation(fields, at, said.temperature, said.generation);
    request
}

/// The idempotency key, if there is one, with the hash of everything else.
fn idempotency(
    fields: &mut Fields,
    at: Path<'_>,
    id: Option<String>,
    rpc: &str,
    rest: &impl prost::Message,
) -> Option<decision::Request> {
    let id = fields.name_if_said(at.field("request_id"), id.as_deref())?;
    let body_hash = body::hash(rpc, rest);
    Some(decision::Request { id, body_hash })
}

/// A decision's id. One that this server never made is not found, whatever it looks like.
pub(super) fn decision_id(secret: &Secret, text: &str) -> Result<DecisionId, Failure> {
    secret
        .parse(text)
        .map_err(|_| Failure::DecisionNotFound { id: None })
}

/// What happened when the caller called the endpoint itself.
pub(in crate::grpc) fn report_attempt(
    mut said: v1::ReportAttemptRequest,
    secret: &Secret,
) -> Result<AttemptReport, Failure> {
    let mut fields = Fields::default();
    let root = Path::Root;
    let id = said.request_id.take();
    let request = idempotency(&mut fields, root, id, "ReportAttempt", &said);
    let endpoint = fields.name_unless_empty("endpoint", &said.endpoint);
    let usage = usage(
        &mut fields,
        root.field("usage"),
        said.usage.unwrap_or_default(),
    );
    let latency_ms = fields.number("latency_ms", said.latency_ms, 0.0..=MOST_LATENCY_MS);
    let cost = fields.number("cost_nano_usd", said.cost_nano_usd, 0..=i64::MAX);
    let error = fields.name_unless_empty("error", &said.error);
    let report = fields.finish(Some((endpoint, usage, latency_ms, cost, error)))?;
    let (endpoint, usage, latency_ms, cost, error) = report;
    Ok(AttemptReport {
        decision: decision_id(secret, &said.decision_id)?,
        endpoint,
        usage,
        latency_ms,
        cost: cost.map(NanoUsd::new),
        error,
        request,
    })
}

/// Thirty days: an attempt that took longer is a mistake of units.
const MOST_LATENCY_MS: f64 = 2_592_000_000.0;

fn usage(fields: &mut Fields, at: Path<'_>, said: v1::Usage) -> decision::Usage {
    let usage = decision::Usage {
        input: fields.tokens(at.field("input_tokens"), said.input_tokens, 0),
        cached_input: fields.tokens(at.field("cached_input_tokens"), said.cached_input_tokens, 0),
        output: fields.tokens(at.field("output_tokens"), said.output_tokens, 0),
        estimated: said.estimated,
        cache_write: fields.tokens(at.field("cache_write_tokens"), said.cache_write_tokens, 0),
        reasoning: fields.tokens(at.field("reasoning_tokens"), said.reasoning_tokens, 0),
    };
    if let (Some(cached), Some(input)) = (usage.cached_input, usage.input)
        && cached > input
    {
        fields.refuse(
            at.field("cached_input_tokens"),
            format_args!("is {cached}: allowed at most input_tokens, {input}"),
        );
    }
    usage
}

/// The episode to close.
pub(in crate::grpc) fn close_episode(
    mut said: v1::CloseEpisodeRequest,
) -> Result<EpisodeClosing, Failure> {
    let mut fields = Fields::default();
    let id = said.request_id.take();
    let request = idempotency(&mut fields, Path::Root, id, "CloseEpisode", &said);
    let episode = fields.name("episode_id", &said.episode_id);
    Ok(fields.finish(episode.map(|episode| EpisodeClosing { episode, request }))?)
}

/// The decision to show.
pub(in crate::grpc) fn get_decision(
    said: &v1::GetDecisionRequest,
    secret: &Secret,
) -> Result<DecisionId, Failure> {
    decision_id(secret, &said.decision_id)
}

/// The decisions to list.
pub(in crate::grpc) fn list_decisions(
    said: &v1::ListDecisionsRequest,
) -> Result<DecisionQuery, Failure> {
    let mut fields = Fields::default();
    let size = fields.number("page_size", Some(i64::from(said.page_size)), 0..=1000);
    let size = size.map(|size| if size == 0 { PAGE } else { size });
    let before = match said.page_token.as_str() {
        "" => None,
        token => {
            let cursor = u64::from_str_radix(token, 16).ok();
            if cursor.is_none() {
                fields.refuse(
                    "page_token",
                    "is not one: allowed a next_page_token, or empty",
                );
            }
            cursor
        }
    };
    let episode = fields.name_unless_empty("episode_id", &said.episode_id);
    let arm = fields.name_unless_empty("arm", &said.arm);
    let size = size.and_then(|size| usize::try_from(size).ok());
    let query = size.map(|size| DecisionQuery {
        size,
        before,
        episode,
        arm,
    });
    Ok(fields.finish(query)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::decode::testing::violations;
    use crate::route::Tag;
    use crate::unit::Timestamp;
    use prost::Message;
    use v1::context_tag::Value;

    fn tag(key: &str, value: Value) -> v1::ContextTag {
        v1::ContextTag {
            key: key.into(),
            value: Some(value),
        }
    }

    fn good() -> v1::RouteRequest {
        v1::RouteRequest {
            context: Some(v1::RequestContext {
                task: Some("triage".into()),
                tags: vec![
                    tag("language", Value::Text("en".into())),
                    tag("severity", Value::Number(0.5)),
                ],
                embedding: vec![0.5; 64],
                input_tokens: Some(10),
                ..Default::default()
            }),
            constraints: Some(v1::Constraints {
                denied_arms: vec!["large".into()],
                max_cost_nano_usd: Some(0),
                max_latency_ms: Some(1500.0),
                ..Default::default()
            }),
            request_id: Some("r1".into()),
            explore: None,
        }
    }

    /// The good request with one thing changed is refused with these violations.
    fn check(change: impl FnOnce(&mut v1::RequestContext, &mut v1::Constraints), bad: &[&str]) {
        let mut said = good();
        let (mut context, mut limits) = (said.context.unwrap(), said.constraints.unwrap());
        change(&mut context, &mut limits);
        (said.context, said.constraints) = (Some(context), Some(limits));
        assert_eq!(route(said).map_or_else(violations, |_| Vec::new()), bad);
    }

    #[test]
    fn a_good_request_arrives_whole() {
        let request = route(good()).unwrap();
        let texts: Vec<_> = request.tags.iter().map(|(key, _)| key.as_str()).collect();
        assert_eq!(texts, ["language", "severity"]);
        assert_eq!(request.tags[1].1, Tag::Number(0.5));
        assert_eq!(request.embedding.map(|e| e.len()), Some(64));
        assert_eq!(request.constraints.max_cost, Some(NanoUsd::ZERO));
        assert_eq!(request.input_tokens, Some(10));
        assert!(request.explore && !request.streaming);
        assert_eq!(request.request.unwrap().id.as_str(), "r1");
    }

    #[test]
    fn an_empty_request_is_a_request_without_wishes() {
        let request = route(v1::RouteRequest::default()).unwrap();
        assert_eq!(request.constraints, crate::route::Constraints::default());
        assert_eq!(
            (request.task, request.embedding, request.request),
            (None, None, None)
        );
    }

    #[test]
    fn each_bad_field_of_the_context_is_named_with_what_is_allowed() {
        check(|_, _| {}, &[]);
        let name = "characters or a control character: allowed 1 to 128 printable characters";
        check(
            |c, _| c.task = Some(String::new()),
            &["context.task: is empty: allowed 1 to 128 printable characters"],
        );
        check(
            |c, _| c.episode_id = Some("x".repeat(129)),
            &[&format!("context.episode_id: has 129 {name}")],
        );
        check(
            |c, _| c.session_id = Some("a\0".into()),
            &[&format!("context.session_id: has 2 {name}")],
        );
        check(
            |c, _| c.tags[1].key = "language".into(),
            &["context.tags[1].key: is given twice: allowed once"],
        );
        check(
            |c, _| c.tags[0].value = None,
            &["context.tags[0].value: is absent: required"],
        );
        check(
            |c, _| c.tags[0].value = Some(Value::Text("x".repeat(129))),
            &["context.tags[0].text: has 129 characters: allowed at most 128"],
        );
        check(
            |c, _| c.tags[1].value = Some(Value::Number(f64::NAN)),
            &["context.tags[1].number: is NaN: allowed -1000000000 to 1000000000"],
        );
        check(
            |c, _| c.tags = vec![tag("k", Value::Number(1.0)); 10_000],
            &["context.tags: has 10000 entries: allowed 0 to 64"],
        );
        check(
            |c, _| c.embedding = vec![0.0; 63],
            &["context.embedding: has 63 entries: allowed none, or 64 to 4096"],
        );
        check(
            |c, _| (c.embedding[7], c.embedding[9]) = (f32::INFINITY, f32::NAN),
            &[
                "context.embedding[7]: is inf: allowed finite numbers",
                "context.embedding[9]: is NaN: allowed finite numbers",
            ],
        );
        let nan = |i| format!("context.embedding[{i}]: is NaN: allowed finite numbers");
        let mut named: Vec<String> = (0..8).map(nan).collect();
        named.push("context.embedding: has 56 more entries that are not finite".to_owned());
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        check(|c, _| c.embedding = vec![f32::NAN; 64], &named);
        check(
            |c, _| c.max_output_tokens = Some(0),
            &["context.max_output_tokens: is 0: allowed 1 to 100000000"],
        );
    }

    #[test]
    fn each_bad_limit_is_named_with_what_is_allowed() {
        check(
            |_, l| l.max_cost_nano_usd = Some(-1),
            &["constraints.max_cost_nano_usd: is -1: allowed 0 to 9223372036854775807"],
        );
        for bad in [0.0, -1.0, f64::NAN, 1e12] {
            let problem = format!("is {bad}: allowed above 0 to 86400000");
            check(
                |_, l| l.max_latency_ms = Some(bad),
                &[&format!("constraints.max_latency_ms: {problem}")],
            );
        }
        check(
            |_, l| l.allowed_arms = vec!["a".into(); 1025],
            &["constraints.allowed_arms: has 1025 entries: allowed 0 to 1024"],
        );
        let policy = v1::DataPolicy {
            regions: vec!["eu".into(), "eu".into()],
            ..Default::default()
        };
        check(
            |_, l| l.data_policy = Some(policy),
            &["constraints.data_policy.regions[1]: is given twice: allowed once"],
        );
    }

    #[test]
    fn all_violations_come_at_once_in_the_order_of_the_fields() {
        let mut said = good();
        said.request_id = Some(String::new());
        let context = said.context.as_mut().unwrap();
        context.task = Some(String::new());
        context.embedding = vec![1.0; 3];
        context.messages = vec![v1::Message::default()];
        said.constraints.as_mut().unwrap().max_latency_ms = Some(0.0);
        let found = route(said).map_or_else(violations, |_| Vec::new());
        let fields: Vec<_> = found.iter().filter_map(|v| v.split(':').next()).collect();
        assert_eq!(
            fields,
            [
                "request_id",
                "context.task",
                "context.messages[0].role",
                "context.embedding",
                "constraints.max_latency_ms",
            ]
        );
    }

    #[test]
    fn an_answer_needs_a_message_and_a_mild_temperature() {
        let said = v1::CompleteRequest {
            temperature: Some(2.5),
            ..Default::default()
        };
        let stream = v1::StreamCompleteRequest {
            request: Some(said.clone()),
        };
        let messages = "context.messages: is empty: at least one message is required";
        let temperature = "temperature: is 2.5: allowed 0 to 2";
        let found = complete(said).map_or_else(violations, |_| Vec::new());
        assert_eq!(found, [messages, temperature]);
        let found = stream_complete(stream).map_or_else(violations, |_| Vec::new());
        assert_eq!(
            found,
            [messages, temperature].map(|v| format!("request.{v}"))
        );
        let found = stream_complete(v1::StreamCompleteRequest::default());
        assert_eq!(
            found.map_or_else(violations, |_| Vec::new()),
            ["request: is absent: required"]
        );
    }

    #[test]
    fn a_request_id_does_not_change_the_hash_of_its_body() {
        let hash = |said| route(said).unwrap().request.unwrap().body_hash;
        let mut renamed = good();
        renamed.request_id = Some("r2".into());
        let mut changed = good();
        changed.explore = Some(false);
        assert_eq!(hash(good()), hash(renamed));
        assert_ne!(hash(good()), hash(changed));
    }

    #[test]
    fn a_foreign_decision_id_is_not_found() {
        let secret = Secret::new([1; 32]);
        let id = secret.mint(Timestamp::from_micros(1), 5);
        let ask =
            |text: String| get_decision(&v1::GetDecisionRequest { decision_id: text }, &secret);
        assert_eq!(ask(id.to_string()).unwrap(), id);
        let foreign = Secret::new([2; 32]).mint(Timestamp::from_micros(1), 5);
        for bad in [foreign.to_string(), "no id".into(), "x".repeat(1 << 20)] {
            assert_eq!(ask(bad).unwrap_err().code().1, "DECISION_NOT_FOUND");
        }
    }

    #[test]
    fn a_report_has_sound_usage() {
        let secret = Secret::new([1; 32]);
        let usage = |cached: i64, input: i64| v1::ReportAttemptRequest {
            decision_id: secret.mint(Timestamp::from_micros(1), 5).to_string(),
            usage: Some(v1::Usage {
                input_tokens: Some(input),
                cached_input_tokens: Some(cached),
                ..Default::default()
            }),
            ..Default::default()
        };
        let read = |said| report_attempt(said, &secret).map_err(violations);
        assert_eq!(read(usage(5, 5)).unwrap().usage.cached_input, Some(5));
        let found = read(usage(6, 5)).unwrap_err();
        assert_eq!(
            found,
            ["usage.cached_input_tokens: is 6: allowed at most input_tokens, 5"]
        );
        let found = read(usage(0, -5)).unwrap_err();
        assert_eq!(found, ["usage.input_tokens: is -5: allowed 0 to 100000000"]);
    }

    #[test]
    fn a_page_has_up_to_1000_decisions_and_a_token_of_ours() {
        let ask = |page_size, token: &str| {
            list_decisions(&v1::ListDecisionsRequest {
                page_size,
                page_token: token.into(),
                ..Default::default()
            })
            .map_err(violations)
        };
        assert_eq!(ask(0, "").unwrap().size, 50);
        assert_eq!(ask(1000, "ff").unwrap().before, Some(255));
        let found = ask(-1, "zz").unwrap_err();
        let token = "page_token: is not one: allowed a next_page_token, or empty";
        assert_eq!(found, ["page_size: is -1: allowed 0 to 1000", token]);
    }

    proptest::proptest! {
        /// Bytes on the wire turned at random: a request that is taken all the same keeps its type's
        /// promises, and none panics.
        #[test]
        fn a_damaged_request_is_refused_or_sound(
            damage in proptest::collection::vec((0_usize..512, proptest::num::u8::ANY), 1..8)
        ) {
            let mut said = good();
            said.context.as_mut().unwrap().messages = vec![v1::Message {
                role: v1::Role::User.into(),
                content: vec![v1::ContentPart {
                    part: Some(v1::content_part::Part::Text("hello".into())),
                }],
                ..Default::default()
            }];
            let mut bytes = said.encode_to_vec();
            for (at, byte) in damage {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            if let Ok(request) = v1::RouteRequest::decode(&*bytes)
                && let Ok(request) = route(request)
            {
                let finite = |(_, tag): &(_, Tag)| match tag {
                    Tag::Number(number) => number.is_finite(),
                    Tag::Text(text) => text.chars().count() <= 128,
                };
                proptest::prop_assert!(request.tags.iter().all(finite));
                proptest::prop_assert!(request.messages.iter().all(|m| m.check().is_ok()));
                let embedding = request.embedding.unwrap_or_default();
                proptest::prop_assert!(embedding.iter().all(|x| x.is_finite()));
            }
        }
    }
}
