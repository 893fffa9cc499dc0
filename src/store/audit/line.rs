//! A line of the audit log, and its place in the chain.
//!
//! Not here: the file (`audit`), what is wrong with one (`verify`).

use super::Change;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Where a line's own hash begins.
const CHAIN: &str = ",\"chain\":\"";

/// Ends a line.
const END: &str = "\"}";

/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;

/// The newest line: its number, and the hash of it and all before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u64,
    pub(super) chain: String,
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// 1, 2, 3, ...
    pub number: u64,
    /// When it was written: RFC 3339, UTC.
    pub time: String,
    /// What it says.
    #[serde(flatten)]
    pub change: Change,
    /// The hash of it and all before it.
    pub chain: String,
}

/// What the hash is of, beside what came before.
#[derive(Serialize, Deserialize)]
struct Covered {
    number: u64,
    time: String,
    #[serde(flatten)]
    change: Change,
}

impl Head {
    /// Before the first line.
    pub(super) fn none() -> Self {
        Self {
            number: 0,
            chain: "0".repeat(DIGITS),
        }
    }

    pub(super) fn text(&self) -> String {
        format!("{} {}\n", self.number, self.chain)
    }

    /// Reads what [`Head::text`] wrote, and nothing else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (number, chain) = text.strip_suffix('\n')?.split_once(' ')?;
        let head = Self {
            number: number.parse().ok()?,
            chain: chain.to_owned(),
        };
        let same = head.text() == text && is_hash(chain);
        same.then_some(head)
    }
}

impl Line {
    /// The next line.
    pub(super) fn after(head: &Head, time: Timestamp, change: Change) -> Self {
        let covered = Covered {
            number: head.number + 1,
            time: time.rfc3339(),
            change,
        };
        let chain = chained(&head.chain, &body(&covered));
        Self {
            number: covered.number,
            time: covered.time,
            change: covered.change,
            chain,
        }
    }

    pub(super) fn head(&self) -> Head {
        Head {
            number: self.number,
            chain: self.chain.clone(),
        }
    }

    /// As it stands in the file, with its end.
    pub(super) fn text(&self) -> String {
        let covered = Covered {
            number: self.number,
            time: self.time.clone(),
            change: self.change.clone(),
        };
        format!("{}{CHAIN}{}{END}\n", body(&covered), self.chain)
    }

    /// Reads a line without its line feed, and whether it follows on `before`.
    pub(super) fn read(text: &str, before: &str) -> Option<(Self, bool)> {
        let (covered, rest) = text.rsplit_once(CHAIN)?;
        let chain = rest.strip_suffix(END).filter(|chain| is_hash(chain))?;
        let read: Covered = serde_json::from_str(&format!("{covered}}}")).ok()?;
        let follows = chained(before, covered) == chain;
        let line = Self {
            number: read.number,
            time: read.time,
            change: read.change,
            chain: chain.to_owned(),
        };
        Some((line, follows))
    }
}

/// The JSON of an entry, still open.
fn body(covered: &Covered) -> String {
    // Plain strings and numbers: nothing in it that could not be written.
    let mut text = serde_json::to_string(covered).unwrap_or_default();
    text.pop();
    text
}

fn chained(before: &str, covered: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(before.as_bytes());
    hash.update(covered.as_bytes());
    hex(&hash.finalize())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn is_hash(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == DIGITS && text.bytes().all(digit)
}
