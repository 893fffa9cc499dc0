//! Waiting for money that is held: what others settle below their holds is free again, mostly within seconds.
//!
//! A request that does not fit into what is left, but would if what is held for others came free, waits for that,
//! [`PATIENCE`] at most, and is then refused. Who came first is woken first, as many as what came free pays for;
//! whom nothing that is held could help any more is woken too, to be refused at once. The order is that of waking
//! alone: nothing is put by for who is woken, and a newcomer that asks in between, or asks for less, may overtake.
//!
//! Invariants: a wait ends; whoever is dropped leaves the queue; no wake-up is lost (what came free between the
//! refusal and the wait is seen as the wait begins; who was woken and is dropped before it tries wakes the next).
//!
//! Not here: whether it fits (the one who is woken asks again, and may find that another was faster).

use super::Accounts;
use crate::id::Name;
use crate::unit::{NanoUsd, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// How long a request waits for what is held to come free. Ours: longer than most answers of a chat take to
/// begin, shorter than a person's patience; a client that is refused comes again by itself.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Who waits, by when they came.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<(u64, BTreeMap<u64, Waiter>)>);

#[derive(Debug)]
struct Waiter {
    team: Name,
    key: Name,
    asked: NanoUsd,
    wake: Arc<Notify>,
}

/// What a request finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// May be held now.
    pub(super) left: NanoUsd,
    /// May be held if all that is held now comes free.
    pub(super) possible: NanoUsd,
}

/// A request's place in the queue: it keeps it for as long as it waits, however often it is woken.
#[derive(Debug)]
pub struct Waiting<'a> {
    accounts: &'a Accounts,
    team: &'a Name,
    key: &'a Name,
    place: u64,
    until: Instant,
    /// The patience has ended: what is tried once more is tried for the last time.
    over: bool,
    /// When the wait began that has not ended.
    since: Option<Timestamp>,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Waiter>)> {
        // Nothing here panics half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Accounts {
    /// A place in the queue; whoever has it waits until then, as a rule for [`PATIENCE`].
    pub fn waiting<'a>(&'a self, team: &'a Name, key: &'a Name, until: Instant) -> Waiting<'a> {
        let mut queue = self.queue.lock();
        queue.0 += 1;
        Waiting {
            accounts: self,
            team,
            key,
            place: queue.0,
            until,
            over: false,
            since: None,
        }
    }

    /// Money may have come free: wakes those that it is enough for, and those that nothing will be.
    pub(super) fn wake(&self, now: Timestamp) {
        let mut queue = self.queue.lock();
        if queue.1.is_empty() {
            return;
        }
        // What is promised to one is not to the next of the same key; those of others may find it gone.
        let mut rooms: BTreeMap<(Name, Name), Room> = BTreeMap::new();
        queue.1.retain(|_, waiter| {
            let room = rooms
                .entry((waiter.team.clone(), waiter.key.clone()))
                .or_insert_with(|| self.room(&waiter.team, &waiter.key, now));
            let fits = waiter.asked <= room.left;
            if fits {
                room.left = NanoUsd::new(room.left.get() - waiter.asked.get());
            }
            let stays = !fits && waiter.asked <= room.possible;
            if !stays {
                waiter.wake.notify_one();
            }
            stays
        });
    }
}

