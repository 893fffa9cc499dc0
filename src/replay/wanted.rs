//! What a log lacks: the signals for want of which decisions have no outcome, and a refusal that
//! says so.
//!
//! Not here: which signals a quality needs (`scorecard`), the bounds of a refusal (`ope`).

use crate::id::Name;
use crate::ope::Refusal;
use serde::Serialize;
use std::fmt;

/// A signal that has not come, without which decisions have no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wanted {
    /// The signal.
    pub signal: Name,
    /// Decisions that want it.
    pub decisions: usize,
}

/// Why there are no estimates, and what the log lacks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Refused {
    /// Why.
    #[serde(flatten)]
    pub reason: Refusal,
    /// Where more outcomes would help: the signals that would give them, most wanted first.
    pub wanted: Vec<Wanted>,
}

impl Refused {
    /// `wanted` helps wherever outcomes are too few.
    pub(super) fn new(reason: Refusal, wanted: &[Wanted]) -> Self {
        let wanted = match reason {
            Refusal::NoRows | Refusal::EffectiveSampleSize { .. } => wanted.to_vec(),
            Refusal::Support { .. } | Refusal::Calibration { .. } | Refusal::MeanWeight { .. } => {
                Vec::new()
            }
        };
        Self { reason, wanted }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)?;
        if self.wanted.is_empty() {
            return Ok(());
        }
        write!(f, "; left out for want of {}", list(&self.wanted))?;
        f.write_str(
            ": send the signal, or say in the scorecard what a missing one means (missing = \"worst\" \
             or \"best\") and let its closing time come or close the episode",
        )
    }
}

/// The signals with their counts, in one line.
pub(super) fn list(wanted: &[Wanted]) -> String {
    let text = |w: &Wanted| format!("{} ({} decisions)", w.signal, w.decisions);
    wanted.iter().map(text).collect::<Vec<_>>().join(", ")
}
