//! The support team: conversations with customers, where only harm is told.
//!
//! A conversation ends with a person or not; a person takes minutes; a refund may be wrong, which
//! finance finds days later; an answer may break the policy. What did not happen is never told. Some
//! things are told that did not happen, and are taken back.

use super::catalogue::{MINUTES, SLOPE, SUPPORT, SUPPORT_MS, VIOLATION};
use super::dice::Luck;
use super::error::Error;
use super::fate::Fate;
use super::schedule::{Errand, Habits};
use crate::signal::Value;

/// Share of innocent answers that the screening reports, and a person clears.
const FALSE_ALARM: f64 = 0.03;
/// Share of conversations that are called escalated by mistake.
const MISTAKEN: f64 = 0.03;
/// Half the spread of a person's minutes.
const SPREAD: f64 = 6.0;

/// How the team works, with about `calls` calls.
pub(super) fn habits(calls: usize) -> Habits {
    Habits {
        calls,
        lengths: [0.80, 0.20, 0.0],
        single_episode: 1.0,
        route: 0.15,
    }
}

/// Mean milliseconds of a call.
pub(super) fn mean_ms(arm: usize) -> f64 {
    SUPPORT_MS[arm]
}

/// What becomes of an errand with one arm: a fate for each call. `after` says which calls come after
/// the change.
pub(super) fn fates(errand: &Errand, arm: usize, after: &[bool]) -> Result<Vec<Fate>, Error> {
    let call = |(call, after): (usize, &bool)| {
        screened(
            VIOLATION.of(arm, *after),
            &mut errand.luck_of_call(call, arm),
        )
    };
    let mut fates = after
        .iter()
        .enumerate()
        .map(call)
        .collect::<Result<Vec<_>, _>>()?;
    let changed = after.last().copied().unwrap_or_default();
    let task = &SUPPORT[errand.task];
    let p = task.escalated.of(arm, changed) + SLOPE[arm] * errand.difficulty;
    let mut luck = errand.luck(arm);
    escalated(&mut fates, p.clamp(0.02, 0.98), MINUTES[arm], &mut luck)?;
    refunded(&mut fates, task.refund_error.of(arm, changed), &mut luck)?;
    Ok(fates)
}

fn screened(p_violation: f64, luck: &mut Luck) -> Result<Fate, Error> {
    let signal = "policy_violation";
    let violation = luck.uniform() < p_violation;
    let mut fate = Fate::default();
    fate.is(signal, Value::Flag(violation), p_violation);
    let when = luck.own.between(1_800.0, 36_000.0);
    let cleared = when + luck.own.between(3_600.0, 36_000.0);
    let alarm = luck.own.happens(FALSE_ALARM);
    if violation || alarm {
        fate.told(signal, &Value::Flag(true), when, "screening")?;
    }
    if !violation && alarm {
        fate.corrected(signal, &Value::Flag(false), cleared, "auditor")?;
    }
    Ok(fate)
}

/// Whether the conversation went to a person, and that person's minutes: true of each call, told once.
fn escalated(fates: &mut [Fate], p: f64, mean_minutes: f64, luck: &mut Luck) -> Result<(), Error> {
    // The lucky ones are the same as elsewhere: a low uniform is good luck.
    let escalated = luck.uniform() >= 1.0 - p;
    let spread = 2.0 * SPREAD * (luck.uniform() - 0.5);
    let minutes = if escalated {
        (mean_minutes + spread).round()
    } else {
        0.0
    };
    for fate in fates.iter_mut() {
        fate.is("escalated", Value::Flag(escalated), p);
        fate.is("handling_minutes", Value::Number(minutes), p * mean_minutes);
    }
    let own = &mut luck.own;
    let when = own.between(300.0, 108_000.0);
    let noted = when + own.between(1_800.0, 108_000.0);
    let cleared = when + own.between(7_200.0, 36_000.0);
    let mistaken = own.happens(MISTAKEN);
    let Some(fate) = fates.last_mut() else {
        return Ok(());
    };
    if escalated || mistaken {
        fate.told("escalated", &Value::Flag(true), when, "help-desk")?;
    }
    if escalated {
        let minutes = Value::Number(minutes);
        fate.told("handling_minutes", &minutes, noted, "help-desk")?;
    } else if mistaken {
        fate.corrected("escalated", &Value::Flag(false), cleared, "team-lead")?;
    }
    Ok(())
}

/// Whether the refund was wrong: true of each call, told once.
fn refunded(fates: &mut [Fate], p: f64, luck: &mut Luck) -> Result<(), Error> {
    let wrong = luck.uniform() < p;
    for fate in fates.iter_mut() {
        fate.is("refund_error", Value::Flag(wrong), p);
    }
    let when = luck.own.between(172_800.0, 500_000.0);
    match fates.last_mut() {
        Some(fate) if wrong => fate.told("refund_error", &Value::Flag(true), when, "finance"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::fate::tests::last_told;
    use crate::scenario::schedule::errands;

    #[test]
    fn only_harm_is_told_once_for_a_conversation_and_mistakes_are_taken_back() {
        let keys = [5, 1];
        let (mut mistakes, mut wrong_refunds) = (0, 0);
        for errand in errands(&habits(2_000), &SUPPORT.map(|t| t.share), keys) {
            let fates = fates(&errand, 2, &vec![false; errand.calls.len()]).unwrap();
            let calls = fates.len();
            for (call, fate) in fates.iter().enumerate() {
                for (signal, truth) in &fate.truth {
                    let harmless = [Value::Flag(false), Value::Number(0.0)].contains(truth);
                    match last_told(fate, signal) {
                        Some(told) => assert_eq!(told, truth, "{signal}"),
                        None => assert!(harmless || call + 1 < calls, "{signal} {truth:?}"),
                    }
                }
                mistakes += fate.arrivals.iter().filter(|a| a.corrects).count();
                wrong_refunds += usize::from(last_told(fate, "refund_error").is_some());
                if call + 1 < calls {
                    assert!(
                        fate.arrivals
                            .iter()
                            .all(|a| a.signal.as_str() == "policy_violation")
                    );
                }
            }
        }
        assert!(
            mistakes > 20 && wrong_refunds > 5,
            "{mistakes} {wrong_refunds}"
        );
    }
}
