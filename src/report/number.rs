//! Numbers as people read them, each with the value of the JSON beside it.
//!
//! Invariants: a figure is a `<data>` element whose `value` is the number of the document, to the bit;
//! what is shown differs from it by rounding only (a share of 0.4321 is shown as 43 %); a figure never
//! breaks over a line; what is not finite is shown as a dash.
//!
//! Units: points, rewards and differences with three decimals; money with two significant digits
//! (three if the first is a 1); shares as whole percent; milliseconds whole from ten on.

use super::markup::Element;
use super::model::Interval;

/// A space at which no line breaks.
const NBSP: char = '\u{a0}';
/// A minus of a digit's width.
const MINUS: char = '\u{2212}';

/// What a number measures, which says how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Quality or reward.
    Points,
    /// A difference of those: always with a sign.
    Difference,
    /// Dollars.
    Money,
    /// A difference of those: always with a sign.
    MoneyDifference,
    /// Milliseconds.
    #[cfg_attr(
        all(not(feature = "analytics"), not(test)),
        expect(dead_code, reason = "only judgements have it")
    )]
    Millis,
    /// A difference of those: always with a sign.
    #[cfg_attr(
        all(not(feature = "analytics"), not(test)),
        expect(dead_code, reason = "only judgements have it")
    )]
    MillisDifference,
    /// A bound that is held against another number, to four decimals.
    #[cfg_attr(
        all(not(feature = "analytics"), not(test)),
        expect(dead_code, reason = "only judgements have it")
    )]
    Bound,
    /// A part of one.
    Share,
    /// How many.
    Count,
    /// Seconds.
    Seconds,
    /// A test statistic or the like.
    Statistic,
    /// The chance of something under an assumption.
    Chance,
}

/// A number as text.
pub(crate) fn write(unit: Unit, value: f64) -> String {
    rounded(unit, value, decimals(unit, value))
}

/// The same with so many decimals, where rounding does not claim too much.
fn rounded(unit: Unit, value: f64, decimals: usize) -> String {
    let percent = value * 100.0;
    match unit {
        _ if !value.is_finite() => "\u{2013}".into(),
        Unit::Share if value > 0.0 && percent < 0.5 => format!("<1{NBSP}%"),
        Unit::Share if value < 1.0 && percent >= 99.5 => format!(">99{NBSP}%"),
        Unit::Chance if value < 0.001 => format!("below{NBSP}0.001"),
        _ => digits(unit, value, decimals),
    }
}

/// Sign, number and unit.
fn digits(unit: Unit, value: f64, decimals: usize) -> String {
    let size = value.abs();
    let text = match unit {
        Unit::Share => format!("{:.decimals$}{NBSP}%", size * 100.0),
        Unit::Money | Unit::MoneyDifference => format!("${size:.decimals$}"),
        Unit::Count => thousands(size),
        Unit::Millis | Unit::MillisDifference if decimals == 0 => {
            format!("{}{NBSP}ms", thousands(size))
        }
        Unit::Millis | Unit::MillisDifference => format!("{size:.decimals$}{NBSP}ms"),
        Unit::Seconds => format!("{size:.decimals$}{NBSP}s"),
        _ => format!("{size:.decimals$}"),
    };
    let plus = matches!(
        unit,
        Unit::Difference | Unit::MoneyDifference | Unit::MillisDifference | Unit::Bound
    );
    signed(value, &text, plus)
}

/// Decimals of a number that stands alone.
fn decimals(unit: Unit, value: f64) -> usize {
    match unit {
        Unit::Points | Unit::Difference | Unit::Chance => 3,
        Unit::Bound => 4,
        Unit::Money | Unit::MoneyDifference => money_decimals(value),
        Unit::Millis | Unit::MillisDifference => usize::from(value.abs() < 9.95),
        Unit::Statistic => 1,
        Unit::Seconds => usize::from(value.abs() < 9.95),
        Unit::Share | Unit::Count => 0,
    }
}

/// Puts the sign before digits; a value that rounds to nothing has none.
fn signed(value: f64, digits: &str, plus: bool) -> String {
    let zero = !digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    match () {
        () if zero => digits.to_owned(),
        () if value < 0.0 => format!("{MINUS}{digits}"),
        () if plus => format!("+{digits}"),
        () => digits.to_owned(),
    }
}

