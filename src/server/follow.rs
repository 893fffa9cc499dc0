//! The learner's thread, and who tells it when to learn.
//!
//! Not here: what it does with a record (`learn`).

use crate::clock::Clock;
use crate::decision::Cell;
use crate::id::Name;
use crate::learn::{Alarm, Comparison, Finding, Follower, Newcomer, Watched};
use crate::store::{self, Record, Store, stand_behind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the learner looks whether a signal's closing time has come.
const CLOSING_CHECK: Duration = Duration::from_secs(1);

/// Records are gathered for so long before they are learned together. Waking the learner for each one
/// would cost its caller a system call, and each batch costs a publication and whoever is served meanwhile on
/// the same core its time. Outcomes come seconds to hours after their decision: this is no delay beside that.
const GATHER: Duration = Duration::from_millis(20);

/// How far the learner's thread stands behind those that serve, as `nice` counts: on a core that is all taken it
/// still has a sixth, where it needs an eighth (1,000 calls a second, p99: 1.8 ms without, 1.1 ms with 15 of it).
const BEHIND: i32 = 7;

/// Most records that a learner told to stop still learns: a second's work at most. One that is further
/// behind learns the rest after the next start.
const LAST: u64 = 10_000;

/// Where the learner hears that a step is done.
type Done = oneshot::Sender<Result<(), store::Error>>;

/// Tells a simulation's learner when to learn, so that equal simulations learn equal things however
/// fast the machine is. Once it is dropped, the learner learns as records come.
#[derive(Debug)]
pub struct Stepper(mpsc::Sender<Done>);

/// Steps that are asked for.
pub(super) type Steps = mpsc::Receiver<Done>;

impl Stepper {
    /// A stepper and what the learner listens to.
    pub(super) fn new() -> (Self, Steps) {
        let (asking, asked) = mpsc::channel(1);
        (Self(asking), asked)
    }

    /// Learns everything written, and what the clock has closed since; returns when it is published.
    /// Nothing happens where the server has stopped.
    pub async fn learn(&self) -> Result<(), super::Error> {
        let (done, heard) = oneshot::channel();
        if self.0.send(done).await.is_ok()
            && let Ok(learned) = heard.await
        {
            learned?;
        }
        Ok(())
    }
}

/// The learner on a thread of its own: it learns what is written, writes a tick when a missing
/// signal's time has come, and a checkpoint now and then and at the end. An error (a full disk, a
/// damaged record) is told and tried again: serving goes on with the last good snapshot; a checkpoint that fails
/// holds up no learning, and is tried again some thousand records later. With `steps`
/// it learns when told to, until nobody can tell it any more.
pub(super) fn follow(
    mut follower: Follower,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    mut steps: Option<Steps>,
    tasks: &TaskTracker,
) -> JoinHandle<Result<(), store::Error>> {
    let runtime = tokio::runtime::Handle::current();
    tasks.spawn_blocking(move || {
        stand_behind(BEHIND);
        // What was written before the start is not news.
        let mut told = store.journal().newest();
        loop {
            let asked = runtime.block_on(async {
                tokio::select! {
                    asked = due(&follower, &mut steps) => asked,
                    () = stop.cancelled() => None,
                }
            });
            let stopping = stop.is_cancelled();
            let mut result = follow_once(&mut follower, &store, &*clock, &runtime, &stop);
            if let Some(done) = asked {
                // The tick of a closing time is learned in the same step.
                let learned = result.and_then(|ended| follower.catch_up().map(|_| ended));
                let ended = matches!(learned, Ok(true));
                // Who asked may have gone away.
                let _ = done.send(learned.map(drop));
                result = Ok(ended);
            }
            tell(follower.learner().alarms(), told);
            tell_trips(follower.learner().comparisons(), told);
            tell_newcomers(follower.learner().newcomers(), told);
            told = told.max(follower.learner().sequence());
            match result {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(error) if stopping => return Err(error),
                Err(error) => {
                    tracing::error!(%error, "the learner stands still; the last snapshot stays in force");
                    runtime.block_on(tokio::time::sleep(CLOSING_CHECK));
                }
            }
        }
    })
}

/// Waits until there is something to do: a step that was asked for, or, where nobody asks, a record
/// or the time to look at closing times.
async fn due(follower: &Follower, steps: &mut Option<Steps>) -> Option<Done> {
    if let Some(asked) = steps {
        match asked.recv().await {
            Some(done) => return Some(done),
            None => *steps = None,
        }
    }
    tokio::select! {
        () = gathered(follower) => {}
        () = tokio::time::sleep(CLOSING_CHECK) => {}
    }
    None
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

/// Tells of the guards that tripped after record `told`.
fn tell_trips<'a>(comparisons: impl Iterator<Item = (&'a Name, &'a Comparison)>, told: u64) {
    for (team, compared) in comparisons {
        let Some(trip) = compared.tripped().filter(|trip| trip.sequence > told) else {
            continue;
        };
        let sides = [Cell::Router, Cell::Holdout];
        let by = compared.tripping();
        let [router, holdout] =
            sides.map(|cell| by.map_or(compared.side(cell), |by| by.side(cell)));
        let (_, gain_upper) = by.map_or(compared.lift(), Watched::gain);
        tracing::warn!(
            %team,
            baseline = %compared.baseline(),
            worse_in = by.map_or("utility", |by| by.signal().as_str()),
            margin = by.map_or(0.0, Watched::margin),
            router_mean = router.mean,
            router_episodes = router.episodes,
            holdout_mean = holdout.mean,
            holdout_episodes = holdout.episodes,
            gain_upper,
            sequence = trip.sequence,
            "the router is worse than the baseline: the guard holds until it is lifted"
        );
    }
}

/// Tells of the newcomers that were ruled on after record `told`.
fn tell_newcomers<'a>(
    newcomers: impl Iterator<Item = (&'a Name, &'a Name, &'a Newcomer)>,
    told: u64,
) {
    for (team, arm, newcomer) in newcomers {
        let Some(ruling) = newcomer.ruling().filter(|r| r.sequence > told) else {
            continue;
        };
        let said = match ruling.finding {
            Finding::Adopted => "an arm that joined is adopted: it is worth more than the others",
            Finding::Rejected => {
                "an arm that joined is rejected: it is worth less than the others; what was left of its forced exploration is over"
            }
            Finding::Undecided => {
                "an arm that joined is undecided: its difference lies within the bounds"
            }
        };
        let gain = newcomer.gain();
        tracing::info!(
            %team,
            %arm,
            lower = gain.lower(),
            upper = gain.upper(),
            draws = gain.arm_count(),
            others = gain.other_count(),
            sequence = ruling.sequence,
            "{said}"
        );
    }
}

/// Learns what is written and does what is due then; whether that was the last time, since it was told to
/// stop.
fn follow_once(
    follower: &mut Follower,
    store: &Store,
    clock: &dyn Clock,
    runtime: &tokio::runtime::Handle,
    stop: &CancellationToken,
) -> Result<bool, store::Error> {
    let keep = |follower: &mut Follower| {
        let kept = runtime.block_on(store.journal().on_disk(follower.learner().sequence()));
        kept.and_then(|()| follower.write_checkpoint())
    };
    let keep_if_due = |follower: &mut Follower| {
        if follower.checkpoint_due()
            && let Err(error) = keep(follower)
        {
            tracing::error!(%error, "no checkpoint was written; learning goes on, the next try comes some thousand records later");
            follower.put_off_checkpoint();
        }
    };
    follower.catch_up_while(|follower| {
        keep_if_due(follower);
        !(stop.is_cancelled() && follower.behind() > LAST)
    })?;
    let now = clock.now();
    let closing = follower.next_closing();
    // What seems due to one that is far behind may have closed long ago.
    if follower.behind() <= LAST && closing.is_some_and(|closing| closing <= now) {
        store.append(&Record::Tick { time: now })?;
    }
    let last = stop.is_cancelled();
    match last {
        true => keep(follower)?,
        false => keep_if_due(follower),
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Direction;
    use crate::clock::ManualClock;
    use crate::learn::sample;
    use crate::store::Checkpoints;
    use crate::store::simulated::SimulatedDisk;
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

    /// What is logged meanwhile.
    fn logged(act: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_checkpoint_that_fails_is_told_and_holds_up_no_learning() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let journal = Arc::new(SimulatedDisk::new());
        let (store, _) = Store::open(journal, store::Settings::default(), now).unwrap();
        for _ in 0..40_000 {
            store.append(&Record::Tick { time: now }).unwrap();
        }
        let (store, full) = (Arc::new(store), SimulatedDisk::new());
        full.set_room(Some(0));
        let checkpoints = Checkpoints::new(Arc::new(full.clone()));
        let params = Arc::new(sample::params(sample::HOUR));
        let mut follower = Follower::open(Arc::clone(&store), checkpoints, params);
        let (runtime, stop) = (
            tokio::runtime::Runtime::new().unwrap(),
            CancellationToken::new(),
        );
        let clock = ManualClock::new(now);
        let mut once = || follow_once(&mut follower, &store, &clock, runtime.handle(), &stop);
        let text = logged(|| assert!(!once().unwrap()));
        let told = text.matches("no checkpoint was written").count();
        // After 16,384 records, and after as many again.
        assert_eq!(told, 2, "{text}");
        assert!(text.contains("no space left"), "{text}");
        stop.cancel();
        assert!(once().is_err(), "the last one is not put off");
        full.set_room(None);
        assert!(once().unwrap());
        assert_eq!(follower.behind(), 0);
    }

    #[test]
    fn a_guard_that_tripped_is_told_once() {
        let team = Name::new("coding").unwrap();
        let compared = Comparison::tripped_by(9, None);
        let text = logged(|| {
            for told in [8, 9, 20] {
                tell_trips([(&team, &compared)].into_iter(), told);
            }
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in [
            "WARN",
            "the guard holds",
            "team=coding",
            "baseline=large",
            "worse_in=\"utility\"",
            "sequence=9",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn a_newcomer_that_was_ruled_on_is_told_once() {
        let (team, arm) = (Name::new("coding").unwrap(), Name::new("harbor").unwrap());
        let check = |finding, said: &str| {
            let newcomer = Newcomer::ruled_by(finding, 9);
            let text = logged(|| {
                for told in [8, 9, 20] {
                    tell_newcomers([(&team, &arm, &newcomer)].into_iter(), told);
                }
            });
            assert_eq!(text.lines().count(), 1, "{text}");
            for part in ["team=coding", "arm=harbor", "sequence=9", "upper=2", said] {
                assert!(text.contains(part), "{part}: {text}");
            }
        };
        check(Finding::Adopted, "is adopted");
        check(Finding::Rejected, "forced exploration is over");
        check(Finding::Undecided, "is undecided");
    }

    #[test]
    fn the_signal_that_tripped_a_guard_is_told_with_its_own_figures() {
        let team = Name::new("coding").unwrap();
        let compared = Comparison::tripped_by(9, Some("tests_passed"));
        let text = logged(|| tell_trips([(&team, &compared)].into_iter(), 8));
        for part in [
            "worse_in=\"tests_passed\"",
            "margin=0.02",
            "router_mean=0.0",
            "holdout_mean=1.0",
        ] {
            assert!(text.contains(part), "{part}: {text}");
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
        let text = logged(|| {
            for told in [7, 9, 20] {
                tell(alarms.iter().map(|alarm| (&team, alarm)), told);
            }
        });
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
