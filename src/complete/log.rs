//! Where attempts and answers are kept.
//!
//! Not here: the journal itself (`store`).

use crate::account::Accounts;
use crate::decision::{Answer, Attempt};
use crate::id::Name;
use crate::store::{self, Record, Store};
use crate::warmth::Warmth;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use std::fmt::Debug;
use std::sync::Arc;

/// Keeps attempts: the journal, or a test's list.
pub trait AttemptLog: Send + Sync + Debug {
    /// Keeps one, without waiting (it is called from a destructor too), and gives its place.
    fn append(&self, team: &Name, attempt: &Attempt) -> Result<u64, store::Error>;

    /// Keeps the words that an attempt brought, before the attempt itself: one that is on record
    /// without them never had any kept.
    fn append_answer(&self, team: &Name, answer: Answer) -> Result<(), store::Error>;

    /// Waits until the record at `place` is as durable as was configured.
    fn durable(&self, place: u64) -> BoxFuture<'_, Result<(), store::Error>>;
}

/// The journal, the accounts that an attempt is paid from, and the warmth that it leaves.
#[derive(Debug)]
pub struct Paid {
    /// Keeps it.
    pub store: Arc<Store>,
    /// Pay for it.
    pub accounts: Arc<Accounts>,
    /// Hears of it.
    pub warmth: Arc<Warmth>,
}

impl AttemptLog for Paid {
    fn append(&self, team: &Name, attempt: &Attempt) -> Result<u64, store::Error> {
        let record = Record::Attempt {
            team: team.clone(),
            attempt: attempt.clone(),
        };
        let kept = self.store.append(&record);
        // After the record: who is granted what this frees is on record behind it, so that a server that is killed in
        // between holds no more than there was. The money is spent, whether the journal has room to say so or not.
        self.accounts.settle(team, attempt);
        let kept = kept?;
        self.warmth.note(&record);
        Ok(kept.sequence)
    }

    fn append_answer(&self, team: &Name, answer: Answer) -> Result<(), store::Error> {
        let team = team.clone();
        self.store
            .append(&Record::Answer { team, answer })
            .map(drop)
    }

    fn durable(&self, place: u64) -> BoxFuture<'_, Result<(), store::Error>> {
        self.store.journal().durable(place).boxed()
    }
}
