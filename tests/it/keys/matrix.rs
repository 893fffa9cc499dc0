//! Authorisation matrix: every RPC of every service and every address of the HTTP door, with no key, with a key of
//! each scope, and about what is another team's.
//!
//! The calls come from the descriptor set and from the door's own table: one without a rule here fails the test,
//! and so does a rule without a call.

use super::{create, list, revoke, rig, wanted};
use crate::openai_door::caller::{get, post, send};
use crate::repeats::asking;
use crate::rig::{CODING, Rig, SUPPORT, item, passed, refusal, within_episode};
use bellwether::http::{ADDRESSES, Asks};
use bellwether::proto::{FILE_DESCRIPTOR_SET, v1};
use bytes::{Buf, BufMut};
use prost::Message;
use serde_json::json;
use std::collections::BTreeSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

/// What a call asks for, and what comes of it where it names what is another team's.
struct Rule {
    call: &'static str,
    scope: v1::Scope,
    theirs: fn(&World) -> Vec<u8>,
    comes: Comes,
}

/// What comes of a call about another team's things.
enum Comes {
    Refused(Code, &'static str),
    /// Only the caller's own: this holds of the replies.
    Own(fn(&World, &[Vec<u8>])),
}

use Comes::{Own, Refused};

/// An episode that the caller's team has none of the name of.
const ONLY_THEIRS: &str = "only-theirs";

/// What team `support` has.
struct World {
    decision: String,
    /// Of a request with this id, in an episode of this name.
    request_id: String,
    episode: String,
    /// The name of a key that it made.
    key: String,
}

impl World {
    async fn new(rig: &Rig) -> Self {
        let (request_id, episode) = ("theirs-1".to_owned(), "their-episode".to_owned());
        let mut request = within_episode("triage", &episode);
        request.request_id = Some(request_id.clone());
        let mut support = rig.caller(SUPPORT).await;
        let decision = support.ask(request).await.expect("routed").decision_id;
        let alone = support.ask(within_episode("triage", ONLY_THEIRS)).await;
        alone.expect("routed");
        let key = "their-key".to_owned();
        let made = v1::CreateKeyRequest {
            team: "support".to_owned(),
            ..wanted(&key, &[v1::Scope::Route])
        };
        support.admin.create_key(made).await.expect("made");
        Self {
            decision,
            request_id,
            episode,
            key,
        }
    }

