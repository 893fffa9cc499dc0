//! The declared block: what the caller says of the request, hashed into 32 slots.
//!
//! Each item (the task, a tag with its value, a form of the answer) has a direction of length 1: one
//! slot in each of four groups of eight, plus or minus a half. Two of 66 tasks then share a direction
//! with odds of 1 in 15; with one slot each, 66 tasks in 32 slots must. Measured over 30 hashings,
//! ridge on the task alone, 14 tasks (llmrouter_mix): R2 0.261 with a slot for each task, 0.258 (worst
//! 0.251) with four slots in 32, 0.230 (worst 0.163) with one.
//! The task weighs 1, the rest a half, so that ten tags do not drown the strongest feature there is.
//!
//! Invariants: norm at most 1; the hash (xxh3, fixed seeds) is part of the feature set's name and
//! never changes under it.
//!
//! Source: feature hashing with signs, Weinberger et al. 2009, definition 1; four slots an item as in the
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Tag;

    fn check(request: Request<'_>, expected: &[(usize, f32)]) {
        let block = block(&request).unwrap();
        let mut seen = Vec::new();
        for (slot, &value) in block.iter().enumerate() {
            if value != 0.0 {
                seen.push((slot, value));
            }
        }
        assert_eq!(seen, expected, "{request:?}");
    }

    fn tag<'a>(key: &'a str, value: TagValue<'a>) -> [Tag<'a>; 1] {
        [Tag { key, value }]
    }

    #[test]
    fn the_slots_of_an_item_never_change() {
        let task = |task| Request {
            task: Some(task),
            ..Request::default()
        };
        check(
            task("fix-test"),
            &[(3, -0.5), (13, 0.5), (17, 0.5), (27, -0.5)],
        );
        check(
            task("triage"),
            &[(4, 0.5), (10, -0.5), (21, 0.5), (24, -0.5)],
        );
        let tags = tag("language", TagValue::Text("rust"));
        let tagged = Request {
            tags: &tags,
            ..Request::default()
        };
        check(tagged, &[(4, -0.25), (12, -0.25), (17, -0.25), (29, -0.25)]);
        let form = Request {
            tools: true,
            ..Request::default()
        };
        check(form, &[(6, -0.25), (14, -0.25), (19, -0.25), (29, -0.25)]);
    }

    #[test]
    fn a_number_scales_the_direction_of_its_key_up_to_one() {
        let of = |number| {
            let tags = tag("files", TagValue::Number(number));
            block(&Request {
                tags: &tags,
                ..Request::default()
            })
            .unwrap()
        };
        let one = of(1.0);
        assert_eq!(one.iter().map(|x| x * x).sum::<f32>(), 0.25);
        assert_eq!(of(0.5), one.map(|x| x / 2.0));
        assert_eq!(of(-7.0), one.map(|x| -x));
    }

    #[test]
    fn a_number_that_is_not_finite_is_refused() {
        let tags = tag("files", TagValue::Number(f64::INFINITY));
        let request = Request {
            tags: &tags,
            ..Request::default()
        };
        let refused = block(&request).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "tags[0] is inf: allowed finite numbers"
        );
    }

    #[test]
    fn a_hundred_tasks_have_a_hundred_directions() {
        let names: Vec<String> = (0..100).map(|i| format!("task {i}")).collect();
        let mut blocks: Vec<_> = names
            .iter()
            .map(|name| {
                block(&Request {
                    task: Some(name),
                    ..Request::default()
                })
                .unwrap()
                .map(f32::to_bits)
            })
            .collect();
        blocks.sort_unstable();
        blocks.dedup();
        assert_eq!(blocks.len(), 100);
    }

    #[test]
    fn a_tag_is_told_from_a_task_of_its_name_and_a_key_from_its_value() {
        let text = |key, value| {
            let tags = tag(key, TagValue::Text(value));
            block(&Request {
                tags: &tags,
                ..Request::default()
            })
            .unwrap()
        };
        assert_ne!(text("a", "bc"), text("ab", "c"));
        assert_ne!(text("a", "b"), text("b", "a"));
        let task = Request {
            task: Some("tools"),
            ..Request::default()
        };
        let form = Request {
            tools: true,
            ..Request::default()
        };
        let halved = block(&task).unwrap().map(|x| x / 2.0);
        assert_ne!(halved, block(&form).unwrap());
    }
}
