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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::decode::testing::violations;

    fn check(candidates: &[&str], since: i64, until: i64, expected: &[&str]) {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let said = v1::ReplayRequest {
            candidates: candidates.iter().map(ToString::to_string).collect(),
            since_time: time(since),
            until_time: time(until),
        };
        assert_eq!(
            replay(said).map_or_else(violations, |_| Vec::new()),
            expected
        );
    }

    #[test]
    fn a_replay_has_candidates_and_a_window() {
        check(&["uniform", "fixed:arm=a"], 1, 2, &[]);
        let late = "until_time: is not after since_time: required where both are set";
        check(&["uniform"], 2, 2, &[late]);
        check(&[], 1, 2, &["candidates: has 0 entries: allowed 1 to 32"]);
        check(
            &["uniform"; 33],
            1,
            2,
            &["candidates: has 33 entries: allowed 1 to 32"],
        );
        check(
            &[""],
            1,
            2,
            &["candidates[0]: is empty: allowed NAME[:key=value,..]"],
        );
        let long = "x".repeat(513);
        check(
            &[&long],
            1,
            2,
            &["candidates[0]: has 513 bytes: allowed at most 512"],
        );
    }
}
