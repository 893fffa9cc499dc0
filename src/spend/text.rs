//! The report as a table for a terminal.

use super::labels::Labels;
use super::spent::{Row, Spent};
use super::sums::Sums;
use super::units::{Money, Saved, Verdict};
use super::wanted::Dimension;
use std::fmt;

/// What stands at the left of a table, what at the right.
struct Column {
    head: String,
    cells: Vec<String>,
    left: bool,
}

impl Column {
    fn new(head: impl fmt::Display, left: bool, cells: impl Iterator<Item = String>) -> Self {
        Self {
            head: head.to_string(),
            cells: cells.collect(),
            left,
        }
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by: Vec<String> = self.by.iter().map(ToString::to_string).collect();
        let by = if by.is_empty() {
            "all together".to_owned()
        } else {
            format!("by {}", by.join(", "))
        };
        write!(f, "Spent {by}: {}, days in {}", self.stretch(), self.zone)?;
        if let Some(team) = &self.team {
            write!(f, ", team {team}")?;
        }
        writeln!(f, "; {} records read", self.records)?;
        writeln!(f)?;
        write_table(f, &self.columns())?;
        writeln!(f, "\nSaved against the baseline, with 95 % intervals")?;
        write_table(f, &compared(&self.saved))?;
        writeln!(f)?;
        for note in self.notes() {
            writeln!(f, "{note}")?;
        }
        Ok(())
    }
}

impl Spent {
    /// The days, in words.
    pub fn stretch(&self) -> String {
        match (&self.from, &self.to) {
            (None, None) => "all days".to_owned(),
            (Some(from), None) => format!("from {from} on"),
            (None, Some(to)) => format!("up to {to}"),
            (Some(from), Some(to)) => format!("{from} to {to}"),
        }
    }

    fn columns(&self) -> Vec<Column> {
        let total = Row::new(Labels::default(), self.total);
        let mut columns = Vec::new();
        for (at, dimension) in self.by.iter().enumerate() {
            let words = |row: &Row| printable(row.labels.words(*dimension));
            let last = if at == 0 { "total" } else { "" };
            let cells = self.rows.iter().map(words).chain([last.to_owned()]);
            columns.push(Column::new(dimension, true, cells));
        }
        let rows = || self.rows.iter().chain([&total]).map(|row| &row.sums);
        let mut number = |head: &str, of: fn(&Sums) -> String| {
            // Of one row without a name the total is that row.
            let skip = usize::from(self.by.is_empty() && !self.rows.is_empty());
            columns.push(Column::new(head, false, rows().skip(skip).map(of)));
        };
        number("requests", |s| s.requests.to_string());
        number("attempts", |s| s.attempts.to_string());
        number("failed", |s| s.failed_attempts.to_string());
        number("input", |s| s.input_tokens.to_string());
        number("cached", |s| percent(s.cached_share()));
        number("output", |s| s.output_tokens.to_string());
        number("spent USD", |s| usd(s.spent_nano_usd));
        number("estimated", |s| percent(s.estimated_share()));
        number("narrowed", |s| s.narrowed_requests.to_string());
        columns
    }

    /// What a reader of the figures has to know.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec![format!("{}.", Self::REFUSED)];
        let mut told = |count: u64, what: &str| {
            if count > 0 {
                notes.push(format!("{what}: {count}."));
            }
        };
        told(
            self.total.attempts_without_cost,
            "Attempts that served and do not say what they cost, so that their money is not in it",
        );
        told(
            self.total.failed_attempts_without_cost,
            "Attempts that failed and do not say what they cost, if anything",
        );
        told(
            self.attempts_without_decision,
            "Attempts long after their decision, or without one, which count for team, arm and day alone",
        );
        told(
            self.undecodable_records,
            "Records of the journal that cannot be read, so that what they say is not in it",
        );
        let sides = self.saved.iter().filter_map(|saved| saved.compared);
        let one_in = sides.map(|c| c.router.one_in.max(c.held_out.one_in)).max();
        if let Some(one_in) = one_in.filter(|one_in| *one_in > 1) {
            notes.push(format!(
                "Of the episodes that are compared one in {one_in} was looked at, by a hash of their names."
            ));
        }
        notes
    }
}

