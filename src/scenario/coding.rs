//! The coding team: agents write patches, CI judges them within hours, reviewers within days.
//!
//! A patch that cannot be parsed fails its tests. The reviewer judges the pull request by its last
//! call: mostly as the tests do, sometimes not. What is told may differ from what is true for a while:
//! a flaky run is run again, a nightly run finds what CI missed, a merged patch is reverted; some
//! rejected pull requests are closed in silence, and some CI runs are cancelled and tell nothing.

use super::catalogue::{
    ACCEPTED, ACCEPTED_ANYWAY, CODING, CODING_MS, REMARK, REMARKS, SLOPE, VALID,
};
use super::dice::Luck;
use super::error::Error;
use super::fate::Fate;
use super::schedule::{Errand, Habits};
use crate::signal::Value;

/// Share of CI runs that are cancelled.
const CANCELLED: f64 = 0.04;
/// Share of good patches that CI first fails.
const FLAKY: f64 = 0.06;
/// Share of bad patches that CI first passes.
const OVERLOOKED: f64 = 0.08;
/// Share of rejected pull requests that were merged first.
const REVERTED: f64 = 0.05;
/// Share of the other rejected pull requests that are closed without a word.
const SILENT: f64 = 0.40;

/// How the team works, with about `calls` calls.
pub(super) fn habits(calls: usize) -> Habits {
    Habits {
        calls,
        lengths: [0.72, 0.20, 0.08],
        single_episode: 0.5,
        route: 0.9,
    }
}

/// Mean milliseconds of a call.
pub(super) fn mean_ms(arm: usize) -> f64 {
    CODING_MS[arm]
}

/// One patch as it turned out, and its odds.
struct Patch {
    valid: bool,
    passes: bool,
    p_valid: f64,
    /// Given that it is valid.
    p_passes: f64,
    /// Whether its CI run is cancelled.
    cancelled: bool,
}

/// What becomes of an errand with one arm: a fate for each call. `after` says which calls come after
/// the change.
pub(super) fn fates(errand: &Errand, arm: usize, after: &[bool]) -> Result<Vec<Fate>, Error> {
    let mut fates = Vec::with_capacity(after.len());
    let mut last = None;
    for (call, after) in after.iter().enumerate() {
        let mut luck = errand.luck_of_call(call, arm);
        let patch = Patch::of(errand, arm, *after, &mut luck);
        let mean_lines = CODING[errand.task].lines[arm];
        fates.push(judged_by_ci(&patch, mean_lines, arm, &mut luck)?);
        last = Some((patch, luck));
    }
    if let Some((patch, mut luck)) = last {
        reviewed(&mut fates, &patch, arm, &mut luck)?;
    }
    Ok(fates)
}

impl Patch {
    fn of(errand: &Errand, arm: usize, after: bool, luck: &mut Luck) -> Self {
        let tests = CODING[errand.task].tests.of(arm, after);
        let p_passes = (tests - SLOPE[arm] * errand.difficulty).clamp(0.02, 0.98);
        let p_valid = VALID.of(arm, after);
        let valid = luck.uniform() < p_valid;
        Self {
            valid,
            passes: luck.uniform() < p_passes && valid,
            p_valid,
            p_passes,
            cancelled: luck.shared.happens(CANCELLED),
        }
    }
}

fn judged_by_ci(
    patch: &Patch,
    mean_lines: f64,
    arm: usize,
    luck: &mut Luck,
) -> Result<Fate, Error> {
    let lines = (mean_lines * (0.5 + luck.uniform())).round();
    let remarks = (0..REMARKS).filter(|_| luck.uniform() < REMARK[arm]);
    let remarks = remarks.count() as f64;
    let mut fate = Fate::default();
    fate.is("tests_passed", Value::Flag(patch.passes), patch.p_passes);
    fate.is("json_valid", Value::Flag(patch.valid), patch.p_valid);
    fate.is("patch_lines", Value::Number(lines), mean_lines);
    let mean_remarks = f64::from(REMARKS) * REMARK[arm];
    fate.is("conventions_kept", Value::Number(remarks), mean_remarks);
    let own = &mut luck.own;
    let done = own.between(300.0, 10_800.0);
    let rerun = done + own.between(7_200.0, 43_200.0);
    let night = done + own.between(20_000.0, 70_000.0);
    let (flaky, overlooked) = (own.happens(FLAKY), own.happens(OVERLOOKED));
    if patch.cancelled {
        return Ok(fate);
    }
    for (signal, value) in fate.truth.clone() {
        let turned = match value {
            Value::Flag(passes) if signal == "tests_passed" => {
                (passes && flaky) || (!passes && patch.valid && overlooked)
            }
            _ => false,
        };
        if turned {
            fate.told(signal, &Value::Flag(!patch.passes), done, "ci")?;
        } else {
            fate.told(signal, &value, done, "ci")?;
        }
        match (turned, patch.passes) {
            (true, true) => fate.corrected(signal, &value, rerun, "ci")?,
            (true, false) => fate.told(signal, &value, night, "nightly")?,
            (false, _) => {}
        }
    }
    Ok(fate)
}

