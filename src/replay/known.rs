//! What is known of a decision's signals: seen, assumed because their time is over, or unknown.
//!
//! Invariants: a signal is assumed only after its closing time, or once its episode was closed, and only
//! as the scorecard says; before that it is unknown. Quality is said of a decision of which something
//! was seen, or all is known.
//!
//! Not here: what was seen (`collect`, `rescore`), what a value is worth (`scorecard`).

use crate::id::Name;
use crate::scorecard::{Scorecard, Spec};
use crate::unit::Timestamp;

/// One signal of one decision; values are normalised to 0 worst, 1 best.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Known {
    /// Feedback gave it.
    Seen(f64),
    /// None came in time: the scorecard's value of a missing one.
    Assumed(f64),
    /// None came yet, or none came and the scorecard assumes nothing.
    Unknown,
}

/// How long a decision was listened for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heard {
    /// When it was made.
    pub(super) made: Timestamp,
    /// What had come by then is here. Absent: not known, so that nothing counts as over.
    pub(super) until: Option<Timestamp>,
    /// Its episode was closed: nothing more will come.
    pub(super) closed: bool,
}

impl Heard {
    /// What is known of a signal, given its value if it was seen.
    pub(super) fn know(&self, spec: &Spec, seen: Option<f64>) -> Known {
        let closes = self.made.after(spec.closes_after);
        let over = self.closed || self.until.is_some_and(|until| closes <= until);
        match (seen, spec.missing.value().filter(|_| over)) {
            (Some(value), _) => Known::Seen(value),
            (None, Some(value)) => Known::Assumed(value),
            (None, None) => Known::Unknown,
        }
    }
}

impl Known {
    /// The value, seen or assumed.
    pub(super) fn value(self) -> Option<f64> {
        match self {
            Self::Seen(value) | Self::Assumed(value) => Some(value),
            Self::Unknown => None,
        }
    }
}

/// Where there is no quality, the signals whose coming would give one.
pub(super) fn wanted(scorecard: &Scorecard, signals: &[Known]) -> Vec<Name> {
    let values: Vec<Option<f64>> = signals.iter().map(|known| known.value()).collect();
    let name = |signal: usize| scorecard.signals().get(signal).map(|s| s.name.clone());
    let wanted = scorecard.wanted(&values).into_iter();
    wanted.filter_map(name).collect()
}

/// Quality of a decision, one entry for each signal.
pub(super) fn quality(scorecard: &Scorecard, signals: &[Known]) -> Option<f64> {
    let seen = signals.iter().any(|known| matches!(known, Known::Seen(_)));
    let values: Vec<Option<f64>> = signals.iter().map(|known| known.value()).collect();
    let all = values.iter().all(Option::is_some);
    scorecard.score(&values).quality.filter(|_| seen || all)
}
