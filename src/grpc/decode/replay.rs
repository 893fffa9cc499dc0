//! Requests of `EvaluationService`.
//!
//! Invariants: 1 to 32 candidates of at most 512 bytes, each a policy; a window that is not empty; at most 16
//! guards, each signal once; a scale that has an extent.
//!
//! Not here: the judgement (`judging`).

use super::super::status::Failure;
use super::time;
use crate::bandit::Policy;
use crate::field::Fields;
use crate::id::Name;
use crate::path::Path;
use crate::proto::v1::{self, ReplayAim};
use crate::unit::Timestamp;

const CANDIDATES: std::ops::RangeInclusive<usize> = 1..=32;
const CANDIDATE_BYTES: usize = 512;
const MOST_GUARDS: usize = 16;

/// What stands for whatever was logged.
const LOGGED: &str = "logged";

/// What to judge, on which decisions.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// Specifications of policies, in the order asked.
    pub candidates: Vec<String>,
    /// Specification of what they are held against.
    pub incumbent: String,
    /// Only decisions made then or later.
    pub since: Option<Timestamp>,
    /// Only decisions made before.
    pub until: Option<Timestamp>,
    /// Whether the change is for saving, rather than for utility.
    pub saving: bool,
    /// Signals and how far they may move: down where negative.
    pub guards: Vec<(Name, f64)>,
    /// Whether somebody looks now and then.
    pub peeking: bool,
    /// The ends of the scale of utility.
    pub utility: (f64, f64),
}

/// A replay.
pub(in crate::grpc) fn replay(said: v1::ReplayRequest) -> Result<Replay, Failure> {
    let mut fields = Fields::default();
    let at = Path::Root.field("candidates");
    if fields.count(at, said.candidates.len(), CANDIDATES) {
        for (i, candidate) in said.candidates.iter().enumerate() {
            policy(&mut fields, at.index(i), candidate);
        }
    }
    let incumbent = said.incumbent.unwrap_or_else(|| LOGGED.to_owned());
    policy(&mut fields, Path::Root.field("incumbent"), &incumbent);
    let since = time::time(&mut fields, "since_time", said.since_time);
    let until = time::time(&mut fields, "until_time", said.until_time);
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        fields.refuse(
            "until_time",
            "is not after since_time: required where both are set",
        );
    }
    let saving = saving(&mut fields, said.aim);
    let guards = guards(&mut fields, &said.guards);
    let utility = scale(&mut fields, said.utility_range);
    Ok(fields.finish(Some(Replay {
        candidates: said.candidates,
        incumbent,
        since,
        until,
        saving,
        guards,
        peeking: said.peeking,
        utility,
    }))?)
}

/// What must be a policy's specification.
fn policy(fields: &mut Fields, at: Path<'_>, text: &str) {
    if text.is_empty() {
        fields.refuse(at, "is empty: allowed NAME[:key=value,..]");
    } else if fields.bytes_at_most(at, text, CANDIDATE_BYTES)
        && text != LOGGED
        && let Err(error) = text.parse::<Policy>()
    {
        fields.refuse(at, error);
    }
}

fn saving(fields: &mut Fields, aim: i32) -> bool {
    match ReplayAim::try_from(aim) {
        Ok(ReplayAim::Unspecified | ReplayAim::Utility) => false,
        Ok(ReplayAim::Saving) => true,
        Err(_) => {
            fields.refuse(
                "aim",
                format_args!("is {aim}: allowed 0 (unspecified), 1 (utility) or 2 (saving)"),
            );
            false
        }
    }
}

