//! The queue against exporters that take, refuse or keep silent.

use super::super::sample::{data, record};
use super::*;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use std::sync::Mutex;
use tokio::sync::Semaphore;

/// Takes what there are permits for, and notes how much at once.
#[derive(Debug, Clone)]
struct Collector {
    takes: Arc<Semaphore>,
    refuses: bool,
    sizes: Arc<Mutex<Vec<usize>>>,
}

impl Collector {
    fn new(permits: usize, refuses: bool) -> Self {
        Self {
            takes: Arc::new(Semaphore::new(permits)),
            refuses,
            sizes: Arc::default(),
        }
    }

    async fn take(&self, size: usize) -> OTelSdkResult {
        self.takes.acquire().await.expect("open").forget();
        self.sizes.lock().unwrap().push(size);
        match self.refuses {
            true => Err(OTelSdkError::InternalFailure("no".to_owned())),
            false => Ok(()),
        }
    }
}

impl SpanExporter for Collector {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.take(batch.len()).await
    }
}

impl LogExporter for Collector {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.take(batch.iter().count()).await
    }
}

fn span() -> Item {
    Item::Span(Box::new(data()))
}

fn event() -> Item {
    Item::Event(Box::new(record()))
}

/// Puts in so many spans and events, ends, and says in which sizes they came and what was lost.
async fn check(collector: Collector, put: (usize, usize), sizes: &[usize], lost: Lost) {
    let scope = InstrumentationScope::default();
    let (queue, emptying) = queue(ROOM, collector.clone(), collector.clone(), scope);
    (0..put.0).for_each(|_| queue.put(span()));
    (0..put.1).for_each(|_| queue.put(event()));
    let stop = CancellationToken::new();
    stop.cancel();
    emptying.run(stop).await;
    assert_eq!(*collector.sizes.lock().unwrap(), sizes);
    assert_eq!(queue.losses().told(), lost);
    // Nobody empties it any more.
    queue.put(span());
    assert_eq!(queue.losses().told().spans, lost.spans + 1);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_sent_at_the_end_in_batches() {
    let takes = Collector::new(100, false);
    check(takes.clone(), (0, 0), &[], Lost::default()).await;
    check(takes, (1000, 3), &[512, 488, 3], Lost::default()).await;
}

#[tokio::test(start_paused = true)]
async fn what_the_collector_refuses_is_lost_and_counted() {
    let lost = Lost {
        spans: 600,
        events: 2,
    };
    check(Collector::new(100, true), (600, 2), &[512, 88, 2], lost).await;
}

#[tokio::test(start_paused = true)]
async fn what_finds_no_room_is_lost_and_counted_and_nobody_waits() {
    let lost = Lost {
        spans: 0,
        events: 7,
    };
    let sizes = [512, 512, 512, 512];
    check(Collector::new(100, false), (ROOM, 7), &sizes, lost).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_gathers_for_a_moment_and_a_silent_collector_holds_nobody_up() {
    let collector = Collector::new(0, false);
    let scope = InstrumentationScope::default();
    let (queue, emptying) = queue(4, collector.clone(), collector.clone(), scope);
    let (stop, tasks) = (
        CancellationToken::new(),
        tokio_util::task::TaskTracker::new(),
    );
    let task = tasks.spawn(emptying.run(stop.clone()));
    queue.put(span());
    tokio::task::yield_now().await;
    queue.put(span());
    // Time passes: the two are on their way, and the collector says nothing.
    sleep(GATHER * 2).await;
    (0..6).for_each(|_| queue.put(span()));
    assert_eq!(queue.losses().told().spans, 2, "four find room");
    collector.takes.add_permits(2);
    stop.cancel();
    task.await.expect("a clean end");
    assert_eq!(*collector.sizes.lock().unwrap(), [2, 4]);
}
