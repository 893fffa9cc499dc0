//! Requests about keys.
//!
//! Invariants: names are good; lists are measured first; an overlap is at most 30 days.
//!
//! Not here: whether the key may act for that team, whether arms and endpoints exist (`access`).

use super::super::status::Failure;
use super::time::time;
use crate::access::{Bounds, Network, Scope, Wanted};
use crate::field::Fields;
use crate::id::Name;
use crate::path::Path;
use crate::proto::v1;
use std::collections::BTreeSet;
use std::time::Duration;

/// What an empty page size means.
const PAGE: i64 = 50;

/// Most names in a list, and most networks.
const MOST_NAMES: usize = 256;
const MOST_NETWORKS: usize = 64;

/// What an absent overlap means, and the longest one, in seconds.
const OVERLAP: i64 = 86_400;
const LONGEST: i64 = 30 * 86_400;

/// A team and the key that it wants.
pub(in crate::grpc) fn create_key(said: v1::CreateKeyRequest) -> Result<(Name, Wanted), Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    let name = fields.name("name", &said.name);
    let scopes = scopes(&mut fields, &said.scopes);
    let mut listed = |field, texts: &[String]| {
        let names = fields.names(Path::Root.field(field), texts, MOST_NAMES);
        (!names.is_empty()).then(|| names.into_iter().collect::<BTreeSet<Name>>())
    };
    let arms = listed("arms", &said.arms);
    let endpoints = listed("endpoints", &said.endpoints);
    let tasks = listed("tasks", &said.tasks);
    let bounds = Bounds {
        endpoints,
        tasks,
        networks: networks(&mut fields, &said.networks),
        expires: time(&mut fields, "expire_time", said.expire_time),
    };
    let wanted = name.map(|name| Wanted {
        name,
        scopes,
        arms,
        bounds,
    });
    Ok(fields.finish(team.zip(wanted))?)
}

fn scopes(fields: &mut Fields, said: &[i32]) -> BTreeSet<Scope> {
    let mut scopes = BTreeSet::new();
    if !fields.count("scopes", said.len(), 1..=Scope::ALL.len()) {
        return scopes;
    }
    for (index, said) in said.iter().enumerate() {
        let scope = match v1::Scope::try_from(*said) {
            Ok(v1::Scope::Route) => Scope::Route,
            Ok(v1::Scope::Complete) => Scope::Complete,
            Ok(v1::Scope::Feedback) => Scope::Feedback,
            Ok(v1::Scope::Replay) => Scope::Replay,
            Ok(v1::Scope::Admin) => Scope::Admin,
            Ok(v1::Scope::Unspecified) | Err(_) => {
                let at = Path::Root.field("scopes");
                let problem = "is no scope: allowed SCOPE_ROUTE, SCOPE_COMPLETE, SCOPE_FEEDBACK, SCOPE_REPLAY, SCOPE_ADMIN";
                fields.refuse(at.index(index), problem);
                continue;
            }
        };
        if !scopes.insert(scope) {
            let at = Path::Root.field("scopes");
            fields.refuse(at.index(index), "is given twice: allowed once");
        }
    }
    scopes
}

fn networks(fields: &mut Fields, said: &[String]) -> BTreeSet<Network> {
    let at = Path::Root.field("networks");
    let mut networks = BTreeSet::new();
    if !fields.count(at, said.len(), 0..=MOST_NETWORKS) {
        return networks;
    }
    for (index, text) in said.iter().enumerate() {
        match text.parse() {
            Ok(network) => {
                networks.insert(network);
            }
            Err(error) => fields.refuse(at.index(index), error),
        }
    }
    networks
}

/// A team, the name after which to begin, and how many keys to list.
pub(in crate::grpc) fn list_keys(
    said: &v1::ListKeysRequest,
) -> Result<(Name, Option<Name>, usize), Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    let size = fields.number("page_size", Some(i64::from(said.page_size)), 0..=1000);
    let size = size.map(|size| if size == 0 { PAGE } else { size });
    let after = fields.name_unless_empty("page_token", &said.page_token);
    let size = size.and_then(|size| usize::try_from(size).ok());
    let asked = team.zip(size).map(|(team, size)| (team, after, size));
    Ok(fields.finish(asked)?)
}

