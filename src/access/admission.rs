//! A call that was let in, and the rules that it is judged by.
//!
//! Keys and rules of a configuration are swapped in two steps, at one number ([`Configured`]). Whoever judges a call
//! asks for both of one number ([`Porter::beside`]): a call that was let in by the keys of an older configuration is let
//! in again, by those that belong to the rules.
//!
//! Invariants: of what is judged together, keys and rules are of one configuration.
//!
//! Not here: who is let in (`porter`), what the rules are (`grpc`, `http`).

use super::{Error, Grant, KeyHash, Porter};
use arc_swap::ArcSwap;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

/// What is judged by, and the number of the configuration that says so.
#[derive(Debug)]
pub struct Configured<T> {
    /// As [`Porter::configure`] was told.
    pub number: u64,
    /// What it says.
    pub rules: Arc<T>,
}

impl<T> Configured<T> {
    /// Of the configuration that a server starts with.
    pub fn first(rules: T) -> Self {
        Self {
            number: 0,
            rules: Arc::new(rules),
        }
    }
}

/// A call that was let in: it may do what its grant says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    pub(super) grant: Arc<Grant>,
    pub(super) by: By,
    pub(super) from: Option<IpAddr>,
    /// Of the configuration whose keys let it in.
    pub(super) number: u64,
}

/// The key that let a call in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// One of the configuration's; none where anyone may come in.
    Configured(Option<KeyHash>),
    /// One that was made.
    Made,
}

impl Admission {
    /// What its key grants, to be kept.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }
}

impl Deref for Admission {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.grant
    }
}

impl Porter {
    /// The rules that are there, and what the call may do by the keys of the same configuration.
    pub async fn beside<T>(
        &self,
        rules: &ArcSwap<Configured<T>>,
        admission: &Admission,
    ) -> Result<(Arc<T>, Admission), Error> {
        loop {
            let there = rules.load_full();
            let admission = self.again(admission)?;
            if admission.number == there.number {
                return Ok((Arc::clone(&there.rules), admission));
            }
            // Between the two steps of a swap, which are microseconds apart.
            tokio::task::yield_now().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Bounds, Keys, Scope};
    use crate::clock::ManualClock;
    use crate::id::Name;
    use futures_util::FutureExt;

    fn keys(text: &str, arm: &str) -> Keys {
        let name = |text: &str| Name::new(text).unwrap();
        let grant = Grant {
            key: name("ci"),
            team: name("coding"),
            scopes: [Scope::Route].into(),
            arms: Some([name(arm)].into()),
            bounds: Bounds::default(),
        };
        Keys::new([(KeyHash::of(text), grant)])
    }

    /// Rules that are no more than the arm which the keys of their configuration allow.
    fn rules(number: u64, arm: &str) -> Arc<Configured<String>> {
        Arc::new(Configured {
            number,
            rules: Arc::new(arm.to_owned()),
        })
    }

    fn check(found: Option<Result<(Arc<String>, Admission), Error>>, arm: &str) {
        let (rules, admission) = found.expect("judged").expect("let in");
        let arms = admission.arms.as_ref().expect("arms");
        assert_eq!((rules.as_str(), arms.first().unwrap().as_str()), (arm, arm));
    }

    #[test]
    fn a_call_is_judged_by_keys_and_rules_of_one_configuration_whatever_is_swapped_first() {
        let clock = Arc::new(ManualClock::default());
        let porter = Porter::new(keys("k1", "old"), clock);
        let there = ArcSwap::from(rules(0, "old"));
        let admission = porter.admit(Some("k1"), None).unwrap();
        check(porter.beside(&there, &admission).now_or_never(), "old");
        there.store(rules(1, "new"));
        // Half-way it waits.
        assert!(porter.beside(&there, &admission).now_or_never().is_none());
        porter.configure(keys("k1", "new"), 1);
        check(porter.beside(&there, &admission).now_or_never(), "new");
        porter.configure(keys("k1", "newer"), 2);
        assert!(porter.beside(&there, &admission).now_or_never().is_none());
        there.store(rules(2, "newer"));
        check(porter.beside(&there, &admission).now_or_never(), "newer");
    }

    #[test]
    fn who_was_let_in_by_a_key_that_is_gone_is_refused() {
        let porter = Porter::new(keys("k1", "a"), Arc::new(ManualClock::default()));
        let there = ArcSwap::from(rules(0, "a"));
        let admission = porter.admit(Some("k1"), None).unwrap();
        porter.configure(keys("k2", "a"), 1);
        let judged = porter.beside(&there, &admission).now_or_never();
        assert_eq!(judged.unwrap().err(), Some(Error::KeyUnknown));
    }
}
