//! Who stands before both doors: one value of all keys, swapped whole.
//!
//! Invariants: a call is let in by one such value; from the moment that a change is published, every call at
//! either door is judged by it; a reload of the configuration keeps the keys that were made, and a change of those
//! keeps the configuration's.
//!
//! Not here: what a call may do once it is in (`Grant::check`, the use cases), what may be changed (`book`), the rules
//! that belong to a configuration's keys (`admission`).

use super::admission::{Admission, By};
use super::made::{Made, Ring};
use super::seal::Sealer;
use super::{Error, Grant, KeyHash, Keys};
use crate::clock::Clock;
use crate::id::Name;
use crate::unit::Timestamp;
use arc_swap::ArcSwap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Lets in who has a key.
#[derive(Debug)]
pub struct Porter {
    in_force: ArcSwap<InForce>,
    /// Team and name of each configured key with limits of its own.
    limited: ArcSwap<BTreeSet<(Name, Name)>>,
    /// `None`: no key was ever made here.
    sealer: Option<Sealer>,
    clock: Arc<dyn Clock>,
}

/// All keys, at one moment.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    pub(super) configured: Keys,
    pub(super) made: Ring,
    /// Of the configuration whose keys these are.
    number: u64,
}

impl Porter {
    /// With the keys of a configuration and no others.
    pub fn new(configured: Keys, clock: Arc<dyn Clock>) -> Self {
        let made = Ring::default();
        Self {
            in_force: ArcSwap::from_pointee(InForce::first(configured, made)),
            limited: ArcSwap::default(),
            sealer: None,
            clock,
        }
    }

    /// With keys that were made, too.
    pub(super) fn with_made(self, made: Ring, sealer: Sealer) -> Self {
        let configured = self.in_force.load().configured.clone();
        Self {
            in_force: ArcSwap::from_pointee(InForce::first(configured, made)),
            sealer: Some(sealer),
            ..self
        }
    }

    /// What the key of a call grants now, to one who calls from there.
    pub fn admit(&self, key: Option<&str>, from: Option<IpAddr>) -> Result<Admission, Error> {
        let in_force = self.in_force.load();
        let now = self.clock.now();
        let sealer = self
            .sealer
            .as_ref()
            .filter(|_| !in_force.configured.is_open());
        let made = key.zip(sealer);
        let made = made.and_then(|(key, sealer)| in_force.made.grant(sealer, key, now));
        let (grant, by) = match made {
            Some(grant) => (grant, By::Made),
            None => {
                let hash = key.map(KeyHash::of);
                (in_force.configured.of(hash)?, By::Configured(hash))
            }
        };
        grant.check_use(from, now)?;
        Ok(Admission {
            grant: Arc::clone(grant),
            by,
            from,
            number: in_force.number,
        })
    }

    /// The same call, by the keys that are in force now.
    pub(super) fn again(&self, admission: &Admission) -> Result<Admission, Error> {
        let in_force = self.in_force.load();
        if in_force.number == admission.number {
            return Ok(admission.clone());
        }
        let now = self.clock.now();
        let grant = match admission.by {
            By::Configured(hash) => in_force.configured.of(hash)?,
            By::Made if in_force.holds(&admission.grant, now) => &admission.grant,
            By::Made => return Err(Error::KeyUnknown),
        };
        grant.check_use(admission.from, now)?;
        Ok(Admission {
            grant: Arc::clone(grant),
            number: in_force.number,
            ..*admission
        })
    }

    /// From the next call on, these are the keys of the configuration, which has this number. What else it says is
    /// swapped under the same one ([`super::Configured`]).
    pub fn configure(&self, keys: Keys, number: u64) {
        self.in_force.rcu(|now| InForce {
            configured: keys.clone(),
            made: now.made.clone(),
            number,
        });
    }

    /// From now on these configured keys, by team and name, have limits of their own.
    pub fn limit(&self, keys: BTreeSet<(Name, Name)>) {
        self.limited.store(Arc::new(keys));
    }

    pub(super) fn is_limited(&self, key: &Grant) -> bool {
        let place = (key.team.clone(), key.key.clone());
        self.limited.load().contains(&place)
    }

    /// The number of the configuration whose keys are in force.
    pub fn number(&self) -> u64 {
        self.in_force.load().number
    }

    /// From the next call on, this is what is known of a key that was made.
    pub(super) fn publish(&self, made: &Made) {
        self.in_force.rcu(|now| {
            let mut next = InForce::clone(now);
            next.made.put(made.clone());
            next
        });
    }

    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    pub(super) fn sealer(&self) -> Option<&Sealer> {
        self.sealer.as_ref()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl InForce {
    fn first(configured: Keys, made: Ring) -> Self {
        Self {
            configured,
            made,
            number: 0,
        }
    }

    /// Whether what let a call in is still good: a key that was revoked, or has ended, while its call was under way
    /// changes nothing any more, nor does a text that was replaced without overlap. Of a key that was made the very
    /// grant counts, not one like it: such a replacement makes another.
    pub(super) fn holds(&self, grant: &Grant, now: Timestamp) -> bool {
        let made = self.made.get(&grant.team, &grant.key);
        let made = made.is_some_and(|made| std::ptr::eq(&*made.grant, grant) && made.is_live(now));
        let live = grant.bounds.expires.is_none_or(|end| now < end);
        let configured = || self.configured.grants().any(|other| **other == *grant);
        made || (live && configured())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Bounds, KeyHash, Scope};
    use crate::clock::ManualClock;
    use crate::id::Name;

    fn keys(key: &str, bounds: Bounds) -> Keys {
        let grant = Grant {
            key: Name::new("ci").unwrap(),
            team: Name::new("coding").unwrap(),
            scopes: [Scope::Route].into(),
            arms: None,
            bounds,
        };
        Keys::new([(KeyHash::of(key), grant)])
    }

    fn check(porter: &Porter, key: &str, from: &str, expected: Result<(), &str>) {
        let found = porter.admit(Some(key), Some(from.parse().unwrap()));
        let found = found.map(drop).map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    const UNKNOWN: Result<(), &str> =
        Err("the key is absent or unknown: allowed a key whose SHA-256 is in the configuration");

    #[test]
    fn a_key_of_the_configuration_ends_and_has_its_networks_too() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_micros(9)));
        let bounds = Bounds {
            networks: ["10.0.0.0/8".parse().unwrap()].into(),
            expires: Some(Timestamp::from_micros(10)),
            ..Bounds::default()
        };
        let porter = Porter::new(keys("k1", bounds), clock.clone());
        check(&porter, "k1", "10.1.2.3", Ok(()));
        let elsewhere =
            Err("key ci may not be used from this address: allowed from its own networks");
        check(&porter, "k1", "127.0.0.1", elsewhere);
        check(&porter, "k2", "127.0.0.1", UNKNOWN);
        clock.set(Timestamp::from_micros(10));
        check(&porter, "k1", "10.1.2.3", UNKNOWN);
        check(&porter, "k1", "127.0.0.1", UNKNOWN);
    }

    #[test]
    fn other_keys_of_a_configuration_hold_from_the_next_call_on() {
        let porter = Porter::new(
            keys("k1", Bounds::default()),
            Arc::new(ManualClock::default()),
        );
        check(&porter, "k1", "::1", Ok(()));
        porter.configure(keys("k2", Bounds::default()), 1);
        check(&porter, "k1", "::1", UNKNOWN);
        check(&porter, "k2", "::1", Ok(()));
    }
}
