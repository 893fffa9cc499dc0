//! What a team's guardrail found, as a reply tells it.
//!
//! Invariants: kinds and places, never the text.
//!
//! Not here: looking (`route::screen`, `redaction`), the header (`chat_reply`).

use crate::redaction::{Finding, Kind};
use crate::route::Told;
use serde::Serialize;

/// What the team's guardrail found.
#[derive(Serialize)]
pub(super) struct GuardrailOut {
    action: &'static str,
    findings: Vec<FindingOut>,
}

#[derive(Serialize)]
struct FindingOut {
    field: String,
    kinds: Vec<&'static str>,
}

impl GuardrailOut {
    pub(super) fn of(told: &Told) -> Self {
        let finding = |finding: &Finding| FindingOut {
            field: finding.place.to_string(),
            kinds: finding.kinds.iter().map(Kind::as_str).collect(),
        };
        Self {
            action: told.action.as_str(),
            findings: told.findings.iter().take(LISTED).map(finding).collect(),
        }
    }
}

/// Most findings that are told.
const LISTED: usize = 64;
