//! The witness that makes spans and events of what it is told.
//!
//! Invariants: the lock is held for look-ups only; a span of an attempt is a child of its call's; what is not of a
//! recorded trace is not made at all, but for events: feedback is rare, and each item is sent.
//!
//! Not here: what spans say (`attributes`), sending them (`queue`).

use super::attributes::{of_attempt, of_call, operation};
use super::client::Client;
use super::event;
use super::known::{Known, Of};
use super::queue::{Item, Queue, ROOM, queue};
use super::{Courier, Error, Names, Sending, Settings};
use crate::clock::Clock;
use crate::decision::Attempt;
use crate::id::Name;
use crate::signal::{Feedback, Subject};
use crate::telemetry::{Call, End, Lost, Method, Outcome, Span, Witness};
use crate::unit::Timestamp;
use opentelemetry::logs::{Logger, LoggerProvider};
use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceState};
use opentelemetry::{InstrumentationScope, Key, SpanId, TraceFlags, TraceId};
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, Protocol, RetryPolicy, SpanExporter, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::{LogExporter as _, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{
    IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample, SpanData, SpanEvents,
    SpanExporter as _, SpanLinks,
};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Decisions whose call is known.
const DECISIONS: usize = 65_536;

/// Makes spans and events.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) sampler: Sampler,
    pub(super) names: Names,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) queue: Queue,
    pub(super) known: Mutex<Known>,
    pub(super) scope: InstrumentationScope,
    pub(super) logger: SdkLogger,
}

pub(super) fn open(
    settings: &Settings,
    names: Names,
    courier: Arc<dyn Courier>,
    clock: Arc<dyn Clock>,
    tasks: &TaskTracker,
) -> Result<(Arc<dyn Witness>, Sending), Error> {
    let client = Client {
        courier,
        patience: settings.timeout,
    };
    let (mut spans, mut events) =
        exporters(settings, &client).map_err(|error| Error::Exporter(error.to_string()))?;
    let resource = resource(settings);
    spans.set_resource(&resource);
    events.set_resource(&resource);
    let scope = scope();
    let (queue, emptying) = queue(ROOM, spans, events, scope.clone());
    let recorder = Recorder {
        sampler: Sampler::TraceIdRatioBased(settings.sample_ratio),
        names,
        clock,
        queue,
        known: Mutex::new(Known::new(DECISIONS)),
        logger: logger(&scope),
        scope,
    };
    let stop = CancellationToken::new();
    let handle = tasks.spawn(emptying.run(stop.clone()));
    Ok((Arc::new(recorder), Sending { stop, handle }))
}

fn exporters(
    settings: &Settings,
    client: &Client,
) -> Result<(SpanExporter, LogExporter), ExporterBuildError> {
    let base = settings.endpoint.trim_end_matches('/');
    let spans = SpanExporter::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(settings.timeout)
        .with_endpoint(format!("{base}/v1/traces"))
        .build()?;
    let events = LogExporter::builder()
        .with_http()
        .with_http_client(client.clone())
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(settings.timeout)
        .with_endpoint(format!("{base}/v1/logs"))
        .build()?;
    Ok((spans, events))
}

/// What the collector knows the server as.
fn resource(settings: &Settings) -> Resource {
    let version = opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let said = Resource::builder().with_attribute(version.clone()).build();
    let key = Key::from_static_str("service.name");
    let of_environment = said.get(&key).map(|name| name.to_string());
    let name = match (&settings.service_name, of_environment) {
        (Some(name), _) => name.as_str().to_owned(),
        (None, Some(name)) if !name.starts_with("unknown_service") => name,
        _ => env!("CARGO_PKG_NAME").to_owned(),
    };
    let builder = Resource::builder().with_attribute(version);
    builder.with_service_name(name).build()
}

pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .build()
}

/// What makes empty records; it sends none itself.
pub(super) fn logger(scope: &InstrumentationScope) -> SdkLogger {
    let provider = SdkLoggerProvider::builder().build();
    provider.logger_with_scope(scope.clone())
}

/// A moment as the machine's clock has it.
pub(super) fn moment(time: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(time.micros()).unwrap_or(0))
}

fn context(trace: u128, span: u64) -> SpanContext {
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(span),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    )
}

fn server_status(outcome: Outcome) -> Status {
    match outcome {
        Outcome::AllAttemptsFailed | Outcome::DeadlineExceeded | Outcome::Internal => {
            Status::error(outcome.as_str())
        }
        _ => Status::Unset,
    }
}