/// Decimals that leave two significant digits, three if the first is a 1; never fewer than two.
fn money_decimals(value: f64) -> usize {
    let size = value.abs();
    if !(1e-9..1.0).contains(&size) {
        return 2;
    }
    let exponent = size.log10().floor();
    let first = size / 10f64.powf(exponent);
    let wanted = -exponent + if first < 2.0 { 2.0 } else { 1.0 };
    wanted.clamp(2.0, 9.0) as usize
}

/// Decimals of a number with an interval: of money one more where the interval would not be seen.
fn interval_decimals(unit: Unit, found: &Interval) -> usize {
    // A difference may be next to nothing: its ends say how fine it is known.
    let ends = found.lower.abs().max(found.upper.abs());
    match unit {
        Unit::MoneyDifference => return money_decimals(ends),
        Unit::MillisDifference => return decimals(unit, ends),
        _ => {}
    }
    let own = decimals(unit, found.value);
    let unseen = (found.upper - found.lower).abs() < 3.0 * 10f64.powi(-(own as i32));
    (own + usize::from(unit == Unit::Money && unseen)).min(9)
}

fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, c) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(c);
    }
    text
}

/// The label of a tick, with the decimals that ticks `step` apart need.
pub(crate) fn tick(unit: Unit, value: f64, step: f64) -> String {
    let scale = if unit == Unit::Share { 100.0 } else { 1.0 };
    let decimals = (-(step * scale).log10() - 1e-9).ceil().clamp(0.0, 9.0);
    digits(unit, value, decimals as usize)
}

/// A number that carries its value.
pub(crate) fn figure(unit: Unit, value: f64) -> Element {
    carrying(value, write(unit, value))
}

fn carrying(value: f64, text: String) -> Element {
    Element::new("data").set("value", value).text(text)
}

/// How many.
pub(crate) fn count(value: usize) -> Element {
    Element::new("data")
        .set("value", value)
        .text(write(Unit::Count, value as f64))
}

/// A number with its interval: `0.762 (0.741 to 0.783)`.
pub(crate) fn interval(unit: Unit, found: &Interval) -> Element {
    let decimals = interval_decimals(unit, found);
    let figure = |value| carrying(value, rounded(unit, value, decimals));
    between(
        figure(found.value),
        figure(found.lower),
        figure(found.upper),
    )
}

/// A value, and its ends in brackets.
fn between(value: Element, lower: Element, upper: Element) -> Element {
    let range = Element::new("span")
        .class("range")
        .text("(")
        .add(lower)
        .text(format_args!("{NBSP}to{NBSP}"))
        .add(upper)
        .text(")");
    Element::new("span")
        .class("figure")
        .add(value)
        .text(" ")
        .add(range)
}

/// Nano-dollars, which the JSON has, as dollars.
pub(crate) fn nano(unit: Unit, nano_usd: i64) -> Element {
    carrying_nano(nano_usd, write(unit, nano_usd as f64 * 1e-9))
}

/// The same with its interval: value, lower and upper end.
pub(crate) fn nano_interval(unit: Unit, [value, lower, upper]: [i64; 3]) -> Element {
    let usd = |nano: i64| nano as f64 * 1e-9;
    let found = Interval {
        value: usd(value),
        lower: usd(lower),
        upper: usd(upper),
    };
    let decimals = interval_decimals(unit, &found);
    let figure = |nano| carrying_nano(nano, rounded(unit, usd(nano), decimals));
    between(figure(value), figure(lower), figure(upper))
}

fn carrying_nano(nano_usd: i64, text: String) -> Element {
    Element::new("data").set("value", nano_usd).text(text)
}

