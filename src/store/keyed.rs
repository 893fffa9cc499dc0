//! Slow keyed state in sled: the server's secret, the numbered versions of scorecards and
//! policies, and the keys of callers that were made while the server ran.
//!
//! sled's `flush` does not sync its files on Linux, so each change is a batch, a flush, and then an
//! fsync of sled's own files.
//!
//! Invariants: the secret is made once and never changes; a version never changes, numbers go
//! 1, 2, 3, ... within a team and kind; a change is on disk when its call returns; one that fails is taken back, or
//! its error says that this failed too ([`Error::Unsure`]).
//!
//! Keys are here and not in the journal because only the secret beside them makes anything of their seals, and
//! because a revocation must be on disk when its call returns, whatever the journal's mode.
//!
//! Not here: what is kept of a key (`access`), budgets' definitions and other keys (configuration). Versions can be
//! made again from the journal's `Version` records ([`Keyed::restore`]); the secret and the keys cannot: back them up.

use super::record::VersionKind;
use crate::id::{Name, Secret};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Memory for sled's pages: the state is small.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// How long a state that was let go of is waited for, and how often it is tried.
const LET_GO: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

const SECRET: &[u8] = b"secret";

/// What the entries of callers' keys begin with; then team, a zero byte that no name holds, name.
const KEY: &[u8] = b"k";

/// Why the keyed state could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// sled refused.
    #[error("keyed state: {0}")]
    Sled(#[from] sled::Error),
    /// The files could not be synced.
    #[error("cannot sync the keyed state in {}: {source}", path.display())]
    Sync {
        /// Directory of the state.
        path: PathBuf,
        /// The answer of the operating system.
        source: io::Error,
    },
    /// A change failed, and so did taking it back.
    #[error(
        "{failed}; it may be in force after a restart all the same, for taking it back failed too: {then}"
    )]
    Unsure {
        /// Why the change failed.
        failed: Box<Error>,
        /// Why it could not be taken back.
        then: Box<Error>,
    },
    /// A value is not what this build writes.
    #[error("keyed state: {what} is damaged")]
    Damaged {
        /// Which.
        what: &'static str,
    },
    /// A version with another text exists.
    #[error("version {version} of team {team} exists with another text: versions never change")]
    Differs {
        /// The team.
        team: Name,
        /// Its version.
        version: u32,
    },
    /// No number is left.
    #[error("team {team} has used all version numbers")]
    Exhausted {
        /// The team.
        team: Name,
    },
}

/// The keyed state.
#[derive(Debug)]
pub struct Keyed {
    db: sled::Db,
    path: PathBuf,
    secret: Secret,
    /// Numbers are given one at a time.
    importing: Mutex<()>,
    /// Syncs that are yet to fail.
    #[cfg(test)]
    failing: std::sync::atomic::AtomicUsize,
}

/// Opens sled's files. A state that was just let go of stays locked until sled's own threads are done with it, which
/// nobody is told of: that is waited for. Another process is turned away before, by the store's lock.
fn unlocked(config: &sled::Config) -> Result<sled::Db, Error> {
    let mut left = LET_GO;
    loop {
        match config.open() {
            Err(sled::Error::Io(error))
                if !left.is_zero() && error.to_string().contains("acquire lock") =>
            {
                std::thread::sleep(LOOK);
                left = left.saturating_sub(LOOK);
            }
            opened => return Ok(opened?),
        }
    }
}

/// The number of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Its number, from 1.
    pub version: u32,
    /// False if the newest version was this very text.
    pub new: bool,
}

