//! Judging candidates on a running server's own journal.
//!
//! Invariants: a replay runs on a thread of its own and ends when the caller goes away.
//!
//! Not here: any estimate (`replay`).

use super::decode::Replay;
use super::encode;
use super::evaluation::Judging;
use super::status::Failure;
use crate::access::Grant;
use crate::decision::Decision;
use crate::id::Name;
use crate::proto::v1::{self, replay_response::Event};
use crate::replay::{
    self, Aim, Candidate, Guard, Outcomes, Progress, Scorecards, TrafficQuestion, TrafficReport,
};
use crate::store::{self, Position, Record, Store};
use futures_util::stream::BoxStream;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;

/// Messages that wait for a slow reader at most.
const BUFFER: usize = 16;

/// The use case and what it holds.
#[derive(Debug)]
pub struct Traffic {
    /// Where records are.
    pub store: Arc<Store>,
    /// The team's scorecards, as in force.
    pub scorecards: Scorecards,
    /// Where replays run.
    pub tasks: TaskTracker,
}

type Sender = mpsc::Sender<Result<Event, Failure>>;

impl Judging for Traffic {
    async fn replay(
        &self,
        grant: &Grant,
        asked: Replay,
    ) -> Result<BoxStream<'static, Result<Event, Failure>>, Failure> {
        let question = question(&asked)?;
        let (sender, receiver) = mpsc::channel(BUFFER);
        let (store, scorecards) = (Arc::clone(&self.store), self.scorecards.clone());
        let team = grant.team.clone();
        self.tasks.spawn_blocking(move || {
            let result = judge(&store, &scorecards, &team, &asked, &question, &sender);
            let last = result.map(|found| Event::Report(encode::replay_report(found)));
            // A caller that has gone away is told nothing.
            let _ = sender.blocking_send(last);
        });
        Ok(Box::pin(ReceiverStream::new(receiver)))
    }
}

/// What is asked, as `replay` takes it.
fn question(asked: &Replay) -> Result<TrafficQuestion, Failure> {
    let policy = |field: String, text: &str| {
        let parsed = text.parse::<Candidate>();
        parsed.map_err(|error| Failure::field(field, error))
    };
    let mut candidates = Vec::with_capacity(asked.candidates.len());
    for (index, text) in asked.candidates.iter().enumerate() {
        candidates.push(policy(format!("candidates[{index}]"), text)?);
    }
    let guard = |(signal, margin): &(Name, f64)| Guard {
        signal: signal.clone(),
        margin: *margin,
    };
    Ok(TrafficQuestion {
        incumbent: policy("incumbent".to_owned(), &asked.incumbent)?,
        aim: if asked.saving {
            Aim::Saving
        } else {
            Aim::Utility
        },
        guards: asked.guards.iter().map(guard).collect(),
        peeking: asked.peeking,
        utility: asked.utility,
        ..TrafficQuestion::new(candidates)
    })
}

