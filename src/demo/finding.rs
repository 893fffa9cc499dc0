//! From figures to findings: the rules by which a claim is shown, contradicted or left open.
//!
//! Not here: the figures (`facts`), the words (`verdict`, `details`).

use crate::report::{Finding, Interval};

/// "Better", by where 0 lies to the interval of a difference.
pub(super) fn better(difference: &Interval) -> Finding {
    if difference.lower > 0.0 {
        Finding::Shown
    } else if difference.upper < 0.0 {
        Finding::Contradicted
    } else {
        Finding::Undecided
    }
}

/// "`low` lies below `high`", intervals and all.
pub(super) fn apart(low: &Interval, high: &Interval) -> Finding {
    if low.upper < high.lower {
        Finding::Shown
    } else if low.lower > high.upper {
        Finding::Contradicted
    } else {
        Finding::Undecided
    }
}

/// A claim that holds only where it holds for all.
pub(super) fn all(findings: impl IntoIterator<Item = Finding>) -> Finding {
    let mut all = Finding::Shown;
    for finding in findings {
        match (all, finding) {
            (Finding::Contradicted, _) | (_, Finding::Shown) => {}
            (_, worse) => all = worse,
        }
    }
    all
}

/// A difference with its interval.
pub(super) fn signed(interval: &Interval) -> String {
    let Interval {
        value,
        lower,
        upper,
    } = interval;
    format!("{value:+.3} [{lower:+.3}, {upper:+.3}]")
}

/// A share with its interval.
pub(super) fn percent(interval: &Interval) -> String {
    format!(
        "{:.0} % [{:.0}, {:.0}]",
        100.0 * interval.value,
        100.0 * interval.lower.max(0.0),
        100.0 * interval.upper.min(1.0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(lower: f64, upper: f64) -> Interval {
        let value = (lower + upper) / 2.0;
        Interval {
            value,
            lower,
            upper,
        }
    }

    #[test]
    fn a_difference_is_shown_only_where_its_whole_interval_is_on_one_side() {
        let check = |lower, upper, expected| assert_eq!(better(&interval(lower, upper)), expected);
        check(0.01, 0.03, Finding::Shown);
        check(-0.03, -0.01, Finding::Contradicted);
        check(-0.01, 0.03, Finding::Undecided);
        check(0.0, 0.0, Finding::Undecided);
    }

    #[test]
    fn shares_are_apart_only_where_their_intervals_are() {
        let check = |low: Interval, high: Interval, expected| {
            assert_eq!(apart(&low, &high), expected);
        };
        check(interval(0.1, 0.2), interval(0.3, 0.4), Finding::Shown);
        check(
            interval(0.3, 0.4),
            interval(0.1, 0.2),
            Finding::Contradicted,
        );
        check(interval(0.1, 0.3), interval(0.2, 0.4), Finding::Undecided);
    }

    #[test]
    fn a_claim_about_all_is_as_weak_as_its_weakest_part() {
        use Finding::{Contradicted, Shown, Undecided};
        let check = |findings: &[Finding], expected| {
            assert_eq!(all(findings.iter().copied()), expected);
        };
        check(&[Shown, Shown], Shown);
        check(&[Shown, Undecided], Undecided);
        check(&[Contradicted, Undecided, Shown], Contradicted);
        check(&[Undecided, Contradicted], Contradicted);
    }
}
