//! Lines over the requests of a team: rewards and shares of a sliding window.
//!
//! Invariants: every line of a series has a value, or none, at each of its points; a point stands at
//! the end of its window.
//!
//! Not here: drawing them (`report`).

use super::rivals::{Kind, Rival};
use super::team::{Call, TeamRun, routed, share};
use crate::report::Series;

/// Points of a line.
const POINTS: usize = 60;

/// A window is this part of the requests.
const WINDOW: usize = 10;

/// The ends of the windows over `count` requests, and a window's length.
fn windows(count: usize) -> (Vec<usize>, usize) {
    let length = (count / WINDOW).max(1);
    let step = ((count - length) / POINTS).max(1);
    let mut ends: Vec<usize> = (length..=count).step_by(step).collect();
    if ends.last().is_some_and(|last| *last < count) {
        ends.push(count);
    }
    (ends, length)
}

/// Mean reward of the router and its rivals.
pub(super) fn learning(run: &TeamRun<'_>, rivals: &[Rival], marks: &[(usize, String)]) -> Series {
    let (requests, length) = windows(run.calls.len());
    let line = |name: &str, value: &dyn Fn(&Call<'_>) -> f64| {
        let values: Vec<f64> = run.calls.iter().map(value).collect();
        let mean = |end: &usize| {
            let window = values.get(end.saturating_sub(length)..*end)?;
            Some(window.iter().sum::<f64>() / window.len().max(1) as f64)
        };
        (name.to_owned(), requests.iter().map(mean).collect())
    };
    let mut lines = vec![line("router", &|call| {
        routed(call).map_or(0.0, |o| o.reward)
    })];
    let shown = [Kind::Hindsight, Kind::Chance, Kind::TaskOracle];
    for rival in rivals.iter().filter(|r| shown.contains(&r.kind)) {
        lines.push(line(&rival.name, &|call| rival.on(call, |o| o.reward)));
    }
    Series {
        requests,
        lines,
        marks: marks.to_vec(),
    }
}

/// Each arm's share of `calls`, which are all of the team's or those of one task. Points stand at the
/// team's own count of requests.
pub(super) fn shares(run: &TeamRun<'_>, calls: &[Call<'_>], marks: &[(usize, String)]) -> Series {
    let (ends, length) = windows(calls.len());
    let place = |end: &usize| {
        let last = end.checked_sub(1).and_then(|i| calls.get(i));
        last.map_or(0, |call| call.index + 1)
    };
    let line = |arm: usize| {
        let share = |end: &usize| {
            let window = calls.get(end.saturating_sub(length)..*end)?;
            (!window.is_empty()).then(|| share(window, arm))
        };
        let values = ends.iter().map(share).collect();
        (run.arm_name(arm).to_owned(), values)
    };
    Series {
        requests: ends.iter().map(place).collect(),
        lines: (0..run.arms()).map(line).collect(),
        marks: marks.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_end_at_the_last_request_and_none_is_longer_than_what_was() {
        for count in [1, 2, 9, 10, 61, 800, 2400] {
            let (ends, length) = windows(count);
            assert_eq!(ends.last(), Some(&count), "{count}");
            assert!(ends.iter().all(|end| *end >= length), "{count}");
            assert!(ends.len() <= 2 * POINTS, "{count}");
        }
    }
}
