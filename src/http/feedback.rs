//! `POST /v1/feedback`: telling what really happened, by decision or by episode.
//!
//! A body is one item, or `{"items": [..]}` of up to 1000. An item is `decision_id` or `episode_id`, `signals`
//! (`{"name", "value", "kind"}`: a value is true or false, a number, or a comment; a kind `observed`,
//! `correction` or `retraction`, or `"correction": true`, `"retraction": true`), `evaluator` (a name, or
//! `{"name", "version"}`), `observed_time` (RFC 3339), `request_id`. Beside either stands `dry_run`.
//!
//! The reply is `{"results": [{"status", "reason", "message"}]}` with the statuses of the gRPC door in small
//! letters. One item alone that is refused is an error of its own; of several, each is judged alone.
//!
//! Invariants: one result for each item, in order; a refused item keeps no other back.
//!
//! Not here: what a signal means, when it is late (`learn`).

use super::body::Reply;
use super::chat_reply::json;
use super::json::{self, Place};
use super::status::Failure;
use super::time;
use crate::field::{Fields, Violation};
use crate::id::{Name, Secret};
use crate::learn::{Intake, Verdict};
use crate::path::Path;
use crate::signal::{Change, Evaluator, Feedback, Subject, Value};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;
use xxhash_rust::xxh3::xxh3_64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    items: Option<Vec<Item>>,
    #[serde(default)]
    dry_run: bool,
    // One item alone: its fields. (`flatten` would let unknown ones pass.)
    decision_id: Option<String>,
    episode_id: Option<String>,
    signals: Option<Vec<SaidSignal>>,
    observed_time: Option<String>,
    evaluator: Option<SaidEvaluator>,
    request_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    decision_id: Option<String>,
    episode_id: Option<String>,
    #[serde(default)]
    signals: Vec<SaidSignal>,
    observed_time: Option<String>,
    evaluator: Option<SaidEvaluator>,
    request_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SaidSignal {
    name: String,
    value: Option<SaidValue>,
    kind: Option<String>,
    #[serde(default)]
    correction: bool,
    #[serde(default)]
    retraction: bool,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SaidValue {
    Flag(bool),
    Number(f64),
    Comment(String),
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum SaidEvaluator {
    Name(String),
    Whole {
        name: String,
        #[serde(default)]
        version: String,
    },
}

fn allowed(_: &str) -> &'static str {
    "{decision_id or episode_id, signals: [{name, value, kind}], evaluator, observed_time, request_id, dry_run}, or {items: [..], dry_run}"
}

#[derive(Serialize)]
struct Results {
    results: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    status: &'static str,
    reason: String,
    message: String,
}

/// Takes the feedback of one call.
pub(super) async fn answer(
    intake: &Intake,
    secret: &Secret,
    team: &Name,
    now: Timestamp,
    body: &[u8],
) -> Result<Reply, Failure> {
    let place = Place::new("");
    let asked = json::read(body, PhantomData::<Asked>, &place, allowed)?;
    let dry_run = asked.dry_run;
    let (items, alone) = items(asked)?;
    let mut results = Vec::with_capacity(items.len());
    for item in items {
        let told = match read(item, team, secret, now) {
            Ok(item) => verdict(intake.submit(item, dry_run).await?),
            Err(failure) => Err(failure),
        };
        results.push(match told {
            Ok(status) => Told {
                status,
                reason: String::new(),
                message: String::new(),
            },
            Err(failure) if alone => return Err(failure),
            Err(failure) => refused(&failure),
        });
    }
    Ok(json(&Results { results }))
}

/// The items, and whether it is one alone.
fn items(asked: Asked) -> Result<(Vec<Item>, bool), Failure> {
    let single = Item {
        decision_id: asked.decision_id,
        episode_id: asked.episode_id,
        signals: asked.signals.unwrap_or_default(),
        observed_time: asked.observed_time,
        evaluator: asked.evaluator,
        request_id: asked.request_id,
    };
    let Some(items) = asked.items else {
        return Ok((vec![single], true));
    };
    let mut fields = Fields::default();
    if single.decision_id.is_some() || single.episode_id.is_some() || !single.signals.is_empty() {
        fields.refuse(
            "items",
            "stand beside an item's own fields: allowed one of the two",
        );
    }
    fields.count("items", items.len(), 1..=Feedback::MAX_BATCH);
    Ok(fields.finish(Some((items, false)))?)
}

fn verdict(verdict: Verdict) -> Result<&'static str, Failure> {
    match verdict {
        Verdict::Accepted => Ok("accepted"),
        Verdict::Duplicate => Ok("duplicate"),
        Verdict::Parked => Ok("parked"),
        Verdict::Late => Ok("late"),
        Verdict::Refused(refused) => Err(refused.into()),
    }
}

