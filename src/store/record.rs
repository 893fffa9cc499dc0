//! What the journal keeps: one enum of floor-0 values, and its bytes.
//!
//! Layout: one version byte, then the postcard encoding of [`Record`]. Postcard is not
//! self-describing, so **any** change of [`Record`] or of a type inside it is a new layout: append
//! the variant or field at the end, raise [`LAYOUT`], and keep the old types beside it with a
//! conversion, so that every journal ever written still reads. A test holds the bytes of each
//! variant; if it fails, the layout changed.
//!
//! Layout 2 is layout 1 with [`Record::Answer`], layout 3 is layout 2 with [`Record::Seed`], layout 4 is
//! layout 3 with [`Record::Budget`] and the fields of a decision from `cell` on, layout 5 is layout 4 with
//! [`Record::GuardLifted`] and the origin `Baseline`, layout 6 is layout 5 with [`Record::Baseline`], layout 7 is layout 6 with
//! what an attempt tells since (`attempt`) and two reasons against an arm, layout 8 is layout 7 with who asks the
//! endpoint at an allowance's end, which is a decision's end. The fields of a decision stand at a decision's end, and
//! a record of a decision ends with it: older layouts are the same bytes without the last two, which are
//! what the fields are by default; so it is with an attempt. Each record is written in the oldest layout that has it, so that an older
//! build reads all that it can know.
//!
//! Invariants: a decision that contradicts itself does not encode ([`Decision::check`]); decoding
//! what was encoded gives an equal record; bytes left over after a record are an error.
//!
//! Not here: framing and checksums (`journal`).

use super::{Error, Seed, attempt};
use crate::budget::Budget;
use crate::decision::{Answer, Attempt, Decision, Excluded, Origin, Reason, Request};
use crate::id::Name;
use crate::signal::{Feedback, Guard};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// Newest layout.
pub const LAYOUT: u8 = 8;

/// The fields that layout 4 gave a decision, as they are in one without them: no cell but the router's, no
/// budget.
const OLD_DECISION: [u8; 2] = [0, 0];

/// The field that layout 8 gave an allowance, as it is in one without it: nothing says that we ask.
const OLD_ALLOWANCE: [u8; 1] = [0];

/// The first byte of every record of a decision: the variant's number.
const DECISION: u8 = 0;

/// As [`DECISION`], of an attempt.
const ATTEMPT: u8 = 1;

/// Most bytes of one record.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Record {
    /// An arm was chosen.
    Decision(Box<Decision>),
    /// An endpoint was tried.
    Attempt {
        /// The team of the decision.
        team: Name,
        /// The try.
        #[serde(with = "attempt")]
        attempt: Attempt,
    },
    /// Signals arrived.
    Feedback(Feedback),
    /// A team closed an episode: signals still missing will not come.
    EpisodeClosed {
        /// The team.
        team: Name,
        /// The episode.
        episode: Name,
        /// When.
        time: Timestamp,
        /// Idempotency key and hash of the body it came with.
        request: Option<Request>,
    },
    /// An operator set a team's pin and freeze.
    Control {
        /// The team.
        team: Name,
        /// What now holds.
        control: Control,
        /// When.
        time: Timestamp,
    },
    /// A scorecard or policy became a numbered version.
    Version {
        /// Which of the two.
        kind: VersionKind,
        /// The team.
        team: Name,
        /// Its number, from 1.
        version: u32,
        /// The document as imported.
        text: String,
        /// When.
        time: Timestamp,
    },
    /// Time passed: horizons that end by the clock end at a fixed place in the journal.
    Tick {
        /// The time it was.
        time: Timestamp,
    },
    /// A model's words, before the attempt that brought them.
    Answer {
        /// The team of the decision.
        team: Name,
        /// The words.
        answer: Answer,
    },
    /// A row of an outcome table was taught.
    Seed(Box<Seed>),
    /// A team's budget became another one, or none.
    Budget {
        /// The team.
        team: Name,
        /// What it may spend from here on.
        budget: Option<Budget>,
        /// When.
        time: Timestamp,
    },
    /// An operator lifted a team's guard.
    GuardLifted {
        /// The team.
        team: Name,
        /// When.
        time: Timestamp,
    },
    /// A team's baseline, or the signals that guard it, became others, or none.
    Baseline {
        /// The team.
        team: Name,
        /// Where its traffic would go without a router. `None`: it is not compared any more.
        arm: Option<Name>,
        /// The signals in which the router may not be worse.
        guards: Vec<Guard>,
        /// When.
        time: Timestamp,
    },
}

