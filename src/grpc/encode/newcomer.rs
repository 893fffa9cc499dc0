//! Arms that joined later than the others.

use super::record::{count, timestamp};
use crate::id::Name;
use crate::learn::{Finding, Newcomer};
use crate::proto::v1::{self, newcomer::Verdict};

/// An arm and what came of it.
pub(in crate::grpc) fn newcomer((arm, newcomer): (&Name, &Newcomer)) -> v1::Newcomer {
    let (gain, ruling) = (newcomer.gain(), newcomer.ruling());
    let verdict = match ruling.map(|ruling| ruling.finding) {
        None => Verdict::Open,
        Some(Finding::Adopted) => Verdict::Adopted,
        Some(Finding::Rejected) => Verdict::Rejected,
        Some(Finding::Undecided) => Verdict::Undecided,
    };
    v1::Newcomer {
        arm: arm.to_string(),
        verdict: verdict.into(),
        join_time: Some(timestamp(newcomer.joined())),
        arm_count: count(gain.arm_count()),
        other_count: count(gain.other_count()),
        difference_lower: gain.lower(),
        difference_upper: gain.upper(),
        verdict_time: ruling.map(|ruling| timestamp(ruling.time)),
        verdict_sequence: ruling.map_or(0, |ruling| count(ruling.sequence)),
    }
}
