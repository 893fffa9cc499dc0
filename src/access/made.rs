//! Keys that were made while the server ran: what is kept of each, and finding one by what a caller sent.
//!
//! Kept as one layout byte and postcard, which is not self-describing: a change of [`Made`] or of a type inside it
//! is a new layout.
//!
//! Invariants: a name has one key, for good; a key that was revoked is found by no text; of a key's texts, the
//! newest is good, and the one before it until its time.
//!
//! Not here: whether a change is allowed (`book`), where the bytes lie (`store::keyed`).

use super::grant::Grant;
use super::seal::{Seal, Sealer};
use super::text;
use crate::id::Name;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first byte of what is kept.
const LAYOUT: u8 = 1;

/// What is kept of a key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Made {
    /// What it grants; never changes. It is another value in memory when no text of before is good any more.
    #[serde(with = "shared")]
    pub(super) grant: Arc<Grant>,
    /// The key that made it.
    pub(super) creator: Name,
    pub(super) created: Timestamp,
    pub(super) revoked: Option<Timestamp>,
    /// Its text.
    pub(super) text: Sealed,
    /// The text before, and until when it is good.
    pub(super) before: Option<(Sealed, Timestamp)>,
}

/// What is kept of a text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sealed {
    pub(super) prefix: String,
    pub(super) seal: Seal,
}

/// A value that is shared in memory, as itself.
mod shared {
    use super::Grant;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(super) fn serialize<S: Serializer>(grant: &Arc<Grant>, out: S) -> Result<S::Ok, S::Error> {
        grant.as_ref().serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Grant>, D::Error> {
        Grant::deserialize(from).map(Arc::new)
    }
}

impl Made {
    /// The bytes to keep.
    pub(super) fn bytes(&self) -> Vec<u8> {
        // Growing a Vec is the only step that could fail, and it aborts instead; nothing does not read back.
        postcard::to_extend(self, vec![LAYOUT]).unwrap_or_default()
    }

    /// What was kept; `None` where it is damaged, or of a later build.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [LAYOUT, body @ ..] = bytes else {
            return None;
        };
        match postcard::take_from_bytes(body) {
            Ok((made, [])) => Some(made),
            _ => None,
        }
    }

    /// Whether it was neither revoked nor ended at `now`.
    pub(super) fn is_live(&self, now: Timestamp) -> bool {
        let expired = self.grant.bounds.expires.is_some_and(|end| now >= end);
        self.revoked.is_none() && !expired
    }

    /// The seal of its text with this prefix, and until when that is good where it has an end.
    fn sealed(&self, prefix: &str) -> Option<(&Seal, Option<Timestamp>)> {
        if self.text.prefix == prefix {
            return Some((&self.text.seal, None));
        }
        let (before, until) = self.before.as_ref()?;
        (before.prefix == prefix).then_some((&before.seal, Some(*until)))
    }

    fn prefixes(&self) -> impl Iterator<Item = &String> {
        let before = self.before.as_ref().map(|(before, _)| &before.prefix);
        [&self.text.prefix].into_iter().chain(before)
    }
}

/// All keys that were made.
#[derive(Debug, Clone, Default)]
pub(super) struct Ring {
    by_name: BTreeMap<(Name, Name), Arc<Made>>,
    /// Those that were not revoked.
    by_prefix: BTreeMap<String, Arc<Made>>,
}

impl Ring {
    /// What a caller's key grants at `now`, whatever its bounds.
    pub(super) fn grant(&self, sealer: &Sealer, key: &str, now: Timestamp) -> Option<&Arc<Grant>> {
        let prefix = text::prefix(key)?;
        let made = self.by_prefix.get(prefix);
        let found = made.and_then(|made| Some((made, made.sealed(prefix)?)));
        // Before anything is decided, so that a prefix of nobody's takes as long.
        let met = sealer.is(key, found.map(|(_, (seal, _))| seal));
        let (made, (_, until)) = found.filter(|_| met)?;
        let good = made.revoked.is_none() && until.is_none_or(|until| now < until);
        good.then_some(&made.grant)
    }

    /// The team's key of this name.
    pub(super) fn get(&self, team: &Name, key: &Name) -> Option<&Arc<Made>> {
        self.by_name.get(&(team.clone(), key.clone()))
    }

    /// The keys of a team, by name.
    pub(super) fn of_team<'a>(&'a self, team: &'a Name) -> impl Iterator<Item = &'a Arc<Made>> {
        let made = self.by_name.iter().filter(move |((of, _), _)| of == team);
        made.map(|(_, made)| made)
    }

    /// Whether a text has this prefix.
    pub(super) fn has_prefix(&self, prefix: &str) -> bool {
        self.by_prefix.contains_key(prefix)
    }