/// The review of a pull request: true of each of its calls, told once, with the last.
fn reviewed(fates: &mut [Fate], last: &Patch, arm: usize, luck: &mut Luck) -> Result<(), Error> {
    let signal = "review_accepted";
    let odds = |passes: bool| {
        if passes {
            ACCEPTED[arm]
        } else {
            ACCEPTED_ANYWAY
        }
    };
    let mean = |passes: f64| passes * odds(true) + (1.0 - passes) * odds(false);
    let accepted = luck.uniform() < odds(last.passes);
    let truth = Value::Flag(accepted);
    let calls = fates.len();
    for (call, fate) in fates.iter_mut().enumerate() {
        // The last call's own gate and its review hang together; another call's do not.
        let given = if call + 1 == calls { 1.0 } else { last.p_valid };
        fate.is(signal, truth.clone(), mean(given * last.p_passes));
    }
    let Some(fate) = fates.last_mut() else {
        return Ok(());
    };
    let own = &mut luck.own;
    let when = own.between(10_800.0, 345_600.0);
    let (reverted, silent) = (own.happens(REVERTED), own.happens(SILENT));
    if accepted || !(reverted || silent) {
        fate.told(signal, &truth, when, "reviewer")?;
    } else if reverted {
        fate.told(signal, &Value::Flag(true), when, "reviewer")?;
        fate.corrected(signal, &truth, when + 72_000.0, "maintainer")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fate::tests::last_told;
    use crate::scenario::schedule::errands;

    #[test]
    fn what_is_told_last_is_true_and_some_of_it_was_contradicted_or_is_never_told() {
        let keys = [5, 0];
        let (mut cancelled, mut flaky, mut overlooked, mut silent, mut reverted) = (0, 0, 0, 0, 0);
        for errand in errands(&habits(2_000), &CODING.map(|t| t.share), keys) {
            let fates = fates(&errand, 1, &vec![false; errand.calls.len()]).unwrap();
            let calls = fates.len();
            for (call, fate) in fates.iter().enumerate() {
                let of = |signal: &str| {
                    let own = fate.arrivals.iter().filter(|a| a.signal.as_str() == signal);
                    own.count()
                };
                for (signal, truth) in &fate.truth {
                    match last_told(fate, signal) {
                        Some(told) => assert_eq!(told, truth, "{signal}"),
                        None if *signal != "review_accepted" => cancelled += 1,
                        None if call + 1 == calls => {
                            assert_eq!(*truth, Value::Flag(false));
                            silent += 1;
                        }
                        None => {}
                    }
                }
                let corrected = |signal: &str| {
                    let own = fate.arrivals.iter().filter(|a| a.signal.as_str() == signal);
                    own.filter(|a| a.corrects).count()
                };
                flaky += corrected("tests_passed");
                overlooked += usize::from(of("tests_passed") == 2) - corrected("tests_passed");
                reverted += corrected("review_accepted");
            }
        }
        // All four signals of a cancelled run are missing.
        assert_eq!(cancelled % 4, 0);
        let found = [cancelled / 4, flaky, overlooked, silent, reverted];
        assert!(found.iter().all(|n| (10..400).contains(n)), "{found:?}");
    }

    #[test]
    fn a_patch_that_cannot_be_parsed_fails_its_tests() {
        let keys = [6, 0];
        let mut invalid = 0;
        for errand in errands(&habits(2_000), &CODING.map(|t| t.share), keys) {
            let fates = fates(&errand, 4, &vec![false; errand.calls.len()]).unwrap();
            for fate in fates {
                if fate.truth[1] == ("json_valid", Value::Flag(false)) {
                    assert_eq!(fate.truth[0], ("tests_passed", Value::Flag(false)));
                    invalid += 1;
                }
            }
        }
        assert!(invalid > 50, "{invalid}");
    }
}
