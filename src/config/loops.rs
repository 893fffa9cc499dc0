//! `[teams.loops]`: what follows when an agent goes round, and when it does.
//!
//! Not here: finding it (`recurrence`, `loops`).

use super::fields::Fields;
use crate::loops::{Action, Watch};
use crate::recurrence::Rules;

/// How a team watches. `None`: it does not.
pub(super) fn read(team: &Fields<'_>) -> Option<Watch> {
    let fields = team.table("loops")?;
    let words = [("warn", Action::Warn), ("stop", Action::Stop)];
    let action = fields.required("action", |f, key| f.choice(key, &words));
    let usual = Rules::default();
    let width = fields.number("band_width", "2 to 20", |w| (2.0..=20.0).contains(&w));
    let rules = Rules {
        same_requests: fields
            .integer("same_requests", 2..=32)
            .unwrap_or(usual.same_requests),
        similar_bits: fields
            .integer("similar_bits", 0..=8)
            .unwrap_or(usual.similar_bits),
        same_tool_calls: fields
            .integer("same_tool_calls", 2..=1000)
            .unwrap_or(usual.same_tool_calls),
        band_width: width.unwrap_or(usual.band_width),
    };
    fields.done();
    action.map(|action| Watch { action, rules })
}
