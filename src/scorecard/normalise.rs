//! From a raw value to the normalised scale: 0 worst, 1 best.
//!
//! Invariants: every number returned is in [0, 1].
//!
//! Not here: what a missing value means (`Missing::value`).

use super::definition::{Kind, Scorecard};
use crate::id::Name;
use crate::signal::Value;

/// A number farther from its range than this many times the range's width is taken for a mistake
/// (milliseconds for minutes, a sentinel), not for an extreme outcome.
const ABSURD_SPANS: f64 = 1000.0;

/// Why a value was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The scorecard has no such signal.
    #[error("{index} is not a signal: allowed 0 to {last}")]
    Signal {
        /// The index asked for.
        index: usize,
        /// The last one there is.
        last: usize,
    },
    /// A flag where a number belongs, or the reverse.
    #[error("{signal} is a {found}: allowed a {expected}")]
    Kind {
        /// The signal.
        signal: Name,
        /// What came.
        found: &'static str,
        /// What the scorecard says.
        expected: &'static str,
    },
    /// Not a number, or absurdly far from the range.
    #[error(
        "{signal} is {value}: allowed {least} to {most} (full scale: {worst} worst, {best} best)"
    )]
    Range {
        /// The signal.
        signal: Name,
        /// What came.
        value: f64,
        /// Least number taken.
        least: f64,
        /// Greatest number taken.
        most: f64,
        /// Worth nothing.
        worst: f64,
        /// Worth all.
        best: f64,
    },
}

impl Scorecard {
    /// The normalised value of `value` for signal `index`: `None` for a comment, which is kept but
    /// never learned from. Numbers beyond the range are clipped into it.
    ///
    /// ```
    /// # use bellwether::{id::Name, scorecard::*, signal::Value};
    /// # use std::time::Duration;
    /// # let minutes = Spec {
    /// #     name: Name::new("minutes").unwrap(),
    /// #     kind: Kind::Number { worst: 60.0, best: 10.0 },
    /// #     weight: 1.0, gate: None, level: Level::Decision,
    /// #     closes_after: Duration::from_secs(60), missing: Missing::Unknown,
    /// # };
    /// # let card = Scorecard::new(Definition {
    /// #     name: Name::new("doc").unwrap(), signals: vec![minutes], quality_usd: 1.0,
    /// #     latency_target_ms: None, latency_weight: 0.0,
    /// # }).unwrap();
    /// // One signal, 60 minutes worst and 10 best: 20 minutes are 40/50 of the way.
    /// assert_eq!(card.normalise(0, &Value::Number(20.0)), Ok(Some(0.8)));
    /// assert_eq!(card.normalise(0, &Value::Number(5.0)), Ok(Some(1.0)));
    /// assert!(card.normalise(0, &Value::Number(f64::NAN)).is_err());
    /// ```
    pub fn normalise(&self, index: usize, value: &Value) -> Result<Option<f64>, Error> {
        let Some(spec) = self.signals().get(index) else {
            let last = self.signals().len() - 1;
            return Err(Error::Signal { index, last });
        };
        let mismatch = |found, expected| Error::Kind {
            signal: spec.name.clone(),
            found,
            expected,
        };
        match (spec.kind, value) {
            (_, Value::Comment(_)) => Ok(None),
            (Kind::Flag { good }, Value::Flag(flag)) => {
                Ok(Some(if *flag == good { 1.0 } else { 0.0 }))
            }
            (Kind::Flag { .. }, Value::Number(_)) => Err(mismatch("number", "flag")),
            (Kind::Number { .. }, Value::Flag(_)) => Err(mismatch("flag", "number")),
            (Kind::Number { worst, best }, Value::Number(number)) => {
                let slack = ABSURD_SPANS * (best - worst).abs();
                let (least, most) = (worst.min(best) - slack, worst.max(best) + slack);
                if (least..=most).contains(number) && number.is_finite() {
                    Ok(Some(((number - worst) / (best - worst)).clamp(0.0, 1.0)))
                } else {
                    Err(Error::Range {
                        signal: spec.name.clone(),
                        value: *number,
                        least,
                        most,
                        worst,
                        best,
                    })
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scorecard::Spec;
    use crate::scorecard::score::tests::{flag, number, scorecard};
    use proptest::prelude::*;

    fn check(spec: Spec, value: Value, expected: Result<Option<f64>, &str>) {
        let found = scorecard(vec![spec])
            .normalise(0, &value)
            .map_err(|e| e.to_string());
        assert_eq!(found, expected.map_err(str::to_owned), "{value:?}");
    }

    #[test]
    fn a_flag_is_one_where_it_is_the_good_answer() {
        let bad = Spec {
            kind: Kind::Flag { good: false },
            ..flag("escalated", 1.0)
        };
        check(flag("ok", 1.0), Value::Flag(true), Ok(Some(1.0)));
        check(flag("ok", 1.0), Value::Flag(false), Ok(Some(0.0)));
        check(bad.clone(), Value::Flag(true), Ok(Some(0.0)));
        check(bad, Value::Flag(false), Ok(Some(1.0)));
    }

    #[test]
    fn a_number_is_linear_between_worst_and_best_and_clipped_beyond() {
        let lines = number("lines", 1.0, 400.0, 0.0);
        for (raw, expected) in [
            (400.0, 0.0),
            (300.0, 0.25),
            (0.0, 1.0),
            (9000.0, 0.0),
            (-5.0, 1.0),
        ] {
            check(lines.clone(), Value::Number(raw), Ok(Some(expected)));
        }
        check(
            number("up", 1.0, 0.0, 10.0),
            Value::Number(2.5),
            Ok(Some(0.25)),
        );
    }

    #[test]
    fn a_comment_is_kept_and_counts_for_nothing() {
        check(flag("ok", 1.0), Value::Comment("fine".into()), Ok(None));
        check(
            number("n", 1.0, 0.0, 1.0),
            Value::Comment("fine".into()),
            Ok(None),
        );
    }

    #[test]
    fn a_wrong_type_an_absurd_number_and_a_nan_are_refused_with_what_is_allowed() {
        let minutes = number("minutes", 1.0, 60.0, 10.0);
        let range = "allowed -49990 to 50060 (full scale: 60 worst, 10 best)";
        for (raw, text) in [
            (f64::NAN, "NaN"),
            (50061.0, "50061"),
            (f64::INFINITY, "inf"),
        ] {
            let expected = format!("minutes is {text}: {range}");
            check(minutes.clone(), Value::Number(raw), Err(&expected));
        }
        check(
            minutes,
            Value::Flag(true),
            Err("minutes is a flag: allowed a number"),
        );
        check(
            flag("ok", 1.0),
            Value::Number(1.0),
            Err("ok is a number: allowed a flag"),
        );
    }

    #[test]
    fn an_index_beyond_the_signals_is_refused() {
        let card = scorecard(vec![flag("ok", 1.0)]);
        let found = card.normalise(1, &Value::Flag(true));
        assert_eq!(found, Err(Error::Signal { index: 1, last: 0 }));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_in_the_unit_interval_or_refused(
            worst in -1e300_f64..1e300, best in -1e300_f64..1e300, raw in any::<f64>()
        ) {
            prop_assume!(worst != best);
            let card = scorecard(vec![number("n", 1.0, worst, best)]);
            if let Ok(value) = card.normalise(0, &Value::Number(raw)) {
                prop_assert!((0.0..=1.0).contains(&value.unwrap()));
            }
        }
    }
}
