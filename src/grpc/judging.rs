//! Judging candidates on a running server's own journal.
//!
//! Invariants: a replay runs on a thread of its own and ends when the caller goes away.
//!
//! Not here: any estimate (`replay`).

use super::decode::Replay;
use super::evaluation::Judging;
use super::status::Failure;
use crate::access::Grant;
use crate::decision::Decision;
use crate::id::Name;
use crate::ope;
use crate::proto::v1::{self, replay_response::Event};
use crate::replay::{
    self, Candidate, Outcomes, Progress, Scorecards, TrafficQuestion, TrafficReport,
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
        let mut candidates = Vec::with_capacity(asked.candidates.len());
        for (index, text) in asked.candidates.iter().enumerate() {
            let parsed = text.parse::<Candidate>();
            candidates.push(parsed.map_err(|e| Failure::field(format!("candidates[{index}]"), e))?);
        }
        let question = TrafficQuestion::new(candidates);
        let (sender, receiver) = mpsc::channel(BUFFER);
        let (store, scorecards) = (Arc::clone(&self.store), self.scorecards.clone());
        let team = grant.team.clone();
        self.tasks.spawn_blocking(move || {
            let result = judge(&store, &scorecards, &team, &asked, &question, &sender);
            let last = result.map(|found| Event::Report(report(found)));
            // A caller that has gone away is told nothing.
            let _ = sender.blocking_send(last);
        });
        Ok(Box::pin(ReceiverStream::new(receiver)))
    }
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
            decisions_done: count(progress.done),
            decisions_total: progress.total.map_or(0, count),
        });
        match sender.blocking_send(Ok(event)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    };
    replay::traffic(rows, Some(wanted.len()), question, &watch).map_err(|error| match error {
        replay::Error::Stopped => Failure::DeadlineExceeded,
        other => Failure::Internal(other.to_string()),
    })
}

fn decision(store: &Store, position: Position) -> Result<Decision, store::Error> {
    match store.journal().at(position)? {
        Record::Decision(decision) => Ok(*decision),
        _ => Err(store::Error::NoRecord {
            sequence: position.sequence,
        }),
    }
}

fn count(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn report(found: TrafficReport) -> v1::ReplayReport {
    let candidate = |c: replay::CandidateReport| v1::CandidateReport {
        candidate: c.candidate,
        refusal: c
            .refusal
            .map(|refusal| refusal.to_string())
            .unwrap_or_default(),
        effective_sample_size: c.overlap.effective_sample_size,
        mean_weight: c.overlap.mean_weight,
        ips: c.ips.map(estimate),
        snips: c.snips.map(estimate),
        doubly_robust: c.doubly_robust.map(estimate),
    };
    let wanted = |w: replay::Wanted| v1::WantedSignal {
        signal: w.signal.to_string(),
        decision_count: count(w.decisions),
    };
    v1::ReplayReport {
        used_count: count(found.used),
        deterministic_count: count(found.deterministic),
        unobserved_count: count(found.unobserved),
        logged_mean: found.logged.map_or(0.0, |logged| logged.value),
        candidates: found.candidates.into_iter().map(candidate).collect(),
        wanted: found.wanted.into_iter().map(wanted).collect(),
        held_out_count: count(found.held_out),
        lift: found.lift.map(|lift| estimate(lift.difference)),
    }
}

fn estimate(found: ope::Estimate) -> v1::Estimate {
    v1::Estimate {
        value: found.value,
        lower: found.lower,
        upper: found.upper,
    }
}
