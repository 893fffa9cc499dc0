//! The text of a key that is made: `bw_PREFIX_SECRET`.
//!
//! `bw_` is there so that who scans code and logs for secrets knows one: `bw_[a-z2-7]{8}_[a-z2-7]{48}`. The
//! prefix (40 bits of chance) is public: lists show it, to tell one key from another. The secret is 240 bits of the
//! operating system's chance. Letters and digits of one case, so that a double click takes all of it.
//!
//! Invariants: Debug does not show it; it is revealed by [`KeyText::reveal`] alone.
//!
//! Not here: what is kept of it (`seal`).
//!
//! Source: RFC 4648, section 6 (base 32), in small letters, without padding: five bytes are eight letters.

use std::fmt;

const BEGINNING: &str = "bw_";
const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Bytes of chance in a prefix, and letters that they make.
const PREFIX_BYTES: usize = 5;
const PREFIX_LETTERS: usize = 8;

/// Bytes of chance in a secret, and letters that they make.
const SECRET_BYTES: usize = 30;
const SECRET_LETTERS: usize = 48;

/// A key as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText(String);

/// Chance that a key is made of.
pub(super) type Chance = [u8; PREFIX_BYTES + SECRET_BYTES];

impl KeyText {
    /// From random bytes.
    pub(super) fn of(chance: &Chance) -> Self {
        let (prefix, secret) = chance.split_at(PREFIX_BYTES);
        Self(format!(
            "{BEGINNING}{}_{}",
            letters(prefix),
            letters(secret)
        ))
    }

    /// The text, to be shown to who asked for the key and to nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for KeyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyText(..)")
    }
}

/// The prefix of a text that could be a key that was made.
pub(super) fn prefix(key: &str) -> Option<&str> {
    let (prefix, secret) = key.strip_prefix(BEGINNING)?.split_once('_')?;
    let good = |text: &str, letters| text.len() == letters && text.bytes().all(is_letter);
    (good(prefix, PREFIX_LETTERS) && good(secret, SECRET_LETTERS)).then_some(prefix)
}

fn is_letter(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'2'..=b'7')
}

fn letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5);
    for five in bytes.chunks(5) {
        let bits = five
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let letter = LETTERS.get((bits >> (5 * place) & 31) as usize);
            text.push(char::from(letter.copied().unwrap_or_default()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(key: &str, expected: Option<&str>) {
        assert_eq!(prefix(key), expected, "{key}");
    }

    #[test]
    fn letters_are_those_of_the_rfc() {
        // RFC 4648, section 10: "fooba" is MZXW6YTB.
        assert_eq!(letters(b"fooba"), "mzxw6ytb");
        assert_eq!(letters(&[0xff; 10]), "7".repeat(16));
    }

    #[test]
    fn a_key_is_known_by_its_shape() {
        let secret = "a".repeat(48);
        check(&format!("bw_mzxw6ytb_{secret}"), Some("mzxw6ytb"));
        check(&format!("bw_mzxw6ytb_{secret}a"), None);
        check(&format!("bw_MZXW6YTB_{secret}"), None);
        check(&format!("bw_mzxw6yt_{secret}"), None);
        check(&format!("xx_mzxw6ytb_{secret}"), None);
        check(&format!("bw_mzxw6ytb{secret}"), None);
        check("", None);
    }

    #[test]
    fn a_key_is_not_shown_by_debug() {
        let key = KeyText::of(&[7; 35]);
        assert_eq!(format!("{key:?}"), "KeyText(..)");
    }

    proptest! {
        #[test]
        fn different_chance_makes_different_keys_of_one_shape(a in any::<[u8; 30]>(), b in any::<[u8; 30]>()) {
            let key = |secret: [u8; 30]| {
                let mut chance = [1; 35];
                chance[5..].copy_from_slice(&secret);
                KeyText::of(&chance)
            };
            prop_assert_eq!(key(a) == key(b), a == b);
            let text = key(a);
            prop_assert_eq!(prefix(text.reveal()), Some("aeaqcaib"));
        }
    }

    #[test]
    fn fuzz() {
        let key = KeyText::of(&[7; 35]).reveal().to_owned();
        let inputs = [key.as_bytes(), b"Bearer k", b"10.0.0.0/8", b"2001:db8::/32"];
        crate::fuzz::fuzz("texts of keys and networks", 4_000, &inputs, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            if let Some(prefix) = prefix(&text) {
                assert!(text.starts_with(&format!("bw_{prefix}_")) && text.len() == key.len());
            }
            let _ = text.parse::<crate::access::Network>();
        });
    }
}
