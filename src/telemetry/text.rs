//! The text format of Prometheus, version 0.0.4.
//!
//! Invariants: whatever a name of the configuration holds, a line stays one line and a label one label; numbers are
//! exact.
//!
//! Not here: which lines there are (`grid`).
//!
//! Source: Prometheus, "Exposition formats".

use super::cell::{Count, Times};
use super::table::{Family, Kind};
use std::fmt::Write;

/// The text so far.
#[derive(Debug, Default)]
pub(super) struct Page(String);

impl Page {
    pub(super) fn finish(self) -> String {
        self.0
    }

    /// The two lines before a metric's series.
    pub(super) fn head(&mut self, family: &Family) {
        let Family { name, help, .. } = family;
        let kind = family.kind.as_str();
        self.put(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    /// One number of a series. `labels` as [`labels`] writes them.
    pub(super) fn line(&mut self, name: &str, labels: &str, value: &str) {
        match labels {
            "" => self.put(format_args!("{name} {value}\n")),
            labels => self.put(format_args!("{name}{{{labels}}} {value}\n")),
        }
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a text cannot fail.
        let _ = self.0.write_fmt(text);
    }
}

/// A cell that can be written.
pub(super) trait Written {
    /// Nothing was told to it yet.
    fn is_untouched(&self) -> bool;

    /// Its lines.
    fn write(&self, family: &Family, labels: &str, page: &mut Page);
}

impl Written for Count {
    fn is_untouched(&self) -> bool {
        self.get() == 0
    }

    fn write(&self, family: &Family, labels: &str, page: &mut Page) {
        let value = match family.kind {
            Kind::Dollars => billionths(self.get()),
            _ => self.get().to_string(),
        };
        page.line(family.name, labels, &value);
    }
}

impl Written for Times {
    fn is_untouched(&self) -> bool {
        self.is_empty()
    }

    fn write(&self, family: &Family, labels: &str, page: &mut Page) {
        let comma = if labels.is_empty() { "" } else { "," };
        let (bucket, mut all) = (format!("{}_bucket", family.name), 0);
        for (bound, count) in self.upto() {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), billionths);
            let labels = format!("{labels}{comma}le=\"{bound}\"");
            page.line(&bucket, &labels, &count.to_string());
            all = count;
        }
        let sum = format!("{}_sum", family.name);
        page.line(&sum, labels, &billionths(self.sum()));
        page.line(&format!("{}_count", family.name), labels, &all.to_string());
    }
}

/// Labels between their braces.
pub(super) fn labels<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let written = pairs.map(|(label, value)| format!("{label}=\"{}\"", escaped(value)));
    written.collect::<Vec<_>>().join(",")
}

fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

/// A number of billionths as a decimal, exactly.
fn billionths(count: u64) -> String {
    let (whole, rest) = (count / 1_000_000_000, count % 1_000_000_000);
    match rest {
        0 => whole.to_string(),
        rest => format!("{whole}.{rest:09}")
            .trim_end_matches('0')
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn check(value: u64, expected: &str) {
        assert_eq!(billionths(value), expected);
    }

    #[test]
    fn billionths_are_written_exactly() {
        check(0, "0");
        check(1, "0.000000001");
        check(20_000, "0.00002");
        check(2_500_000_000, "2.5");
        check(7_000_000_000, "7");
    }

    #[test]
    fn a_histogram_is_its_buckets_its_sum_and_its_count() {
        let family = Family {
            name: "wait_seconds",
            kind: Kind::Histogram(&[1_000_000, 1_000_000_000]),
            help: "A wait.",
            labels: &["of"],
        };
        let Kind::Histogram(bounds) = family.kind else {
            panic!("a histogram");
        };
        let times = Times::new(bounds);
        for ms in [1, 2, 1500] {
            times.note(Duration::from_millis(ms));
        }
        let mut page = Page::default();
        page.head(&family);
        let labels = labels([("of", "a \"b\" \\ c")].into_iter());
        times.write(&family, &labels, &mut page);
        assert_eq!(
            page.finish(),
            r#"# HELP wait_seconds A wait.
# TYPE wait_seconds histogram
wait_seconds_bucket{of="a \"b\" \\ c",le="0.001"} 1
wait_seconds_bucket{of="a \"b\" \\ c",le="1"} 2
wait_seconds_bucket{of="a \"b\" \\ c",le="+Inf"} 3
wait_seconds_sum{of="a \"b\" \\ c"} 1.503
wait_seconds_count{of="a \"b\" \\ c"} 3
"#
        );
    }

    proptest! {
        #[test]
        fn no_value_leaves_its_quotes_or_its_line(value in "[a\\\\\"\n ]{0,12}") {
            let written = escaped(&value);
            prop_assert!(!written.contains('\n'));
            let mut back = String::new();
            let mut rest = written.chars();
            while let Some(c) = rest.next() {
                match c {
                    '"' => prop_assert!(false, "a bare quote in {}", written),
                    '\\' => back.push(match rest.next() { Some('n') => '\n', c => c.unwrap_or('!') }),
                    c => back.push(c),
                }
            }
            prop_assert_eq!(back, value);
        }
    }
}
