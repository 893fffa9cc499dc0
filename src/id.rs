//! Names and ids.
//!
//! Invariants: a [`Name`] is 1 to 128 characters without control characters; a [`DecisionId`] is a
//! UUIDv7 whose last 32 bits are a keyed check, so that a foreign or mistyped id is told from one of
//! ours without a look-up (SipHash-2-4 over the first 96 bits; a forger's odds are 1 in 2^32 a try).
//!
//! The same secret gives each decision its uniform draw: SipHash-2-4 of the decision id under a
//! second key. The id is the server's, never a value that the client chose, so that nobody can
//! steer the draw, and the draw can be recomputed from the journal by who holds the secret.
//!
//! Not here: where the secret is kept (`store::keyed`).

mod recent;

use crate::unit::Timestamp;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use siphasher::sip::SipHasher24;
use std::borrow::Borrow;
use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a name or an id was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A name is empty, too long or holds a control character.
    #[error("has {len} characters or a control character: allowed 1 to 128 printable characters")]
    Name {
        /// Characters it had.
        len: usize,
    },
    /// Not a decision id made by this server.
    #[error("not a decision id of this server: allowed an id that Route or Complete returned")]
    DecisionId,
}

/// A name people chose: team, arm, endpoint, task, episode, session, signal, key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Arc<str>);

impl Name {
    /// Longest name in characters.
    pub const MAX_CHARS: usize = 128;

