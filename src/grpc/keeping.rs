//! The keys of a team, over `AdminService`: what the service needs done, and who does it.
//!
//! Invariants: what waits for the disk holds up no other call; a change that began is finished, whether its caller
//! waits for it or not; changes wait in one line (`queue`).
//!
//! Not here: what is allowed (`access::Book`), admission and decoding (`admin`).

use super::queue::{Kind, Queue};
use super::status::Failure;
use super::use_cases::Desk;
use crate::access::{Book, Grant, KeyError, KeyPage, KeyText, Listed, Wanted};
use crate::id::Name;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// What the service needs done with keys, each for the team of the grant.
pub trait Keeping: Send + Sync + 'static {
    /// Makes a key; its text is told this once.
    fn create_key(
        &self,
        grant: Arc<Grant>,
        wanted: Wanted,
    ) -> impl Future<Output = Result<(KeyText, Listed), Failure>> + Send;

    /// At most `size` keys after that name.
    fn list_keys(
        &self,
        grant: &Grant,
        after: Option<Name>,
        size: usize,
    ) -> impl Future<Output = Result<KeyPage, Failure>> + Send;

    /// Gives a key a new text; the one that it had stays good for `overlap`.
    fn rotate_key(
        &self,
        grant: Arc<Grant>,
        name: Name,
        overlap: Duration,
    ) -> impl Future<Output = Result<(KeyText, Listed), Failure>> + Send;

    /// Ends a key.
    fn revoke_key(
        &self,
        grant: Arc<Grant>,
        name: Name,
    ) -> impl Future<Output = Result<Listed, Failure>> + Send;
}

/// The book of keys, and where its changes run.
#[derive(Debug, Clone)]
pub struct KeyDesk {
    /// Knows and changes them.
    pub book: Arc<Book>,
    /// Where changes wait for the disk, and those of controls behind them.
    pub(super) queue: Queue,
}

impl KeyDesk {
    /// Changes of this book, each tracked there.
    pub fn new(book: Arc<Book>, tasks: TaskTracker) -> Self {
        let queue = Queue::new(tasks);
        Self { book, queue }
    }

    async fn change<T: Send + 'static>(
        &self,
        (team, kind): (&Name, Kind),
        change: impl FnOnce(&Book) -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = self.queue.place(team, kind)?;
        let book = Arc::clone(&self.book);
        let change = move || {
            let _place = place;
            change(&book)
        };
        Ok(self.queue.in_turn(change).await??)
    }
}

impl Keeping for Desk {
    async fn create_key(
        &self,
        grant: Arc<Grant>,
        wanted: Wanted,
    ) -> Result<(KeyText, Listed), Failure> {
        let team = grant.team.clone();
        let create = move |book: &Book| book.create(&grant, wanted);
        self.keys.change((&team, Kind::Change), create).await
    }

    async fn list_keys(
        &self,
        grant: &Grant,
        after: Option<Name>,
        size: usize,
    ) -> Result<KeyPage, Failure> {
        Ok(self.keys.book.list(grant, after.as_ref(), size))
    }

    async fn rotate_key(
        &self,
        grant: Arc<Grant>,
        name: Name,
        overlap: Duration,
    ) -> Result<(KeyText, Listed), Failure> {
        let team = grant.team.clone();
        let rotate = move |book: &Book| book.rotate(&grant, &name, overlap);
        self.keys.change((&team, Kind::Change), rotate).await
    }

    async fn revoke_key(&self, grant: Arc<Grant>, name: Name) -> Result<Listed, Failure> {
        let team = grant.team.clone();
        let revoke = move |book: &Book| book.revoke(&grant, &name);
        self.keys.change((&team, Kind::Revocation), revoke).await
    }
}
