//! Every metric there is: name, kind, help, labels, buckets. The README's list is made from it.
//!
//! Invariants: names say their unit and, of counters, end in `_total`, as Prometheus wants them; a label's values
//! are names of the configuration or words of ours.
//!
//! Not here: the values (`metrics`).
//!
//! Source: Prometheus' "Metric and label naming" and "Exposition formats" (text, version 0.0.4).

use std::fmt::Write;

/// What a metric's numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number of things that happened: it only grows.
    Counter,
    /// Dollars that only grow, counted in billionths.
    Dollars,
    /// How many there are now.
    Gauge,
    /// Times, counted by these upper bounds in nanoseconds.
    Histogram(&'static [u64]),
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// What its numbers mean.
    pub kind: Kind,
    /// What it is, in one line.
    pub help: &'static str,
    /// What its series are told apart by.
    pub labels: &'static [&'static str],
}

impl Kind {
    /// The word of the text format.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter | Self::Dollars => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000 * MICRO;
const SECOND: u64 = 1_000 * MILLI;

/// From a routed call (some 0.1 ms) to an agent's longest answer.
const CALLS: &[u64] = &[
    MILLI,
    5 * MILLI,
    25 * MILLI,
    100 * MILLI,
    250 * MILLI,
    500 * MILLI,
    SECOND,
    5 * SECOND / 2,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    120 * SECOND,
    300 * SECOND,
    600 * SECOND,
];

/// What gateways are compared by: from tens of microseconds up.
const OVERHEADS: &[u64] = &[
    20 * MICRO,
    50 * MICRO,
    100 * MICRO,
    200 * MICRO,
    350 * MICRO,
    500 * MICRO,
    750 * MICRO,
    MILLI,
    2 * MILLI,
    5 * MILLI,
    10 * MILLI,
    25 * MILLI,
    100 * MILLI,
    SECOND,
];

/// Until a first token.
const FIRST: &[u64] = &[
    10 * MILLI,
    50 * MILLI,
    100 * MILLI,
    200 * MILLI,
    350 * MILLI,
    500 * MILLI,
    750 * MILLI,
    SECOND,
    3 * SECOND / 2,
    5 * SECOND / 2,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
];

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family {
        name,
        kind,
        help,
        labels,
    }
}