/// From one number to another: `0.741 to 0.783`.
#[cfg(feature = "analytics")]
pub(crate) fn ends(unit: Unit, lower: f64, upper: f64) -> Element {
    Element::new("span")
        .class("figure")
        .add(figure(unit, lower))
        .text(format_args!("{NBSP}to{NBSP}"))
        .add(figure(unit, upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unit: Unit, value: f64, expected: &str) {
        assert_eq!(
            write(unit, value).replace(NBSP, " "),
            expected,
            "{unit:?} {value}"
        );
    }

    #[test]
    fn money_keeps_two_digits_that_say_something() {
        check(Unit::Money, 0.004_21, "$0.0042");
        check(Unit::Money, 0.000_114_4, "$0.000114");
        check(Unit::Money, 0.009, "$0.0090");
        check(Unit::Money, 12.3, "$12.30");
        check(Unit::Money, 0.0, "$0.00");
        check(Unit::Money, -0.5, "\u{2212}$0.50");
        check(Unit::Money, 1e-12, "$0.00");
    }

    #[test]
    fn shares_are_whole_percents_and_never_claim_all_or_nothing_wrongly() {
        check(Unit::Share, 0.4321, "43 %");
        check(Unit::Share, 0.0, "0 %");
        check(Unit::Share, 0.001, "<1 %");
        check(Unit::Share, 0.999, ">99 %");
        check(Unit::Share, 1.0, "100 %");
    }

    #[test]
    fn differences_have_a_sign_unless_they_round_to_nothing() {
        check(Unit::Difference, 0.0312, "+0.031");
        check(Unit::Difference, -0.0312, "\u{2212}0.031");
        check(Unit::Difference, -0.0001, "0.000");
        check(Unit::Points, -0.25, "\u{2212}0.250");
    }

    #[test]
    fn differences_of_money_and_time_have_their_sign_and_unit() {
        check(Unit::MoneyDifference, -0.002_924, "\u{2212}$0.0029");
        check(Unit::MoneyDifference, 0.5, "+$0.50");
        check(Unit::MillisDifference, -1105.9, "\u{2212}1,106 ms");
        check(Unit::MillisDifference, 0.08, "+0.1 ms");
        check(Unit::Millis, 2310.0, "2,310 ms");
        check(Unit::Bound, 0.000_9, "+0.0009");
    }

    #[test]
    fn a_difference_next_to_nothing_is_as_fine_as_its_interval() {
        let found = Interval {
            value: 4e-8,
            lower: -0.0013,
            upper: 0.0021,
        };
        let text = interval(Unit::MoneyDifference, &found).plain();
        let expected = "$0.0000 (\u{2212}$0.0013 to +$0.0021)";
        assert_eq!(text.replace(NBSP, " "), expected);
    }

    #[test]
    fn counts_seconds_and_chances_are_short() {
        check(Unit::Count, 1_234_567.0, "1,234,567");
        check(Unit::Count, 999.0, "999");
        check(Unit::Seconds, 0.42, "0.4 s");
        check(Unit::Seconds, 9.96, "10 s");
        check(Unit::Chance, 0.4312, "0.431");
        check(Unit::Chance, 1e-9, "below 0.001");
        check(Unit::Statistic, 12.34, "12.3");
    }

    #[test]
    fn ticks_have_the_decimals_that_their_step_needs() {
        let text = |unit, value, step| tick(unit, value, step).replace(NBSP, " ");
        assert_eq!(text(Unit::Points, 0.65, 0.05), "0.65");
        assert_eq!(text(Unit::Points, 0.7, 0.1), "0.7");
        assert_eq!(text(Unit::Money, 0.004, 0.002), "$0.004");
        assert_eq!(text(Unit::Share, 0.5, 0.25), "50 %");
        assert_eq!(text(Unit::Count, 1500.0, 500.0), "1,500");
        assert_eq!(text(Unit::Difference, -0.02, 0.02), "\u{2212}0.02");
    }

    #[test]
    fn what_is_no_number_is_a_dash() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            check(Unit::Money, value, "\u{2013}");
        }
    }

    fn check_interval(value: f64, lower: f64, upper: f64, expected: &str) {
        let found = Interval {
            value,
            lower,
            upper,
        };
        let text = interval(Unit::Money, &found).plain();
        assert_eq!(text.replace(NBSP, " "), expected);
    }

    #[test]
    fn the_ends_of_an_interval_are_rounded_like_its_value() {
        check_interval(0.0042, 0.0039, 0.0101, "$0.0042 ($0.0039 to $0.0101)");
    }

    #[test]
    fn a_narrow_interval_gets_a_digit_more_so_that_it_is_seen() {
        check_interval(0.0286, 0.0283, 0.0290, "$0.0286 ($0.0283 to $0.0290)");
        check_interval(12.344, 12.341, 12.349, "$12.344 ($12.341 to $12.349)");
    }
}