    /// Puts a key in place of what was known of it.
    pub(super) fn put(&mut self, made: Made) {
        let name = (made.grant.team.clone(), made.grant.key.clone());
        let made = Arc::new(made);
        if let Some(old) = self.by_name.insert(name, Arc::clone(&made)) {
            for prefix in old.prefixes() {
                self.by_prefix.remove(prefix);
            }
        }
        if made.revoked.is_none() {
            for prefix in made.prefixes() {
                self.by_prefix.insert(prefix.clone(), Arc::clone(&made));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::text::KeyText;
    use crate::access::{Bounds, Scope};
    use crate::id::Secret;

    fn sealer() -> Sealer {
        Sealer::new(&Secret::new([1; 32]))
    }

    fn text(chance: u8) -> (KeyText, Sealed) {
        let text = KeyText::of(&[chance; 35]);
        let prefix = text::prefix(text.reveal()).unwrap().to_owned();
        let seal = sealer().seal(&text);
        (text, Sealed { prefix, seal })
    }

    fn made(chance: u8) -> Made {
        let name = |text| Name::new(text).unwrap();
        let grant = Grant {
            key: name("ci"),
            team: name("coding"),
            scopes: [Scope::Route].into(),
            arms: Some([name("small")].into()),
            bounds: Bounds {
                networks: ["10.0.0.0/8".parse().unwrap()].into(),
                expires: Some(Timestamp::from_micros(50)),
                ..Bounds::default()
            },
        };
        Made {
            grant: Arc::new(grant),
            creator: name("root"),
            created: Timestamp::from_micros(1),
            revoked: None,
            text: text(chance).1,
            before: None,
        }
    }

    /// Whether the ring lets in the key of this chance at this time.
    fn check(ring: &Ring, chance: u8, now: i64, expected: bool) {
        let key = text(chance).0;
        let found = ring.grant(&sealer(), key.reveal(), Timestamp::from_micros(now));
        assert_eq!(found.is_some(), expected, "{chance} at {now}");
    }

    #[test]
    fn a_key_is_found_by_its_text_and_by_none_that_only_shares_its_prefix() {
        let mut ring = Ring::default();
        ring.put(made(7));
        check(&ring, 7, 2, true);
        check(&ring, 8, 2, false);
        let mut chance = [7; 35];
        chance[34] = 6;
        let like = KeyText::of(&chance);
        assert_eq!(
            text::prefix(like.reveal()),
            text::prefix(text(7).0.reveal())
        );
        let found = ring.grant(&sealer(), like.reveal(), Timestamp::from_micros(2));
        assert!(found.is_none());
    }

    #[test]
    fn the_text_before_is_good_until_its_time_and_the_one_before_that_is_not() {
        let mut ring = Ring::default();
        ring.put(made(7));
        let mut rotated = made(8);
        rotated.before = Some((text(7).1, Timestamp::from_micros(10)));
        ring.put(rotated);
        check(&ring, 8, 20, true);
        check(&ring, 7, 9, true);
        check(&ring, 7, 10, false);
        let mut again = made(9);
        again.before = Some((text(8).1, Timestamp::from_micros(30)));
        ring.put(again);
        check(&ring, 7, 9, false);
        check(&ring, 8, 9, true);
        check(&ring, 9, 9, true);
    }

    #[test]
    fn a_key_that_was_revoked_is_found_by_none_of_its_texts() {
        let mut ring = Ring::default();
        let mut rotated = made(8);
        rotated.before = Some((text(7).1, Timestamp::from_micros(10)));
        ring.put(rotated.clone());
        rotated.revoked = Some(Timestamp::from_micros(2));
        ring.put(rotated);
        check(&ring, 7, 3, false);
        check(&ring, 8, 3, false);
        let team = Name::new("coding").unwrap();
        assert_eq!(ring.of_team(&team).count(), 1, "it is still listed");
    }

    #[test]
    fn what_is_kept_reads_back_and_damage_does_not() {
        let mut kept = made(7);
        kept.before = Some((text(6).1, Timestamp::from_micros(10)));
        let bytes = kept.bytes();
        let read = Made::read(&bytes).unwrap();
        assert_eq!(format!("{read:?}"), format!("{kept:?}"));
        assert!(sealer().is(text(7).0.reveal(), Some(&read.text.seal)));
        for damaged in [
            &bytes[..0],
            &bytes[..9],
            &[&bytes[..], &[0]].concat(),
            &[&[9], &bytes[1..]].concat(),
        ] {
            assert!(Made::read(damaged).is_none());
        }
        let whole = text(7).0;
        let secret = whole.reveal().rsplit('_').next().unwrap();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret.as_bytes()));
    }
}
