//! Alarms.

use super::record::{count, timestamp};
use crate::bandit::{Detector, Direction};
use crate::learn::Alarm;
use crate::proto::v1::{self, alarm};

/// An arm that changed.
pub(in crate::grpc) fn alarm(told: &Alarm) -> v1::Alarm {
    let direction = match told.direction {
        Direction::Fell => alarm::Direction::Fell,
        Direction::Rose => alarm::Direction::Rose,
    };
    v1::Alarm {
        arm: told.arm.to_string(),
        signal: told.signal.to_string(),
        direction: direction.into(),
        begin_time: Some(timestamp(told.began)),
        outcome_count: count(told.outcomes),
        raise_time: Some(timestamp(told.raised)),
        raise_sequence: count(told.sequence),
        mean_before: told.before,
        mean_after: told.after,
        evidence: told.evidence,
        threshold: Detector::THRESHOLD,
        run_length: count(Detector::RUN_LENGTH),
    }
}