impl Recorder {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_recorded(&self, trace: TraceId) -> bool {
        let kind = SpanKind::Server;
        let sampled = self.sampler.should_sample(None, trace, "", &kind, &[], &[]);
        sampled.decision == SamplingDecision::RecordAndSample
    }

    /// An empty span of this trace from one moment to another.
    pub(super) fn data(
        &self,
        context: SpanContext,
        name: impl Into<Cow<'static, str>>,
        time: (SystemTime, SystemTime),
    ) -> SpanData {
        SpanData {
            span_context: context,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: time.0,
            end_time: time.1,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: self.scope.clone(),
        }
    }

    fn put(&self, span: SpanData) {
        self.queue.put(Item::Span(Box::new(span)));
    }

    fn of_attempt(&self, of: &Of, attempt: &Attempt, end: End) -> SpanData {
        let operation = operation(of.method).unwrap_or("chat");
        let target = self.names.endpoints.get(&attempt.endpoint);
        let model = target.map_or("", |target| target.model.as_str());
        let ended = moment(attempt.ended);
        let took = Duration::try_from_secs_f64(attempt.latency_ms.unwrap_or(0.0) / 1e3);
        let began = ended.checked_sub(took.unwrap_or_default()).unwrap_or(ended);
        let id = RandomIdGenerator::default().new_span_id();
        let context = context(of.trace, u64::from_be_bytes(id.to_bytes()));
        let name = format!("{operation} {model}").trim_end().to_owned();
        let status = attempt
            .error
            .as_ref()
            .map(|error| error.as_str().to_owned());
        SpanData {
            parent_span_id: SpanId::from(of.span),
            span_kind: SpanKind::Client,
            attributes: of_attempt(operation, attempt, end, target),
            status: status.map_or(Status::Unset, Status::error),
            ..self.data(context, name, (began, ended))
        }
    }
}

impl Witness for Recorder {
    fn begin(&self, method: Method, team: &Name, call: Option<Call>) -> Option<Span> {
        let parent = call.and_then(|call| call.parent);
        let ids = RandomIdGenerator::default();
        let (trace, recorded) = match parent {
            Some(parent) => (parent.trace, parent.sampled),
            None => {
                let trace = ids.new_trace_id();
                let recorded = self.is_recorded(trace);
                (u128::from_be_bytes(trace.to_bytes()), recorded)
            }
        };
        recorded.then(|| Span {
            trace,
            id: u64::from_be_bytes(ids.new_span_id().to_bytes()),
            parent: parent.map(|parent| parent.span),
            began: self.clock.now(),
            method,
            team: team.clone(),
            call,
            decision: None,
        })
    }

    fn decided(&self, span: &Span) {
        if let Some(decision) = &span.decision {
            self.known().note(decision.id, span);
        }
    }

    fn attempt(&self, attempt: &Attempt, end: End) {
        let of = self.known().attempt(attempt).cloned();
        if let Some(of) = of {
            self.put(self.of_attempt(&of, attempt, end));
        }
    }

    fn ended(&self, span: &Span, outcome: Outcome) {
        let decision = span.decision.as_ref().map(|decision| decision.id);
        let of = decision.and_then(|id| self.known().get(id).cloned());
        let done = of.filter(|of| of.span == span.id).map(|of| of.done);
        let name = format!("bellwether.{}", span.method.as_str());
        let time = (moment(span.began), moment(self.clock.now()));
        self.put(SpanData {
            parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from),
            parent_span_is_remote: span.parent.is_some(),
            span_kind: SpanKind::Server,
            attributes: of_call(span, outcome, done.as_ref(), &self.names),
            status: server_status(outcome),
            ..self.data(context(span.trace, span.id), name, time)
        });
    }

    fn feedback(&self, item: &Feedback) {
        let of = match item.subject {
            Subject::Decision(id) => self.known().get(id).cloned(),
            Subject::Episode(_) => None,
        };
        for (name, change) in &item.signals {
            let mut record = self.logger.create_log_record();
            let teams = self.names.teams;
            event::write(&mut record, item, (name, change), of.as_ref(), teams);
            self.queue.put(Item::Event(Box::new(record)));
        }
    }

    fn lost(&self) -> Lost {
        self.queue.losses().told()
    }
}
