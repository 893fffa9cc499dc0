//! The audit log: who changed what, a line of JSON each, and each with the hash of all before it.
//!
//! Layout of `audit.log`: lines `{"number":1,"time":"..","by":"..","action":"..","team":"..","object":"..","now":"..",
//! "chain":".."}`. `chain` is the SHA-256, in 64 small hexadecimal digits, of the `chain` of the line before (of the
//! first one: 64 zeros) and of the line's own bytes before `,"chain":`. `audit.head` holds number and chain of the
//! newest line, and is there before the first one, so that a log that was cut is found too. Whoever can write both files can make up a log that holds
//! together: against that, keep a head elsewhere (an export has it, a start logs it) and ask for it.
//!
//! A segment of the journal that gets no more records is such an entry too, with the hash of its bytes: so the records
//! say who decided by which version, and the log says that they are those records.
//!
//! Invariants: lines are only added; an entry is on disk when [`Audit::append`] returns; a log that does not hold
//! keeps its bytes, is told of, and goes on from its head, so that what was wrong is found at every later look.
//!
//! Not here: what is worth an entry (`server`, `grpc`), whether the log holds (`verify`).

mod line;
mod verify;

use super::Error;
use super::disk::{Disk, DiskFile};
use crate::id::Name;
use crate::unit::Timestamp;
use line::{Head, Line};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use verify::{Report, verify};

/// Name of the log.
pub const LOG: &str = "audit.log";

/// Name of the file that says where it ends.
const HEAD: &str = "audit.head";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A program opened the store: a server, or a command that writes.
    Started,
    /// A key of the configuration is another than before, or new, or gone.
    KeyConfigured,
    /// A key was made.
    KeyCreated,
    /// A key got another secret.
    KeyRotated,
    /// A key was revoked.
    KeyRevoked,
    /// A team's budget is another than before.
    BudgetSet,
    /// What a team is compared with is another than before.
    BaselineSet,
    /// A team has another version of its scorecard.
    ScorecardSet,
    /// A team chooses in another way than before.
    PolicySet,
    /// What a team's answers are held to, what is recorded and where data may go, is another than before.
    RulesSet,
    /// An endpoint is another than before, or new, or gone.
    EndpointSet,
    /// The files of certificates are others than before.
    TlsSet,
    /// A team's pin and freeze were set.
    ControlSet,
    /// A team's guard was lifted.
    GuardLifted,
    /// A segment of the journal gets no more records.
    SegmentClosed,
    /// What was said last by the same caller did not come about.
    Failed,
    /// The log did not hold when it was opened: the object says how.
    Damaged,
}

impl Action {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::KeyConfigured => "key_configured",
            Self::KeyCreated => "key_created",
            Self::KeyRotated => "key_rotated",
            Self::KeyRevoked => "key_revoked",
            Self::BudgetSet => "budget_set",
            Self::BaselineSet => "baseline_set",
            Self::ScorecardSet => "scorecard_set",
            Self::PolicySet => "policy_set",
            Self::RulesSet => "rules_set",
            Self::EndpointSet => "endpoint_set",
            Self::TlsSet => "tls_set",
            Self::ControlSet => "control_set",
            Self::GuardLifted => "guard_lifted",
            Self::SegmentClosed => "segment_closed",
            Self::Failed => "failed",
            Self::Damaged => "damaged",
        }
    }
}

/// A change, as it is asked for: it is in the log before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Who: `key NAME of TEAM`, `configuration` or `server`.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// The team that it is about; none where it is about the server.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<Name>,
    /// What it was done to: a key's name, a file; empty for the team itself.
    pub object: String,
    /// What holds from now on, in words. Never a secret, nor what was said.
    pub now: String,
}

/// The log of a data directory, open for more.
#[derive(Debug)]
pub struct Audit {
    disk: Arc<dyn Disk>,
    /// What did not hold when it was opened.
    found: Vec<String>,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    file: Arc<dyn DiskFile>,
    /// Where the next line goes.
    end: u64,
    head: Head,
    /// The newest of each kind: what it says holds now.
    newest: BTreeMap<(Action, Option<Name>, String), String>,
    /// What lies after `end` may be a part of a line that failed.
    torn: bool,
}

