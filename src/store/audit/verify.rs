//! Whether an audit log holds, and the journal that it speaks of.
//!
//! Changes nothing and takes no lock: a server may be writing meanwhile.
//!
//! Not here: adding to it (`audit`).

use super::line::{Head, Line, hex};
use super::{Action, HEAD, LOG};
use crate::store::Error;
use crate::store::disk::Disk;
use crate::store::journal;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Entries of the log.
    pub entries: u64,
    /// The hash of the newest entry and all before it: keep it elsewhere, and ask for it later.
    pub chain: String,
    /// Segments of the journal whose bytes are those that the log speaks of.
    pub segments: usize,
    /// Records of the journal that were read, each with its checksum.
    pub records: u64,
    /// What does not hold, in the order of the log. Empty: all of it holds.
    pub problems: Vec<String>,
    /// Every entry that could be read.
    #[serde(skip)]
    pub lines: Vec<Line>,
}

/// What is to be said of a log's bytes.
pub(super) struct Looked {
    pub(super) lines: Vec<Line>,
    pub(super) problems: Vec<String>,
    /// What the next line follows on.
    pub(super) head: Head,
    /// Where the next line goes: the end, or where one begins that never was whole.
    pub(super) end: usize,
}

/// Looks at the log of a data directory and at the journal. `known`: a chain that was noted elsewhere, which one of
/// the entries must have.
pub fn verify(disk: &dyn Disk, known: Option<&str>) -> Result<Report, Error> {
    // In this order: a server may add an entry in between.
    let head = head(disk)?;
    let there = disk
        .list()
        .map_err(|e| Error::io("list", "the data directory", e))?;
    let bytes = match there.iter().any(|name| name == LOG) {
        true => disk.read(LOG).map_err(|e| Error::io("read", LOG, e))?,
        false => Vec::new(),
    };
    let mut looked = look(&bytes, head.as_ref());
    if let Some(known) = known
        && !looked.lines.iter().any(|line| line.chain == known)
    {
        looked
            .problems
            .push(format!("no entry has the chain {known}"));
    }
    looked.problems.extend(told(&looked.lines));
    let segments = segments(disk, &looked.lines, &mut looked.problems)?;
    let mut records = 0;
    if let Err(error) = journal::scan(disk, &mut |_, _| records += 1) {
        looked.problems.push(error.to_string());
    }
    Ok(Report {
        entries: looked.head.number,
        chain: looked.head.chain,
        segments,
        records,
        problems: looked.problems,
        lines: looked.lines,
    })
}

/// What was wrong with the log at an earlier start, as it says itself.
pub(super) fn told(lines: &[Line]) -> Vec<String> {
    let damaged = lines
        .iter()
        .filter(|line| line.change.action == Action::Damaged);
    damaged
        .map(|line| {
            format!(
                "entry {} says that before it: {}",
                line.number, line.change.object
            )
        })
        .collect()
}

/// Compares each closed segment with its newest entry; how many are right.
fn segments(disk: &dyn Disk, lines: &[Line], problems: &mut Vec<String>) -> Result<usize, Error> {
    let closed = lines
        .iter()
        .filter(|line| line.change.action == Action::SegmentClosed);
    let told: BTreeMap<&str, &str> = closed
        .map(|line| (line.change.object.as_str(), line.change.now.as_str()))
        .collect();
    let there = self::closed(disk)?;
    let mut right = 0;
    for (name, now) in told {
        if !there.iter().any(|closed| closed == name) {
            problems.push(format!("{name} is missing"));
        } else if fingerprint(disk, name)? != now {
            problems.push(format!("{name} is not what it was when it was closed"));
        } else {
            right += 1;
        }
    }
    Ok(right)
}

/// The journal's segments that get no more records, oldest first.
pub(super) fn closed(disk: &dyn Disk) -> Result<Vec<String>, Error> {
    let mut names = journal::segments_begun(disk)?;
    names.pop();
    Ok(names)
}

/// Length and hash of a segment's bytes, without zeros at its end: space that was set aside there comes and goes, and a
/// record that lacks its last zero is found by its own checksum.
pub(super) fn fingerprint(disk: &dyn Disk, name: &str) -> Result<String, Error> {
    let failed = |e| Error::io("read", name, e);
    let file = disk.open(name).map_err(failed)?;
    let (mut hash, mut at, mut chunk) = (Sha256::new(), 0, vec![0; CHUNK]);
    // Zeros that something may yet follow.
    let mut zeros = 0_u64;
    loop {
        let read = file.read_at(&mut chunk, at).map_err(failed)?;
        if read == 0 {
            break;
        }
        let read = chunk.get(..read).unwrap_or_default();
        at += read.len() as u64;
        let end = read
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        let (content, after) = read.split_at(end);
        if !content.is_empty() {
            (0..zeros).for_each(|_| hash.update([0]));
            hash.update(content);
            zeros = 0;
        }
        zeros += after.len() as u64;
    }
    let length = at - zeros;
    Ok(format!("{length} bytes, sha256 {}", hex(&hash.finalize())))
}

/// Where the log ended when it was last written; `None` where that is not to be read.
pub(super) fn head(disk: &dyn Disk) -> Result<Option<Head>, Error> {
    let there = disk
        .list()
        .map_err(|e| Error::io("list", "the data directory", e))?;
    if !there.iter().any(|name| name == HEAD) {
        return Ok(None);
    }
    let bytes = disk.read(HEAD).map_err(|e| Error::io("read", HEAD, e))?;
    Ok(std::str::from_utf8(&bytes).ok().and_then(Head::read))
}

/// Reads a log's bytes line by line: each must follow on the one before, and one be that of the head.
pub(super) fn look(bytes: &[u8], head: Option<&Head>) -> Looked {
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    let (mut before, mut start, mut meets) = (Head::none(), 0, head.is_none_or(|h| h.number == 0));
    for (at, piece) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let Some(whole) = piece.strip_suffix(b"\n") else {
            break;
        };
        start += piece.len();
        let read = std::str::from_utf8(whole).ok();
        let Some((line, follows)) = read.and_then(|text| Line::read(text, &before.chain)) else {
            problems.push(format!("line {} of {LOG} cannot be read", at + 1));
            continue;
        };
        if !follows || line.number != before.number + 1 {
            problems.push(format!(
                "line {} of {LOG}, entry {}, is not what was written after entry {}",
                at + 1,
                line.number,
                before.number
            ));
        }
        before = line.head();
        meets |= head == Some(&before);
        lines.push(line);
    }
    let unfinished = start < bytes.len();
    if let Some(head) = head.filter(|_| !meets) {
        problems.push(format!(
            "{LOG} lacks entry {}, which {HEAD} speaks of",
            head.number
        ));
    }
    if head.is_none() && !bytes.is_empty() {
        problems.push(format!("{HEAD} is missing or damaged"));
    }
    // Of a line that never was whole nobody was told: the head would speak of it.
    let sound = problems.is_empty();
    let end = if unfinished && !sound {
        bytes.len()
    } else {
        start
    };
    let head = match head {
        Some(head) if !sound => head.clone(),
        _ => before,
    };
    Looked {
        lines,
        problems,
        head,
        end,
    }
}
