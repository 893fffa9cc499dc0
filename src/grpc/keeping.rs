//! The keys of a team, over `AdminService`: what the service needs done, and who does it.
//!
//! Invariants: what waits for the disk holds up no other call; a change that began is finished, whether its caller
//! waits for it or not.
//!
//! Not here: what is allowed (`access::Book`), admission and decoding (`admin`).

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
    /// Where changes wait for the disk.
    pub tasks: TaskTracker,
}

impl KeyDesk {
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Book) -> Result<T, KeyError> + Send + 'static,
    ) -> Result<T, Failure> {
        let book = Arc::clone(&self.book);
        let changed = self.tasks.spawn_blocking(move || change(&book)).await;
        let changed = changed.map_err(|error| Failure::Internal(error.to_string()))?;
        Ok(changed?)
    }
}

impl Keeping for Desk {
    async fn create_key(
        &self,
        grant: Arc<Grant>,
        wanted: Wanted,
    ) -> Result<(KeyText, Listed), Failure> {
        let create = move |book: &Book| book.create(&grant, wanted);
        self.keys.change(create).await
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
        let rotate = move |book: &Book| book.rotate(&grant, &name, overlap);
        self.keys.change(rotate).await
    }

    async fn revoke_key(&self, grant: Arc<Grant>, name: Name) -> Result<Listed, Failure> {
        let revoke = move |book: &Book| book.revoke(&grant, &name);
        self.keys.change(revoke).await
    }
}
