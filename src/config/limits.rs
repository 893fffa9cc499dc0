//! `limits = { .. }` of a team, of `[organisation]` and of `[[keys]]`: how many requests, tokens and calls at once.
//!
//! Not here: keeping to them (`quota`).

use super::fields::Fields;
use crate::id::Name;
use crate::quota::{Per, Quota, Rate};
use std::collections::BTreeMap;

/// The limits of keys, by their names.
pub(super) type KeyQuotas = BTreeMap<Name, (Name, Quota)>;

/// The fields of one rate: by second, minute and hour, and its burst.
struct Named {
    rates: [(&'static str, Per); 3],
    burst: &'static str,
}

const REQUESTS: Named = Named {
    rates: [
        ("requests_per_second", Per::Second),
        ("requests_per_minute", Per::Minute),
        ("requests_per_hour", Per::Hour),
    ],
    burst: "requests_burst",
};

const TOKENS: Named = Named {
    rates: [
        ("tokens_per_second", Per::Second),
        ("tokens_per_minute", Per::Minute),
        ("tokens_per_hour", Per::Hour),
    ],
    burst: "tokens_burst",
};

/// Most calls at once that can be said.
const MOST_PARALLEL: u32 = 1_000_000;

/// The limits of whatever `of` is.
pub(super) fn read(of: &Fields<'_>) -> Option<Quota> {
    let fields = of.table("limits")?;
    let quota = Quota {
        requests: rate(&fields, &REQUESTS),
        tokens: rate(&fields, &TOKENS),
        parallel: fields.integer("parallel_calls", 1..=MOST_PARALLEL),
    };
    if fields.keys().is_empty() {
        let allowed = "requests_per_minute, tokens_per_minute, parallel_calls";
        of.problem("limits", "says nothing", allowed);
    }
    fields.done();
    Some(quota)
}

fn rate(fields: &Fields<'_>, named: &Named) -> Option<Rate> {
    let said = named.rates.map(|(key, per)| {
        let amount = fields.integer(key, 1..=Rate::most(per))?;
        Some((key, amount, per))
    });
    let there: Vec<&str> = named.rates.iter().map(|(key, _)| *key).collect();
    let there: Vec<&str> = there.into_iter().filter(|key| fields.has(key)).collect();
    let burst = fields.integer(named.burst, 1..=u32::MAX);
    if let [first, second, ..] = there.as_slice() {
        fields.problem(second, &format!("given beside {first}"), "one of the two");
        return None;
    }
    if there.is_empty() && fields.has(named.burst) {
        let rates = named.rates.map(|(key, _)| format!("`{key}`"));
        fields.problem(
            named.burst,
            "stands alone",
            format!("with {}", rates.join(", ")),
        );
    }
    let (_, amount, per) = said.into_iter().flatten().next()?;
    let rate = Rate::new(amount, per, burst);
    if rate.is_none() && burst.is_some() {
        let allowed = "at most what comes in seven days";
        fields.problem(named.burst, "out of range", allowed);
    }
    rate
}