/// A team, its key, and how long the old text stays good.
pub(in crate::grpc) fn rotate_key(
    said: &v1::RotateKeyRequest,
) -> Result<(Name, Name, Duration), Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    let name = fields.name("name", &said.name);
    let overlap = said.overlap_seconds.unwrap_or(OVERLAP);
    let overlap = fields.number("overlap_seconds", Some(overlap), 0..=LONGEST);
    let overlap = overlap.and_then(|seconds| u64::try_from(seconds).ok());
    let overlap = overlap.map(Duration::from_secs);
    let asked = team.zip(name).zip(overlap);
    let asked = asked.map(|((team, name), overlap)| (team, name, overlap));
    Ok(fields.finish(asked)?)
}

/// A team and its key.
pub(in crate::grpc) fn revoke_key(said: &v1::RevokeKeyRequest) -> Result<(Name, Name), Failure> {
    let mut fields = Fields::default();
    let team = fields.name("team", &said.team);
    let name = fields.name("name", &said.name);
    Ok(fields.finish(team.zip(name))?)
}

#[cfg(test)]
mod tests {
    use super::super::testing::violations;
    use super::*;

    fn said() -> v1::CreateKeyRequest {
        v1::CreateKeyRequest {
            team: "coding".to_owned(),
            name: "ci".to_owned(),
            scopes: vec![v1::Scope::Route.into()],
            ..Default::default()
        }
    }

    fn check(said: v1::CreateKeyRequest, expected: &[&str]) {
        let found = create_key(said).map(drop).map_err(violations);
        assert_eq!(found.err().unwrap_or_default(), expected);
    }

    #[test]
    fn what_is_not_said_of_a_key_is_left_to_its_maker() {
        let (team, wanted) = create_key(said()).unwrap();
        assert_eq!((team.as_str(), wanted.name.as_str()), ("coding", "ci"));
        assert_eq!(wanted.scopes, [Scope::Route].into());
        assert_eq!((wanted.arms, wanted.bounds), (None, Bounds::default()));
    }

    #[test]
    fn every_violation_is_told_at_once() {
        let scope = |scope: v1::Scope| i32::from(scope);
        let bad = v1::CreateKeyRequest {
            team: String::new(),
            scopes: vec![scope(v1::Scope::Admin), scope(v1::Scope::Admin), 0, 99],
            networks: vec!["10.0.0.1/8".to_owned()],
            arms: vec!["a".to_owned(), "a".to_owned()],
            ..said()
        };
        let no_scope = "is no scope: allowed SCOPE_ROUTE, SCOPE_COMPLETE, SCOPE_FEEDBACK, SCOPE_REPLAY, SCOPE_ADMIN";
        let no_network = "networks[0]: is not a network: allowed an address, or the first address of a network and its bits, as 10.0.0.0/8 or 2001:db8::/32";
        check(
            bad,
            &[
                "team: is empty: allowed 1 to 128 printable characters",
                "scopes[1]: is given twice: allowed once",
                &format!("scopes[2]: {no_scope}"),
                &format!("scopes[3]: {no_scope}"),
                "arms[1]: is given twice: allowed once",
                no_network,
            ],
        );
        let none = v1::CreateKeyRequest {
            scopes: Vec::new(),
            networks: vec!["::1".to_owned(); 65],
            ..said()
        };
        let few = "scopes: has 0 entries: allowed 1 to 5";
        check(none, &[few, "networks: has 65 entries: allowed 0 to 64"]);
    }

    #[test]
    fn an_overlap_is_a_day_unless_said_and_30_days_at_most() {
        let overlap = |seconds: Option<i64>| {
            let said = v1::RotateKeyRequest {
                team: "coding".to_owned(),
                name: "ci".to_owned(),
                overlap_seconds: seconds,
            };
            let read = rotate_key(&said).map(|(_, _, overlap)| overlap.as_secs());
            read.map_err(|failure| violations(failure).join("; "))
        };
        assert_eq!(overlap(None), Ok(86_400));
        assert_eq!(overlap(Some(0)), Ok(0));
        assert_eq!(overlap(Some(2_592_000)), Ok(2_592_000));
        let allowed = |said: i64| Err(format!("overlap_seconds: is {said}: allowed 0 to 2592000"));
        assert_eq!(overlap(Some(2_592_001)), allowed(2_592_001));
        assert_eq!(overlap(Some(-1)), allowed(-1));
    }
}
