//! Feedback: each item of a batch is judged alone.
//!
//! Invariants: a good item has exactly one subject, 1 to 64 signals with unique names, finite
//! numbers, comments of at most 8192 bytes, no value with a retraction; a bad one is refused with
//! its reason and all its violations, and disturbs no other.
//!
//! Not here: whether the scorecard knows a signal and its range, whether the decision is visible
//! yet (`learn`).

use super::super::body;
use super::super::status::Failure;
use super::time;
use crate::field::{Fields, Violation};
use crate::id::{Name, Secret};
use crate::path::Path;
use crate::proto::v1::{self, feedback::Subject as Said, signal::Kind, signal_value};
use crate::signal::{Change, Evaluator, Feedback, Subject, Value};
use crate::unit::Timestamp;

/// Why one item was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// As in an `ErrorInfo`.
    pub reason: &'static str,
    /// The fields and what is allowed.
    pub message: String,
}

/// The items of `team`'s batch, in order, good ones and refusals.
pub(in crate::grpc) fn feedback(
    said: v1::SubmitFeedbackRequest,
    team: &Name,
    secret: &Secret,
    now: Timestamp,
) -> Result<Vec<Result<Feedback, Refusal>>, Failure> {
    let mut fields = Fields::default();
    fields.count("items", said.items.len(), 1..=Feedback::MAX_BATCH);
    fields.finish(Some(()))?;
    let read = |item| self::item(item, team, secret, now).map_err(Refusal::from);
    Ok(said.items.into_iter().map(read).collect())
}

fn item(
    mut said: v1::Feedback,
    team: &Name,
    secret: &Secret,
    now: Timestamp,
) -> Result<Feedback, Failure> {
    let mut fields = Fields::default();
    let request_id = said.request_id.take();
    let body_hash = body::hash("SubmitFeedback", &said);
    let request_id = fields.name_if_said("request_id", request_id.as_deref());
    let (at, allowed) = (Path::Root.field("signals"), 1..=Feedback::MAX_SIGNALS);
    let signals = fields.named(at, "name", said.signals, allowed, signal);
    let observed = time::time(&mut fields, "observed_time", said.observed_time);
    let observed = fields.seen("observed_time", observed, now);
    let evaluator = evaluator(&mut fields, Path::Root.field("evaluator"), said.evaluator);
    let subject = match fields.required("subject", said.subject) {
        Some(Said::EpisodeId(text)) => fields.name("episode_id", &text).map(Subject::Episode),
        // A foreign id is another reason than a bad field; bad fields are told first.
        Some(Said::DecisionId(text)) => match secret.parse(&text) {
            Ok(id) => Some(Subject::Decision(id)),
            Err(_) => {
                fields.finish(Some(()))?;
                return Err(Failure::DecisionNotFound { id: None });
            }
        },
        None => None,
    };
    let subject = fields.finish(subject)?;
    Ok(Feedback {
        team: team.clone(),
        subject,
        signals,
        observed: observed.unwrap_or(now),
        received: now,
        evaluator,
        request_id,
        body_hash,
    })
}

fn signal(fields: &mut Fields, at: Path<'_>, said: v1::Signal) -> (Option<Name>, Option<Change>) {
    let name = fields.name(at.field("name"), &said.name);
    (name, change(fields, at, said))
}

fn change(fields: &mut Fields, at: Path<'_>, signal: v1::Signal) -> Option<Change> {
    let said = signal.value.and_then(|value| value.value);
    let kind = match Kind::try_from(signal.kind) {
        Ok(kind) => kind,
        Err(_) => {
            let problem = "is unknown: allowed KIND_OBSERVED, KIND_CORRECTION, KIND_RETRACTION";
            fields.refuse(at.field("kind"), problem);
            return None;
        }
    };
    if kind == Kind::Retraction {
        if said.is_some() {
            fields.refuse(
                at.field("value"),
                "is set: allowed none with KIND_RETRACTION",
            );
        }
        return Some(Change::Retracted);
    }
    let said = fields.required(at.field("value"), said)?;
    let value = value(fields, at.field("value"), said)?;
    Some(match kind {
        Kind::Correction => Change::Corrected(value),
        _ => Change::Observed(value),
    })
}

fn value(fields: &mut Fields, at: Path<'_>, said: signal_value::Value) -> Option<Value> {
    match said {
        signal_value::Value::Flag(flag) => Some(Value::Flag(flag)),
        signal_value::Value::Number(number) if number.is_finite() => Some(Value::Number(number)),
        signal_value::Value::Number(number) => {
            let problem = format_args!("is {number}: allowed a finite number");
            fields.refuse(at.field("number"), problem);
            None
        }
        signal_value::Value::Comment(text) => fields
            .bytes_at_most(at.field("comment"), &text, Value::MAX_COMMENT_BYTES)
            .then_some(Value::Comment(text)),
    }
}