impl Waiting<'_> {
    /// Waits until so much may fit; false where it has waited long enough, or where nothing that is held could
    /// make it fit.
    pub async fn for_room(&mut self, asked: NanoUsd, now: Timestamp) -> bool {
        let wake = Arc::new(Notify::new());
        let waiter = Waiter {
            team: self.team.clone(),
            key: self.key.clone(),
            asked,
            wake: Arc::clone(&wake),
        };
        self.accounts.queue.lock().1.insert(self.place, waiter);
        let room = self.accounts.room(self.team, self.key, now);
        if asked > room.possible || self.over {
            return false;
        }
        if asked > room.left {
            self.since = Some(now);
            self.over = timeout_at(self.until, wake.notified()).await.is_err();
            self.since = None;
        } else if Instant::now() >= self.until {
            self.over = true;
        }
        true
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let waits = self.accounts.queue.lock().1.remove(&self.place);
        // It was woken, and went before it tried: what came free for it is the next one's.
        if let (None, Some(since)) = (waits, self.since) {
            self.accounts.wake(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Limit, Refill, Window};
    use crate::id::DecisionId;
    use crate::store::sample::{id, name};
    use futures_util::FutureExt;

    fn now() -> Timestamp {
        id(1).minted()
    }

    /// An account of 100, of which so much is held for each of these decisions.
    fn accounts(held: &[(u64, i64)]) -> Accounts {
        let limit = Limit {
            usd: NanoUsd::new(100),
            refill: Refill::Calendar(Window::Day),
        };
        let accounts = Accounts::new([(name("t"), limit)]).unwrap();
        for (decision, amount) in held {
            assert!(hold(&accounts, id(*decision), *amount));
        }
        accounts
    }

    fn hold(accounts: &Accounts, decision: DecisionId, amount: i64) -> bool {
        let team = name("t");
        let mut purse = accounts.purse(&team, &name("k"), now()).unwrap();
        purse.hold(decision, NanoUsd::new(amount)).is_ok()
    }

    /// Whether a wait for so much is told to try again, where this happens meanwhile.
    async fn check(accounts: &Accounts, asked: i64, meanwhile: impl Fn(&Accounts)) -> bool {
        let (team, key) = (name("t"), name("k"));
        let mut waiting = accounts.waiting(&team, &key, Instant::now() + PATIENCE);
        let waits = waiting.for_room(NanoUsd::new(asked), now());
        let (tried, ()) = tokio::join!(waits, async {
            tokio::task::yield_now().await;
            meanwhile(accounts);
        });
        tried
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_free_wakes_who_waits_for_it() {
        let accounts = accounts(&[(1, 60), (2, 30)]);
        let cancel = |accounts: &Accounts| accounts.cancel(&name("t"), id(1), now());
        let began = Instant::now();
        assert!(check(&accounts, 70, cancel).await);
        assert_eq!(Instant::now(), began, "without waiting for the time");
        assert!(accounts.queue.lock().1.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_come_free_is_waited_for_two_seconds_and_tried_once_more() {
        let accounts = accounts(&[(1, 60)]);
        let (team, key, asked) = (name("t"), name("k"), NanoUsd::new(70));
        let mut waiting = accounts.waiting(&team, &key, Instant::now() + PATIENCE);
        let began = Instant::now();
        assert!(waiting.for_room(asked, now()).await);
        assert_eq!(Instant::now() - began, PATIENCE);
        assert!(!waiting.for_room(asked, now()).await);
        assert_eq!(Instant::now() - began, PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn what_no_settlement_can_make_fit_is_not_waited_for() {
        let accounts = accounts(&[(1, 60)]);
        let began = Instant::now();
        assert!(!check(&accounts, 101, |_| {}).await);
        assert_eq!(Instant::now(), began);
    }

    #[tokio::test(start_paused = true)]
    async fn whom_a_settlement_leaves_no_hope_is_woken_to_be_refused() {
        let accounts = accounts(&[(1, 60)]);
        let began = Instant::now();
        let spend = |accounts: &Accounts| {
            accounts.cancel(&name("t"), id(1), now());
            assert!(hold(accounts, id(2), 50));
            accounts.charged(&name("t"), 40, now());
            accounts.wake(now());
        };
        // Held 50, spent 40: 70 cannot come.
        assert!(check(&accounts, 70, spend).await);
        assert_eq!(Instant::now(), began);
        assert!(!check(&accounts, 70, |_| {}).await);
    }

    #[tokio::test(start_paused = true)]
    async fn of_those_who_wait_the_first_are_woken_as_many_as_are_paid_for() {
        let accounts = accounts(&[(1, 90)]);
        let (team, key) = (name("t"), name("k"));
        let began = Instant::now();
        let wait = async |_| {
            let mut waiting = accounts.waiting(&team, &key, Instant::now() + PATIENCE);
            waiting.for_room(NanoUsd::new(40), now()).await;
            Instant::now() - began
        };
        let free = async {
            tokio::task::yield_now().await;
            accounts.cancel(&team, id(1), now());
        };
        let (first, second, third, ()) = tokio::join!(wait(1), wait(2), wait(3), free);
        assert_eq!(
            [first, second, third],
            [Duration::ZERO, Duration::ZERO, PATIENCE]
        );
    }
    #[tokio::test(start_paused = true)]
    async fn who_is_woken_and_goes_before_it_tries_wakes_the_next() {
        let accounts = accounts(&[(1, 90)]);
        let (team, key, asked) = (name("t"), name("k"), NanoUsd::new(60));
        let began = Instant::now();
        let until = began + PATIENCE;
        let mut gone = Box::pin(async {
            let mut first = accounts.waiting(&team, &key, until);
            first.for_room(asked, now()).await
        });
        assert!(gone.as_mut().now_or_never().is_none());
        let mut second = accounts.waiting(&team, &key, until);
        let waits = second.for_room(asked, now());
        let (tried, ()) = tokio::join!(waits, async {
            tokio::task::yield_now().await;
            accounts.cancel(&team, id(1), now());
            // Woken, and never looked at again.
            drop(gone);
        });
        assert!(tried);
        assert_eq!(Instant::now(), began);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_began_late_ends_when_it_was_to() {
        let accounts = accounts(&[(1, 60)]);
        let (team, key, asked) = (name("t"), name("k"), NanoUsd::new(70));
        let began = Instant::now();
        let until = began + PATIENCE;
        for _ in 0..20 {
            let mut waiting = accounts.waiting(&team, &key, until);
            assert!(waiting.for_room(asked, now()).await);
            assert!(!waiting.for_room(asked, now()).await);
        }
        assert_eq!(Instant::now() - began, PATIENCE);
    }
}