impl Keyed {
    /// Opens the state in directory `path`; at the very first open `fresh_secret`, 32 random bytes,
    /// becomes the secret.
    pub fn open(path: impl AsRef<Path>, fresh_secret: [u8; 32]) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let config = sled::Config::new().path(&path).cache_capacity(CACHE_BYTES);
        let db = unlocked(&config.flush_every_ms(None))?;
        let kept = db.get(SECRET)?;
        let is_new = kept.is_none();
        let secret = match kept {
            None => fresh_secret,
            Some(kept) => kept
                .as_ref()
                .try_into()
                .map_err(|_| Error::Damaged { what: "the secret" })?,
        };
        let keyed = Self {
            db,
            path,
            secret: Secret::new(secret),
            importing: Mutex::new(()),
            #[cfg(test)]
            failing: Default::default(),
        };
        if is_new {
            keyed.put(SECRET, &secret)?;
        }
        Ok(keyed)
    }

    /// The server's secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Gives `text` a number: that of the newest version if it is the same text, else the next.
    pub fn import(&self, kind: VersionKind, team: &Name, text: &str) -> Result<Imported, Error> {
        let _one_at_a_time = self
            .importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let version = match self.newest(kind, team)? {
            Some((version, newest)) if newest == text => {
                return Ok(Imported {
                    version,
                    new: false,
                });
            }
            Some((version, _)) => version.checked_add(1),
            None => Some(1),
        };
        let version = version.ok_or_else(|| Error::Exhausted { team: team.clone() })?;
        self.put(&key(kind, team, version), text.as_bytes())?;
        Ok(Imported { version, new: true })
    }

    /// Puts back a version that the journal knows. Nothing happens if it is here.
    pub fn restore(
        &self,
        kind: VersionKind,
        team: &Name,
        version: u32,
        text: &str,
    ) -> Result<(), Error> {
        match self.text(kind, team, version)? {
            Some(kept) if kept == text => Ok(()),
            Some(_) => Err(Error::Differs {
                team: team.clone(),
                version,
            }),
            None => self.put(&key(kind, team, version), text.as_bytes()),
        }
    }

    /// The text of a version.
    pub fn text(
        &self,
        kind: VersionKind,
        team: &Name,
        version: u32,
    ) -> Result<Option<String>, Error> {
        let kept = self.db.get(key(kind, team, version))?;
        kept.map(|bytes| utf8(&bytes)).transpose()
    }

    /// The newest version of a team and its text.
    pub fn newest(&self, kind: VersionKind, team: &Name) -> Result<Option<(u32, String)>, Error> {
        let Some(newest) = self.db.scan_prefix(prefix(kind, team)).next_back() else {
            return Ok(None);
        };
        let (key, text) = newest?;
        let number = key.last_chunk().ok_or(Error::Damaged {
            what: "a version's key",
        })?;
        Ok(Some((u32::from_be_bytes(*number), utf8(&text)?)))
    }

    /// Keeps what is known of a team's key of callers, in place of what was known of it.
    pub fn keep_key(&self, team: &Name, key: &Name, known: &[u8]) -> Result<(), Error> {
        self.put(&key_of_callers(team, key), known)
    }

    /// As [`Keyed::keep_key`], of one that was revoked: where it fails, as much of it stays as may.
    pub fn keep_revoked(&self, team: &Name, key: &Name, known: &[u8]) -> Result<(), Error> {
        self.write(&key_of_callers(team, key), Some(known))
    }

    /// What is known of each key of callers.
    pub fn kept_keys(&self) -> Result<Vec<Vec<u8>>, Error> {
        let kept = self.db.scan_prefix(KEY).values();
        kept.map(|known| Ok(known?.to_vec())).collect()
    }

    /// Puts a value in place of what is there. Where that fails, what was there is put back: a batch may be applied
    /// and flushed though the sync after it fails.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        let before = self.db.get(key)?;
        let Err(failed) = self.write(key, Some(value)) else {
            return Ok(());
        };
        match self.write(key, before.as_deref()) {
            Ok(()) => Err(failed),
            Err(then) => Err(Error::Unsure {
                failed: Box::new(failed),
                then: Box::new(then),
            }),
        }
    }

    /// Writes a value, or removes it.
    fn write(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        let mut batch = sled::Batch::default();
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
        self.db.apply_batch(batch)?;
        self.db.flush()?;
        self.sync().map_err(|source| Error::Sync {
            path: self.path.clone(),
            source,
        })
    }

    fn sync(&self) -> io::Result<()> {
        #[cfg(test)]
        {
            use std::sync::atomic::Ordering::SeqCst;
            let left = |left: usize| left.checked_sub(1);
            if self.failing.fetch_update(SeqCst, SeqCst, left).is_ok() {
                return Err(io::Error::other("it fails on purpose"));
            }
        }
        sync_tree(&self.path)
    }

    /// So many of the next syncs fail.
    #[cfg(test)]
    pub(crate) fn fail_syncs(&self, syncs: usize) {
        self.failing
            .store(syncs, std::sync::atomic::Ordering::SeqCst);
    }
}

/// Where what is known of a key of callers lies.
fn key_of_callers(team: &Name, key: &Name) -> Vec<u8> {
    let (team, key) = (team.as_str().as_bytes(), key.as_str().as_bytes());
    [KEY, team, b"\0", key].concat()
}

/// `v`, kind, team, a zero byte that no name holds: then the number, big-endian, sorts.
fn prefix(kind: VersionKind, team: &Name) -> Vec<u8> {
    let kind = match kind {
        VersionKind::Scorecard => b's',
        VersionKind::Policy => b'p',
    };
    [b"v", [kind].as_slice(), team.as_str().as_bytes(), b"\0"].concat()
}