impl Audit {
    /// Opens the log of `disk`, or begins one. A line that was being written when the power went is cut off; any
    /// other damage stays as it is and is told of.
    pub fn open(disk: Arc<dyn Disk>) -> Result<Self, Error> {
        let failed = |e| Error::io("open", LOG, e);
        let file = opened(&*disk).map_err(failed)?;
        let bytes = disk.read(LOG).map_err(failed)?;
        let head = verify::head(&*disk)?;
        let looked = verify::look(&bytes, head.as_ref());
        let mut log = Log {
            file,
            end: looked.end as u64,
            head: looked.head.clone(),
            newest: BTreeMap::new(),
            torn: bytes.len() > looked.end,
        };
        let told = verify::told(&looked.lines);
        for line in looked.lines {
            let Change {
                action,
                team,
                object,
                now,
                ..
            } = line.change;
            log.newest.insert((action, team, object), now);
        }
        if looked.problems.is_empty() && told.is_empty() {
            tracing::info!(
                entries = log.head.number,
                chain = log.head.chain,
                "the audit log holds"
            );
        }
        for problem in looked.problems.iter().chain(&told) {
            tracing::error!(
                problem,
                "the audit log is not what was written; it goes on from its head"
            );
        }
        if !looked.problems.is_empty() && bytes.last().is_some_and(|last| *last != b'\n') {
            // So that what is damaged and what comes stand in lines of their own.
            let written = log.file.write_at(b"\n", bytes.len() as u64);
            written.map_err(|e| Error::io("write", LOG, e))?;
            (log.end, log.torn) = (bytes.len() as u64 + 1, false);
        }
        Ok(Self {
            disk,
            found: looked.problems,
            log: Mutex::new(log),
        })
    }

    /// Puts what did not hold when it was opened into the log itself, so that every later look finds it, whatever was
    /// made whole since.
    pub fn note_damage(&self, time: Timestamp) -> Result<(), Error> {
        for problem in &self.found {
            let change = Change {
                by: "server".to_owned(),
                action: Action::Damaged,
                team: None,
                object: problem.clone(),
                now: String::new(),
            };
            self.append_if_new(time, change)?;
        }
        Ok(())
    }

    /// Adds an entry; on disk when it returns. Its number. Blocks for some syncs: not for the request path.
    pub fn append(&self, time: Timestamp, change: Change) -> Result<u64, Error> {
        self.add(&mut self.lock(), time, change)
    }

    /// As [`Audit::append`], if the newest entry of this action, team and object does not say the same: whether it
    /// did not.
    pub fn append_if_new(&self, time: Timestamp, change: Change) -> Result<bool, Error> {
        let mut log = self.lock();
        let key = (change.action, change.team.clone(), change.object.clone());
        if log.newest.get(&key) == Some(&change.now) {
            return Ok(false);
        }
        self.add(&mut log, time, change).map(|_| true)
    }

    /// The objects of an action that something holds of, with what.
    pub fn newest(&self, action: Action) -> Vec<(Option<Name>, String, String)> {
        let log = self.lock();
        let all = log.newest.iter().filter(|((of, ..), _)| *of == action);
        all.map(|((_, team, object), now)| (team.clone(), object.clone(), now.clone()))
            .collect()
    }

    /// Adds an entry for each closed segment of the journal that has none yet; how many.
    pub fn seal(&self, time: Timestamp) -> Result<usize, Error> {
        let mut sealed = 0;
        for name in verify::closed(&*self.disk)? {
            let key = (Action::SegmentClosed, None, name.clone());
            if self.lock().newest.contains_key(&key) {
                continue;
            }
            let now = verify::fingerprint(&*self.disk, &name)?;
            let change = Change {
                by: "server".to_owned(),
                action: Action::SegmentClosed,
                team: None,
                object: name,
                now,
            };
            sealed += usize::from(self.append_if_new(time, change)?);
        }
        Ok(sealed)
    }

    fn add(&self, log: &mut Log, time: Timestamp, change: Change) -> Result<u64, Error> {
        let failed = |e| Error::io("write", LOG, e);
        if log.torn {
            log.file.set_len(log.end).map_err(failed)?;
            log.torn = false;
        }
        let key = (change.action, change.team.clone(), change.object.clone());
        let now = change.now.clone();
        let line = Line::after(&log.head, time, change);
        let text = line.text();
        log.torn = true;
        let written = log.file.write_at(text.as_bytes(), log.end);
        written
            .and_then(|()| log.file.sync_data())
            .map_err(failed)?;
        let head = line.head();
        let replaced = self.disk.replace(HEAD, head.text().as_bytes());
        replaced.map_err(|e| Error::io("write", HEAD, e))?;
        log.torn = false;
        log.end += text.len() as u64;
        log.newest.insert(key, now);
        let number = head.number;
        log.head = head;
        Ok(number)
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The log's file. Where there is none it is made, and before it a head, unless there is one that misses it.
fn opened(disk: &dyn Disk) -> std::io::Result<Arc<dyn DiskFile>> {
    let names = disk.list()?;
    let there = |name: &str| names.iter().any(|other| other == name);
    if there(LOG) {
        return disk.open(LOG);
    }
    if !there(HEAD) {
        disk.replace(HEAD, Head::none().text().as_bytes())?;
    }
    let file = disk.create(LOG, 0)?;
    disk.sync_dir()?;
    Ok(file)
}

#[cfg(test)]
mod tests;