fn evaluator(fields: &mut Fields, at: Path<'_>, said: Option<v1::Evaluator>) -> Option<Evaluator> {
    let said = said?;
    let most = Evaluator::MAX_VERSION_BYTES;
    fields.bytes_at_most(at.field("version"), &said.version, most);
    let name = fields.name(at.field("name"), &said.name)?;
    Some(Evaluator {
        name,
        version: said.version,
    })
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let (_, reason) = failure.code();
        let message = match &failure {
            Failure::InvalidField(violations) => Violation::in_one_line(violations),
            other => other.to_string(),
        };
        Self { reason, message }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn secret() -> Secret {
        Secret::new([1; 32])
    }

    fn signal(name: &str, value: signal_value::Value) -> v1::Signal {
        v1::Signal {
            name: name.into(),
            value: Some(v1::SignalValue { value: Some(value) }),
            kind: 0,
        }
    }

    fn good() -> v1::Feedback {
        v1::Feedback {
            subject: Some(Said::DecisionId(secret().mint(NOW, 9).to_string())),
            signals: vec![signal("tests_passed", signal_value::Value::Flag(true))],
            evaluator: Some(v1::Evaluator {
                name: "ci".into(),
                version: "7".into(),
            }),
            ..Default::default()
        }
    }

    fn read(items: Vec<v1::Feedback>) -> Result<Vec<Result<Feedback, Refusal>>, Failure> {
        let said = v1::SubmitFeedbackRequest {
            items,
            dry_run: false,
        };
        feedback(said, &Name::new("coding").unwrap(), &secret(), NOW)
    }

    /// The good item with one thing changed is refused with this reason and message.
    fn check(change: impl FnOnce(&mut v1::Feedback), reason: &str, message: &str) {
        let mut item = good();
        change(&mut item);
        let refusal = read(vec![item]).unwrap().remove(0).unwrap_err();
        assert_eq!(
            (refusal.reason, refusal.message.as_str()),
            (reason, message)
        );
    }

    #[test]
    fn a_good_item_arrives_whole() {
        let item = read(vec![good()]).unwrap().remove(0).unwrap();
        assert_eq!(item.team.as_str(), "coding");
        assert_eq!(item.subject, Subject::Decision(secret().mint(NOW, 9)));
        assert_eq!(item.signals[0].1, Change::Observed(Value::Flag(true)));
        assert_eq!((item.observed, item.received), (NOW, NOW));
    }

    #[test]
    fn each_bad_field_of_an_item_is_named_with_what_is_allowed() {
        use signal_value::Value::{Comment, Flag, Number};
        let bad = "INVALID_FIELD";
        check(|i| i.subject = None, bad, "subject: is absent: required");
        check(
            |i| i.signals.clear(),
            bad,
            "signals: has 0 entries: allowed 1 to 64",
        );
        check(
            |i| i.signals[0].value = None,
            bad,
            "signals[0].value: is absent: required",
        );
        check(
            |i| i.signals.push(signal("tests_passed", Flag(false))),
            bad,
            "signals[1].name: is given twice: allowed once",
        );
        check(
            |i| i.signals.push(signal("words", Comment("x".repeat(8193)))),
            bad,
            "signals[1].value.comment: has 8193 bytes: allowed at most 8192",
        );
        check(
            |i| i.signals[0].kind = 3,
            bad,
            "signals[0].value: is set: allowed none with KIND_RETRACTION",
        );
        check(
            |i| i.signals[0].kind = 7,
            bad,
            "signals[0].kind: is unknown: allowed KIND_OBSERVED, KIND_CORRECTION, KIND_RETRACTION",
        );
        check(
            |i| i.evaluator = Some(v1::Evaluator::default()),
            bad,
            "evaluator.name: is empty: allowed 1 to 128 printable characters",
        );
        let mut item = good();
        item.signals = vec![signal("minutes", Number(f64::NAN))];
        let refusal = read(vec![item]).unwrap().remove(0).unwrap_err();
        assert_eq!(
            refusal.message,
            "signals[0].value.number: is NaN: allowed a finite number"
        );
    }

    #[test]
    fn a_foreign_decision_is_another_reason_than_a_bad_field() {
        let foreign = || {
            Some(Said::DecisionId(
                Secret::new([2; 32]).mint(NOW, 9).to_string(),
            ))
        };
        check(
            |i| i.subject = foreign(),
            "DECISION_NOT_FOUND",
            "no such decision: allowed an id that Route or Complete returned to this team",
        );
        check(
            |i| (i.subject, i.signals) = (foreign(), Vec::new()),
            "INVALID_FIELD",
            "signals: has 0 entries: allowed 1 to 64",
        );
    }

    #[test]
    fn a_correction_has_a_value_and_a_retraction_has_none() {
        let mut item = good();
        item.signals[0].kind = Kind::Correction.into();
        item.signals.push(v1::Signal {
            name: "patch_lines".into(),
            value: None,
            kind: Kind::Retraction.into(),
        });
        let item = read(vec![item]).unwrap().remove(0).unwrap();
        assert_eq!(item.signals[0].1, Change::Corrected(Value::Flag(true)));
        assert_eq!(item.signals[1].1, Change::Retracted);
    }

    #[test]
    fn a_bad_item_keeps_no_other_back_and_a_bad_batch_is_refused_whole() {
        let read_two = read(vec![v1::Feedback::default(), good()]).unwrap();
        assert!(read_two[0].is_err() && read_two[1].is_ok());
        for count in [0, 1001] {
            let refused = read(vec![good(); count]).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("items: has {count} entries: allowed 1 to 1000")
            );
        }
    }
}
