//! What a learner noticed, as `control` shows it: arms that changed, arms that joined, signals that are reported
//! of one arm more than of another.

use bellwether::proto::v1;
use serde::Serialize;

/// An arm that joined later than the others.
#[derive(Serialize)]
pub(super) struct Newcomer {
    arm: String,
    verdict: &'static str,
    join_time: Option<String>,
    arm_count: i64,
    other_count: i64,
    difference_lower: f64,
    difference_upper: f64,
    verdict_time: Option<String>,
    verdict_sequence: i64,
}

impl Newcomer {
    pub(super) fn of(newcomer: v1::Newcomer) -> Self {
        use v1::newcomer::Verdict;
        let verdict = match newcomer.verdict() {
            Verdict::Adopted => "adopted",
            Verdict::Rejected => "rejected",
            Verdict::Undecided => "undecided",
            Verdict::Open | Verdict::Unspecified => "open",
        };
        Self {
            verdict,
            arm: newcomer.arm,
            join_time: newcomer.join_time.map(|time| time.to_string()),
            arm_count: newcomer.arm_count,
            other_count: newcomer.other_count,
            difference_lower: newcomer.difference_lower,
            difference_upper: newcomer.difference_upper,
            verdict_time: newcomer.verdict_time.map(|time| time.to_string()),
            verdict_sequence: newcomer.verdict_sequence,
        }
    }

    pub(super) fn text(&self) -> String {
        let (lower, upper) = (self.difference_lower, self.difference_upper);
        let more = lower.abs().max(upper.abs());
        let said = match self.verdict {
            "adopted" => "adopted: it is worth more than the others".to_owned(),
            "rejected" => {
                "rejected: it is worth less than the others; what was left of its forced exploration is over".to_owned()
            }
            "undecided" => {
                format!("undecided: the bounds leave no difference of more than {more:.3}")
            }
            _ => "not decided yet".to_owned(),
        };
        let since = self.join_time.as_deref().unwrap_or("an unknown time");
        let by = match self.verdict_sequence {
            0 => String::new(),
            record => format!(" (record {record})"),
        };
        format!(
            "  newcomer: {} since {since}, {said}{by}; {lower:+.3} to {upper:+.3} on {} draws of it and {} of \
             the others\n",
            self.arm, self.arm_count, self.other_count
        )
    }
}

/// An arm that changed.
#[derive(Serialize)]
pub(super) struct Alarm {
    arm: String,
    signal: String,
    direction: &'static str,
    begin_time: Option<String>,
    outcome_count: i64,
    raise_time: Option<String>,
    raise_sequence: i64,
    mean_before: f64,
    mean_after: f64,
    evidence: f64,
    threshold: f64,
    run_length: i64,
}

impl Alarm {
    pub(super) fn of(alarm: v1::Alarm) -> Self {
        let direction = match alarm.direction() {
            v1::alarm::Direction::Fell => "fell",
            v1::alarm::Direction::Rose => "rose",
            v1::alarm::Direction::Unspecified => "changed",
        };
        Self {
            arm: alarm.arm,
            signal: alarm.signal,
            direction,
            begin_time: alarm.begin_time.map(|time| time.to_string()),
            outcome_count: alarm.outcome_count,
            raise_time: alarm.raise_time.map(|time| time.to_string()),
            raise_sequence: alarm.raise_sequence,
            mean_before: alarm.mean_before,
            mean_after: alarm.mean_after,
            evidence: alarm.evidence,
            threshold: alarm.threshold,
            run_length: alarm.run_length,
        }
    }

    pub(super) fn text(&self) -> String {
        let since = self.begin_time.as_deref().unwrap_or("an unknown time");
        format!(
            "  alarm: {} {} {} from {:.3} to {:.3} in {} outcomes since {since} (record {}; a false one \
             comes once in {} outcomes at most)\n",
            self.arm,
            self.signal,
            self.direction,
            self.mean_before,
            self.mean_after,
            self.outcome_count,
            self.raise_sequence,
            self.run_length,
        )
    }
}

/// A signal that is reported more often of one arm than of another.
#[derive(Serialize)]
pub(super) struct Uneven {
    signal: String,
    p_value: f64,
    arms: Vec<Reports>,
}

#[derive(Serialize)]
struct Reports {
    arm: String,
    closed_count: i64,
    reported_count: i64,
}

impl Uneven {
    pub(super) fn of(uneven: v1::UnevenReports) -> Self {
        let arms = uneven.arms.into_iter().map(|arm| Reports {
            arm: arm.arm,
            closed_count: arm.closed_count,
            reported_count: arm.reported_count,
        });
        Self {
            signal: uneven.signal,
            p_value: uneven.p_value,
            arms: arms.collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let share = |arm: &Reports| {
            let percent = 100.0 * arm.reported_count as f64 / arm.closed_count.max(1) as f64;
            format!("{} {percent:.1} % of {}", arm.arm, arm.closed_count)
        };
        let shares: Vec<String> = self.arms.iter().map(share).collect();
        format!(
            "  uneven: {} is reported of {} (chance {:.0e} if all were alike); means speak of what is \
             reported\n",
            self.signal,
            shares.join(", "),
            self.p_value,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newcomer_is_told_with_its_verdict() {
        use v1::newcomer::Verdict;
        let mut newcomer = v1::Newcomer {
            arm: "harbor".to_owned(),
            verdict: Verdict::Open.into(),
            difference_lower: -2.0,
            difference_upper: 2.0,
            ..Default::default()
        };
        assert_eq!(
            Newcomer::of(newcomer.clone()).text(),
            "  newcomer: harbor since an unknown time, not decided yet; -2.000 to +2.000 on 0 draws of it \
             and 0 of the others\n"
        );
        let mut check = |verdict: Verdict, lower, upper, expected: &str| {
            newcomer.verdict = verdict.into();
            (newcomer.difference_lower, newcomer.difference_upper) = (lower, upper);
            newcomer.verdict_sequence = 42;
            let text = Newcomer::of(newcomer.clone()).text();
            assert!(text.contains(expected), "{text}");
            assert!(text.contains("(record 42)"), "{text}");
        };
        check(Verdict::Adopted, 0.01, 0.2, "adopted: it is worth more");
        check(Verdict::Rejected, -0.2, -0.01, "forced exploration is over");
        let none = "undecided: the bounds leave no difference of more than 0.200";
        check(Verdict::Undecided, -0.2, 0.1, none);
    }
}
