//! A served edge whose use cases answer from memory.

use bellwether::access::{
    Admission, Bounds, Grant, KeyHash, KeyPage, KeyText, Keys, Listed, Porter, Scope, Wanted,
};
use bellwether::chat::ToolCall;
use bellwether::clock::ManualClock;
use bellwether::complete::AttemptReport;
use bellwether::decision::{Attempt, Cell, Decision, Drawn, Excluded, Origin, Reason, Usage};
use bellwether::eligibility::Endpoint;
use bellwether::grpc::{
    Ask, Completed, Control, Event, Events, Failure, Gate, GuardLayer, HealthSwitch, Judge,
    Judging, Keeping, Listener, Listening, Operating, Operation, Operator, Outcome, Replay, Router,
    Routing, Services, TeamState,
};
use bellwether::id::{DecisionId, Name, Secret};
use bellwether::learn::{EpisodeClosed, EpisodeClosing};
use bellwether::proto::v1;
use bellwether::route::{DecisionPage, DecisionQuery, Recorded, Request, Routed};
use bellwether::signal::{Change, Feedback, Subject, Value};
use bellwether::unit::{NanoUsd, Pmf, Timestamp};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, stream};
use prost::Message;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::Status;
use tonic::transport::{Channel, Server};

const KEY: &str = "k-coding";
const MESSAGE_BYTES: usize = 8 << 20;
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// A running server; it ends when dropped.
pub(crate) struct Served {
    pub(crate) channel: Channel,
    pub(crate) health: HealthSwitch,
    pub(crate) decision_id: String,
    address: SocketAddr,
    _server: JoinSet<()>,
}

/// A client of the served edge that takes what the server may send.
macro_rules! client {
    ($served:expr, $module:ident::$client:ident) => {
        bellwether::proto::v1::$module::$client::new($served.channel.clone())
    };
}
pub(crate) use client;