/// What an operator can set while the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Control {
    /// All traffic to this arm.
    pub pinned: Option<Name>,
    /// Outcomes are kept but not learned from.
    pub frozen: bool,
}

/// What a numbered version is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum VersionKind {
    /// A team's definition of good.
    Scorecard,
    /// A policy specification.
    Policy,
}

impl Record {
    /// When it happened, on the server's clock.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Decision(decision) => decision.time,
            Self::Attempt { attempt, .. } => attempt.ended,
            Self::Answer { answer, .. } => answer.ended,
            Self::Feedback(feedback) => feedback.received,
            Self::Seed(seed) => seed.time,
            Self::EpisodeClosed { time, .. }
            | Self::Control { time, .. }
            | Self::Version { time, .. }
            | Self::Budget { time, .. }
            | Self::GuardLifted { time, .. }
            | Self::Baseline { time, .. }
            | Self::Tick { time } => *time,
        }
    }

    /// Whose it is. A tick is nobody's.
    pub fn team(&self) -> Option<&Name> {
        match self {
            Self::Decision(decision) => Some(&decision.team),
            Self::Feedback(feedback) => Some(&feedback.team),
            Self::Seed(seed) => Some(&seed.team),
            Self::Attempt { team, .. }
            | Self::Answer { team, .. }
            | Self::EpisodeClosed { team, .. }
            | Self::Control { team, .. }
            | Self::Version { team, .. }
            | Self::Budget { team, .. }
            | Self::GuardLifted { team, .. }
            | Self::Baseline { team, .. } => Some(team),
            Self::Tick { .. } => None,
        }
    }

    /// Idempotency key and hash of the body, where the call carried a key.
    pub fn request(&self) -> Option<(&Name, u64)> {
        let request = match self {
            Self::Decision(decision) => decision.request.as_ref(),
            Self::Attempt { attempt, .. } => attempt.request.as_ref(),
            Self::EpisodeClosed { request, .. } => request.as_ref(),
            Self::Feedback(feedback) => {
                return feedback
                    .request_id
                    .as_ref()
                    .map(|id| (id, feedback.body_hash));
            }
            Self::Control { .. }
            | Self::Version { .. }
            | Self::Tick { .. }
            | Self::Answer { .. }
            | Self::Budget { .. }
            | Self::GuardLifted { .. }
            | Self::Baseline { .. }
            | Self::Seed(_) => None,
        };
        request.map(|r| (&r.id, r.body_hash))
    }

    /// The oldest layout that has it.
    fn layout(&self) -> u8 {
        match self {
            Self::Answer { .. } => 2,
            Self::Seed(_) => 3,
            Self::Budget { .. } => 4,
            Self::GuardLifted { .. } => 5,
            Self::Baseline { .. } => 6,
            Self::Decision(decision) if decision.allowance.as_ref().is_some_and(|a| a.asks) => 8,
            Self::Attempt { attempt, .. } if attempt::tells_more(attempt) => 7,
            Self::Decision(decision) if decision.excluded.iter().any(is_new) => 7,
            Self::Decision(decision) if decision.origin == Origin::Baseline => 5,
            Self::Decision(decision) if !decision.is_plain() => 4,
            _ => 1,
        }
    }

    /// The bytes, after those that `prefix` already holds.
    pub fn encode_after(&self, prefix: Vec<u8>) -> Result<Vec<u8>, Error> {
        if let Self::Decision(decision) = self {
            decision.check()?;
        }
        let start = prefix.len();
        let mut out = prefix;
        out.push(self.layout());
        // Growing a Vec is the only step that could fail, and it aborts instead.
        let mut out = postcard::to_extend(self, out).map_err(|_| too_large(usize::MAX))?;
        match (self, self.layout()) {
            (Self::Decision(_), 1) => out.truncate(out.len() - OLD_DECISION.len()),
            (Self::Decision(decision), ..8) if decision.allowance.is_some() => {
                out.truncate(out.len() - OLD_ALLOWANCE.len());
            }
            (Self::Attempt { .. }, 1) => out.truncate(out.len() - attempt::NOTHING.len()),
            _ => {}
        }
        match out.len() - start {
            bytes if bytes > MAX_BYTES => Err(too_large(bytes)),
            _ => Ok(out),
        }
    }

    /// Reads the bytes of record `sequence` (named in errors only).
    pub fn decode(bytes: &[u8], sequence: u64) -> Result<Self, Error> {
        let (version, body) = match bytes {
            [version, body @ ..] => (*version, body),
            [] => (0, bytes),
        };
        if !(1..=LAYOUT).contains(&version) {
            return Err(Error::Layout {
                sequence,
                version,
                newest: LAYOUT,
            });
        }
        let read = match body {
            [DECISION, ..] if version < 4 => read(&[body, &OLD_DECISION].concat()),
            // One without an allowance is whole; one with an allowance ends before its last field.
            [DECISION, ..] if version < 8 => {
                read(body).or_else(|| read(&[body, &OLD_ALLOWANCE].concat()))
            }
            [ATTEMPT, ..] if version < 7 => read(&[body, &attempt::NOTHING].concat()),
            _ => read(body),
        };
        read.ok_or(Error::Undecodable { sequence, version })
    }
}