fn guards(fields: &mut Fields, said: &[v1::SignalGuard]) -> Vec<(Name, f64)> {
    let at = Path::Root.field("guards");
    let mut guards: Vec<(Name, f64)> = Vec::new();
    if !fields.count(at, said.len(), 0..=MOST_GUARDS) {
        return guards;
    }
    for (i, guard) in said.iter().enumerate() {
        let one = at.index(i);
        let signal = fields.name(one.field("signal"), &guard.signal);
        let margin = fields.number(one.field("margin"), Some(guard.margin), -1.0..=1.0);
        if guard.margin == 0.0 {
            fields.refuse(one.field("margin"), "is 0: allowed -1 to 1, but not 0");
        }
        let (Some(signal), Some(margin)) = (signal, margin) else {
            continue;
        };
        if guards.iter().any(|(known, _)| *known == signal) {
            fields.refuse(one.field("signal"), "is given twice: allowed once");
        }
        guards.push((signal, margin));
    }
    guards
}

fn scale(fields: &mut Fields, said: Option<v1::ValueRange>) -> (f64, f64) {
    let Some(v1::ValueRange { lower, upper }) = said else {
        return (0.0, 1.0);
    };
    if !(lower.is_finite() && upper.is_finite() && lower < upper) {
        fields.refuse(
            "utility_range",
            format_args!("is {lower} to {upper}: allowed two finite numbers, the lower one first"),
        );
    }
    (lower, upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::decode::testing::violations;

    fn check(candidates: &[&str], since: i64, until: i64, expected: &[&str]) {
        let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let said = v1::ReplayRequest {
            candidates: candidates.iter().map(ToString::to_string).collect(),
            since_time: time(since),
            until_time: time(until),
            ..v1::ReplayRequest::default()
        };
        assert_eq!(
            replay(said).map_or_else(violations, |_| Vec::new()),
            expected
        );
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        let said = v1::ReplayRequest {
            candidates: vec!["uniform".to_owned()],
            ..v1::ReplayRequest::default()
        };
        let found = replay(said).unwrap();
        assert_eq!(found.incumbent, "logged");
        assert_eq!((found.saving, found.peeking), (false, false));
        assert_eq!((found.guards.len(), found.utility), (0, (0.0, 1.0)));
    }

    #[test]
    fn every_violation_is_told_at_once() {
        let guard = |signal: &str, margin| v1::SignalGuard {
            signal: signal.to_owned(),
            margin,
        };
        let said = v1::ReplayRequest {
            candidates: vec!["oracle".to_owned(), "uniform".to_owned()],
            incumbent: Some(String::new()),
            aim: 7,
            guards: vec![
                guard("passed", 0.0),
                guard("passed", -0.02),
                guard("", f64::NAN),
                guard("passed", 0.1),
            ],
            utility_range: Some(v1::ValueRange {
                lower: 1.0,
                upper: 0.0,
            }),
            ..v1::ReplayRequest::default()
        };
        let found = replay(said).map_or_else(violations, |_| Vec::new());
        let fields = found.iter().map(|said| said.split(": ").next().unwrap());
        assert_eq!(
            fields.collect::<Vec<_>>(),
            [
                "candidates[0]",
                "incumbent",
                "aim",
                "guards[0].margin",
                "guards[1].signal",
                "guards[2].signal",
                "guards[2].margin",
                "guards[3].signal",
                "utility_range",
            ]
        );
        assert!(found[8].contains("is 1 to 0: allowed two finite numbers"));
    }

    #[test]
    fn a_replay_has_candidates_and_a_window() {
        check(&["uniform", "fixed:arm=a"], 1, 2, &[]);
        let late = "until_time: is not after since_time: required where both are set";
        check(&["uniform"], 2, 2, &[late]);
        check(&[], 1, 2, &["candidates: has 0 entries: allowed 1 to 32"]);
        check(
            &["uniform"; 33],
            1,
            2,
            &["candidates: has 33 entries: allowed 1 to 32"],
        );
        check(
            &[""],
            1,
            2,
            &["candidates[0]: is empty: allowed NAME[:key=value,..]"],
        );
        let long = "x".repeat(513);
        check(
            &[&long],
            1,
            2,
            &["candidates[0]: has 513 bytes: allowed at most 512"],
        );
    }
}