    /// All that is known of it, to be the same afterwards.
    async fn seen(&self, rig: &Rig) -> (v1::DecisionRecord, Option<v1::Control>, Vec<v1::Key>) {
        let mut support = rig.caller(SUPPORT).await;
        let request = v1::ListKeysRequest {
            team: "support".to_owned(),
            ..Default::default()
        };
        let keys = support.admin.list_keys(request).await.expect("listed");
        (
            support.decision(&self.decision).await.expect("known"),
            support.team("support").await.control,
            keys.into_inner().keys,
        )
    }
}

fn support() -> String {
    "support".to_owned()
}

/// One decision of the caller's own, made now.
fn own_decision(world: &World, replies: &[Vec<u8>]) {
    let reply = v1::RouteResponse::decode(&replies[0][..]).expect("a decision");
    assert!(!reply.repeated && reply.decision_id != world.decision);
}

fn own_answer(world: &World, replies: &[Vec<u8>]) {
    let reply = v1::CompleteResponse::decode(&replies[0][..]).expect("an answer");
    let decision = reply.decision.expect("a decision");
    assert!(!decision.repeated && decision.decision_id != world.decision);
}

fn own_stream(world: &World, replies: &[Vec<u8>]) {
    let reply = v1::StreamCompleteResponse::decode(&replies[0][..]).expect("an event");
    let Some(v1::stream_complete_response::Event::Decision(decision)) = reply.event else {
        panic!("{reply:?}");
    };
    assert!(!decision.repeated && decision.decision_id != world.decision);
}

fn no_decisions(_: &World, replies: &[Vec<u8>]) {
    let reply = v1::ListDecisionsResponse::decode(&replies[0][..]).expect("a page");
    assert_eq!(reply, v1::ListDecisionsResponse::default());
}

fn no_feedback(_: &World, replies: &[Vec<u8>]) {
    let reply = v1::SubmitFeedbackResponse::decode(&replies[0][..]).expect("results");
    let [by_decision, _] = &reply.results[..] else {
        panic!("{reply:?}");
    };
    assert_eq!(by_decision.status(), v1::feedback_result::Status::Refused);
    assert_eq!(by_decision.reason, "DECISION_NOT_FOUND");
}

/// A request with the id, and in the episode, of one of theirs.
fn same_request(world: &World) -> v1::CompleteRequest {
    let mut request = asking(&format!("{}-answer", world.request_id));
    if let Some(context) = &mut request.context {
        context.episode_id = Some(world.episode.clone());
        context.task = Some("triage".to_owned());
    }
    request
}

fn rule(call: &'static str, scope: v1::Scope, theirs: fn(&World) -> Vec<u8>, comes: Comes) -> Rule {
    Rule {
        call,
        scope,
        theirs,
        comes,
    }
}

/// One rule for each call of the contract.
#[rustfmt::skip]
fn rules() -> Vec<Rule> {
    use v1::Scope::{Admin, Complete, Feedback, Replay, Route};
    let other_team = || Refused(Code::PermissionDenied, "NOT_ALLOWED");
    let no_decision = || Refused(Code::NotFound, "DECISION_NOT_FOUND");
    vec![
        rule("RouterService/Route", Route, |w| {
            let mut request = within_episode("triage", &w.episode);
            request.request_id = Some(w.request_id.clone());
            request.encode_to_vec()
        }, Own(own_decision)),
        rule("RouterService/ReportAttempt", Route, |w| v1::ReportAttemptRequest {
            decision_id: w.decision.clone(), ..Default::default()
        }.encode_to_vec(), no_decision()),
        rule("RouterService/Complete", Complete, |w| same_request(w).encode_to_vec(), Own(own_answer)),
        rule("RouterService/StreamComplete", Complete, |w| {
            let mut request = same_request(w);
            request.request_id = Some(format!("{}-stream", w.request_id));
            v1::StreamCompleteRequest { request: Some(request) }.encode_to_vec()
        }, Own(own_stream)),
        // By now the caller's team has an episode of that name, too: it is that one which is closed.
        rule("RouterService/CloseEpisode", Feedback, |w| v1::CloseEpisodeRequest {
            episode_id: w.episode.clone(), ..Default::default()
        }.encode_to_vec(), Own(|_, _| {})),
        rule("RouterService/GetDecision", Route, |w| v1::GetDecisionRequest {
            decision_id: w.decision.clone(),
        }.encode_to_vec(), no_decision()),
        rule("RouterService/ListDecisions", Route, |_| v1::ListDecisionsRequest {
            episode_id: ONLY_THEIRS.to_owned(), ..Default::default()
        }.encode_to_vec(), Own(no_decisions)),
        rule("FeedbackService/SubmitFeedback", Feedback, |w| v1::SubmitFeedbackRequest {
            items: vec![
                item(&w.decision, vec![passed(true)]),
                v1::Feedback {
                    subject: Some(v1::feedback::Subject::EpisodeId(w.episode.clone())),
                    signals: vec![passed(false)],
                    ..Default::default()
                },
            ],
            dry_run: false,
        }.encode_to_vec(), Own(no_feedback)),
        // It names no team: what is judged is the key's own.
        rule("EvaluationService/Replay", Replay, |_| Vec::new(), Refused(Code::InvalidArgument, "INVALID_FIELD")),
        rule("AdminService/SetControl", Admin, |_| v1::SetControlRequest {
            team: support(), control: Some(v1::Control { frozen: true, ..Default::default() }), lift_guard: true,
        }.encode_to_vec(), other_team()),
        rule("AdminService/GetTeam", Admin, |_| v1::GetTeamRequest { team: support() }.encode_to_vec(), other_team()),
        rule("AdminService/CreateKey", Admin, |_| v1::CreateKeyRequest {
            team: support(), ..wanted("intruder", &[Route])
        }.encode_to_vec(), other_team()),
        rule("AdminService/ListKeys", Admin, |_| v1::ListKeysRequest {
            team: support(), ..Default::default()
        }.encode_to_vec(), other_team()),
        rule("AdminService/RotateKey", Admin, |w| v1::RotateKeyRequest {
            team: support(), name: w.key.clone(), overlap_seconds: None,
        }.encode_to_vec(), other_team()),
        rule("AdminService/RevokeKey", Admin, |w| v1::RevokeKeyRequest {
            team: support(), name: w.key.clone(),
        }.encode_to_vec(), other_team()),
    ]
}

/// Every call that the contract has.
fn calls() -> BTreeSet<String> {
    let all = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("descriptors");
    let mut calls = BTreeSet::new();
    for file in all
        .file
        .iter()
        .filter(|file| file.package() == "bellwether.v1")
    {
        for service in &file.service {
            let calls_of = service.method.iter();
            calls.extend(calls_of.map(|call| format!("{}/{}", service.name(), call.name())));
        }
    }
    calls
}

/// Messages as their bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut message = vec![0; from.remaining()];
        from.copy_to_slice(&mut message);
        Ok(Some(message))
    }
}

