//! The id of a call: the caller's own word for it, or ours.
//!
//! Invariants: it is 1 to 64 characters that stand in a header, in a line of log and in JSON as they are; a word that
//! is not of that kind is passed over, never mended; an id of ours is unique within a run of the server.
//!
//! Not here: which header it comes in (the doors), which lines carry it (`log`). The `request_id` of the contract is
//! the caller's idempotency key: another thing.

use std::fmt;

/// Longest word of a caller.
const MOST: usize = 64;

/// The id of a call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallId(Word);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    Ours(u64),
    Theirs { length: u8, text: [u8; MOST] },
}

impl CallId {
    /// One of ours, from its number.
    pub const fn new(number: u64) -> Self {
        Self(Word::Ours(number))
    }

    /// The caller's word, if it can be an id: 1 to 64 of letters, digits and `-_.:/+=@~`, all ASCII.
    pub fn said(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.:/+=@~".contains(&b);
        let length = u8::try_from(text.len()).ok().filter(|length| *length > 0)?;
        let mut kept = [0; MOST];
        kept.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let id = Word::Theirs { length, text: kept };
        text.bytes().all(fits).then_some(Self(id))
    }
}

impl Default for CallId {
    /// Of no call: number 0.
    fn default() -> Self {
        Self::new(0)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Word::Ours(number) => write!(f, "{number:016x}"),
            Word::Theirs { length, text } => {
                let text = text.get(..usize::from(*length)).unwrap_or_default();
                f.write_str(std::str::from_utf8(text).unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        let found = CallId::said(text).map(|id| id.to_string());
        assert_eq!(found.as_deref(), expected, "{text:?}");
    }

    #[test]
    fn a_callers_word_is_taken_as_it_is_or_not_at_all() {
        let uuid = "0197-c0ffee_A.b:c/d+e=f@g~h";
        check(uuid, Some(uuid));
        check(&"x".repeat(64), Some(&"x".repeat(64)));
        for bad in ["", " ", "a b", "a\nb", "a\"b", "a\\b", "{}", "id=\u{e4}"] {
            check(bad, None);
        }
        for length in [65, 256, 257, 320] {
            check(&"x".repeat(length), None);
        }
    }

    #[test]
    fn an_id_of_ours_is_sixteen_digits() {
        assert_eq!(CallId::new(0xab).to_string(), "00000000000000ab");
        assert_eq!(CallId::default(), CallId::new(0));
    }

    proptest! {
        #[test]
        fn whatever_is_taken_stands_in_json_as_it_is(text in "\\PC{0,80}|[a-z\"\\\\:=]{1,8}") {
            if let Some(id) = CallId::said(&text) {
                prop_assert_eq!(serde_json::to_string(&text).unwrap(), format!("\"{id}\""));
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
