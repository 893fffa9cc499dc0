//! What must hold of every log, whoever won: a fault makes the demonstration fail.
//!
//! Not here: losing to a rival, which is a finding and no fault (`verdict`).

use super::error::Error;
use super::facts::WRONG_PROPENSITIES;
use crate::replay::PropensityCheck;

/// What is wrong with the log of `team`, which made so many requests, of which the log has `logged`.
pub fn faults(team: &str, requests: usize, logged: usize, check: &PropensityCheck) -> Vec<String> {
    let mut faults = Vec::new();
    if logged != requests {
        faults.push(format!(
            "{team}: the log has {logged} decisions of {requests} requests"
        ));
    }
    let (equal, draws) = (check.equal, check.calibration.draws);
    if equal != draws {
        faults.push(format!(
            "{team}: {equal} of {draws} logged probabilities recompute to the same"
        ));
    }
    let p = check.calibration.p_value;
    if p < WRONG_PROPENSITIES {
        faults.push(format!(
            "{team}: arms were not drawn as often as logged (p = {p:.1e})"
        ));
    }
    faults
}

/// Nothing, or the error that tells of all `faults`.
pub fn sound(faults: Vec<String>) -> Result<(), Error> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Error::Faults(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::Calibration;

    /// A log of 200 draws of two arms, the first of which was logged with probability `p` and drawn
    /// half of the time.
    fn log(p: f64, equal: usize) -> PropensityCheck {
        let mut calibration = Calibration::new(2);
        for draw in 0..200 {
            calibration.add(&[(0, p), (1, 1.0 - p)], draw % 2);
        }
        PropensityCheck {
            recomputed: 200,
            equal,
            worst_error: 0.0,
            unreadable: 0,
            arms: Vec::new(),
            calibration: calibration.report(),
        }
    }

    fn check(logged: usize, log: &PropensityCheck, expected: &[&str]) {
        let found = faults("coding", 240, logged, log);
        assert_eq!(found, expected);
        assert_eq!(sound(found).is_err(), !expected.is_empty());
    }

    #[test]
    fn a_right_log_is_sound() {
        check(240, &log(0.5, 200), &[]);
    }

    #[test]
    fn a_probability_that_does_not_recompute_is_a_fault() {
        let told = "coding: 199 of 200 logged probabilities recompute to the same";
        check(240, &log(0.5, 199), &[told]);
    }

    #[test]
    fn an_arm_drawn_more_often_than_logged_is_a_fault() {
        // 100 of 200 where 40 are expected, with a standard deviation of 5.66: z = 10.6.
        let found = faults("coding", 240, 240, &log(0.2, 200));
        let told = "coding: arms were not drawn as often as logged (p = ";
        assert!(found.len() == 1 && found[0].starts_with(told), "{found:?}");
    }

    #[test]
    fn a_decision_that_is_not_in_the_log_is_a_fault() {
        let told = "coding: the log has 239 decisions of 240 requests";
        check(239, &log(0.5, 200), &[told]);
    }

    #[test]
    fn all_faults_are_told_on_one_line() {
        let error = sound(vec!["one".into(), "two".into()]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the demonstration found faults: one; two"
        );
    }
}
