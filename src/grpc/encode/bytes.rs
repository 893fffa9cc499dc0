//! The reply to `Route` as bytes, written once from the decision.
//!
//! A reply names some fifty things. As a message each is a string of its own, and each nested message
//! is measured before it is written, three times over for a signal: 14 of 100 instructions of a call.
//!
//! Invariants: the very bytes that prost writes for [`super::route_response`] (a test compares them).
//!
//! Not here: the same reply as part of another (`decision`).

use super::decision::{guardrail as encode_guardrail, nano_usd, reason};
use super::record::count;
use crate::decision::{Cell, Decision, Drawn, Excluded, Origin};
use crate::eligibility::Endpoint;
use crate::route::Routed;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// Enough for most replies.
const USUAL: usize = 2048;

/// The reply to `Route`, encoded.
pub(in crate::grpc) fn route_bytes(routed: &Routed) -> Vec<u8> {
    let decision: &Decision = &routed.decision;
    let drawn = &decision.drawn;
    let mut out = Vec::with_capacity(USUAL);
    text(&mut out, 1, &decision.id.to_string());
    text(&mut out, 2, drawn.arm().map_or("", |arm| arm.as_str()));
    message(&mut out, 3, |out| endpoint(out, &routed.endpoint));
    for fallback in &routed.fallbacks {
        message(&mut out, 4, |out| endpoint(out, fallback));
    }
    double(&mut out, 5, drawn.propensity());
    for arm in 0..drawn.arms.len() {
        message(&mut out, 6, |out| estimate(out, drawn, arm));
    }
    for one in &decision.excluded {
        message(&mut out, 7, |out| excluded(out, one));
    }
    text(&mut out, 8, &decision.policy);
    integer(&mut out, 9, i64::from(decision.scorecard_version));
    integer(&mut out, 10, count(decision.snapshot_version));
    let inherited = matches!(decision.origin, Origin::Inherited(_));
    integer(&mut out, 11, i64::from(inherited));
    text(&mut out, 12, decision.feature_set.as_str());
    integer(&mut out, 13, i64::from(routed.repeated));
    if let Some(allowance) = &decision.allowance {
        double(&mut out, 14, allowance.price);
        integer(&mut out, 15, allowance.held.get());
    }
    integer(&mut out, 16, i64::from(decision.cell == Cell::Holdout));
    if let Some(told) = &routed.told {
        // Rare: as a message.
        let told = encode_guardrail(told).encode_to_vec();
        encode_key(17, WireType::LengthDelimited, &mut out);
        encode_varint(told.len() as u64, &mut out);
        out.extend_from_slice(&told);
    }
    if let Some(warning) = routed.warning() {
        text(&mut out, 18, &warning.to_string());
    }
    out
}

fn endpoint(out: &mut Vec<u8>, endpoint: &Endpoint) {
    text(out, 1, endpoint.name.as_str());
    text(out, 2, endpoint.arm.as_str());
    text(out, 3, endpoint.provider.as_str());
    text(out, 4, &endpoint.model);
    text(out, 5, &endpoint.base_url);
    text(out, 6, endpoint.region.as_ref().map_or("", |r| r.as_str()));
}

fn estimate(out: &mut Vec<u8>, drawn: &Drawn, arm: usize) {
    let number = |of: &[f64]| of.get(arm).copied().unwrap_or(f64::NAN);
    text(out, 1, drawn.arms.get(arm).map_or("", |arm| arm.as_str()));
    double(out, 2, number(drawn.pmf.as_slice()));
    double(out, 3, number(&drawn.floor));
    double(out, 4, number(&drawn.utility));
    double(out, 5, number(&drawn.utility_sd));
    let first = arm * drawn.signals.len();
    for (i, signal) in drawn.signals.iter().enumerate() {
        let cell = |of: &[f32]| of.get(first + i).copied().map_or(f64::NAN, f64::from);
        message(out, 6, |out| {
            text(out, 1, signal.as_str());
            double(out, 2, cell(&drawn.signal_mean));
            double(out, 3, cell(&drawn.signal_sd));
        });
    }
    integer(out, 7, nano_usd(number(&drawn.cost_usd)));
    let latency_ms = number(&drawn.latency_ms);
    if latency_ms.is_finite() {
        said_double(out, 8, latency_ms);
    }
}

fn excluded(out: &mut Vec<u8>, excluded: &Excluded) {
    text(out, 1, excluded.arm.as_str());
    integer(out, 2, i64::from(i32::from(reason(excluded.reason))));
    text(out, 3, &excluded.detail);
}

// A field at its default is left out, as proto3 has it.

fn text(out: &mut Vec<u8>, tag: u32, text: &str) {
    if !text.is_empty() {
        encode_key(tag, WireType::LengthDelimited, out);
        encode_varint(text.len() as u64, out);
        out.extend_from_slice(text.as_bytes());
    }
}

fn integer(out: &mut Vec<u8>, tag: u32, value: i64) {
    if value != 0 {
        encode_key(tag, WireType::Varint, out);
        encode_varint(value.cast_unsigned(), out);
    }
}

