//! Requests of `EvaluationService`.
//!
//! Invariants: 1 to 32 candidates of at most 512 bytes; a window that is not empty.
//!
//! Not here: whether a candidate is a policy (`bandit` parses it).

use super::super::field::Fields;
use super::super::path::Path;
use super::super::status::Failure;
use super::time;
use crate::proto::v1;
use crate::unit::Timestamp;

const CANDIDATES: std::ops::RangeInclusive<usize> = 1..=32;
const CANDIDATE_BYTES: usize = 512;

/// What to judge, on which decisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Specifications of policies, in the order asked.
    pub candidates: Vec<String>,
    /// Only decisions made then or later.
    pub since: Option<Timestamp>,
    /// Only decisions made before.
    pub until: Option<Timestamp>,
}

/// A replay.
pub(in crate::grpc) fn replay(said: v1::ReplayRequest) -> Result<Replay, Failure> {
    let mut fields = Fields::default();
    let at = Path::Root.field("candidates");
    if fields.count(at, said.candidates.len(), CANDIDATES) {
        for (i, candidate) in said.candidates.iter().enumerate() {
            if candidate.is_empty() {
                fields.refuse(at.index(i), "is empty: allowed NAME[:key=value,..]");
            }
            fields.bytes(at.index(i), candidate, CANDIDATE_BYTES);
        }
    }
    let since = time::time(&mut fields, "since_time", said.since_time);
    let until = time::time(&mut fields, "until_time", said.until_time);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        fields.refuse(
            "until_time",
            "is not after since_time: required where both are set",
        );
    }
    fields.finish(Some(Replay {
        candidates: said.candidates,
        since,
        until,
    }))
}