fn key(kind: VersionKind, team: &Name, version: u32) -> Vec<u8> {
    let mut key = prefix(kind, team);
    key.extend_from_slice(&version.to_be_bytes());
    key
}

fn utf8(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| Error::Damaged {
        what: "a version's text",
    })
}

/// Syncs every file and directory under `dir`.
fn sync_tree(dir: &Path) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let synced = match () {
            () if kind.is_dir() => sync_tree(&entry.path()),
            () if kind.is_file() => File::open(entry.path()).and_then(|file| file.sync_all()),
            () => Ok(()),
        };
        match synced {
            // sled removes its old snapshots from a thread of its own.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    mod failing;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn the_secret_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            Keyed::open(dir.path(), [1; 32]).unwrap().secret().bytes(),
            &[1; 32]
        );
        assert_eq!(
            Keyed::open(dir.path(), [2; 32]).unwrap().secret().bytes(),
            &[1; 32]
        );
    }

    #[test]
    fn a_state_that_is_let_go_of_a_moment_later_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let held = Keyed::open(dir.path(), [1; 32]).unwrap();
        let (opening, begun) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let again = scope.spawn(|| {
                opening.send(()).unwrap();
                Keyed::open(dir.path(), [2; 32]).map(|keyed| keyed.secret().clone())
            });
            begun.recv().unwrap();
            let secret = held.secret().clone();
            drop(held);
            assert_eq!(again.join().unwrap().unwrap(), secret);
        });
    }

    #[test]
    fn versions_count_up_within_team_and_kind_and_survive_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (name("a"), name("ab"));
        let keyed = Keyed::open(dir.path(), [1; 32]).unwrap();
        let check = |kind, team: &Name, text: &str, version, new| {
            let imported = keyed.import(kind, team, text).unwrap();
            assert_eq!(imported, Imported { version, new }, "{text}");
        };
        check(VersionKind::Scorecard, &a, "one", 1, true);
        check(VersionKind::Scorecard, &a, "one", 1, false);
        check(VersionKind::Scorecard, &a, "two", 2, true);
        check(VersionKind::Scorecard, &a, "one", 3, true);
        check(VersionKind::Policy, &a, "one", 1, true);
        check(VersionKind::Scorecard, &b, "one", 1, true);
        drop(keyed);
        let keyed = Keyed::open(dir.path(), [1; 32]).unwrap();
        let newest = keyed.newest(VersionKind::Scorecard, &a).unwrap();
        assert_eq!(newest, Some((3, "one".to_owned())));
        let second = keyed.text(VersionKind::Scorecard, &a, 2).unwrap();
        assert_eq!(second.as_deref(), Some("two"));
        assert_eq!(keyed.newest(VersionKind::Policy, &b).unwrap(), None);
    }

    #[test]
    fn of_each_teams_key_the_newest_is_kept_and_versions_are_no_keys() {
        let dir = tempfile::tempdir().unwrap();
        let keyed = Keyed::open(dir.path(), [1; 32]).unwrap();
        let (a, b) = (name("a"), name("ab"));
        keyed
            .import(VersionKind::Scorecard, &name("k"), "text")
            .unwrap();
        for (team, key, known) in [(&a, &b, "1"), (&b, &a, "2"), (&a, &b, "3"), (&a, &a, "4")] {
            keyed.keep_key(team, key, known.as_bytes()).unwrap();
        }
        let kept = keyed.kept_keys().unwrap();
        assert_eq!(kept, [b"4", b"3", b"2"]);
    }

    #[test]
    fn the_256th_version_comes_after_the_255th() {
        let dir = tempfile::tempdir().unwrap();
        let keyed = Keyed::open(dir.path(), [1; 32]).unwrap();
        let team = name("a");
        for version in [255, 256] {
            keyed
                .restore(VersionKind::Policy, &team, version, "text")
                .unwrap();
        }
        let newest = keyed.newest(VersionKind::Policy, &team).unwrap();
        assert_eq!(newest.map(|(version, _)| version), Some(256));
    }

    #[test]
    fn restoring_puts_back_what_is_missing_and_refuses_another_text() {
        let dir = tempfile::tempdir().unwrap();
        let keyed = Keyed::open(dir.path(), [1; 32]).unwrap();
        let team = name("a");
        keyed
            .restore(VersionKind::Policy, &team, 1, "text")
            .unwrap();
        keyed
            .restore(VersionKind::Policy, &team, 1, "text")
            .unwrap();
        let other = keyed.restore(VersionKind::Policy, &team, 1, "other");
        assert!(matches!(other, Err(Error::Differs { version: 1, .. })));
    }
}