/// Whether the reason came with layout 7.
fn is_new(excluded: &Excluded) -> bool {
    matches!(excluded.reason, Reason::Unavailable | Reason::Parameters)
}

fn read(bytes: &[u8]) -> Option<Record> {
    match postcard::take_from_bytes(bytes) {
        Ok((record, [])) => Some(record),
        _ => None,
    }
}

fn too_large(bytes: usize) -> Error {
    Error::TooLarge {
        bytes,
        limit: MAX_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Limit, Refill, Window};
    use crate::decision::{Allowance, Cell, Excluded, Origin, Reason, Withheld};
    use crate::signal::{Change, Subject, Value};
    use crate::store::sample::{answer, seed};
    use crate::store::sample::{attempt, decision, feedback, id, name, request, time};
    use crate::unit::NanoUsd;
    use proptest::prelude::*;

    fn bytes(record: &Record) -> Vec<u8> {
        record.encode_after(Vec::new()).unwrap()
    }

    fn small_decision() -> Record {
        let mut decision = decision(1);
        decision.context = Some(vec![1.0, -0.5]);
        decision.task = Some(name("plan"));
        decision.episode = Some(name("e1"));
        decision.session = Some(name("s1"));
        decision.request = Some(request("r", 5));
        decision.origin = Origin::Inherited(id(2));
        decision.drawn.latency_ms = vec![f64::NAN, 400.0];
        decision.content = Some("[]".to_owned());
        decision.excluded = vec![Excluded {
            arm: name("huge"),
            reason: Reason::MaxCost,
            detail: "too dear".to_owned(),
        }];
        Record::Decision(Box::new(decision))
    }

    /// The bytes of each variant under the layout that it came with, as length and xxh3. If this fails the layout
    /// changed: do not correct the numbers, follow the module's rule.
    #[test]
    fn the_bytes_of_a_layout_do_not_change() {
        let check = |record: Record, expected: (usize, u64)| {
            let bytes = bytes(&record);
            let found = (bytes.len(), xxhash_rust::xxh3::xxh3_64(&bytes));
            assert_eq!(found, expected, "{record:?}");
        };
        let team = || name("t");
        check(small_decision(), (301, 0x1598e183846146a7));
        check(attempt(1, 2), (55, 0x4c39a308c73ea22a));
        let mut fed = feedback(Subject::Episode(name("e1")), 3, 7);
        fed.request_id = Some(name("r"));
        fed.signals
            .push((name("n"), Change::Corrected(Value::Number(1.5))));
        fed.signals
            .push((name("c"), Change::Observed(Value::Comment("so".to_owned()))));
        fed.signals.push((name("x"), Change::Retracted));
        check(Record::Feedback(fed), (59, 0x82382519ad754ca4));
        let episode = name("e1");
        let request = Some(request("r", 5));
        check(
            Record::EpisodeClosed {
                team: team(),
                episode,
                time: time(4),
                request,
            },
            (15, 0xa6685f579b45b8ee),
        );
        let control = Control {
            pinned: Some(name("small")),
            frozen: true,
        };
        check(
            Record::Control {
                team: team(),
                control,
                time: time(5),
            },
            (16, 0x6050f9337a9ccce8),
        );
        let (kind, text) = (VersionKind::Policy, "uniform".to_owned());
        check(
            Record::Version {
                kind,
                team: team(),
                version: 3,
                text,
                time: time(6),
            },
            (18, 0xf9b70a9ee710b5f0),
        );
        check(Record::Tick { time: time(7) }, (6, 0xe45cf02b9d4058d7));
        check(answer(1, 8), (79, 0xce5194eadfdab15d));
        check(seed(9), (84, 0x576fcdafe9342dfd));
        check(budgeted_decision(), (342, 11554822380899260334));
        check(budget(), (22, 8092607571841943751));
        check(lifted(), (8, 8692062056434768842));
        check(baseline(), (30, 7985067229747981288));
    }

    fn lifted() -> Record {
        Record::GuardLifted {
            team: name("t"),
            time: time(9),
        }
    }

    fn baseline() -> Record {
        Record::Baseline {
            team: name("t"),
            arm: Some(name("large")),
            guards: vec![Guard {
                signal: name("tests"),
                margin: 0.02,
            }],
            time: time(9),
        }
    }

    fn budget() -> Record {
        let limit = Limit {
            usd: NanoUsd::new(5),
            refill: Refill::Calendar(Window::Week),
        };
        Record::Budget {
            team: name("t"),
            budget: Some(Budget {
                request_usd: Some(0.002),
                limit: Some(limit),
            }),
            time: time(8),
        }
    }

    fn budgeted_decision() -> Record {
        let Record::Decision(mut decision) = small_decision() else {
            unreachable!("a decision");
        };
        decision.cell = Cell::Holdout;
        decision.allowance = Some(Allowance {
            price: 500.0,
            held: NanoUsd::new(7),
            withheld: vec![Withheld {
                arm: name("huge"),
                utility: 0.5,
                utility_sd: 0.1,
                cost_usd: 0.2,
            }],
            asks: false,
        });
        Record::Decision(decision)
    }

    fn asking_decision() -> Record {
        let Record::Decision(mut decision) = budgeted_decision() else {
            unreachable!("a decision");
        };
        decision.allowance.as_mut().unwrap().asks = true;
        Record::Decision(decision)
    }

    #[test]
    fn who_asks_is_in_layout_8_and_older_records_do_not_say() {
        let [silent, asking] = [budgeted_decision(), asking_decision()].map(|r| bytes(&r));
        assert_eq!((silent[0], asking[0]), (4, 8));
        assert_eq!(asking[1..asking.len() - 1], silent[1..]);
        for (bytes, expected) in [(silent, false), (asking, true)] {
            let Record::Decision(read) = Record::decode(&bytes, 1).unwrap() else {
                unreachable!("a decision");
            };
            assert_eq!(read.allowance.unwrap().asks, expected);
        }
    }

    #[test]
    fn a_decision_without_a_budget_is_written_for_older_builds_too() {
        assert_eq!(bytes(&small_decision())[0], 1);
        assert_eq!(bytes(&budgeted_decision())[0], 4);
        let mut held_out = decision(1);
        held_out.cell = Cell::Holdout;
        assert_eq!(bytes(&Record::Decision(Box::new(held_out.clone())))[0], 4);
        held_out.origin = Origin::Baseline;
        let record = Record::Decision(Box::new(held_out));
        assert_eq!(bytes(&record)[0], 5);
        assert_eq!(Record::decode(&bytes(&record), 1).unwrap(), record);
    }

    fn telling_attempt() -> Record {
        let Record::Attempt { team, mut attempt } = attempt(1, 2) else {
            unreachable!("an attempt");
        };
        attempt.usage.cache_write = Some(7);
        attempt.usage.reasoning = Some(8);
        attempt.first_token_ms = Some(1.5);
        Record::Attempt { team, attempt }
    }

    #[test]
    fn an_attempt_or_a_reason_that_older_builds_cannot_know_is_marked() {
        assert_eq!(bytes(&attempt(1, 2))[0], 1);
        assert_eq!(bytes(&telling_attempt())[0], 7);
        let mut barred = decision(1);
        barred.excluded = vec![Excluded {
            arm: name("huge"),
            reason: Reason::Unavailable,
            detail: String::new(),
        }];
        for record in [telling_attempt(), Record::Decision(Box::new(barred))] {
            let bytes = bytes(&record);
            assert_eq!(bytes[0], 7);
            assert_eq!(Record::decode(&bytes, 1).unwrap(), record);
        }
    }

    #[test]
    fn bytes_that_are_no_record_are_refused() {
        let check = |bytes: &[u8], expected: &str| {
            let refused = Record::decode(bytes, 42).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
        };
        let whole = bytes(&Record::Tick { time: time(1) });
        check(&[], "record 42 has layout 0: allowed 1 to 8");
        check(&[9, 1, 2], "layout 9");
        check(&whole[..whole.len() - 1], "does not decode");
        check(&[whole.as_slice(), &[0]].concat(), "does not decode");
        check(&[1, 99], "does not decode");
    }

    #[test]
    fn a_decision_that_contradicts_itself_does_not_encode() {
        let mut crooked = decision(1);
        crooked.drawn.floor.pop();
        let refused = Record::Decision(Box::new(crooked)).encode_after(Vec::new());
        assert!(matches!(refused, Err(Error::Decision(_))), "{refused:?}");
    }

    fn any_name() -> impl Strategy<Value = Name> {
        "[a-zé:/ ]{1,20}".prop_map(|text| name(&text))
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<bool>().prop_map(Value::Flag),
            any::<f64>().prop_map(Value::Number),
            ".{0,40}".prop_map(Value::Comment),
        ]
    }

    fn any_feedback() -> impl Strategy<Value = Record> {
        let change = prop_oneof![
            any_value().prop_map(Change::Observed),
            any_value().prop_map(Change::Corrected),
            Just(Change::Retracted),
        ];
        let subject = prop_oneof![
            any::<u64>().prop_map(|n| Subject::Decision(id(n))),
            any_name().prop_map(Subject::Episode),
        ];
        let signals = prop::collection::vec((any_name(), change), 0..5);
        (subject, signals, any::<i64>(), any::<u64>()).prop_map(|(subject, signals, at, hash)| {
            let mut fed = feedback(subject, 0, hash);
            fed.received = Timestamp::from_micros(at);
            fed.signals = signals;
            Record::Feedback(fed)
        })
    }

    fn any_decision() -> impl Strategy<Value = Record> {
        let numbers = prop::collection::vec(any::<f64>(), 2);
        let context = prop::option::of(prop::collection::vec(any::<f32>(), 0..20));
        (any::<u64>(), numbers, context, prop::option::of(any_name())).prop_map(
            |(number, utility, context, task)| {
                let mut any = decision(number % (1 << 40));
                any.drawn.utility = utility;
                any.context = context;
                any.task = task;
                Record::Decision(Box::new(any))
            },
        )
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(
            record in prop_oneof![
                any_feedback(),
                any_decision(),
                Just(budgeted_decision()),
                Just(asking_decision()),
                Just(budget()),
                Just(baseline()),
                Just(attempt(1, 2)),
                Just(telling_attempt()),
            ]
        ) {
            let bytes = bytes(&record);
            let again = Record::decode(&bytes, 1).unwrap();
            // By bytes, since NaN is not equal to itself.
            prop_assert_eq!(again.encode_after(Vec::new()).unwrap(), bytes);
            prop_assert_eq!(again.time(), record.time());
        }

        #[test]
        fn no_bytes_make_decoding_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Record::decode(&[&[LAYOUT], bytes.as_slice()].concat(), 1);
        }
    }
}
