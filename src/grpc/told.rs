//! What a caller of `AdminService` changes, put into the audit log before it is changed.
//!
//! Invariants: what is not in the log is not done; what is in the log and was not done is followed by an entry that
//! says so.
//!
//! Not here: keys, whose use case writes its own (`access::Book`); the log (`store::audit`).

use super::decode::{Control, Operation};
use super::status::Failure;
use super::use_cases::Desk;
use crate::access::Grant;
use crate::store::audit::{Action, Change};
use std::sync::Arc;

impl Desk {
    /// Writes what is wanted, does it, and says so where it could not be done.
    pub(super) async fn audited<T>(
        &self,
        grant: &Grant,
        wanted: &Operation,
        done: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        if let Some(control) = &wanted.control {
            let now = in_words(control);
            self.tell(change(grant, Action::ControlSet, now)).await?;
        }
        if wanted.lift_guard {
            let change = change(grant, Action::GuardLifted, String::new());
            self.tell(change).await?;
        }
        let done = done.await;
        if done.is_err() {
            let change = change(grant, Action::Failed, String::new());
            if let Err(error) = self.tell(change).await {
                tracing::error!(%error, "the audit log does not say that a change failed");
            }
        }
        done
    }

    /// Waits for the disk where that holds up nobody.
    async fn tell(&self, change: Change) -> Result<(), Failure> {
        let (audit, now) = (Arc::clone(&self.audit), self.clock.now());
        let told = self.keys.queue.in_turn(move || audit.append(now, change));
        told.await??;
        Ok(())
    }
}

fn change(grant: &Grant, action: Action, now: String) -> Change {
    Change {
        by: grant.by(),
        action,
        team: Some(grant.team.clone()),
        object: String::new(),
        now,
    }
}

fn in_words(control: &Control) -> String {
    let pinned = control.pinned.as_ref();
    let pinned = pinned.map_or("no pin".to_owned(), |arm| format!("pinned to {arm}"));
    format!(
        "{pinned}, {}",
        if control.frozen {
            "frozen"
        } else {
            "not frozen"
        }
    )
}