/// A request with the team's key.
pub(crate) fn asked<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let bearer = format!("Bearer {KEY}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

pub(crate) async fn served() -> Served {
    let grant = Grant {
        key: name("ci"),
        team: name("coding"),
        scopes: Scope::ALL.into_iter().collect(),
        arms: None,
        bounds: Bounds::default(),
    };
    let keys = Keys::new([(KeyHash::of(KEY), grant)]);
    let clock = Arc::new(ManualClock::new(NOW));
    let gate = Gate::new(Arc::new(Porter::new(keys, clock)));
    let memory = Arc::new(Memory);
    let services = Services {
        router: Router::new(memory.clone(), secret()),
        feedback: Listener::new(memory.clone(), secret(), Arc::new(ManualClock::new(NOW))),
        evaluation: Judge::new(memory.clone()),
        admin: Operator::new(memory),
    };
    let (routes, health) = services.routes(&gate, MESSAGE_BYTES).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut server = JoinSet::new();
    server.spawn(async move {
        Server::builder()
            .layer(GuardLayer::new(1, MESSAGE_BYTES))
            .add_routes(routes)
            .serve_with_incoming(TcpListenerStream::new(listener))
            .await
            .expect("served");
    });
    let channel = Channel::from_shared(format!("http://{address}")).unwrap();
    Served {
        channel: channel.connect().await.unwrap(),
        health,
        decision_id: decision().id.to_string(),
        address,
        _server: server,
    }
}

/// The services that a version of reflection lists, in order.
macro_rules! listed {
    ($served:expr, $version:ident) => {{
        use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
        use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
        use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
        let list = tonic_reflection::pb::$version::ServerReflectionRequest {
            message_request: Some(MessageRequest::ListServices(String::new())),
            ..Default::default()
        };
        let mut client = ServerReflectionClient::new($served.channel.clone());
        let replies = client
            .server_reflection_info(stream::iter([list]))
            .await
            .unwrap();
        let reply = replies.into_inner().message().await.unwrap().unwrap();
        let Some(MessageResponse::ListServicesResponse(list)) = reply.message_response else {
            panic!("{reply:?}");
        };
        let mut names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
        names.sort();
        names
    }};
}

impl Served {
    /// What reflection v1 and v1alpha list, each in order.
    pub(crate) async fn reflected_services(&self) -> [Vec<String>; 2] {
        [listed!(self, v1), listed!(self, v1alpha)]
    }

    /// Sends another message where a RouteRequest belongs.
    pub(crate) async fn route_raw(
        &self,
        message: v1::ListDecisionsRequest,
    ) -> Result<tonic::Response<v1::RouteResponse>, Status> {
        let mut raw = tonic::client::Grpc::new(self.channel.clone());
        raw.ready().await.unwrap();
        let path = http::uri::PathAndQuery::from_static("/bellwether.v1.RouterService/Route");
        raw.unary(asked(message), path, tonic_prost::ProstCodec::default())
            .await
    }
}

impl Served {
    /// What `Route` says over bare HTTP/2 under a `grpc-timeout`.
    pub(crate) async fn route_within(&self, timeout: &str, message: v1::RouteRequest) -> Status {
        let socket = TcpStream::connect(self.address).await.unwrap();
        let (client, connection) = h2::client::handshake(socket).await.unwrap();
        let mut driver = JoinSet::new();
        driver.spawn(async move { connection.await.expect("connected") });
        let request = http::Request::post(format!(
            "http://{}/bellwether.v1.RouterService/Route",
            self.address
        ))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-api-key", KEY)
        .header("grpc-timeout", timeout)
        .body(())
        .unwrap();
        let mut client = client.ready().await.unwrap();
        let (reply, mut body) = client.send_request(request, false).unwrap();
        let message = message.encode_to_vec();
        let mut frame = vec![0];
        frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
        frame.extend(message);
        body.send_data(frame.into(), true).unwrap();
        let reply = reply.await.unwrap();
        Status::from_header_map(reply.headers()).expect("a status without a message before it")
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn secret() -> Secret {
    Secret::new([3; 32])
}

fn decision() -> Decision {
    let drawn = Drawn {
        arms: vec![name("small"), name("large")],
        signals: vec![name("tests_passed"), name("minutes")],
        pmf: Pmf::new(vec![0.75, 0.25]).unwrap(),
        floor: vec![0.01; 2],
        utility: vec![0.5, 0.4],
        utility_sd: vec![0.1; 2],
        signal_mean: vec![0.5, 0.25, 0.75, 0.125],
        signal_sd: vec![0.5; 4],
        cost_usd: vec![0.002, 0.02],
        reference_cost_usd: vec![0.001, 0.01],
        latency_ms: vec![300.0, f64::NAN],
        samples: 10.0,
        forced: Vec::new(),
        uniform: 0.5,
        chosen: 0,
    };
    Decision {
        id: secret().mint(NOW, 42),
        time: NOW,
        team: name("coding"),
        key: name("ci"),
        task: Some(name("triage")),
        episode: None,
        session: None,
        request: None,
        origin: Origin::Drawn,
        policy: "uniform".to_owned(),
        scorecard_version: 1,
        snapshot_version: 7,
        feature_set: name("v1"),
        context: None,
        input_tokens: 10,
        drawn,
        excluded: vec![Excluded {
            arm: name("huge"),
            reason: Reason::MaxCost,
            detail: "expects 2 USD: allowed 1".to_owned(),
        }],
        endpoint: name("small-eu"),
        fallbacks: Vec::new(),
        content: None,
        cell: Cell::Router,
        allowance: None,
    }
}

fn routed() -> Routed {
    let endpoint = Arc::new(Endpoint {
        name: name("small-eu"),
        arm: name("small"),
        provider: name("simulated"),
        model: "s".to_owned(),
        base_url: String::new(),
        region: Some(name("eu")),
        zero_retention: true,
        trains: false,
        certifications: Vec::new(),
        expresses: bellwether::chat::Parameters::ALL,
        waits: Default::default(),
        prices: Vec::new(),
    });
    let decision = decision();
    decision.check().unwrap();
    Routed {
        told: None,
        decision: Arc::new(decision),
        endpoint: endpoint.clone(),
        fallbacks: vec![endpoint],
        repeated: false,
        pass: None,
        watched: None,
    }
}

fn attempt(cost: i64) -> Attempt {
    Attempt {
        decision: decision().id,
        arm: name("small"),
        endpoint: name("small-eu"),
        ended: NOW,
        latency_ms: Some(12.0),
        usage: Usage::default(),
        cost: Some(NanoUsd::new(cost)),
        error: None,
        reported: false,
        request: None,
        first_token_ms: None,
    }
}

fn feedback(signals: Vec<(Name, Change)>) -> Feedback {
    Feedback {
        team: name("coding"),
        subject: Subject::Decision(decision().id),
        signals,
        observed: NOW,
        received: NOW,
        evaluator: None,
        request_id: None,
        body_hash: 0,
    }
}

/// Use cases that do as the request's words say.
struct Memory;

impl Routing for Memory {
    async fn route(&self, _: &Admission, request: Request) -> Result<Routed, Failure> {
        match request.task.as_ref().map(Name::as_str) {
            Some("panic") => panic!("asked to"),
            Some("hang") => std::future::pending().await,
            _ => Ok(routed()),
        }
    }

    async fn report_attempt(&self, _: &Admission, _: AttemptReport) -> Result<Attempt, Failure> {
        Ok(attempt(1))
    }

    async fn complete(&self, _: &Admission, ask: Ask) -> Result<Completed, Failure> {
        Ok(Completed {
            routed: routed(),
            message: ask.request.messages[0].clone(),
            finish_reason: "stop",
            attempts: vec![attempt(1)],
            checks: Vec::new(),
            repaired: false,
        })
    }

    async fn stream_complete(&self, _: &Admission, ask: Ask) -> Result<Events, Failure> {
        assert!(ask.request.streaming);
        let text: String = ask.request.messages[0].texts().collect();
        let begin = stream::iter([
            Ok(Event::Decided(Box::new(routed()))),
            Ok(Event::Text("hello".to_owned())),
        ]);
        let call = ToolCall {
            id: "c1".to_owned(),
            name: "search".to_owned(),
            arguments_json: "{}".to_owned(),
        };
        let done = Event::Done {
            finish_reason: "stop",
            attempts: vec![attempt(1)],
            checks: Vec::new(),
        };
        let end: Events = match text.as_str() {
            "cut" => stream::empty().boxed(),
            "failed" => stream::iter([Err(Failure::AllAttemptsFailed(Vec::new()))]).boxed(),
            "panic" => stream::iter([0]).map(|_| panic!("asked to")).boxed(),
            _ => stream::iter([Ok(Event::ToolCall(call)), Ok(done)]).boxed(),
        };
        Ok(begin.chain(end).boxed())
    }

    async fn close_episode(
        &self,
        _: &Admission,
        _: EpisodeClosing,
    ) -> Result<EpisodeClosed, Failure> {
        Ok(EpisodeClosed {
            decisions: 1,
            already_closed: false,
        })
    }

    async fn decision(&self, _: &Admission, id: DecisionId) -> Result<Recorded, Failure> {
        assert_eq!(id, decision().id);
        Ok(Recorded {
            routed: routed(),
            attempts: vec![attempt(1000), attempt(500)],
            feedback: vec![
                feedback(vec![
                    (name("tests_passed"), Change::Observed(Value::Flag(true))),
                    (name("minutes"), Change::Observed(Value::Number(5.0))),
                ]),
                feedback(vec![
                    (name("minutes"), Change::Corrected(Value::Number(7.5))),
                    (name("tests_passed"), Change::Retracted),
                ]),
            ],
        })
    }

    async fn decisions(&self, _: &Admission, _: DecisionQuery) -> Result<DecisionPage, Failure> {
        Ok(DecisionPage::default())
    }
}

impl Listening for Memory {
    async fn take(
        &self,
        _: &Grant,
        items: Vec<Feedback>,
        _: bool,
    ) -> Result<Vec<Outcome>, Failure> {
        Ok(items.iter().map(|_| Outcome::Accepted).collect())
    }
}

impl Judging for Memory {
    async fn replay(
        &self,
        _: &Grant,
        _: Replay,
    ) -> Result<BoxStream<'static, Result<v1::replay_response::Event, Failure>>, Failure> {
        Err(Failure::NotBuilt)
    }
}

impl Operating for Memory {
    async fn set_control(&self, _: &Grant, wanted: Operation) -> Result<Control, Failure> {
        Ok(wanted.control.unwrap_or_default())
    }

    async fn team(&self, _: &Grant) -> Result<TeamState, Failure> {
        Ok(TeamState::default())
    }
}

impl Keeping for Memory {
    async fn create_key(&self, _: Arc<Grant>, _: Wanted) -> Result<(KeyText, Listed), Failure> {
        Err(Failure::NotBuilt)
    }

    async fn list_keys(&self, _: &Grant, _: Option<Name>, _: usize) -> Result<KeyPage, Failure> {
        Ok(KeyPage::default())
    }

    async fn rotate_key(
        &self,
        _: Arc<Grant>,
        _: Name,
        _: Duration,
    ) -> Result<(KeyText, Listed), Failure> {
        Err(Failure::NotBuilt)
    }

    async fn revoke_key(&self, _: Arc<Grant>, _: Name) -> Result<Listed, Failure> {
        Err(Failure::NotBuilt)
    }
}
