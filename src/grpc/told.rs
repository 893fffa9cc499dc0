//! What a caller of `AdminService` changes, put into the audit log before it is changed.
//!
//! Invariants: what is not in the log is not done; what is in the log and was not done is followed by an entry that
//! says so, whether the caller waits for it or not.
//!
//! Not here: keys, whose use case writes its own (`access::Book`); the log (`store::audit`).

use super::decode::{Control, Operation};
use super::queue::Queue;
use super::status::Failure;
use super::use_cases::Desk;
use crate::access::Grant;
use crate::clock::Clock;
use crate::store::audit::{Action, Audit, Change};
use std::future::Future;
use std::sync::Arc;

impl Desk {
    /// Sets the control and then lifts the guard, where they are wanted. What began is finished.
    pub(super) async fn operate(&self, grant: &Grant, wanted: Operation) -> Result<(), Failure> {
        let (grant, intake) = (grant.clone(), Arc::clone(&self.intake));
        let team = grant.team.clone();
        let teller = Teller {
            audit: Arc::clone(&self.audit),
            clock: Arc::clone(&self.clock),
            queue: self.keys.queue.clone(),
        };
        let work = async move {
            if let Some(control) = wanted.control {
                let told = change(&grant, Action::ControlSet, in_words(&control));
                let set = async {
                    let set = intake.set_control(&grant.team, control).await;
                    set.map_err(Failure::from)
                };
                teller.told(told, set).await?;
            }
            if wanted.lift_guard {
                let told = change(&grant, Action::GuardLifted, String::new());
                let lift = async {
                    let lifted = intake.lift_guard(&grant.team).await;
                    lifted.map_err(Failure::from)
                };
                teller.told(told, lift).await?;
            }
            Ok(())
        };
        self.keys.queue.see_through(&team, work).await
    }
}

/// Tells the audit log.
#[derive(Debug)]
struct Teller {
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    /// Where that waits for the disk.
    queue: Queue,
}

impl Teller {
    /// Writes what is wanted, does it, and says so where it could not be done.
    async fn told<T>(
        &self,
        wanted: Change,
        done: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let failed = Change {
            action: Action::Failed,
            now: String::new(),
            ..wanted.clone()
        };
        self.tell(wanted).await?;
        let done = done.await;
        if done.is_err()
            && let Err(error) = self.tell(failed).await
        {
            tracing::error!(%error, "the audit log does not say that a change failed");
        }
        done
    }

    /// Waits for the disk where that holds up nobody.
    async fn tell(&self, change: Change) -> Result<(), Failure> {
        let (audit, now) = (Arc::clone(&self.audit), self.clock.now());
        let told = self.queue.in_turn(move || audit.append(now, change));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::id::Name;
    use crate::store::Disk;
    use crate::store::simulated::SimulatedDisk;
    use tokio_util::task::TaskTracker;

    fn teller() -> (Teller, Arc<SimulatedDisk>) {
        let disk = Arc::new(SimulatedDisk::new());
        let audit = Audit::open(Arc::clone(&disk) as Arc<dyn Disk>).unwrap();
        let teller = Teller {
            audit: Arc::new(audit),
            clock: Arc::new(ManualClock::default()),
            queue: Queue::new(TaskTracker::new()),
        };
        (teller, disk)
    }

    fn wanted(action: Action) -> Change {
        Change {
            by: "key ci of coding".to_owned(),
            action,
            team: Some(Name::new("coding").unwrap()),
            object: String::new(),
            now: String::new(),
        }
    }

    /// What the log says was done, in its order.
    fn check(disk: &SimulatedDisk, expected: &[Action]) {
        let log = String::from_utf8(disk.read(crate::store::audit::LOG).unwrap()).unwrap();
        let lines: Vec<&str> = log.lines().collect();
        assert_eq!(lines.len(), expected.len(), "{log}");
        for (line, action) in lines.iter().zip(expected) {
            let action = format!("\"action\":\"{}\"", action.as_str());
            assert!(line.contains(&action), "{line}");
        }
    }

    #[tokio::test]
    async fn what_could_not_be_done_is_followed_by_an_entry_that_says_so() {
        let (teller, disk) = teller();
        let broken = async { Err::<(), _>(Failure::StoreFull) };
        let failed = teller.told(wanted(Action::ControlSet), broken).await;
        assert!(matches!(failed, Err(Failure::StoreFull)));
        check(&disk, &[Action::ControlSet, Action::Failed]);
    }

    /// A guard that the log refuses is not lifted, and the entry before it, of what was done, stays true.
    #[tokio::test]
    async fn what_the_log_does_not_take_is_not_done_and_leaves_nothing_in_it() {
        let (teller, disk) = teller();
        let set = teller.told(wanted(Action::ControlSet), async { Ok(1) });
        assert_eq!(set.await.unwrap(), 1);
        disk.set_sync_fails(true);
        let mut lifted = false;
        let lift = async {
            lifted = true;
            Ok(())
        };
        let refused = teller.told(wanted(Action::GuardLifted), lift).await;
        assert!(refused.is_err() && !lifted);
        disk.set_sync_fails(false);
        let set = teller.told(wanted(Action::ControlSet), async { Ok(2) });
        assert_eq!(set.await.unwrap(), 2);
        check(&disk, &[Action::ControlSet, Action::ControlSet]);
    }
}
