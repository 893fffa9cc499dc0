//! The span of the caller that a call belongs to, as `traceparent` tells it.
//!
//! Invariants: what is not of the form is no parent, as the standard wants it; neither id is zero.
//!
//! Not here: `tracestate` and `baggage`, which are neither kept nor passed on; what becomes of a parent (`otlp`).
//!
//! Source: W3C, "Trace Context", level 1, section 3.2.

use super::otlp;
use http::HeaderMap;

/// The span of the caller that a call belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    /// Its trace.
    pub trace: u128,
    /// The span within the trace.
    pub span: u64,
    /// Whether the caller records the trace.
    pub sampled: bool,
}

impl Parent {
    /// The parent that a call's headers name, if spans can be sent at all.
    pub fn of(head: &HeaderMap) -> Option<Self> {
        if !otlp::BUILT {
            return None;
        }
        let mut said = head.get_all("traceparent").iter();
        let (one, more) = (said.next()?, said.next());
        more.is_none().then(|| Self::parse(one.to_str().ok()?))?
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let version = hex(parts.next()?, 2)?;
        let trace = hex(parts.next()?, 32)?;
        let span = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = hex(parts.next()?, 2)?;
        // Later versions may say more after what this one says.
        let known = match version {
            0 => parts.next().is_none(),
            version => version != 0xff,
        };
        (known && trace != 0 && span != 0).then_some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let plain = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let fits = text.len() == digits && text.bytes().all(plain);
    fits.then(|| u128::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn check(text: &str, expected: Option<bool>) {
        let found = Parent::parse(text);
        assert_eq!(found.map(|parent| parent.sampled), expected, "{text}");
        if let Some(parent) = found {
            assert_eq!(format!("{:032x}", parent.trace), TRACE);
            assert_eq!(format!("{:016x}", parent.span), SPAN);
        }
    }

    #[test]
    fn a_parent_is_read_as_the_standard_says() {
        check(&format!("00-{TRACE}-{SPAN}-01"), Some(true));
        check(&format!("00-{TRACE}-{SPAN}-00"), Some(false));
        check(&format!("00-{TRACE}-{SPAN}-03"), Some(true));
        check(
            &format!("cc-{TRACE}-{SPAN}-01-what-comes-later"),
            Some(true),
        );
    }

    #[test]
    fn what_is_not_of_the_form_is_no_parent() {
        let (no_trace, no_span) = ("0".repeat(32), "0".repeat(16));
        for bad in [
            String::new(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{no_trace}-{SPAN}-01"),
            format!("00-{TRACE}-{no_span}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-+{}-{SPAN}-01", &TRACE[1..]),
            format!("0-{TRACE}-{SPAN}-01"),
            format!("00-{TRACE}0-{SPAN}-01"),
        ] {
            check(&bad, None);
        }
    }

    #[test]
    fn a_header_that_stands_twice_is_no_parent_nor_is_any_where_spans_cannot_be_sent() {
        let mut head = HeaderMap::new();
        assert_eq!(Parent::of(&head), None);
        let value: http::HeaderValue = format!("00-{TRACE}-{SPAN}-01").parse().unwrap();
        head.append("traceparent", value.clone());
        assert_eq!(Parent::of(&head).is_some(), otlp::BUILT);
        head.append("traceparent", value);
        assert_eq!(Parent::of(&head), None);
    }

    proptest! {
        #[test]
        fn nothing_that_a_caller_sends_is_a_fault(text in "\\PC{0,80}") {
            let _ = Parent::parse(&text);
        }
    }
}
