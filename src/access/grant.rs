//! What a key grants, and whether one grant lies within another.
//!
//! Scopes say which calls a key may make; arms, endpoints and tasks bound what its requests may ask for; networks
//! and the end bound when and from where it is good. What was decided and recorded is the team's: a key with the
//! scope reads its team's decisions and gives feedback on them, whatever arm or task they are of.
//!
//! Invariants: a key makes no key with a right that it has not ([`Grant::beyond`]).
//!
//! Not here: which arms are eligible (`eligibility`, which every choice and every hop passes).

use super::{Error, Network, Scope};
use crate::eligibility::Catalogue;
use crate::id::{Name, listed};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What a key grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Name of the key: the only thing of it that is ever recorded.
    pub key: Name,
    /// The team it acts for.
    pub team: Name,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
    /// The arms it may use. `None`: every arm.
    pub arms: Option<BTreeSet<Name>>,
    /// What else bounds it.
    pub bounds: Bounds,
}

/// What bounds a key beside its scopes and arms. The default: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bounds {
    /// The endpoints it may use. `None`: every endpoint.
    pub endpoints: Option<BTreeSet<Name>>,
    /// The tasks it may ask for. `None`: any, and none.
    pub tasks: Option<BTreeSet<Name>>,
    /// The networks it may be used from. Empty: from anywhere.
    pub networks: BTreeSet<Network>,
    /// When it ends. `None`: never.
    pub expires: Option<Timestamp>,
}

impl Grant {
    /// Who it is, for whoever keeps account of changes.
    pub fn by(&self) -> String {
        format!("key {} of {}", self.key, self.team)
    }

    /// All that it grants, in words: equal grants have equal words.
    pub fn in_words(&self) -> String {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.as_str()).collect();
        let mut words = format!("may {}", scopes.join(", "));
        let bounds = &self.bounds;
        let names = [
            ("arms", &self.arms),
            ("endpoints", &bounds.endpoints),
            ("tasks", &bounds.tasks),
        ];
        for (what, names) in names {
            if let Some(names) = names {
                let names: Vec<&str> = names.iter().map(Name::as_str).collect();
                words.push_str(&format!("; {what} {}", names.join(", ")));
            }
        }
        if !bounds.networks.is_empty() {
            let networks: Vec<String> = bounds.networks.iter().map(Network::to_string).collect();
            words.push_str(&format!("; from {}", networks.join(", ")));
        }
        if let Some(end) = bounds.expires {
            words.push_str(&format!("; until {}", end.rfc3339()));
        }
        words
    }

    /// Whether it may do this.
    pub fn check(&self, scope: Scope) -> Result<(), Error> {
        if self.scopes.contains(&scope) {
            Ok(())
        } else {
            let key = self.key.clone();
            Err(Error::NotAllowed { key, scope })
        }
    }

    /// Whether it is good at `now`, from there. An address that is not known is in no network.
    pub(super) fn check_use(&self, from: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        if self.bounds.expires.is_some_and(|end| now >= end) {
            return Err(Error::KeyUnknown);
        }
        let networks = &self.bounds.networks;
        let here = |from: IpAddr| networks.iter().any(|network| network.holds(from));
        if networks.is_empty() || from.is_some_and(here) {
            return Ok(());
        }
        let key = self.key.clone();
        Err(Error::Elsewhere { key })
    }

    /// Whether it may ask for this task.
    pub fn check_task(&self, task: Option<&Name>) -> Result<(), Error> {
        let Some(tasks) = &self.bounds.tasks else {
            return Ok(());
        };
        if task.is_some_and(|task| tasks.contains(task)) {
            return Ok(());
        }
        let allowed = listed(tasks);
        Err(Error::Task { allowed })
    }

    /// Whether it may use an arm, by one of its endpoints.
    pub fn may_use(&self, catalogue: &Catalogue, arm: &Name) -> bool {
        let by_arm = self.arms.as_ref().is_none_or(|arms| arms.contains(arm));
        let by_endpoint = self.bounds.endpoints.as_ref().is_none_or(|may| {
            let of_arm = catalogue.endpoints().iter().filter(|e| e.arm == *arm);
            of_arm.into_iter().any(|e| may.contains(&e.name))
        });
        by_arm && by_endpoint
    }

    /// The first right that `wanted` has beyond this one's: as an action that is refused, with what is allowed.
    /// `None`: there is none.
    pub(super) fn beyond(&self, wanted: &Self) -> Option<String> {
        let (ours, theirs) = (&self.bounds, &wanted.bounds);
        if let Some(scope) = wanted.scopes.difference(&self.scopes).next() {
            let own: Vec<_> = self.scopes.iter().map(|scope| scope.as_str()).collect();
            return Some(refusal(&format!("the scope `{scope}`"), &own.join(", ")));
        }
        let lists = [
            ("arm", &self.arms, &wanted.arms),
            ("endpoint", &ours.endpoints, &theirs.endpoints),
            ("task", &ours.tasks, &theirs.tasks),
        ];
        let beyond = lists.into_iter().find_map(|(what, ours, theirs)| {
            let ours = ours.as_ref()?;
            let within = theirs.as_ref().is_some_and(|theirs| theirs.is_subset(ours));
            (!within).then(|| refusal(&format!("another {what}"), &listed(ours)))
        });
        if beyond.is_some() {
            return beyond;
        }
        let covered = |inner: &Network| ours.networks.iter().any(|outer| inner.within(outer));
        let open = ours.networks.is_empty();
        if !open && (theirs.networks.is_empty() || !theirs.networks.iter().all(covered)) {
            let own: Vec<_> = ours.networks.iter().map(ToString::to_string).collect();
            return Some(refusal("another network", &own.join(", ")));
        }
        let end = ours.expires?;
        let longer = theirs.expires.is_none_or(|wanted| wanted > end);
        longer.then(|| refusal("a later end", "its own end, or an earlier one"))
    }
}