/// The table: a constant for each metric, and all of them in their order.
macro_rules! metrics {
    ($($constant:ident $name:literal $kind:expr, $labels:expr, $help:literal;)*) => {
        $(#[doc = $help] pub const $constant: Family = family($name, $kind, &$labels, $help);)*
        /// All of them, in the order in which they are told.
        pub const ALL: &[Family] = &[$($constant),*];
    };
}

use Kind::{Counter, Dollars, Gauge, Histogram};

metrics! {
    BUILD_INFO "bellwether_build_info" Gauge, ["version"],
        "1, with the version that runs.";
    IN_FLIGHT "bellwether_in_flight" Gauge, [],
        "Calls at work: Route, Complete, streams until their end.";
    REQUESTS "bellwether_requests_total" Counter, ["call", "outcome"],
        "Calls that were let in and understood, by what became of them; abandoned: the caller left, or its deadline came.";
    REQUEST_DURATION "bellwether_request_duration_seconds" Histogram(CALLS), ["call"],
        "Time of a call, of a stream until its last piece.";
    OVERHEAD "bellwether_overhead_seconds" Histogram(OVERHEADS), ["call"],
        "Time of a call less its wait for the provider, of calls answered at the first try: what the gateway adds.";
    PROVIDER_DURATION "bellwether_provider_duration_seconds" Histogram(CALLS), ["endpoint", "streamed"],
        "Time until the whole answer, of attempts that were answered.";
    FIRST_TOKEN "bellwether_first_token_seconds" Histogram(FIRST), ["endpoint"],
        "Time until the first piece of a streamed answer.";
    ATTEMPTS "bellwether_attempts_total" Counter, ["endpoint", "outcome"],
        "Attempts of the gateway's own, by outcome: ok or the kind of error.";
    RETRIES "bellwether_retries_total" Counter, [],
        "Times that the same arm was asked again, at any of its endpoints.";
    FALLBACKS "bellwether_fallbacks_total" Counter, ["from", "to"],
        "Times that another arm was asked in an arm's stead.";
    BREAKER_OPEN "bellwether_breaker_open" Gauge, ["endpoint"],
        "1 where an endpoint has failed and is not asked for a while, else 0.";
    MISCONFIGURED "bellwether_endpoint_misconfigured" Gauge, ["endpoint"],
        "1 where an endpoint refused our key, account or address and has not answered since, else 0: somebody must mend it.";
    TOKENS "bellwether_tokens_total" Counter, ["endpoint", "kind"],
        "Tokens of attempts; cached ones are among the input, reasoning ones among the output.";
    COST "bellwether_cost_usd_total" Dollars, ["endpoint"],
        "What attempts cost, by the prices configured, where they are known.";
    BUDGET_REFUSALS "bellwether_budget_refusals_total" Counter, [],
        "Calls refused because a team's budget did not pay for any arm.";
    LIMIT_REFUSALS "bellwether_limit_refusals_total" Counter, ["limit", "owner"],
        "Calls refused by a limit on requests, tokens or calls at once: of what, and whose it is.";
    LOOPS "bellwether_loops_total" Counter, ["rule", "stopped"],
        "Calls of episodes that go round, by the rule that they broke, and whether they were refused.";
    SOFT_BUDGETS "bellwether_soft_budgets_passed_total" Counter, [],
        "How often spending passed the soft budget of a window.";
    NO_ELIGIBLE_ARM "bellwether_no_eligible_arm_total" Counter, ["reason"],
        "Calls refused because no arm could take them, once for each reason that left an arm out.";
    CHECKS "bellwether_checks_total" Counter, ["check", "passed"],
        "Answers that were held to a check, as the model gave them.";
    GUARDRAIL "bellwether_guardrail_requests_total" Counter, ["action", "kind"],
        "Requests in which a team's guardrail found something of a kind, and what it did: block, redact or flag.";
    FEEDBACK "bellwether_feedback_total" Counter, ["verdict"],
        "Items of feedback, those of checks among them.";
    JOURNAL_RECORDS "bellwether_journal_records_total" Counter, [],
        "Records in the journal since it began.";
    LEARNER_LAG "bellwether_learner_lag_records" Gauge, [],
        "Records of the journal that the published snapshot has not learned yet.";
    OTLP_DROPPED "bellwether_otlp_dropped_total" Counter, ["kind"],
        "Spans and events that were not sent over OTLP: too many waited, or the collector did not take them. Only with otlp_endpoint.";
    TEAM_REQUESTS "bellwether_team_requests_total" Counter, ["team", "outcome"],
        "As bellwether_requests_total, by team. Only with metrics_teams = true.";
    TEAM_COST "bellwether_team_cost_usd_total" Dollars, ["team"],
        "As bellwether_cost_usd_total, by team. Only with metrics_teams = true.";
}

/// The table for people, in Markdown.
pub fn markdown() -> String {
    let mut text = "| metric | kind | labels | what |\n|---|---|---|---|\n".to_owned();
    for family in ALL {
        let labels = family.labels.iter().map(|label| format!("`{label}`"));
        let labels = labels.collect::<Vec<_>>().join(", ");
        let (name, kind, help) = (family.name, family.kind.as_str(), family.help);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "| `{name}` | {kind} | {labels} | {help} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn check(rule: &str, holds: impl Fn(&Family) -> bool) {
        let faults: Vec<_> = ALL.iter().filter(|f| !holds(f)).map(|f| f.name).collect();
        assert!(faults.is_empty(), "{rule}: {faults:?}");
    }

    fn plain(word: &str) -> bool {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    }

    #[test]
    fn names_are_ours_unique_and_say_their_kind() {
        check("a name is plain", |f| plain(f.name));
        check("a name is ours", |f| f.name.starts_with("bellwether_"));
        check("a counter ends in _total, and nothing else does", |f| {
            let counts = matches!(f.kind, Kind::Counter | Kind::Dollars);
            f.name.ends_with("_total") == counts
        });
        check("dollars say so", |f| {
            f.name.ends_with("_usd_total") == (f.kind == Kind::Dollars)
        });
        check("a time says so", |f| {
            f.name.ends_with("_seconds") == matches!(f.kind, Kind::Histogram(_))
        });
        let names: BTreeSet<_> = ALL.iter().map(|f| f.name).collect();
        assert_eq!(names.len(), ALL.len());
    }

    #[test]
    fn every_metric_says_what_it_is_in_one_line() {
        check("help is a sentence", |f| {
            f.help.len() > 20 && f.help.ends_with('.') && !f.help.contains(['\n', '\\', '|'])
        });
    }

    #[test]
    fn labels_are_plain_and_never_the_histograms_own() {
        check("labels", |f| {
            f.labels.iter().all(|l| plain(l) && *l != "le")
        });
        let with_team = ALL.iter().filter(|f| f.labels.contains(&"team"));
        let names: Vec<_> = with_team.map(|f| f.name).collect();
        assert_eq!(names, [TEAM_REQUESTS.name, TEAM_COST.name]);
    }

    #[test]
    fn buckets_ascend() {
        check("buckets", |f| match f.kind {
            Kind::Histogram(bounds) => bounds.windows(2).all(|w| w[0] < w[1]),
            _ => true,
        });
    }

    #[test]
    fn the_readmes_list_is_this_table() {
        let readme = include_str!("../../README.md");
        assert!(
            readme.contains(&markdown()),
            "README.md lacks:\n{}",
            markdown()
        );
    }
}