/// The replies to one call.
async fn ask(
    channel: &Channel,
    call: &str,
    key: Option<&str>,
    message: Vec<u8>,
) -> Result<Vec<Vec<u8>>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.expect("ready");
    let mut request = Request::new(message);
    if let Some(key) = key {
        let bearer = format!("Bearer {key}").parse().expect("ASCII");
        request.metadata_mut().insert("authorization", bearer);
    }
    let path = format!("/bellwether.v1.{call}").parse().expect("a path");
    // A unary reply is a stream of one message.
    let mut replies = grpc
        .server_streaming(request, path, Raw)
        .await?
        .into_inner();
    let mut all = Vec::new();
    while let Some(reply) = replies.message().await? {
        all.push(reply);
    }
    Ok(all)
}

const SCOPES: [v1::Scope; 5] = [
    v1::Scope::Route,
    v1::Scope::Complete,
    v1::Scope::Feedback,
    v1::Scope::Replay,
    v1::Scope::Admin,
];

/// A key of team `coding` for each scope alone.
async fn keys(rig: &Rig) -> Vec<(v1::Scope, String)> {
    let mut keys = Vec::new();
    for scope in SCOPES {
        let name = scope.as_str_name().to_ascii_lowercase();
        keys.push((scope, create(rig, wanted(&name, &[scope])).await));
    }
    keys
}

