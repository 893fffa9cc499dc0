//! Keys, as far as they are told.

use super::timestamp;
use crate::access::{KeyPage, Life, Listed, Scope};
use crate::id::Name;
use crate::proto::v1;
use std::collections::BTreeSet;

/// A key.
pub(in crate::grpc) fn key(listed: &Listed) -> v1::Key {
    let (grant, bounds) = (&listed.grant, &listed.grant.bounds);
    let names = |names: &Option<BTreeSet<Name>>| {
        let names = names.iter().flatten();
        names.map(ToString::to_string).collect()
    };
    let key = v1::Key {
        name: grant.key.to_string(),
        team: grant.team.to_string(),
        scopes: grant.scopes.iter().map(|s| scope(*s).into()).collect(),
        arms: names(&grant.arms),
        endpoints: names(&bounds.endpoints),
        tasks: names(&bounds.tasks),
        networks: bounds.networks.iter().map(ToString::to_string).collect(),
        expire_time: bounds.expires.map(timestamp),
        configured: listed.life.is_none(),
        ..Default::default()
    };
    match &listed.life {
        Some(life) => lived(key, life),
        None => key,
    }
}

fn lived(key: v1::Key, life: &Life) -> v1::Key {
    let before = life.before.as_ref();
    v1::Key {
        prefix: life.prefix.clone(),
        create_time: Some(timestamp(life.created)),
        creator: life.creator.to_string(),
        revoke_time: life.revoked.map(timestamp),
        previous_prefix: before.map(|(prefix, _)| prefix.clone()).unwrap_or_default(),
        previous_expire_time: before.map(|(_, until)| timestamp(*until)),
        ..key
    }
}

/// A page of keys.
pub(in crate::grpc) fn list_keys(page: &KeyPage) -> v1::ListKeysResponse {
    let next = page.next.as_ref().map(ToString::to_string);
    v1::ListKeysResponse {
        keys: page.keys.iter().map(key).collect(),
        next_page_token: next.unwrap_or_default(),
    }
}

fn scope(scope: Scope) -> v1::Scope {
    match scope {
        Scope::Route => v1::Scope::Route,
        Scope::Complete => v1::Scope::Complete,
        Scope::Feedback => v1::Scope::Feedback,
        Scope::Replay => v1::Scope::Replay,
        Scope::Admin => v1::Scope::Admin,
    }
}
