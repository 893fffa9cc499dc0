//! Whose time a stream's time is: the endpoint's, or its reader's.

use super::*;
use crate::telemetry::{Labels, Method, Metrics, Now};
use tokio::time::sleep;

/// Says three pieces and the end, each after a second.
#[derive(Debug)]
struct Steady;

impl Provider for Steady {
    fn complete<'a>(
        &'a self,
        _prompt: Prompt<'a>,
        _patience: Patience,
    ) -> BoxFuture<'a, Result<Answer, Error>> {
        pending().boxed()
    }

    fn stream<'a>(
        &'a self,
        _prompt: Prompt<'a>,
        _patience: Patience,
    ) -> BoxFuture<'a, Result<Pieces, Error>> {
        let said = [text("a"), text("b"), text("c"), done(told(1, 0, 1))];
        let pieces = stream::iter(said).then(|piece| async {
            sleep(Duration::from_secs(1)).await;
            piece
        });
        ready(Ok(pieces.boxed())).boxed()
    }
}

/// Reads a stream, with so many seconds for each event; milliseconds that are on record of it: all, and until
/// the first piece. A reader who leaves does so in the wait for the third piece.
async fn read(seconds: u64, leaves: bool) -> (Option<f64>, Option<f64>) {
    let log = Arc::new(List::default());
    let opening = attempts(&log)
        .stream(&Steady, target(), prompt(), soon())
        .await
        .unwrap();
    let mut events = Events::new(opening, Vec::new(), None, (None, None));
    for _ in 0..2 {
        events.next().await.unwrap().unwrap();
        sleep(Duration::from_secs(seconds)).await;
    }
    if leaves {
        let _ = tokio::time::timeout(Duration::from_millis(500), events.next()).await;
    } else {
        while events.next().await.is_some() {
            sleep(Duration::from_secs(seconds)).await;
        }
    }
    drop(events);
    let kept = log.kept.lock().unwrap();
    (kept[0].latency_ms, kept[0].first_token_ms)
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_not_counted_as_the_endpoints_time() {
    // The clock of these tests has milliseconds.
    let near = |found: Option<f64>, expected: f64| {
        assert!(
            found.is_some_and(|ms| (ms - expected).abs() < 20.0),
            "{found:?}"
        );
    };
    for seconds in [0, 60] {
        let (all, first) = read(seconds, false).await;
        near(first, 1_000.0);
        near(all, 4_000.0);
        let (all, first) = read(seconds, true).await;
        near(first, 1_000.0);
        near(all, 2_500.0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_reader_takes_is_no_overhead_of_ours_either() {
    let metrics = Arc::new(Metrics::new(Labels::default()));
    let log = Arc::new(List::default());
    let attempts = attempts(&log).counted(Arc::clone(&metrics));
    let call = metrics.begin(Method::Stream, &name("team"));
    let opening = attempts.stream(&Steady, target(), prompt(), soon());
    let opening = opening.await.unwrap();
    let mut events = Events::new(opening, Vec::new(), None, (None, Some(call)));
    while events.next().await.is_some() {
        sleep(Duration::from_secs(60)).await;
    }
    drop(events);
    let text = metrics.text(&Now::default());
    let within = "bellwether_overhead_seconds_bucket{call=\"stream\",le=\"0.1\"} 1";
    assert!(text.contains(within), "{text}");
}
