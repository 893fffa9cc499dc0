//! Changes of `AdminService` wait here for the disk, one behind the other.
//!
//! Why not each on a thread of its own: threads that may wait are shared with whatever else blocks (names of
//! providers are looked up there), and a team that asks for a thousand changes at once would hold all of them.
//!
//! Invariants: at most one thread is at work; a team's changes that are under way or wait are few, and what comes
//! beyond them is refused at once; revocations are counted apart, so that no other change crowds them out.
//!
//! Not here: what is changed (`keeping`, `told`).

use super::status::Failure;
use crate::id::Name;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

/// Most changes of a team, and most revocations, that are under way or wait.
const TEAM_CHANGES: usize = 16;

/// When to come again: a change takes some syncs.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The end of a key.
    Revocation,
    /// Whatever else.
    Change,
}

/// The one line. Clones are the same.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    tasks: TaskTracker,
    turn: Arc<Semaphore>,
    under_way: Arc<UnderWay>,
}

#[derive(Debug, Default)]
struct UnderWay(Mutex<BTreeMap<(Name, Kind), usize>>);

/// A change among those of its team, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: (Name, Kind),
    under_way: Arc<UnderWay>,
}

impl Queue {
    /// Nothing is under way; what will be is tracked there.
    pub(super) fn new(tasks: TaskTracker) -> Self {
        Self {
            tasks,
            turn: Arc::new(Semaphore::new(1)),
            under_way: Arc::default(),
        }
    }

    /// Counts a change in, if the team has not too many.
    pub(super) fn place(&self, team: &Name, kind: Kind) -> Result<Place, Failure> {
        let of = (team.clone(), kind);
        let mut counts = self.under_way.lock();
        let count = counts.entry(of.clone()).or_default();
        if *count >= TEAM_CHANGES {
            return Err(Failure::RateLimited {
                subject: team.clone(),
                retry_after: RETRY_AFTER,
            });
        }
        *count += 1;
        let under_way = Arc::clone(&self.under_way);
        Ok(Place { of, under_way })
    }

    /// Does what waits for the disk when its turn comes. It is not begun if its caller went before, and finished if
    /// its caller goes after.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let turn = Arc::clone(&self.turn).acquire_owned();
        let turn = turn.await.map_err(internal)?;
        let work = move || {
            let _turn = turn;
            work()
        };
        self.tasks.spawn_blocking(work).await.map_err(internal)
    }

    /// Does all of it, whether its caller waits for it or not.
    pub(super) async fn see_through<T: Send + 'static>(
        &self,
        team: &Name,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.place(team, Kind::Change)?;
        let work = async move {
            let _place = place;
            work.await
        };
        self.tasks.spawn(work).await.map_err(internal)?
    }
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Name, Kind), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.under_way.lock();
        if let Some(count) = counts.get_mut(&self.of) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.of);
            }
        }
    }
}

fn internal(error: impl Display) -> Failure {
    Failure::Internal(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use tokio::sync::oneshot;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn queue() -> Queue {
        Queue::new(TaskTracker::new())
    }

    #[test]
    fn a_team_with_many_changes_under_way_is_told_to_come_again_and_others_are_not() {
        let queue = queue();
        let (coding, support) = (name("coding"), name("support"));
        let mut held: Vec<Place> = (0..TEAM_CHANGES)
            .map(|_| queue.place(&coding, Kind::Change).unwrap())
            .collect();
        let refused = queue.place(&coding, Kind::Change).unwrap_err();
        assert_eq!(refused.code().1, "RATE_LIMITED");
        let others = [(&support, Kind::Change), (&coding, Kind::Revocation)];
        let others = others.map(|(team, kind)| queue.place(team, kind).unwrap());
        held.pop();
        held.push(queue.place(&coding, Kind::Change).unwrap());
        assert!(queue.place(&coding, Kind::Change).is_err());
        drop((held, others));
        assert!(queue.under_way.lock().is_empty(), "nothing is kept");
    }

    #[test]
    fn changes_that_wait_leave_threads_to_whatever_else_blocks() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(2)
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let queue = queue();
            let (mut disk, mut changes) = (Vec::new(), Vec::new());
            for _ in 0..8 {
                let (synced, wait) = std::sync::mpsc::channel::<()>();
                disk.push(synced);
                changes.push(Box::pin(queue.in_turn(move || wait.recv())));
            }
            for change in &mut changes {
                assert!(change.as_mut().now_or_never().is_none());
            }
            let other = TaskTracker::new().spawn_blocking(|| "looked up");
            let found = tokio::time::timeout(Duration::from_secs(60), other).await;
            for synced in disk {
                synced.send(()).unwrap();
            }
            assert_eq!(found.expect("a thread was left").unwrap(), "looked up");
            for change in changes {
                assert_eq!(change.await.unwrap(), Ok(()));
            }
        });
    }

    #[tokio::test]
    async fn what_began_is_seen_through_though_its_caller_goes() {
        let queue = queue();
        let (go, gone) = oneshot::channel::<()>();
        let (done, is_done) = oneshot::channel();
        let team = name("coding");
        let mut call = Box::pin(queue.see_through(&team, async move {
            gone.await.unwrap();
            done.send("done").unwrap();
            Ok(())
        }));
        assert!(call.as_mut().now_or_never().is_none());
        drop(call);
        assert_eq!(queue.under_way.lock().len(), 1, "it still counts");
        go.send(()).unwrap();
        queue.tasks.close();
        queue.tasks.wait().await;
        assert_eq!(is_done.await.unwrap(), "done");
        assert!(queue.under_way.lock().is_empty());
    }

    #[tokio::test]
    async fn a_change_that_panics_gives_up_its_turn() {
        let queue = queue();
        let broken: Result<(), Failure> = queue.in_turn(|| panic!("a bug")).await;
        assert!(matches!(broken, Err(Failure::Internal(_))));
        assert_eq!(queue.in_turn(|| 7).await.unwrap(), 7);
    }
}