fn refused(failure: &Failure) -> Told {
    let message = match failure {
        Failure::InvalidField(violations) => Violation::in_one_line(violations),
        other => other.to_string(),
    };
    Told {
        status: "refused",
        reason: failure.class().code.to_owned(),
        message,
    }
}

fn read(item: Item, team: &Name, secret: &Secret, now: Timestamp) -> Result<Feedback, Failure> {
    let mut fields = Fields::default();
    let request_id = fields.name_if_said("request_id", item.request_id.as_deref());
    let (at, allowed) = (Path::Root.field("signals"), 1..=Feedback::MAX_SIGNALS);
    let signals = fields.named(at, "name", item.signals, allowed, signal);
    let evaluator = item.evaluator.and_then(|said| evaluator(&mut fields, said));
    let observed = item.observed_time.as_deref();
    let observed = observed.and_then(|said| time(&mut fields, "observed_time", said));
    let observed = fields.seen("observed_time", observed, now);
    let subject = match (item.decision_id, item.episode_id) {
        (None, Some(episode)) => fields.name("episode_id", &episode).map(Subject::Episode),
        // A foreign id is another failure than a bad field; bad fields are told first.
        (Some(decision), None) => match secret.parse(&decision) {
            Ok(id) => Some(Subject::Decision(id)),
            Err(_) => {
                fields.finish(Some(()))?;
                return Err(Failure::DecisionNotFound);
            }
        },
        _ => {
            let problem = "is required: allowed exactly one of decision_id and episode_id";
            fields.refuse("decision_id", problem);
            None
        }
    };
    let subject = fields.finish(subject)?;
    let content = serde_json::to_vec(&(&subject, &signals, &evaluator, item.observed_time));
    let content = content.map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(Feedback {
        team: team.clone(),
        subject,
        signals,
        observed: observed.unwrap_or(now),
        received: now,
        evaluator,
        request_id,
        body_hash: xxh3_64(&content),
    })
}

fn time(fields: &mut Fields, field: &str, said: &str) -> Option<Timestamp> {
    let time = time::parse(said);
    if time.is_none() {
        let problem = "is not a time: allowed RFC 3339, as 2026-11-27T08:30:00Z";
        fields.refuse(field, problem);
    }
    time
}

fn evaluator(fields: &mut Fields, said: SaidEvaluator) -> Option<Evaluator> {
    let (name, version) = match said {
        SaidEvaluator::Name(name) => (name, String::new()),
        SaidEvaluator::Whole { name, version } => (name, version),
    };
    fields.bytes(
        "evaluator.version",
        &version,
        0..=Evaluator::MAX_VERSION_BYTES,
    );
    let name = fields.name("evaluator.name", &name)?;
    Some(Evaluator { name, version })
}

fn signal(fields: &mut Fields, at: Path<'_>, said: SaidSignal) -> (Option<Name>, Option<Change>) {
    let name = fields.name(at.field("name"), &said.name);
    (name, change(fields, at, said))
}

