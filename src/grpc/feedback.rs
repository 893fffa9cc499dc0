//! `FeedbackService`: admit, decode each item, call the use case, put the results in order.
//!
//! Invariants: one result for each item, in the caller's order; a refused item keeps no other back.
//!
//! Not here: what a signal means, when it is late (`learn`).

use super::auth::serve;
use super::decode::{self, Refusal};
use super::status::Failure;
use crate::access::{Grant, Scope};
use crate::clock::Clock;
use crate::id::Secret;
use crate::proto::v1::{self, feedback_result, feedback_service_server::FeedbackService};
use crate::signal::Feedback;
use std::future::Future;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What the service needs done.
pub trait Listening: Send + Sync + 'static {
    /// Takes feedback of the grant's team; an accepted item is in the journal before it returns. One
    /// outcome for each item, in order. `dry_run`: judge only.
    fn take(
        &self,
        grant: &Grant,
        items: Vec<Feedback>,
        dry_run: bool,
    ) -> impl Future<Output = Result<Vec<Outcome>, Failure>> + Send;
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Kept; it will be learned from.
    Accepted,
    /// Kept before; nothing new.
    Duplicate,
    /// Kept; its decision is not visible yet, or its episode has none.
    Parked,
    /// Kept, past the learning window.
    Late,
    /// Not kept.
    Refused(Refusal),
}

/// The service over a use case.
#[derive(Debug)]
pub struct Listener<U> {
    listening: Arc<U>,
    secret: Secret,
    clock: Arc<dyn Clock>,
}

impl<U: Listening> Listener<U> {
    /// Serves `listening`, reading decision ids with `secret` and arrival times from `clock`.
    pub fn new(listening: Arc<U>, secret: Secret, clock: Arc<dyn Clock>) -> Self {
        Self {
            listening,
            secret,
            clock,
        }
    }
}

#[tonic::async_trait]
impl<U: Listening> FeedbackService for Listener<U> {
    async fn submit_feedback(
        &self,
        request: Request<v1::SubmitFeedbackRequest>,
    ) -> Result<Response<v1::SubmitFeedbackResponse>, Status> {
        serve(request, Scope::Feedback, |a| async move {
            let dry_run = a.asked.dry_run;
            let now = self.clock.now();
            let read = decode::feedback(a.asked, &a.grant.team, &self.secret, now)?;
            let (items, refusals) = apart(read);
            let taken = match items.is_empty() {
                true => Vec::new(),
                false => self.listening.take(&a.grant, items, dry_run).await?,
            };
            Ok(v1::SubmitFeedbackResponse {
                results: together(refusals, taken)?,
            })
        })
        .await
    }
}

/// The good items; and for each place of the batch, its refusal or nothing.
fn apart(read: Vec<Result<Feedback, Refusal>>) -> (Vec<Feedback>, Vec<Option<Refusal>>) {
    let mut items = Vec::with_capacity(read.len());
    let refusals = read
        .into_iter()
        .map(|item| item.map(|item| items.push(item)).err())
        .collect();
    (items, refusals)
}

/// A result for every place of the batch.
fn together(
    refusals: Vec<Option<Refusal>>,
    taken: Vec<Outcome>,
) -> Result<Vec<v1::FeedbackResult>, Failure> {
    let mut taken = taken.into_iter();
    let place = |refusal: Option<Refusal>| refusal.map(Outcome::Refused).or_else(|| taken.next());
    let outcomes: Option<Vec<Outcome>> = refusals.into_iter().map(place).collect();
    let outcomes = outcomes
        .ok_or_else(|| Failure::Internal("feedback: fewer outcomes than items".to_owned()))?;
    Ok(outcomes.into_iter().map(result).collect())
}

fn result(outcome: Outcome) -> v1::FeedbackResult {
    use feedback_result::Status;
    let status = match outcome {
        Outcome::Accepted => Status::Accepted,
        Outcome::Duplicate => Status::Duplicate,
        Outcome::Parked => Status::Parked,
        Outcome::Late => Status::Late,
        Outcome::Refused(_) => Status::Refused,
    };
    let (reason, message) = match outcome {
        Outcome::Refused(refusal) => (refusal.reason.to_owned(), refusal.message),
        _ => Default::default(),
    };
    v1::FeedbackResult {
        status: status.into(),
        reason,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let refusal = Refusal {
            reason: "INVALID_FIELD",
            message: "signals: has 0 entries: allowed 1 to 64".to_owned(),
        };
        let refusals = vec![None, Some(refusal), None];
        let taken = vec![Outcome::Parked, Outcome::Accepted];
        let results = together(refusals.clone(), taken).unwrap();
        let statuses: Vec<_> = results.iter().map(v1::FeedbackResult::status).collect();
        use feedback_result::Status;
        assert_eq!(
            statuses,
            [Status::Parked, Status::Refused, Status::Accepted]
        );
        assert_eq!(results[1].reason, "INVALID_FIELD");
        assert!(together(refusals, vec![Outcome::Late]).is_err());
    }
}