fn judge(
    store: &Store,
    scorecards: &Scorecards,
    team: &Name,
    asked: &Replay,
    question: &TrafficQuestion,
    sender: &Sender,
) -> Result<TrafficReport, Failure> {
    let scorecard = scorecards.get(team).cloned();
    let scorecard = scorecard.ok_or_else(|| Failure::Internal("a key of no team".to_owned()))?;
    let mut outcomes = Outcomes::default();
    let mut wanted = Vec::new();
    let mut reader = store.reader(1);
    while let Some((position, record)) = reader.next()? {
        // A tick is nobody's: it tells all what time it was.
        if record.team().is_none_or(|of| of == team) {
            outcomes.observe(&record);
        }
        if let Record::Decision(decision) = &record
            && decision.team == *team
            && asked.since.is_none_or(|since| decision.time >= since)
            && asked.until.is_none_or(|until| decision.time < until)
        {
            wanted.push(position);
        }
        if sender.is_closed() {
            return Err(Failure::DeadlineExceeded);
        }
    }
    // A decision that cannot be read back is left out, and told in the log.
    let rows = wanted
        .iter()
        .filter_map(|position| match decision(store, *position) {
            Ok(decision) => Some(Ok(outcomes.row(decision, &scorecard))),
            Err(error) => {
                tracing::error!(%error, "a decision is left out of a replay");
                None
            }
        });
    let watch = |progress: Progress| {
        let event = Event::Progress(v1::ReplayProgress {
            decisions_done: encode::whole(progress.done),
            decisions_total: progress.total.map_or(0, encode::whole),
        });
        match sender.blocking_send(Ok(event)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    };
    replay::traffic(rows, Some(wanted.len()), question, &watch).map_err(failure)
}

/// What the log shows to be asked wrongly is the caller's to mend, not a fault of ours.
fn failure(error: replay::Error) -> Failure {
    match error {
        replay::Error::Stopped => Failure::DeadlineExceeded,
        replay::Error::Guard { .. } => Failure::field("guards", error),
        replay::Error::SavingPeeking => Failure::field("peeking", error),
        replay::Error::Scale { .. } => Failure::field("utility_range", error),
        other => Failure::Internal(other.to_string()),
    }
}

fn decision(store: &Store, position: Position) -> Result<Decision, store::Error> {
    match store.journal().at(position)? {
        Record::Decision(decision) => Ok(*decision),
        _ => Err(store::Error::NoRecord {
            sequence: position.sequence,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{HOUR, everything, name, scorecard};
    use crate::proto::v1::ReplayRequest;
    use crate::store::Settings;
    use crate::store::simulated::SimulatedDisk;
    use crate::unit::Timestamp;

    /// Judges four candidates for a caller who reads `messages` and goes away.
    fn left_after(messages: usize) -> Result<TrafficReport, Failure> {
        let disk = Arc::new(SimulatedDisk::new());
        let (store, _) = Store::open(disk, Settings::default(), Timestamp::from_micros(0)).unwrap();
        for record in everything() {
            store.append(&record).unwrap();
        }
        let asked = super::super::decode::replay(ReplayRequest {
            candidates: vec!["uniform".to_owned(); 4],
            ..ReplayRequest::default()
        });
        let asked = asked.unwrap();
        let question = question(&asked).unwrap();
        let scorecards: Scorecards = [(name("team"), Arc::new(scorecard(HOUR)))].into();
        // One message waits at most, so that no work runs ahead of the reader.
        let (sender, mut receiver) = mpsc::channel(1);
        std::thread::scope(|scope| {
            let (store, question, asked) = (&store, &question, &asked);
            let team = name("team");
            let work =
                scope.spawn(move || judge(store, &scorecards, &team, asked, question, &sender));
            for _ in 0..messages {
                if receiver.blocking_recv().is_none() {
                    break;
                }
            }
            drop(receiver);
            work.join().unwrap()
        })
    }

    #[test]
    fn work_ends_when_the_caller_goes_away_and_not_before() {
        for messages in [0, 1, 2] {
            let ended = left_after(messages);
            assert!(
                matches!(ended, Err(Failure::DeadlineExceeded)),
                "{messages}: {ended:?}"
            );
        }
        assert_eq!(left_after(usize::MAX).unwrap().candidates.len(), 4);
    }

    #[test]
    fn what_the_log_shows_to_be_asked_wrongly_names_its_field() {
        let check = |error: replay::Error, expected: &str| match failure(error) {
            Failure::InvalidField(violations) => {
                let fields: Vec<&str> = violations.iter().map(|v| v.field.as_str()).collect();
                assert_eq!(fields, [expected]);
            }
            other => panic!("{expected}: {other:?}"),
        };
        let signal = Name::new("speed").unwrap();
        let allowed = vec![];
        check(replay::Error::Guard { signal, allowed }, "guards");
        check(replay::Error::SavingPeeking, "peeking");
        let (low, high) = (1.0, 0.0);
        check(replay::Error::Scale { low, high }, "utility_range");
        assert!(matches!(
            failure(replay::Error::Stopped),
            Failure::DeadlineExceeded
        ));
    }
}
