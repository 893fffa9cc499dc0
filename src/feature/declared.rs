//! The declared block: what the caller says of the request, hashed into 32 slots.
//!
//! Each item (the task, a tag with its value, a form of the answer) has a direction of length 1: one
//! slot in each of four groups of eight, plus or minus a half. Two of 66 tasks then share a direction
//! with odds of 1 in 15; with one slot each, 66 tasks in 32 slots must.
//! The task weighs 1, the rest a half, so that ten tags do not drown the strongest feature there is.
//!
//! Invariants: norm at most 1; the hash (xxh3, fixed seeds) is part of the feature set's name and
//! never changes under it.
//!
//! Source: feature hashing with signs, Weinberger et al. 2009, eq. 2; four slots an item as in the
//! count sketch's sparse Johnson-Lindenstrauss form, Kane and Nelson 2014.

use super::extractor::{Error, at_most_unit};
use super::request::{Request, TagValue};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Length of the block.
pub(super) const SLOTS: usize = 32;
const GROUPS: usize = 4;
const GROUP: usize = SLOTS / GROUPS;

/// Seeds keep apart a task and a tag of the same name.
const TASK: u64 = 1;
const TAG: u64 = 2;
const NUMBER: u64 = 3;
const FORM: u64 = 4;

/// Weight of every item but the task.
const MINOR: f64 = 0.5;

/// The block of `request`.
pub(super) fn block(request: &Request<'_>) -> Result<[f32; SLOTS], Error> {
    let mut slots = [0.0; SLOTS];
    if let Some(task) = request.task {
        add(&mut slots, hash(TASK, task), 1.0);
    }
    for (index, tag) in request.tags.iter().enumerate() {
        match tag.value {
            TagValue::Text(text) => {
                let key = hash(TAG, tag.key);
                add(&mut slots, hash(key, text), MINOR);
            }
            TagValue::Number(value) if value.is_finite() => {
                let weight = MINOR * value.clamp(-1.0, 1.0);
                add(&mut slots, hash(NUMBER, tag.key), weight);
            }
            TagValue::Number(value) => return Err(Error::TagNotFinite { index, value }),
        }
    }
    for (set, name) in [
        (request.tools, "tools"),
        (request.json, "json"),
        (request.json_schema, "json_schema"),
        (request.streaming, "streaming"),
    ] {
        if set {
            add(&mut slots, hash(FORM, name), MINOR);
        }
    }
    Ok(at_most_unit(&slots))
}

fn hash(seed: u64, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), seed)
}

/// Adds the direction of `hash`: of each byte of its lower half, three bits choose the slot in a
/// group and one the sign.
fn add(slots: &mut [f64; SLOTS], hash: u64, weight: f64) {
    let share = weight / (GROUPS as f64).sqrt();
    for (group, byte) in slots.chunks_exact_mut(GROUP).zip(hash.to_le_bytes()) {
        if let Some(slot) = group.get_mut(usize::from(byte) % GROUP) {
            *slot += if byte & 0x80 == 0 { share } else { -share };
        }
    }
}