impl Saved {
    /// What can be said, in words.
    pub fn words(&self) -> String {
        match self.verdict {
            Verdict::Measured => String::new(),
            Verdict::NoBaseline => "no baseline: nothing to compare with".to_owned(),
            Verdict::TooLittle => {
                let least = super::units::LEAST_UNITS;
                format!("too little data: {least} episodes of either side are needed")
            }
            Verdict::Unlike => {
                "not comparable: requests of unknown cost are more frequent on one side".to_owned()
            }
        }
    }
}

fn compared(all: &[Saved]) -> Vec<Column> {
    let dimensions = [
        Dimension::Team,
        Dimension::Key,
        Dimension::Task,
        Dimension::Day,
    ];
    let has = |dimension: &Dimension| match dimension {
        Dimension::Key => all.iter().any(|s| s.labels.key.is_some()),
        Dimension::Task => all.iter().any(|s| s.labels.task.is_some()),
        Dimension::Day => all.iter().any(|s| s.labels.day.is_some()),
        _ => true,
    };
    let mut columns = Vec::new();
    for dimension in dimensions.into_iter().filter(has) {
        let words = |saved: &Saved| match saved.verdict {
            Verdict::NoBaseline if dimension != Dimension::Team => String::new(),
            _ => printable(saved.labels.words(dimension)),
        };
        columns.push(Column::new(dimension, true, all.iter().map(words)));
    }
    let baseline = |s: &Saved| s.baseline.as_deref().map_or("-".to_owned(), printable);
    columns.push(Column::new("baseline", true, all.iter().map(baseline)));
    let side = |of: fn(&super::units::Compared) -> u64| {
        move |s: &Saved| {
            s.compared
                .as_ref()
                .map_or("-".to_owned(), |c| of(c).to_string())
        }
    };
    let router = side(|c| c.router.episodes);
    columns.push(Column::new("episodes", false, all.iter().map(router)));
    let held_out = side(|c| c.held_out.episodes);
    columns.push(Column::new("held out", false, all.iter().map(held_out)));
    let said = |money: &Option<Money>| money.map_or("-".to_owned(), |money| between(&money));
    let each = |s: &Saved| said(&s.episode);
    columns.push(Column::new(
        "saved an episode, USD",
        true,
        all.iter().map(each),
    ));
    let total = |s: &Saved| match s.verdict {
        Verdict::Measured => said(&s.total),
        _ => s.words(),
    };
    columns.push(Column::new(
        "saved in all, USD",
        true,
        all.iter().map(total),
    ));
    columns
}

fn write_table(f: &mut fmt::Formatter<'_>, columns: &[Column]) -> fmt::Result {
    let rows = columns.iter().map(|c| c.cells.len()).max().unwrap_or(0);
    let width = |column: &Column| {
        let cells = column.cells.iter().chain([&column.head]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let mut line = |of: &dyn Fn(&Column) -> String| {
        let mut text = String::new();
        for (column, width) in columns.iter().zip(&widths) {
            let cell = of(column);
            let room = " ".repeat(width.saturating_sub(cell.chars().count()));
            text.push_str(&match column.left {
                true => format!("{cell}{room}  "),
                false => format!("{room}{cell}  "),
            });
        }
        writeln!(f, "{}", text.trim_end())
    };
    line(&|column| column.head.clone())?;
    for row in 0..rows {
        line(&|column| column.cells.get(row).cloned().unwrap_or_default())?;
    }
    Ok(())
}

/// A name that a terminal shows and does not obey, and that cannot make what follows read the other way round.
fn printable(name: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let shown = |c: char| match c.is_control() || turns(c) {
        true => '\u{fffd}',
        false => c,
    };
    name.chars().map(shown).collect()
}

/// Nano-dollars as dollars, to a millionth.
fn usd(nano: i64) -> String {
    format!("{:.6}", nano as f64 * 1e-9)
}

fn between(money: &Money) -> String {
    let [value, lower, upper] = [
        money.value_nano_usd,
        money.lower_nano_usd,
        money.upper_nano_usd,
    ]
    .map(usd);
    format!("{value} ({lower} to {upper})")
}

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}