fn refusal(what: &str, allowed: &str) -> String {
    format!("give a key {what}: allowed its own: {allowed}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(text: &str) -> Option<BTreeSet<Name>> {
        let name = |text| Name::new(text).unwrap();
        (text != "all").then(|| text.split_whitespace().map(name).collect())
    }

    fn grant(arms: &str) -> Grant {
        Grant {
            key: Name::new("ci").unwrap(),
            team: Name::new("coding").unwrap(),
            scopes: [Scope::Route, Scope::Admin].into(),
            arms: names(arms),
            bounds: Bounds::default(),
        }
    }

    fn check(ours: &Grant, wanted: &Grant, expected: Option<&str>) {
        assert_eq!(ours.beyond(wanted).as_deref(), expected);
    }

    #[test]
    fn a_scope_that_the_maker_has_not_is_beyond_it() {
        let mut wanted = grant("all");
        wanted.scopes = [Scope::Admin].into();
        check(&grant("all"), &wanted, None);
        wanted.scopes.insert(Scope::Replay);
        let refused = "give a key the scope `replay`: allowed its own: route, admin";
        check(&grant("all"), &wanted, Some(refused));
    }

    #[test]
    fn every_arm_is_beyond_some_arms_and_some_are_not_beyond_every() {
        let refused = Some("give a key another arm: allowed its own: a, b");
        check(&grant("a b"), &grant("all"), refused);
        check(&grant("a b"), &grant("a c"), refused);
        check(&grant("a b"), &grant("a"), None);
        check(&grant("all"), &grant("a"), None);
    }

    #[test]
    fn a_wider_network_and_a_later_end_are_beyond() {
        let with = |networks: &[&str], end: Option<i64>| {
            let mut grant = grant("all");
            grant.bounds.networks = networks.iter().map(|n| n.parse().unwrap()).collect();
            grant.bounds.expires = end.map(Timestamp::from_micros);
            grant
        };
        let ours = with(&["10.0.0.0/8", "::1"], Some(9));
        let network = Some("give a key another network: allowed its own: 10.0.0.0/8, ::1/128");
        check(&ours, &with(&["10.1.0.0/16", "::1"], Some(9)), None);
        check(
            &ours,
            &with(&["10.0.0.0/8", "11.0.0.0/8"], Some(9)),
            network,
        );
        check(&ours, &with(&[], Some(9)), network);
        let end = Some("give a key a later end: allowed its own: its own end, or an earlier one");
        check(&ours, &with(&["::1"], Some(10)), end);
        check(&ours, &with(&["::1"], None), end);
    }

    #[test]
    fn a_key_is_good_until_its_end_and_in_its_networks() {
        let mut grant = grant("all");
        grant.bounds.expires = Some(Timestamp::from_micros(10));
        grant.bounds.networks = ["127.0.0.0/8".parse().unwrap()].into();
        let good = |from: Option<&str>, now: i64| {
            let from = from.map(|from| from.parse().unwrap());
            grant.check_use(from, Timestamp::from_micros(now))
        };
        assert_eq!(good(Some("127.0.0.1"), 9), Ok(()));
        assert_eq!(good(Some("127.0.0.1"), 10), Err(Error::KeyUnknown));
        let key = Name::new("ci").unwrap();
        let elsewhere = Err(Error::Elsewhere { key });
        assert_eq!(good(Some("10.0.0.1"), 9), elsewhere);
        assert_eq!(good(None, 9), elsewhere);
        assert_eq!(good(Some("10.0.0.1"), 10), Err(Error::KeyUnknown));
    }

    #[test]
    fn a_key_of_some_tasks_asks_for_those_and_never_for_none() {
        let mut grant = grant("all");
        let name = |text| Name::new(text).unwrap();
        assert_eq!(grant.check_task(None), Ok(()));
        grant.bounds.tasks = names("fix review");
        assert_eq!(grant.check_task(Some(&name("fix"))), Ok(()));
        let allowed = "fix, review".to_owned();
        let refused = Err(Error::Task { allowed });
        assert_eq!(grant.check_task(Some(&name("triage"))), refused);
        assert_eq!(grant.check_task(None), refused);
    }

    fn some() -> impl Strategy<Value = Option<BTreeSet<Name>>> {
        let name = prop_oneof!["a", "b", "c"].prop_map(|text| Name::new(text).unwrap());
        proptest::option::of(proptest::collection::btree_set(name, 1..3))
    }

    proptest! {
        /// What a key may make may make nothing that the key itself may not.
        #[test]
        fn rights_only_shrink_from_maker_to_made(
            sets in proptest::array::uniform9(some()), ends in proptest::array::uniform3(proptest::option::of(0_i64..3)),
        ) {
            let made = |at: usize| {
                let mut grant = grant("all");
                grant.arms.clone_from(&sets[at]);
                grant.bounds.endpoints.clone_from(&sets[at + 3]);
                grant.bounds.tasks.clone_from(&sets[at + 6]);
                grant.bounds.expires = ends[at].map(Timestamp::from_micros);
                grant
            };
            let [a, b, c] = [0, 1, 2].map(made);
            prop_assert_eq!(a.beyond(&a), None);
            if a.beyond(&b).is_none() && b.beyond(&c).is_none() {
                prop_assert_eq!(a.beyond(&c), None);
                for name in ["a", "b", "c", "d"] {
                    let name = Name::new(name).unwrap();
                    prop_assert!(c.check_task(Some(&name)).is_err() || a.check_task(Some(&name)).is_ok());
                }
            }
        }
    }
}