/// Texts that nobody may come in with: none, unknown ones, one that was revoked.
async fn strangers(rig: &Rig) -> Vec<Option<String>> {
    let gone = create(rig, wanted("gone", &SCOPES)).await;
    revoke(rig, "gone").await;
    let made = create(rig, wanted("near", &SCOPES)).await;
    let near = format!(
        "{}{}",
        &made[..made.len() - 1],
        if made.ends_with('a') { 'b' } else { 'a' }
    );
    let texts = [gone, near, "unknown".to_owned(), String::new()];
    [None].into_iter().chain(texts.map(Some)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_asks_for_its_scope_and_reaches_nothing_of_another_team() {
    let rules = rules();
    let ruled: BTreeSet<String> = rules.iter().map(|rule| rule.call.to_owned()).collect();
    assert_eq!(calls(), ruled, "each call of the contract has a rule here");
    assert_eq!(ruled.len(), rules.len(), "and one only");
    let rig = rig().await;
    let world = World::new(&rig).await;
    let seen = world.seen(&rig).await;
    let (keys, strangers) = (keys(&rig).await, strangers(&rig).await);
    let channel = Endpoint::from_shared(rig.address()).expect("an address");
    let channel = channel.connect().await.expect("connected");
    for Rule {
        call,
        scope,
        theirs,
        comes,
    } in &rules
    {
        for stranger in &strangers {
            let asked = ask(&channel, call, stranger.as_deref(), theirs(&world)).await;
            let expected = (Code::Unauthenticated, "KEY_UNKNOWN".to_owned());
            assert_eq!(refusal(asked), expected, "{call}");
        }
        for (own, key) in keys.iter().filter(|(own, _)| own != scope) {
            let asked = ask(&channel, call, Some(key), theirs(&world)).await;
            let expected = (Code::PermissionDenied, "NOT_ALLOWED".to_owned());
            assert_eq!(refusal(asked), expected, "{call} with {own:?}");
        }
        let (_, key) = keys.iter().find(|(own, _)| own == scope).expect("a key");
        let asked = ask(&channel, call, Some(key), theirs(&world)).await;
        match comes {
            Refused(code, reason) => {
                assert_eq!(refusal(asked), (*code, (*reason).to_owned()), "{call}");
            }
            Own(holds) => holds(
                &world,
                &asked.unwrap_or_else(|status| panic!("{call}: {status}")),
            ),
        }
        // About nothing: whatever becomes of it, the key lets it in.
        if let Err(status) = ask(&channel, call, Some(key), Vec::new()).await {
            let reason = refusal::<()>(Err(status)).1;
            assert!(
                !["KEY_UNKNOWN", "NOT_ALLOWED"].contains(&reason.as_str()),
                "{call}: {reason}"
            );
        }
    }
    assert_eq!(
        world.seen(&rig).await,
        seen,
        "nothing of theirs has changed"
    );
    let own = list(&rig).await;
    assert!(
        own.iter()
            .all(|key| key.team == "coding" && key.name != "intruder")
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_team_is_not_found_by_its_name() {
    let rig = rig().await;
    let world = World::new(&rig).await;
    let mut admin = rig.caller(CODING).await.admin;
    let (team, name) = ("coding".to_owned(), world.key.clone());
    let revoked = admin.revoke_key(v1::RevokeKeyRequest { team, name }).await;
    assert_eq!(
        refusal(revoked),
        (Code::NotFound, "KEY_NOT_FOUND".to_owned())
    );
    // Nor does a name tell that another team has it: it is free here.
    create(&rig, wanted(&world.key, &[v1::Scope::Route])).await;
    rig.stop().await;
}

/// One rule for each address: what it asks for.
const DOOR: [(&str, &str, Asks); 6] = {
    use bellwether::access::Scope::{Complete, Feedback};
    [
        ("POST", "/chat/completions", Asks::Scope(Complete)),
        ("POST", "/embeddings", Asks::Scope(Complete)),
        ("POST", "/feedback", Asks::Scope(Feedback)),
        ("GET", "/health", Asks::Nothing),
        ("GET", "/models", Asks::Key),
        ("GET", "/models/", Asks::Key),
    ]
};

/// The status that a caller with this key gets at an address.
async fn knocked(rig: &Rig, method: &str, path: &str, key: Option<&str>, body: &str) -> u16 {
    let bytes = match method {
        "GET" => get(path, key),
        _ => post(path, key, &[], body.as_bytes()),
    };
    send(rig, &bytes).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_asks_for_its_scope_with_and_without_its_version() {
    let served = ADDRESSES.iter().map(|a| (a.method, a.path));
    let ruled = DOOR.iter().map(|(method, path, _)| (*method, *path));
    let [served, ruled] = [served.collect::<BTreeSet<_>>(), ruled.collect()];
    assert_eq!(served, ruled, "each address of the door has a rule here");
    let rig = rig().await;
    let (keys, strangers) = (keys(&rig).await, strangers(&rig).await);
    for (method, path, asks) in DOOR {
        let name = if path.ends_with('/') { "auto" } else { "" };
        for path in [format!("{path}{name}"), format!("/v1{path}{name}")] {
            let knock = async |key: Option<&str>| knocked(&rig, method, &path, key, "{}").await;
            for stranger in &strangers {
                let expected = if asks == Asks::Nothing { 200 } else { 401 };
                assert_eq!(knock(stranger.as_deref()).await, expected, "{path}");
            }
            for (own, key) in &keys {
                let own = own.as_str_name().to_ascii_lowercase();
                let status = knock(Some(key)).await;
                let wrong = matches!(asks, Asks::Scope(scope) if own != format!("scope_{scope}"));
                assert_eq!(status == 403, wrong, "{path} with {own}: {status}");
                assert!(
                    wrong || [200, 400, 404].contains(&status),
                    "{path} with {own}: {status}"
                );
            }
        }
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_door_takes_no_feedback_on_another_teams_decision() {
    let rig = rig().await;
    let world = World::new(&rig).await;
    let seen = world.seen(&rig).await;
    let signal = json!({"name": "tests_passed", "value": true});
    let body = json!({"decision_id": world.decision, "signals": [signal]}).to_string();
    let status = knocked(&rig, "POST", "/v1/feedback", Some(CODING), &body).await;
    assert_eq!(status, 404);
    assert_eq!(world.seen(&rig).await, seen);
    rig.stop().await;
}
