//! Access: a key to a team and what it may do.
//!
//! Keys come from two places. Those of the configuration ([`Keys`]) change when it does; those that a team
//! makes for itself ([`Book`]) are created, rotated and revoked while the server runs. Both stand before both doors
//! in one value that is swapped whole ([`Porter`]), so that no door is behind the other.
//!
//! **Of a configured key** only its SHA-256 is held. A look-up hashes what came and finds the hash in a map;
//! the map's comparisons take time that depends on the hashes, which is harmless: who measures them
//! learns about the hash of a guess, and to use that would have to choose inputs by their hash, while
//! the key itself never enters a comparison. This rests on keys being random (128 bits or more, as
//! `openssl rand -hex 24` makes), for a fast hash does not protect a word that people chose.
//!
//! **Of a key that was made** only an HMAC-SHA-256 under the server's own secret is held, so that who reads the
//! store without the secret cannot even try guesses. It is found by its prefix, which is public, and then compared
//! in a time that does not depend on where it differs; a prefix that is nobody's costs the same work, so that
//! time does not tell which prefixes there are.
//!
//! Invariants: no key and no hash is shown by Debug or an error; a server without keys is open only
//! where it was told to be ([`Keys::open`]); a change is on disk before it is acknowledged, and stands at both
//! doors then; a key that was revoked is never good again, whatever was under way when it was.
//!
//! A call is judged when it comes: one that was let in runs to its end, a stream too, though its key is revoked
//! meanwhile. (Ending it would save nothing that is not spent already, and what it holds is settled at its end.)
//!
//! Not here: where keys are written (`config`, `store::keyed`), how they travel (`grpc`, `http`), money (`account`).

mod admission;
mod book;
mod grant;
mod listed;
mod made;
mod network;
mod porter;
mod refused;
mod seal;
mod text;

pub use admission::{Admission, Configured};
pub use book::{Book, Wanted};
pub use grant::{Bounds, Grant};
pub use listed::{KeyPage, Life, Listed};
pub use network::{Network, NotANetwork};
pub use porter::Porter;
pub use refused::KeyError;
pub use text::KeyText;

use crate::id::Name;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Why access was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No key, or not one of ours.
    #[error("the key is absent or unknown: allowed a key whose SHA-256 is in the configuration")]
    KeyUnknown,
    /// The key is known and may not do this.
    #[error("key {key} may not {scope}: allowed with a key that has the scope `{scope}`")]
    NotAllowed {
        /// Name of the key.
        key: Name,
        /// What it lacks.
        scope: Scope,
    },
    /// The key is known and may not be used from where the call comes from. Only who holds it hears this.
    #[error("key {key} may not be used from this address: allowed from its own networks")]
    Elsewhere {
        /// Name of the key.
        key: Name,
    },
    /// The key is known and may not ask for this task.
    #[error("this key may not ask for this task, or for none: allowed {allowed}")]
    Task {
        /// Its own tasks.
        allowed: String,
    },
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    /// Ask for decisions, report attempts, read its team's decisions.
    Route,
    /// Have requests answered.
    Complete,
    /// Give feedback and close episodes.
    Feedback,
    /// Judge policies on the team's traffic.
    Replay,
    /// Pin and freeze; make, list, rotate and revoke keys.
    Admin,
}

impl Scope {
    /// Every scope, in order.
    pub const ALL: [Self; 5] = [
        Self::Route,
        Self::Complete,
        Self::Feedback,
        Self::Replay,
        Self::Admin,
    ];

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Complete => "complete",
            Self::Feedback => "feedback",
            Self::Replay => "replay",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let found = Self::ALL.into_iter().find(|s| s.as_str() == text);
        found.ok_or(UnknownScope)
    }
}

/// Not the name of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a scope: allowed route, complete, feedback, replay, admin")]
pub struct UnknownScope;

