//! Which call a task is at: its id and its caller's span go with the call's work, wherever it waits.
//!
//! Why not in a span of the log: one at a level that is on would format and allocate for each call, and few calls
//! log anything.
//!
//! Invariants: what is asked outside the work of a call has none.
//!
//! Not here: what a line or a span makes of it (`log`, `otlp`), what is told of a call (`call`).

use super::call_id::CallId;
use super::parent::Parent;
use std::future::Future;

tokio::task_local! {
    /// The call that the task is at.
    static CALL: Call;
}

/// The call that a task is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// The caller's span, where there is one and spans are sent.
    pub parent: Option<Parent>,
}

impl From<CallId> for Call {
    fn from(id: CallId) -> Self {
        Self { id, parent: None }
    }
}

/// The work of a call: what it logs carries the call's id.
pub fn of_call<F: Future>(call: impl Into<Call>, work: F) -> impl Future<Output = F::Output> {
    CALL.scope(call.into(), work)
}

/// As [`of_call`], of work that waits for nothing.
pub fn within_call<T>(call: impl Into<Call>, work: impl FnOnce() -> T) -> T {
    CALL.sync_scope(call.into(), work)
}

/// The call that is served here, if one is.
pub fn call() -> Option<CallId> {
    here().map(|call| call.id)
}

/// As [`call`], with the caller's span.
pub(super) fn here() -> Option<Call> {
    CALL.try_with(|call| *call).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_id_goes_with_the_work_wherever_it_waits() {
        let work = async {
            tokio::task::yield_now().await;
            call()
        };
        let five = CallId::new(5);
        assert_eq!(of_call(five, work).await, Some(five));
        assert_eq!(call(), None);
    }
}
