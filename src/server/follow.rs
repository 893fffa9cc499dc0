//! The learner's thread.
//!
//! Not here: what it does with a record (`learn`).

use crate::clock::Clock;
use crate::id::Name;
use crate::learn::{Alarm, Follower};
use crate::store::{self, Record, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the learner looks whether a signal's closing time has come.
const CLOSING_CHECK: Duration = Duration::from_secs(1);

/// Records are gathered for so long before they are learned together. Waking the learner for each one
/// would cost its caller a system call, and each batch costs a publication.
const GATHER: Duration = Duration::from_millis(5);

/// The learner on a thread of its own: it learns what is written, writes a tick when a missing
/// signal's time has come, and a checkpoint now and then and at the end. An error (a full disk, a
/// damaged record) is told and tried again: serving goes on with the last good snapshot.
pub(super) fn follow(
    mut follower: Follower,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> JoinHandle<Result<(), store::Error>> {
    let runtime = tokio::runtime::Handle::current();
    tasks.spawn_blocking(move || {
        // What was caught up with at the start is not news.
        let mut told = follower.learner().sequence();
        loop {
            runtime.block_on(async {
                tokio::select! {
                    () = gathered(&follower) => {}
                    () = tokio::time::sleep(CLOSING_CHECK) => {}
                    () = stop.cancelled() => {}
                }
            });
            let stopping = stop.is_cancelled();
            let result = follow_once(&mut follower, &store, &*clock, &runtime, stopping);
            tell(follower.learner().alarms(), told);
            told = follower.learner().sequence();
            if stopping {
                return result;
            }
            if let Err(error) = result {
                tracing::error!(%error, "the learner stands still; the last snapshot stays in force");
                runtime.block_on(tokio::time::sleep(CLOSING_CHECK));
            }
        }
    })
}

/// Waits for a record and those soon after it.
async fn gathered(follower: &Follower) {
    follower.ready().await;
    tokio::time::sleep(GATHER).await;
}

/// Tells of the alarms raised after record `told`.
fn tell<'a>(alarms: impl Iterator<Item = (&'a Name, &'a Alarm)>, told: u64) {
    for (team, alarm) in alarms.filter(|(_, alarm)| alarm.sequence > told) {
        tracing::warn!(
            %team,
            arm = %alarm.arm,
            signal = %alarm.signal,
            direction = ?alarm.direction,
            outcomes = alarm.outcomes,
            before = alarm.before,
            after = alarm.after,
            sequence = alarm.sequence,
            "an arm has changed"
        );
    }
}

fn follow_once(
    follower: &mut Follower,
    store: &Store,
    clock: &dyn Clock,
    runtime: &tokio::runtime::Handle,
    stopping: bool,
) -> Result<(), store::Error> {
    follower.catch_up()?;
    let now = clock.now();
    if follower
        .next_closing()
        .is_some_and(|closing| closing <= now)
    {
        store.append(&Record::Tick { time: now })?;
    }
    if follower.checkpoint_due() || stopping {
        runtime.block_on(store.journal().on_disk(follower.learner().sequence()))?;
        follower.write_checkpoint()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Direction;
    use crate::unit::Timestamp;
    use std::io;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_alarm_is_told_once() {
        let team = Name::new("coding").unwrap();
        let alarm = |sequence| Alarm {
            arm: Name::new("harbor").unwrap(),
            signal: Name::new("tests_passed").unwrap(),
            direction: Direction::Fell,
            began: Timestamp::default(),
            outcomes: 52,
            raised: Timestamp::default(),
            sequence,
            before: 0.85,
            after: 0.5,
            evidence: 3e5,
        };
        let alarms = [alarm(7), alarm(9)];
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            for told in [7, 9, 20] {
                tell(alarms.iter().map(|alarm| (&team, alarm)), told);
            }
        });
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 1, "{text}");
        for part in [
            "WARN",
            "an arm has changed",
            "team=coding",
            "arm=harbor",
            "direction=Fell",
            "sequence=9",
        ] {
            assert!(lines[0].contains(part), "{part}: {text}");
        }
    }
}