/// SHA-256 of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a key as it came from the caller.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    pub fn from_hex(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let mut value = 0;
            for digit in pair {
                value = value * 16 + char::from(*digit).to_digit(16)?;
            }
            *byte = u8::try_from(value).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(..)")
    }
}

/// The keys of a server's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys(Inner);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Inner {
    Listed(BTreeMap<KeyHash, Arc<Grant>>),
    Open(Arc<Grant>),
}

impl Keys {
    /// The keys of a configuration. Of two grants for one hash the later holds: `config` refuses them.
    pub fn new(grants: impl IntoIterator<Item = (KeyHash, Grant)>) -> Self {
        let grants = grants.into_iter().map(|(h, g)| (h, Arc::new(g)));
        Self(Inner::Listed(grants.collect()))
    }

    /// Everyone who can connect may do everything for `team`, with or without a key; decisions record
    /// `key` as the key's name. For a loopback listener only.
    pub fn open(team: Name, key: Name) -> Self {
        let scopes = Scope::ALL.into_iter().collect();
        let grant = Grant {
            key,
            team,
            scopes,
            arms: None,
            bounds: Bounds::default(),
        };
        Self(Inner::Open(Arc::new(grant)))
    }

    /// Whether anyone may come in.
    pub fn is_open(&self) -> bool {
        matches!(self.0, Inner::Open(_))
    }

    /// These, but with those named as they are in `now`, which are not there where they are new. One that is here no
    /// more is gone all the same.
    pub fn but(&self, named: &BTreeSet<Name>, now: &Self) -> Self {
        let (Inner::Listed(new), Inner::Listed(now)) = (&self.0, &now.0) else {
            return self.clone();
        };
        let stays = |grant: &Grant| named.contains(&grant.key);
        let here: BTreeSet<&Name> = new.values().map(|grant| &grant.key).collect();
        let kept = now
            .iter()
            .filter(|(_, grant)| stays(grant) && here.contains(&grant.key));
        let taken = new.iter().filter(|(_, grant)| !stays(grant));
        let all = taken.chain(kept);
        Self(Inner::Listed(
            all.map(|(hash, grant)| (*hash, Arc::clone(grant)))
                .collect(),
        ))
    }

    /// All of them, each with a fingerprint of its hash, 32 bits of it: another key has another, but for one of 2^32.
    /// Who sees it can try guesses against it, as against the hash itself, so it rests on keys being random too; of a
    /// random one it tells nothing that leads to it.
    pub fn fingerprints(&self) -> impl Iterator<Item = (String, &Arc<Grant>)> {
        let listed = match &self.0 {
            Inner::Listed(grants) => Some(grants),
            Inner::Open(_) => None,
        };
        let mark = |(hash, grant): (&KeyHash, _)| {
            let digest = Sha256::digest([b"fingerprint of a key".as_slice(), &hash.0].concat());
            let mark: String = digest
                .iter()
                .take(4)
                .map(|byte| format!("{byte:02x}"))
                .collect();
            (mark, grant)
        };
        listed.into_iter().flatten().map(mark)
    }

    /// All of them, by no order that means anything.
    fn grants(&self) -> impl Iterator<Item = &Arc<Grant>> {
        let (listed, open) = match &self.0 {
            Inner::Listed(grants) => (Some(grants.values()), None),
            Inner::Open(grant) => (None, Some(grant)),
        };
        listed.into_iter().flatten().chain(open)
    }

    /// What `key` grants, whatever its bounds.
    pub fn grant(&self, key: Option<&str>) -> Result<&Arc<Grant>, Error> {
        self.of(key.map(KeyHash::of))
    }

    /// What the key with this hash grants.
    fn of(&self, hash: Option<KeyHash>) -> Result<&Arc<Grant>, Error> {
        match &self.0 {
            Inner::Open(grant) => Ok(grant),
            Inner::Listed(grants) => {
                let granted = hash.and_then(|hash| grants.get(&hash));
                granted.ok_or(Error::KeyUnknown)
            }
        }
    }

