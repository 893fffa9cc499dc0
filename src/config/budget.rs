//! `budget = { .. }` of a team, and `[organisation]` and `[[keys]]` with one: what may be spent.
//!
//! Not here: keeping to it (`budget`, `account`).

use super::date;
use super::fields::Fields;
use super::limits;
use crate::budget::{Budget, Limit, Raise, Refill, Terms, Window, Zone};
use crate::quota::Quota;
use crate::unit::NanoUsd;

/// Fields that say something of a limit, and nothing without one.
const OF_A_LIMIT: [&str; 5] = [
    "time_zone",
    "soft_usd",
    "decision_usd",
    "raise_usd",
    "raise_until",
];

/// A mean USD a request that spending is paced to, a hard limit, or both.
pub(super) fn of_team(team: &Fields<'_>) -> Option<(Budget, Option<Terms>)> {
    let fields = team.table("budget")?;
    let request_usd = fields.number("request_usd", "1e-9 to 1e6", |usd| {
        (1e-9..=1e6).contains(&usd)
    });
    let terms = terms(&fields);
    if !["request_usd", "limit_usd", "per"]
        .iter()
        .any(|key| fields.has(key))
    {
        team.problem(
            "budget",
            "says nothing",
            "request_usd, or limit_usd with per, or both",
        );
    }
    fields.done();
    let limit = terms.map(|terms| terms.limit);
    Some((Budget { request_usd, limit }, terms))
}

/// A hard limit and nothing else: of a key, of the organisation.
pub(super) fn of_others(of: &Fields<'_>) -> Option<Terms> {
    let fields = of.table("budget")?;
    let terms = terms(&fields);
    if !["limit_usd", "per"].iter().any(|key| fields.has(key)) {
        of.problem("budget", "says no limit", "limit_usd with per");
    }
    fields.done();
    terms
}

/// What all teams may spend together, and how often they may call.
pub(super) fn of_organisation(root: &Fields<'_>) -> (Option<Terms>, Option<Quota>) {
    let Some(fields) = root.table("organisation") else {
        return (None, None);
    };
    let (terms, quota) = (of_others(&fields), limits::read(&fields));
    fields.done();
    (terms, quota)
}

fn usd(fields: &Fields<'_>, key: &'static str) -> Option<NanoUsd> {
    let usd = fields.number(key, "1e-9 to 1e9", |usd| (1e-9..=1e9).contains(&usd))?;
    NanoUsd::from_usd(usd).ok()
}

fn terms(fields: &Fields<'_>) -> Option<Terms> {
    let limit_usd = usd(fields, "limit_usd");
    let refill = refill(fields);
    let (limited, filled) = (fields.has("limit_usd"), fills(fields));
    if limited != filled.is_some() {
        let (there, lacking) = match filled {
            Some(by) => (by, "limit_usd"),
            None => ("limit_usd", "per"),
        };
        fields.problem(there, "stands alone", format!("with `{lacking}`"));
    }
    let zone = fields.parse(
        "time_zone",
        "a name of the IANA database, as in Europe/Berlin",
        Zone::named,
    );
    let soft = usd(fields, "soft_usd");
    let decision = usd(fields, "decision_usd");
    let raise = raise(fields);
    let mut of_a_limit = OF_A_LIMIT.iter().filter(|key| fields.has(key));
    if let Some(key) = of_a_limit.next().filter(|_| !limited) {
        fields.problem(key, "stands alone", "with `limit_usd`");
    }
    let (usd, refill) = limit_usd.zip(refill)?;
    if fields.has("time_zone") && !matches!(refill, Refill::Calendar(_)) {
        fields.problem("time_zone", "no window begins", "with `per`");
    }
    if soft.is_some_and(|soft| soft > usd) {
        fields.problem("soft_usd", "above the limit", "at most `limit_usd`");
    }
    Some(Terms {
        limit: Limit { usd, refill },
        zone: zone.unwrap_or_default(),
        soft,
        decision,
        raise,
    })
}

/// The field that says how a limit fills again, if there is one.
fn fills(fields: &Fields<'_>) -> Option<&'static str> {
    let mut ways = ["per", "refill_usd_per_hour"].into_iter();
    ways.find(|key| fields.has(key))
}

/// All at once where a window begins, or steadily.
fn refill(fields: &Fields<'_>) -> Option<Refill> {
    let windows = [
        ("day", Window::Day),
        ("week", Window::Week),
        ("month", Window::Month),
    ];
    let window = fields.choice("per", &windows).map(Refill::Calendar);
    // A nano-dollar a second, to a dollar a millisecond.
    let hourly = fields.number("refill_usd_per_hour", "0.0000036 to 3.6e6", |usd| {
        (3.6e-6..=3.6e6).contains(&usd)
    });
    if fields.has("per") && fields.has("refill_usd_per_hour") {
        fields.problem("refill_usd_per_hour", "given beside per", "one of the two");
        return None;
    }
    let second = hourly.and_then(|hourly| NanoUsd::from_usd(hourly / 3600.0).ok());
    window.or(second.map(Refill::PerSecond))
}

/// More until a time that is said.
fn raise(fields: &Fields<'_>) -> Option<Raise> {
    let by = usd(fields, "raise_usd");
    let allowed = "a day or a moment in UTC, as in 2026-12-01 or \"2026-12-01T08:00:00Z\"";
    let until = fields.time("raise_until", allowed, date::time);
    for (there, lacking) in [("raise_usd", "raise_until"), ("raise_until", "raise_usd")] {
        if fields.has(there) && !fields.has(lacking) {
            fields.problem(there, "stands alone", format!("with `{lacking}`"));
        }
    }
    let (by, until) = by.zip(until)?;
    Some(Raise { by, until })
}