fn change(fields: &mut Fields, at: Path<'_>, signal: SaidSignal) -> Option<Change> {
    let kind = match (signal.kind.as_deref(), signal.correction, signal.retraction) {
        (None, false, false) => "observed",
        (None, true, false) => "correction",
        (None, false, true) => "retraction",
        (Some(kind @ ("observed" | "correction" | "retraction")), false, false) => kind,
        _ => {
            let problem =
                "is unknown or said twice: allowed one of observed, correction, retraction";
            fields.refuse(at.field("kind"), problem);
            return None;
        }
    };
    if kind == "retraction" {
        if signal.value.is_some() {
            fields.refuse(at.field("value"), "is set: allowed none with a retraction");
        }
        return Some(Change::Retracted);
    }
    let value = match fields.required(at.field("value"), signal.value)? {
        SaidValue::Flag(flag) => Value::Flag(flag),
        SaidValue::Number(number) => Value::Number(number),
        SaidValue::Comment(text) => {
            fields.bytes(at.field("value"), &text, 0..=Value::MAX_COMMENT_BYTES);
            Value::Comment(text)
        }
    };
    Some(match kind {
        "correction" => Change::Corrected(value),
        _ => Change::Observed(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::testing::violations;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn secret() -> Secret {
        Secret::new([1; 32])
    }

    fn read_one(json: &str) -> Result<Feedback, Failure> {
        let place = Place::new("");
        let asked = json::read(json.as_bytes(), PhantomData::<Asked>, &place, allowed)?;
        let (mut items, alone) = items(asked)?;
        assert!(alone);
        read(
            items.remove(0),
            &Name::new("coding").unwrap(),
            &secret(),
            NOW,
        )
    }

    /// An item about an episode with these fields has these violations.
    fn check(fields: &str, bad: &[&str]) {
        let json = format!("{{\"episode_id\":\"pr-1\",{fields}}}");
        let found = read_one(&json).map_or_else(violations, |_| Vec::new());
        assert_eq!(found, bad, "{fields}");
    }

    const GOOD: &str = r#""signals":[{"name":"tests_passed","value":true}]"#;

    #[test]
    fn a_good_item_arrives_whole() {
        let id = secret().mint(NOW, 9);
        let item = read_one(&format!(
            r#"{{"decision_id":"{id}","signals":[{{"name":"a","value":true}},{{"name":"b","value":0.5,"kind":"correction"}},
            {{"name":"c","value":"words"}},{{"name":"d","retraction":true}}],"evaluator":"ci",
            "observed_time":"2023-11-14T22:13:00Z","request_id":"r1"}}"#
        ));
        let item = item.unwrap();
        assert_eq!(item.subject, Subject::Decision(id));
        let changes: Vec<_> = item
            .signals
            .iter()
            .map(|(_, change)| change.clone())
            .collect();
        let expected = [
            Change::Observed(Value::Flag(true)),
            Change::Corrected(Value::Number(0.5)),
            Change::Observed(Value::Comment("words".into())),
            Change::Retracted,
        ];
        assert_eq!(changes, expected);
        assert_eq!(item.observed.micros(), 1_699_999_980_000_000);
        assert_eq!(item.evaluator.unwrap().name.as_str(), "ci");
        assert_eq!(item.request_id.unwrap().as_str(), "r1");
    }

    #[test]
    fn each_bad_field_is_named_with_what_is_allowed() {
        check(GOOD, &[]);
        check(
            r#""signals":[]"#,
            &["signals: has 0 entries: allowed 1 to 64"],
        );
        check(
            r#""signals":[{"name":"a"}]"#,
            &["signals[0].value: is absent: required"],
        );
        check(
            r#""signals":[{"name":"a","value":1},{"name":"a","value":2}]"#,
            &["signals[1].name: is given twice: allowed once"],
        );
        check(
            r#""signals":[{"name":"a","value":1,"retraction":true},{"name":"b","value":1,"kind":"hearsay"}]"#,
            &[
                "signals[0].value: is set: allowed none with a retraction",
                "signals[1].kind: is unknown or said twice: allowed one of observed, correction, retraction",
            ],
        );
        check(
            &format!(r#"{GOOD},"observed_time":"soon""#),
            &["observed_time: is not a time: allowed RFC 3339, as 2026-11-27T08:30:00Z"],
        );
        check(
            &format!(r#"{GOOD},"observed_time":"2023-11-14T22:18:21Z""#),
            &["observed_time: is 301 s ahead of the server's clock: allowed at most 300 s"],
        );
        check(
            &format!(r#"{GOOD},"decision_id":"x""#),
            &["decision_id: is required: allowed exactly one of decision_id and episode_id"],
        );
        let tags = read_one(&format!(r#"{{"episode_id":"e",{GOOD},"tags":{{}}}}"#)).unwrap_err();
        assert_eq!(tags.class().code, "invalid_field");
    }

    #[test]
    fn a_foreign_decision_is_not_found() {
        let foreign = Secret::new([2; 32]).mint(NOW, 9);
        let refused = read_one(&format!(r#"{{"decision_id":"{foreign}",{GOOD}}}"#)).unwrap_err();
        assert_eq!(refused.class().code, "decision_not_found");
    }

    #[test]
    fn equal_items_have_equal_hashes_whatever_the_order_of_their_fields() {
        let hash = |json: &str| read_one(json).unwrap().body_hash;
        let first = hash(&format!(r#"{{"episode_id":"e",{GOOD},"request_id":"r1"}}"#));
        assert_eq!(first, hash(&format!(r#"{{{GOOD},"episode_id":"e"}}"#)));
        assert_ne!(first, hash(&format!(r#"{{{GOOD},"episode_id":"f"}}"#)));
        // Kept in journals: a new value here would make repeats look like other items.
        assert_eq!(first, 2_284_817_930_859_568_029);
    }

    #[test]
    fn a_batch_has_1_to_1000_items_and_no_fields_of_its_own() {
        let batch = |json: &str| {
            let place = Place::new("");
            let asked = json::read(json.as_bytes(), PhantomData::<Asked>, &place, allowed);
            asked.and_then(items).map(|(items, _)| items.len())
        };
        let item = format!(r#"{{"episode_id":"e",{GOOD}}}"#);
        assert_eq!(
            batch(&format!(r#"{{"items":[{item},{item}]}}"#)).unwrap(),
            2
        );
        assert!(batch(r#"{"items":[]}"#).is_err());
        assert!(batch(&format!(r#"{{"items":[{item}],{GOOD}}}"#)).is_err());
    }

    #[test]
    fn fuzz() {
        let id = secret().mint(NOW, 9);
        let one = format!(
            r#"{{"decision_id":"{id}","signals":[{{"name":"a","value":true}},{{"name":"b","value":0.5,"kind":"correction"}},{{"name":"c","value":"words"}},{{"name":"d","retraction":true}}],"evaluator":"ci","observed_time":"2023-11-14T22:13:00Z","request_id":"r1"}}"#
        );
        let many = format!(r#"{{"items":[{one},{{"episode_id":"pr-1",{GOOD}}}]}}"#);
        let (team, inputs) = (
            Name::new("coding").unwrap(),
            [one.as_bytes(), many.as_bytes()],
        );
        crate::fuzz::fuzz("feedback bodies", 2_000, &inputs, |bytes| {
            let place = Place::new("");
            let asked = json::read(bytes, PhantomData::<Asked>, &place, allowed);
            let Ok((items, _)) = asked.and_then(items) else {
                return;
            };
            for item in items {
                if let Ok(item) = read(item, &team, &secret(), NOW) {
                    assert!(!item.signals.is_empty() && item.team == team);
                }
            }
        });
    }
}
