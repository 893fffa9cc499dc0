//! What the journal keeps: one enum of floor-0 values, and its bytes.
//!
//! Layout: one version byte, then the postcard encoding of [`Record`]. Postcard is not
//! self-describing, so **any** change of [`Record`] or of a type inside it is a new layout: append
//! the variant or field at the end, raise [`LAYOUT`], and keep the old types beside it with a
//! conversion, so that every journal ever written still reads. A test holds the bytes of each
//! variant; if it fails, the layout changed.
//!
//! Invariants: a decision that contradicts itself does not encode ([`Decision::check`]); decoding
//! what was encoded gives an equal record; bytes left over after a record are an error.
//!
//! Not here: framing and checksums (`journal`).

use super::Error;
use crate::decision::{Attempt, Decision, Request};
use crate::id::Name;
use crate::signal::Feedback;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// Newest layout, the one written.
pub const LAYOUT: u8 = 1;

/// Most bytes of one record.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// An arm was chosen.
    Decision(Box<Decision>),
    /// An endpoint was tried.
    Attempt {
        /// The team of the decision.
        team: Name,
        /// The try.
        attempt: Attempt,
    },
    /// Signals arrived.
    Feedback(Feedback),
    /// A team closed an episode: signals still missing will not come.
    EpisodeClosed {
        /// The team.
        team: Name,
        /// The episode.
        episode: Name,
        /// When.
        time: Timestamp,
        /// Idempotency key and hash of the body it came with.
        request: Option<Request>,
    },
    /// An operator set a team's pin and freeze.
    Control {
        /// The team.
        team: Name,
        /// What now holds.
        control: Control,
        /// When.
        time: Timestamp,
    },
    /// A scorecard or policy became a numbered version.
    Version {
        /// Which of the two.
        kind: VersionKind,
        /// The team.
        team: Name,
        /// Its number, from 1.
        version: u32,
        /// The document as imported.
        text: String,
        /// When.
        time: Timestamp,
    },
    /// Time passed: horizons that end by the clock end at a fixed place in the journal.
    Tick {
        /// The time it was.
        time: Timestamp,
    },
}

/// What an operator can set while the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Control {
    /// All traffic to this arm.
    pub pinned: Option<Name>,
    /// Outcomes are kept but not learned from.
    pub frozen: bool,
}

/// What a numbered version is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VersionKind {
    /// A team's definition of good.
    Scorecard,
    /// A policy specification.
    Policy,
}

impl Record {
    /// When it happened, on the server's clock.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Decision(decision) => decision.time,
            Self::Attempt { attempt, .. } => attempt.ended,
            Self::Feedback(feedback) => feedback.received,
            Self::EpisodeClosed { time, .. }
            | Self::Control { time, .. }
            | Self::Version { time, .. }
            | Self::Tick { time } => *time,
        }
    }

    /// Whose it is. A tick is nobody's.
    pub fn team(&self) -> Option<&Name> {
        match self {
            Self::Decision(decision) => Some(&decision.team),
            Self::Feedback(feedback) => Some(&feedback.team),
            Self::Attempt { team, .. }
            | Self::EpisodeClosed { team, .. }
            | Self::Control { team, .. }
            | Self::Version { team, .. } => Some(team),
            Self::Tick { .. } => None,
        }
    }

    /// Idempotency key and hash of the body, where the call carried a key.
    pub fn request(&self) -> Option<(&Name, u64)> {
        let request = match self {
            Self::Decision(decision) => decision.request.as_ref(),
            Self::Attempt { attempt, .. } => attempt.request.as_ref(),
            Self::EpisodeClosed { request, .. } => request.as_ref(),
            Self::Feedback(feedback) => {
                return feedback
                    .request_id
                    .as_ref()
                    .map(|id| (id, feedback.body_hash));
            }
            Self::Control { .. } | Self::Version { .. } | Self::Tick { .. } => None,
        };
        request.map(|r| (&r.id, r.body_hash))
    }

    /// The bytes, after those that `prefix` already holds.
    pub fn encode_after(&self, prefix: Vec<u8>) -> Result<Vec<u8>, Error> {
        if let Self::Decision(decision) = self {
            decision.check()?;
        }
        let start = prefix.len();
        let mut out = prefix;
        out.push(LAYOUT);
        // Growing a Vec is the only step that could fail, and it aborts instead.
        let out = postcard::to_extend(self, out).map_err(|_| too_large(usize::MAX))?;
        match out.len() - start {
            bytes if bytes > MAX_BYTES => Err(too_large(bytes)),
            _ => Ok(out),
        }
    }

    /// Reads the bytes of record `sequence` (named in errors only).
    pub fn decode(bytes: &[u8], sequence: u64) -> Result<Self, Error> {
        let (version, body) = match bytes {
            [version, body @ ..] => (*version, body),
            [] => (0, bytes),
        };
        if version != LAYOUT {
            return Err(Error::Layout {
                sequence,
                version,
                newest: LAYOUT,
            });
        }
        match postcard::take_from_bytes(body) {
            Ok((record, [])) => Ok(record),
            _ => Err(Error::Undecodable { sequence, version }),
        }
    }
}

fn too_large(bytes: usize) -> Error {
    Error::TooLarge {
        bytes,
        limit: MAX_BYTES,
    }
}
