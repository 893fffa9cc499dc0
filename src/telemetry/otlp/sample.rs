//! A decision, an attempt and a recorder to test with.

use super::known::Known;
use super::queue::{self, ROOM};
use super::recorder::{Recorder, logger, moment, scope};
use super::*;
use crate::clock::ManualClock;
use crate::decision::{Attempt, Cell, Decision, Drawn, Origin, Usage};
use crate::id::DecisionId;
use crate::telemetry::{Lost, Method, Parent, Span};
use crate::unit::{NanoUsd, Pmf, Timestamp};
use opentelemetry::logs::Logger;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord};
use opentelemetry_sdk::trace::{Sampler, SpanData, SpanExporter};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);
pub(super) const PARENT: Parent = Parent {
    trace: 0x4bf9,
    span: 0xb7,
    sampled: true,
};

pub(super) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(super) fn id(decision: u128) -> DecisionId {
    DecisionId::recorded(decision)
}

pub(super) fn span(id: u64) -> Span {
    Span {
        trace: 1,
        id,
        parent: None,
        began: NOW,
        method: Method::Complete,
        team: name("a-team"),
        call: None,
        decision: None,
    }
}

pub(super) fn attempt(decision: u128, error: Option<&str>) -> Attempt {
    Attempt {
        decision: id(decision),
        arm: name("small"),
        endpoint: name("small-eu"),
        ended: NOW.after(Duration::from_millis(900)),
        latency_ms: Some(250.0),
        usage: Usage {
            input: Some(40),
            output: Some(7),
            ..Usage::default()
        },
        cost: Some(NanoUsd::new(2_500)),
        error: error.map(name),
        reported: false,
        request: None,
        first_token_ms: None,
    }
}

/// A span as the SDK has it.
pub(super) fn data() -> SpanData {
    recorder(1.0, false).0.data_of_nothing()
}

/// An empty record.
pub(super) fn record() -> SdkLogRecord {
    logger(&scope()).create_log_record()
}

pub(super) fn decision(number: u128) -> Arc<Decision> {
    let drawn = Drawn {
        arms: vec![name("large"), name("small")],
        signals: Vec::new(),
        pmf: Pmf::new(vec![0.75, 0.25]).unwrap(),
        floor: vec![0.0; 2],
        utility: vec![0.0; 2],
        utility_sd: vec![0.0; 2],
        signal_mean: Vec::new(),
        signal_sd: Vec::new(),
        cost_usd: vec![0.0; 2],
        reference_cost_usd: vec![0.0; 2],
        latency_ms: vec![0.0; 2],
        samples: 0.0,
        forced: Vec::new(),
        uniform: 0.9,
        chosen: 0,
    };
    Arc::new(Decision {
        id: id(number),
        time: NOW,
        team: name("a-team"),
        key: name("a-key"),
        task: Some(name("fix-test")),
        episode: None,
        session: None,
        request: None,
        origin: Origin::Drawn,
        policy: "uniform".to_owned(),
        scorecard_version: 3,
        snapshot_version: 17,
        feature_set: name("features"),
        context: None,
        input_tokens: 40,
        drawn,
        excluded: Vec::new(),
        endpoint: name("large-eu"),
        fallbacks: Vec::new(),
        content: Some("words of a caller".to_owned()),
        cell: Cell::Router,
        allowance: None,
    })
}

/// Answers with these statuses in order, the last one again and again; 0 is no reply.
#[derive(Debug)]
pub(super) struct Replies {
    statuses: Vec<u16>,
    carried: AtomicUsize,
}

impl Replies {
    /// Never says anything.
    pub(super) const SILENCE: u16 = u16::MAX;

    pub(super) fn new(statuses: &[u16]) -> Self {
        Self {
            statuses: statuses.to_vec(),
            carried: AtomicUsize::new(0),
        }
    }

    pub(super) fn carried(&self) -> usize {
        self.carried.load(Ordering::SeqCst)
    }
}

impl Courier for Replies {
    fn carry(
        &self,
        _: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, Undelivered>> {
        let place = self.carried.fetch_add(1, Ordering::SeqCst);
        let status = self.statuses[place.min(self.statuses.len() - 1)];
        Box::pin(async move {
            match status {
                Self::SILENCE => std::future::pending().await,
                0 => Err("no route".into()),
                status => Ok(http::Response::builder()
                    .status(status)
                    .body(Bytes::new())?),
            }
        })
    }
}

/// Keeps what comes.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    spans: Arc<Mutex<Vec<SpanData>>>,
    events: Arc<Mutex<Vec<SdkLogRecord>>>,
}

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.spans.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl LogExporter for Kept {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records = batch.iter().map(|(record, _)| record.clone());
        self.events.lock().unwrap().extend(records);
        Ok(())
    }
}

pub(super) type Emptying = queue::Emptying<Kept, Kept>;

pub(super) fn recorder(sample_ratio: f64, teams: bool) -> (Recorder, Emptying, Kept) {
    let (kept, scope) = (Kept::default(), scope());
    let (queue, emptying) = queue::queue(ROOM, kept.clone(), kept.clone(), scope.clone());
    let target = Target {
        provider: "openai".to_owned(),
        model: "small-1".to_owned(),
        host: "api.example".to_owned(),
        port: Some(8443),
    };
    let recorder = Recorder {
        sampler: Sampler::TraceIdRatioBased(sample_ratio),
        names: Names {
            teams,
            endpoints: BTreeMap::from([(name("small-eu"), target)]),
        },
        clock: Arc::new(ManualClock::new(NOW)),
        queue,
        known: Mutex::new(Known::new(8)),
        logger: logger(&scope),
        scope,
    };
    (recorder, emptying, kept)
}

impl Recorder {
    fn data_of_nothing(&self) -> SpanData {
        self.data(
            opentelemetry::trace::SpanContext::NONE,
            "nothing",
            (moment(NOW), moment(NOW)),
        )
    }
}

/// What `work` makes a recorder send.
pub(super) async fn made(
    teams: bool,
    work: impl FnOnce(&Recorder),
) -> (Vec<SpanData>, Vec<SdkLogRecord>) {
    let (recorder, emptying, kept) = recorder(1.0, teams);
    work(&recorder);
    assert_eq!(recorder.lost(), Lost::default());
    let stop = CancellationToken::new();
    stop.cancel();
    emptying.run(stop).await;
    let spans = kept.spans.lock().unwrap().clone();
    let events = kept.events.lock().unwrap().clone();
    (spans, events)
}
