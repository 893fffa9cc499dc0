//! Episodes held out for the baseline, and the guard.

use super::record::{count, timestamp};
use crate::decision::Cell;
use crate::learn::{Comparison, Watched};
use crate::proto::v1;
use crate::route::Baseline;

/// What is held out and what came of it; absent where the team has no baseline. What was compared with
/// another baseline is not told: the first episode that this one takes starts anew.
pub(in crate::grpc) fn holdout(
    baseline: Option<&Baseline>,
    comparison: Option<&Comparison>,
) -> Option<v1::Holdout> {
    let baseline = baseline?;
    let unknown = v1::Holdout {
        baseline_arm: baseline.arm.to_string(),
        share: baseline.holdout,
        lift_lower: -2.0,
        lift_upper: 2.0,
        ..Default::default()
    };
    let Some(compared) = comparison.filter(|c| *c.baseline() == baseline.arm) else {
        return Some(unknown);
    };
    let (router, holdout) = (compared.side(Cell::Router), compared.side(Cell::Holdout));
    let (lift_lower, lift_upper) = compared.lift();
    let trip = compared.tripped();
    Some(v1::Holdout {
        router_count: count(router.episodes),
        holdout_count: count(holdout.episodes),
        router_mean: router.mean,
        holdout_mean: holdout.mean,
        lift_lower,
        lift_upper,
        guarded: compared.holds(),
        trip_time: trip.map(|trip| timestamp(trip.time)),
        trip_sequence: trip.map_or(0, |trip| count(trip.sequence)),
        trip_signal: compared
            .tripping()
            .map_or(String::new(), |w| w.signal().to_string()),
        guard_signals: compared.guards().iter().map(guard_signal).collect(),
        ..unknown
    })
}

fn guard_signal(watched: &Watched) -> v1::GuardSignal {
    let (router, holdout) = (watched.side(Cell::Router), watched.side(Cell::Holdout));
    let (gain_lower, gain_upper) = watched.gain();
    v1::GuardSignal {
        signal: watched.signal().to_string(),
        margin: watched.margin(),
        router_count: count(router.episodes),
        holdout_count: count(holdout.episodes),
        router_mean: router.mean,
        holdout_mean: holdout.mean,
        gain_lower,
        gain_upper,
    }
}