    /// What `key` grants, if that includes `scope`.
    pub fn authorise(&self, key: Option<&str>, scope: Scope) -> Result<&Arc<Grant>, Error> {
        let grant = self.grant(key)?;
        grant.check(scope)?;
        Ok(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of "abc" (FIPS 180-4, appendix B.1).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn keys() -> Keys {
        let grant = Grant {
            key: name("ci"),
            team: name("coding"),
            scopes: [Scope::Route, Scope::Feedback].into(),
            arms: None,
            bounds: Bounds::default(),
        };
        Keys::new([(KeyHash::from_hex(ABC).unwrap(), grant)])
    }

    fn check(key: Option<&str>, scope: Scope, expected: Result<&str, &str>) {
        let found = keys()
            .authorise(key, scope)
            .map(|g| g.team.to_string())
            .map_err(|e| e.to_string());
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected);
    }

    #[test]
    fn a_key_is_found_by_its_published_hash() {
        check(Some("abc"), Scope::Route, Ok("coding"));
    }

    #[test]
    fn no_key_and_a_wrong_key_are_refused_alike() {
        let refused =
            "the key is absent or unknown: allowed a key whose SHA-256 is in the configuration";
        for key in [None, Some(""), Some("abd"), Some(ABC)] {
            check(key, Scope::Route, Err(refused));
        }
    }

    #[test]
    fn keys_that_are_named_stay_as_they_are_or_away_and_go_when_they_are_gone() {
        let of = |keys: &[(&str, &str)]| {
            let grants = keys.iter().map(|(key, text)| {
                let grant = Grant {
                    key: name(key),
                    team: name("coding"),
                    scopes: [Scope::Route].into(),
                    arms: None,
                    bounds: Bounds::default(),
                };
                (KeyHash::of(text), grant)
            });
            Keys::new(grants)
        };
        let now = of(&[("a", "a1"), ("b", "b1"), ("c", "c1")]);
        let new = of(&[("a", "a2"), ("b", "b2"), ("d", "d1"), ("e", "e1")]);
        let named = ["b", "c", "d"].map(name).into();
        let expected = of(&[("a", "a2"), ("b", "b1"), ("e", "e1")]);
        assert_eq!(new.but(&named, &now), expected);
        let open = Keys::open(name("default"), name("open"));
        assert_eq!(open.but(&named, &now), open);
    }

    #[test]
    fn a_key_does_only_what_its_scopes_say() {
        check(Some("abc"), Scope::Feedback, Ok("coding"));
        let refused = "key ci may not admin: allowed with a key that has the scope `admin`";
        check(Some("abc"), Scope::Admin, Err(refused));
    }

    #[test]
    fn an_open_server_takes_anyone_for_everything() {
        let open = Keys::open(name("default"), name("open"));
        assert!(open.is_open() && !keys().is_open());
        for scope in Scope::ALL {
            let grant = open.authorise(None, scope).unwrap();
            assert_eq!(
                (grant.team.as_str(), grant.key.as_str()),
                ("default", "open")
            );
            assert!(open.authorise(Some("anything"), scope).is_ok());
        }
    }

    #[test]
    fn a_hash_has_64_hexadecimal_digits_of_either_case() {
        let upper = KeyHash::from_hex(&ABC.to_uppercase());
        assert_eq!(upper, Some(KeyHash::of("abc")));
        let bad = [
            &ABC[1..],
            "",
            &ABC.replace('b', "g"),
            &format!("+{}", &ABC[1..]),
        ];
        for text in bad {
            assert_eq!(KeyHash::from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn nothing_of_a_hash_is_shown() {
        assert!(!format!("{:?}", keys()).contains("186"));
        assert!(format!("{:?}", keys()).contains("KeyHash(..)"));
    }

    #[test]
    fn the_words_of_scopes_parse_back() {
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        assert_eq!("root".parse::<Scope>(), Err(UnknownScope));
    }
}
