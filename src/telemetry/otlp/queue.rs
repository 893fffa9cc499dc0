//! The queue before the collector, and the task that empties it.
//!
//! Invariants: who puts something in never waits: where there is no room it is counted and gone; a batch is sent once
//! (the client tries again, not the queue), and counted as lost where it was not taken; one line is logged as sending
//! begins to fail and one as it works again, whatever lies between.
//!
//! Not here: what is put in (`recorder`), the network (`client`).

use crate::telemetry::Lost;
use opentelemetry::InstrumentationScope;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogRecord};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Most that waits.
pub(super) const ROOM: usize = 2048;

/// Most that is sent at once.
const BATCH: usize = 512;

/// How long a batch gathers that is not full.
const GATHER: Duration = Duration::from_secs(1);

/// What is sent.
#[derive(Debug)]
pub(super) enum Item {
    Span(Box<SpanData>),
    Event(Box<SdkLogRecord>),
}

/// What was lost so far.
#[derive(Debug, Default)]
pub(super) struct Losses {
    spans: AtomicU64,
    events: AtomicU64,
}

impl Losses {
    fn add(&self, spans: usize, events: usize) {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.spans.fetch_add(count(spans), Ordering::Relaxed);
        self.events.fetch_add(count(events), Ordering::Relaxed);
    }

    pub(super) fn told(&self) -> Lost {
        Lost {
            spans: self.spans.load(Ordering::Relaxed),
            events: self.events.load(Ordering::Relaxed),
        }
    }
}

/// Where things are put in.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: Sender<Item>,
    losses: Arc<Losses>,
}

impl Queue {
    pub(super) fn put(&self, item: Item) {
        if let Err(full) = self.sender.try_send(item) {
            match full.into_inner() {
                Item::Span(_) => self.losses.add(1, 0),
                Item::Event(_) => self.losses.add(0, 1),
            }
        }
    }

    pub(super) fn losses(&self) -> &Losses {
        &self.losses
    }
}

/// Sends what is put in.
#[derive(Debug)]
pub(super) struct Emptying<S, E> {
    receiver: Receiver<Item>,
    losses: Arc<Losses>,
    spans: S,
    events: E,
    scope: InstrumentationScope,
    failing: bool,
}

/// A queue and what empties it into these exporters.
pub(super) fn queue<S, E>(
    room: usize,
    spans: S,
    events: E,
    scope: InstrumentationScope,
) -> (Queue, Emptying<S, E>) {
    let (sender, receiver) = mpsc::channel(room);
    let losses = Arc::new(Losses::default());
    let emptying = Emptying {
        receiver,
        losses: Arc::clone(&losses),
        spans,
        events,
        scope,
        failing: false,
    };
    (Queue { sender, losses }, emptying)
}

impl<S: SpanExporter, E: LogExporter> Emptying<S, E> {
    /// Ends when told to and empty.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let came = tokio::select! {
                biased;
                came = self.receiver.recv_many(&mut batch, BATCH) => came,
                () = stop.cancelled(), if !self.receiver.is_closed() => {
                    self.receiver.close();
                    continue;
                }
            };
            if came == 0 {
                return;
            }
            if batch.len() < BATCH {
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = sleep(GATHER) => {}
                }
            }
            while batch.len() < BATCH
                && let Ok(item) = self.receiver.try_recv()
            {
                batch.push(item);
            }
            self.send(batch.drain(..)).await;
        }
    }

    async fn send(&mut self, batch: impl Iterator<Item = Item>) {
        let (mut spans, mut events) = (Vec::new(), Vec::new());
        for item in batch {
            match item {
                Item::Span(span) => spans.push(*span),
                Item::Event(event) => events.push(event),
            }
        }
        if !spans.is_empty() {
            let count = spans.len();
            let sent = self.spans.export(spans).await;
            self.told(sent.map_err(|error| error.to_string()), (count, 0));
        }
        if !events.is_empty() {
            let batch: Vec<_> = events.iter().map(|event| (&**event, &self.scope)).collect();
            let sent = self.events.export(LogBatch::new(&batch)).await;
            self.told(sent.map_err(|error| error.to_string()), (0, events.len()));
        }
    }

    fn told(&mut self, sent: Result<(), String>, (spans, events): (usize, usize)) {
        let failed = sent.is_err();
        match sent {
            Err(error) => {
                self.losses.add(spans, events);
                if !self.failing {
                    tracing::warn!(%error, "spans and events are not taken by the collector, and dropped");
                }
            }
            Ok(()) if self.failing => {
                tracing::warn!("spans and events are taken by the collector again");
            }
            Ok(()) => {}
        }
        self.failing = failed;
    }
}

#[cfg(test)]
impl<S, E> Emptying<S, E> {
    pub(super) fn waiting(&mut self) -> Option<Item> {
        self.receiver.try_recv().ok()
    }
}

#[cfg(test)]
mod tests;