    /// Checks length and characters.
    pub fn new(text: impl AsRef<str>) -> Result<Self, Error> {
        let text = text.as_ref();
        // Names are nearly always ASCII, and there are many: a pass over bytes is enough for those.
        let ascii = text.bytes().all(|b| matches!(b, b' '..=b'~'));
        let len = if ascii {
            text.len()
        } else {
            text.chars().count()
        };
        let control = !ascii && text.chars().any(char::is_control);
        if len == 0 || len > Self::MAX_CHARS || control {
            return Err(Error::Name { len });
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names in one line for an error's text, as many as fit in some 300 bytes and how many more.
///
/// ```
/// use bellwether::id::{Name, listed};
/// let arms = ["large", "small"].map(|arm| Name::new(arm).unwrap());
/// assert_eq!(listed(&arms), "large, small");
/// assert_eq!(listed([]), "none");
/// ```
pub fn listed<'a>(names: impl IntoIterator<Item = &'a Name>) -> String {
    const BYTES: usize = 300;
    let (mut text, mut more) = (String::new(), 0);
    for name in names {
        if more > 0 || text.len() + name.0.len() > BYTES {
            more += 1;
            continue;
        }
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(name.as_str());
    }
    match more {
        0 if text.is_empty() => "none".to_owned(),
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Takes the text as it lies in the input: a record has some thirty names.
struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name of 1 to 128 printable characters")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Name, E> {
        recent::read(text).map_err(E::custom)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Id of a decision: UUIDv7 (48 bits of milliseconds, 42 bits of chance) with a 32-bit keyed check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DecisionId(u128);

impl DecisionId {
    /// From the bits of an id that was checked when it was recorded. One that comes from a caller
    /// goes through [`Secret::parse`].
    pub const fn recorded(bits: u128) -> Self {
        Self(bits)
    }

    /// The 128 bits.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// When it was minted, to the millisecond.
    pub fn minted(self) -> Timestamp {
        let millis = i64::try_from(self.0 >> 80).unwrap_or(i64::MAX);
        Timestamp::from_micros(millis.saturating_mul(1000))
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&uuid::Uuid::from_u128(self.0), f)
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a uniform decides beside the arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Which of a budget's two prices a request meets.
    Price = 1,
    /// Whether an arm's first pull is afforded now.
    Turn = 2,
    /// Which experiment a decision without an episode belongs to.
    Cell = 3,
}

/// The server's secret: 32 bytes, made once, kept in the store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret([u8; 32]);

impl Secret {
    /// From 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be kept by the store and shown to nobody.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    fn hasher(&self, half: usize) -> SipHasher24 {
        let mut key = [0; 16];
        key.copy_from_slice(&self.0[half * 16..half * 16 + 16]);
        SipHasher24::new_with_key(&key)
    }

    fn check(&self, head: u128) -> u128 {
        let mut hasher = self.hasher(0);
        hasher.write(&(head >> 32).to_le_bytes());
        u128::from(hasher.finish() & 0xffff_ffff)
    }

    /// Makes an id from the time and 64 bits of chance.
    pub fn mint(&self, now: Timestamp, chance: u64) -> DecisionId {
        let millis = u128::from(u64::try_from(now.micros() / 1000).unwrap_or(0) & 0xffff_ffff_ffff);
        let chance = u128::from(chance);
        let rand_a = chance & 0xfff;
        let rand_b = (chance >> 12) & 0x3fff_ffff;
        let head = (millis << 80) | (0x7 << 76) | (rand_a << 64) | (0b10 << 62) | (rand_b << 32);
        DecisionId(head | self.check(head))
    }

    /// Reads an id and verifies its check.
    pub fn parse(&self, text: &str) -> Result<DecisionId, Error> {
        let id = uuid::Uuid::parse_str(text)
            .map_err(|_| Error::DecisionId)?
            .as_u128();
        let head = id & !0xffff_ffff_u128;
        if id == head | self.check(head) {
            Ok(DecisionId(id))
        } else {
            Err(Error::DecisionId)
        }
    }

    /// The uniform in [0, 1) that draws the arm of `id`: 53 bits of SipHash-2-4.
    pub fn uniform(&self, id: DecisionId) -> f64 {
        self.hashed(&id.as_u128().to_le_bytes())
    }

    /// The uniform in [0, 1) that decides something else of `id`: independent of [`Secret::uniform`] and
    /// of those for other purposes.
    pub fn uniform_for(&self, id: DecisionId, purpose: Purpose) -> f64 {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&id.as_u128().to_le_bytes());
        bytes[16] = purpose as u8;
        self.hashed(&bytes)
    }

    /// The uniform in [0, 1) that decides the experiment of a team's episode: the same for all its
    /// decisions, and after a restart, and not to be guessed without the secret.
    pub fn uniform_for_episode(&self, team: &Name, episode: &Name) -> f64 {
        let mut hasher = self.hasher(1);
        // Longer than what any other uniform is made of; the length keeps the names apart.
        hasher.write(b"experiment of an episode");
        hasher.write(&(team.as_str().len() as u64).to_le_bytes());
        hasher.write(team.as_str().as_bytes());
        hasher.write(episode.as_str().as_bytes());
        unit(hasher.finish())
    }

    fn hashed(&self, bytes: &[u8]) -> f64 {
        let mut hasher = self.hasher(1);
        hasher.write(bytes);
        unit(hasher.finish())
    }
}

/// The first 53 bits of a hash as a number in [0, 1).
fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Mints decision ids: a counter under the secret gives the 42 bits of chance, so that ids of one
/// process never collide within 2^42 and need no shared generator. Clones go on with one counter.
#[derive(Debug, Clone)]
pub struct Mint {
    secret: Secret,
    next: Arc<AtomicU64>,
}

impl Mint {
    /// Starts from `seed`, drawn anew at every start of the process.
    pub fn new(secret: Secret, seed: u64) -> Self {
        Self {
            secret,
            next: Arc::new(AtomicU64::new(seed)),
        }
    }

    /// The next id.
    pub fn next(&self, now: Timestamp) -> DecisionId {
        // Odd multiplier: a bijection on 64 bits (and on the low 42), spreads neighbours apart.
        let chance = self
            .next
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.secret.mint(now, chance)
    }

    /// The secret, for parsing and drawing.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::new([byte; 32])
    }

    #[test]
    fn an_id_is_a_uuid_v7_and_parses_under_its_own_secret_only() {
        let now = Timestamp::from_micros(1_700_000_000_123_456);
        let id = secret(1).mint(now, 42);
        let text = id.to_string();
        assert_eq!(uuid::Uuid::parse_str(&text).unwrap().get_version_num(), 7);
        assert_eq!(secret(1).parse(&text), Ok(id));
        assert_eq!(secret(2).parse(&text), Err(Error::DecisionId));
        assert_eq!(id.minted().micros(), 1_700_000_000_123_000);
    }

    #[test]
    fn uniforms_fill_the_unit_interval_evenly() {
        let mint = Mint::new(secret(3), 0);
        let mut counts = [0_u32; 10];
        for _ in 0..10_000 {
            let u = mint.secret().uniform(mint.next(Timestamp::from_micros(5)));
            counts[(u * 10.0) as usize] += 1;
        }
        // Binomial(10000, 0.1): sd 30; five sd either way fails once in 1.7 million.
        assert!(
            counts.iter().all(|c| (850..=1150).contains(c)),
            "{counts:?}"
        );
    }

    #[test]
    fn an_episode_has_one_uniform_of_its_team_and_secret() {
        let name = |text: &str| Name::new(text).unwrap();
        let of = |byte, team: &str, episode: &str| {
            secret(byte).uniform_for_episode(&name(team), &name(episode))
        };
        assert_eq!(of(1, "t", "e"), of(1, "t", "e"));
        let others = [of(2, "t", "e"), of(1, "te", "e"), of(1, "t", "ee")];
        assert!(others.iter().all(|other| *other != of(1, "t", "e")));
        // The same letters, parted elsewhere.
        assert_ne!(of(1, "ab", "c"), of(1, "a", "bc"));
        let held = (0..10_000).filter(|n| of(3, "t", &format!("e{n}")) < 0.05);
        // Binomial(10000, 0.05): sd 22; five sd either way.
        let held = held.count();
        assert!((390..=610).contains(&held), "{held}");
    }

    #[test]
    fn a_name_has_1_to_128_printable_characters() {
        assert!(Name::new("a").is_ok());
        assert!(Name::new("é".repeat(128)).is_ok());
        assert_eq!(Name::new(""), Err(Error::Name { len: 0 }));
        assert_eq!(Name::new("x".repeat(129)), Err(Error::Name { len: 129 }));
        assert_eq!(Name::new("a\nb"), Err(Error::Name { len: 3 }));
    }
}
