//! What is kept of a key that was made: HMAC-SHA-256 under a key of the server's own.
//!
//! Invariants: comparing takes a time that does not depend on where two seals differ (`ring`); a seal is shown by
//! no Debug. A server that lost its secret knows none of the keys that were made.
//!
//! Not here: where the secret is kept (`store::keyed`).
//!
//! Source: RFC 2104; the server's secret makes other things too, so that this one is derived from it by an HMAC of
//! its own (RFC 5869 calls that expanding).

use super::text::KeyText;
use crate::id::Secret;
use ring::hmac;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the key of seals is derived by.
const PURPOSE: &[u8] = b"seals of the keys of callers";

/// Makes and compares seals.
#[derive(Clone)]
pub(super) struct Sealer(hmac::Key);

/// The seal of a key.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Seal([u8; 32]);

impl Sealer {
    pub(super) fn new(secret: &Secret) -> Self {
        let whole = hmac::Key::new(hmac::HMAC_SHA256, secret.bytes());
        let derived = hmac::sign(&whole, PURPOSE);
        Self(hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()))
    }

    pub(super) fn seal(&self, key: &KeyText) -> Seal {
        let tag = hmac::sign(&self.0, key.reveal().as_bytes());
        let mut seal = [0; 32];
        // Both have 32 bytes; a shorter tag would leave a seal that nothing meets.
        seal.iter_mut()
            .zip(tag.as_ref())
            .for_each(|(to, from)| *to = *from);
        Seal(seal)
    }

    /// Whether `key` is the one of this seal. Without one, the same work, and it is not.
    pub(super) fn is(&self, key: &str, seal: Option<&Seal>) -> bool {
        let against = seal.map_or([0; 32], |seal| seal.0);
        let met = hmac::verify(&self.0, key.as_bytes(), &against).is_ok();
        met & seal.is_some()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_met_by_its_key_alone_and_under_its_secret_alone() {
        let check = |sealed: u8, asked: u8, secret: u8, expected: bool| {
            let seal = Sealer::new(&Secret::new([1; 32])).seal(&KeyText::of(&[sealed; 35]));
            let sealer = Sealer::new(&Secret::new([secret; 32]));
            let asked = KeyText::of(&[asked; 35]);
            assert_eq!(sealer.is(asked.reveal(), Some(&seal)), expected);
            assert!(!sealer.is(asked.reveal(), None));
        };
        check(7, 7, 1, true);
        check(7, 8, 1, false);
        check(7, 7, 2, false);
    }

    /// The seals of a store that was written by another build must be met by this one.
    #[test]
    fn a_seal_stays_what_it_is() {
        let seal = Sealer::new(&Secret::new([1; 32])).seal(&KeyText::of(&[7; 35]));
        // HMAC-SHA-256(HMAC-SHA-256(0x01 x 32, PURPOSE), "bw_a4dqobyh_a4dqobyha4dq..."), by Python's hmac.
        let hex: String = seal.0.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "bc97b4723cb35c2f2cfa67baa210f0d22697afcda5ef8e2515c11b91057df573"
        );
    }

    #[test]
    fn nothing_of_a_seal_or_its_secret_is_shown() {
        let sealer = Sealer::new(&Secret::new([1; 32]));
        let seal = sealer.seal(&KeyText::of(&[7; 35]));
        assert_eq!(format!("{sealer:?} {seal:?}"), "Sealer(..) Seal(..)");
    }
}
