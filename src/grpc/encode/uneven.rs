//! Signals that are reported unevenly.

use super::record::count;
use crate::learn::Uneven;
use crate::proto::v1;

/// A signal that is reported more often of one arm than of another.
pub(in crate::grpc) fn uneven(told: &Uneven) -> v1::UnevenReports {
    let arms = told.arms.iter().map(|(arm, reports)| v1::ArmReports {
        arm: arm.to_string(),
        closed_count: count(reports.closed),
        reported_count: count(reports.reported),
    });
    v1::UnevenReports {
        signal: told.signal.to_string(),
        p_value: told.p_value,
        arms: arms.collect(),
    }
}