fn double(out: &mut Vec<u8>, tag: u32, value: f64) {
    if value != 0.0 {
        said_double(out, tag, value);
    }
}

/// A number whose absence means something else than 0.
fn said_double(out: &mut Vec<u8>, tag: u32, value: f64) {
    encode_key(tag, WireType::SixtyFourBit, out);
    out.extend_from_slice(&value.to_le_bytes());
}

/// Writes the message behind room for its length, which is known only then.
fn message(out: &mut Vec<u8>, tag: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    encode_key(tag, WireType::LengthDelimited, out);
    let at = out.len();
    out.push(0);
    fill(out);
    let length = (out.len() - at - 1) as u64;
    let end = out.len();
    // One byte holds lengths up to 127.
    let more = encoded_len_varint(length) - 1;
    out.resize(end + more, 0);
    out.copy_within(at + 1..end, at + 1 + more);
    encode_varint(length, &mut out.get_mut(at..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Allowance, Reason};
    use crate::grpc::encode::route_response;
    use crate::id::{DecisionId, Name};
    use crate::redaction::{Finding, Kinds, Place};
    use crate::route::{Action, Told};
    use crate::unit::{NanoUsd, Pmf, Timestamp};
    use proptest::prelude::*;
    use prost::Message;
    use std::sync::Arc;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn endpoint(model: &str) -> Arc<Endpoint> {
        Arc::new(Endpoint {
            name: name("an endpoint"),
            arm: name("an arm"),
            provider: name("openai"),
            model: model.to_owned(),
            base_url: "https://example.org/v1".to_owned(),
            region: (!model.is_empty()).then(|| name("eu")),
            zero_retention: true,
            trains: false,
            certifications: Vec::new(),
            expresses: crate::chat::Parameters::ALL,
            waits: Default::default(),
            prices: Vec::new(),
        })
    }

    /// A reply over arms of `numbers`, whatever they are, with texts of `length` bytes.
    fn routed(numbers: &[f64], signals: usize, length: usize) -> Routed {
        let long = "x".repeat(length);
        let arms = numbers.len();
        let cells = numbers.iter().flat_map(|n| vec![*n as f32; signals]);
        let drawn = Drawn {
            arms: (0..arms).map(|i| name(&format!("{i}{long}"))).collect(),
            signals: (0..signals).map(|i| name(&format!("{long}{i}"))).collect(),
            pmf: Pmf::certain(arms - 1, arms).unwrap(),
            floor: numbers.to_vec(),
            utility: numbers.to_vec(),
            utility_sd: numbers.iter().map(|n| -n).collect(),
            signal_mean: cells.clone().collect(),
            signal_sd: cells.collect(),
            cost_usd: numbers.to_vec(),
            reference_cost_usd: numbers.to_vec(),
            latency_ms: numbers.to_vec(),
            samples: 1.0,
            forced: Vec::new(),
            uniform: 0.5,
            chosen: 0,
        };
        let from = DecisionId::recorded(7);
        let excluded = Excluded {
            arm: name("huge"),
            reason: Reason::NoPrice,
            detail: long,
        };
        let decision = Decision {
            id: DecisionId::recorded(u128::MAX / 3),
            time: Timestamp::from_micros(1),
            team: name("t"),
            key: name("k"),
            task: None,
            episode: None,
            session: None,
            request: None,
            origin: if signals == 1 {
                Origin::Inherited(from)
            } else {
                Origin::Drawn
            },
            policy: "uniform".to_owned(),
            scorecard_version: 3,
            snapshot_version: 1 << (7 * signals),
            feature_set: name("v1"),
            context: None,
            input_tokens: 1,
            drawn,
            excluded: vec![excluded; signals],
            endpoint: name("e"),
            fallbacks: Vec::new(),
            content: None,
            cell: if signals == 1 {
                Cell::Holdout
            } else {
                Cell::Router
            },
            allowance: (length > 20).then(|| Allowance {
                price: numbers[0],
                held: NanoUsd::new(-7),
                withheld: Vec::new(),
                asks: false,
            }),
        };
        Routed {
            decision: Arc::new(decision),
            endpoint: endpoint("m"),
            fallbacks: vec![endpoint(""); signals],
            repeated: signals == 2,
            told: (signals > 2).then(|| Told {
                action: Action::Flag,
                findings: (0..signals)
                    .map(|place| Finding {
                        place: Place::Message(place * 100),
                        kinds: Kinds::PERSONAL,
                    })
                    .collect(),
            }),
            pass: None,
            watched: None,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_bytes_are_those_of_the_message(
            numbers in prop::collection::vec(
                prop_oneof![any::<f64>(), Just(0.0), Just(-0.0), Just(f64::NAN), 0.0_f64..1.0],
                1..12,
            ),
            signals in 0_usize..5,
            length in prop_oneof![0_usize..20, 90_usize..127],
        ) {
            let routed = routed(&numbers, signals, length);
            prop_assert_eq!(route_bytes(&routed), route_response(&routed).encode_to_vec());
        }
    }
}
