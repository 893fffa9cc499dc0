//! `[[keys]]`, and what stands in for them on an open server.

use super::budget;
use super::catalogue::arm_names;
use super::fields::Fields;
use super::limits::{self, KeyQuotas};
use super::params::Server;
use crate::access::{Bounds, Grant, KeyHash, Keys, Network, Scope};
use crate::budget::Terms;
use crate::eligibility::Catalogue;
use crate::id::{Name, listed};
use std::collections::{BTreeMap, BTreeSet};

/// What keys may refer to.
pub(super) struct Known<'a> {
    pub(super) teams: &'a BTreeSet<Name>,
    /// `None` where the catalogue has problems of its own.
    pub(super) catalogue: Option<&'a Catalogue>,
}

/// What may be spent with keys, by their names.
pub(super) type KeyBudgets = BTreeMap<Name, (Name, Terms)>;

/// Reads the list, or makes an open server's; what may be spent with each goes to `budgets`, how often it may call to
/// `quotas`.
pub(super) fn read(
    root: &Fields<'_>,
    server: Option<&Fields<'_>>,
    at: &Server,
    known: &Known<'_>,
    (budgets, quotas): (&mut KeyBudgets, &mut KeyQuotas),
) -> Option<Keys> {
    let open = server.and_then(|s| s.flag("open")).unwrap_or(false);
    let tables = root.tables("keys");
    if let (true, Some(server)) = (open, server) {
        return open_keys(server, at, tables.is_empty(), known);
    }
    if tables.is_empty() && !root.has("keys") {
        let allowed = "at least one [[keys]], or [server] open = true on a loopback address";
        root.problem("keys", "is required", allowed);
    }
    let mut grants = BTreeMap::new();
    let mut names = BTreeSet::new();
    for fields in tables {
        let budget = budget::of_others(&fields);
        let quota = limits::read(&fields);
        if let Some((hash, grant)) = grant(&fields, known) {
            let owned = budget.map(|terms| (grant.key.clone(), (grant.team.clone(), terms)));
            budgets.extend(owned);
            let limited = quota.map(|quota| (grant.key.clone(), (grant.team.clone(), quota)));
            quotas.extend(limited);
            if !names.insert(grant.key.clone()) {
                fields.problem("name", "used twice", "a name of its own");
            }
            if grants.insert(hash, grant).is_some() {
                fields.secret_problem("sha256", "used twice", "the hash of a key of its own");
            }
        }
        fields.done();
    }
    Some(Keys::new(grants))
}

fn open_keys(server: &Fields<'_>, at: &Server, no_keys: bool, known: &Known<'_>) -> Option<Keys> {
    let doors = [
        ("listen", Some(at.listen)),
        ("http_listen", at.http_listen),
        ("admin_listen", at.admin_listen),
    ];
    for (name, listen) in doors {
        if listen.is_some_and(|listen| !listen.ip().is_loopback()) {
            let problem = "anyone could do everything from other machines";
            let allowed = format!("only with a loopback address in `{name}`");
            server.problem("open", problem, allowed);
        }
    }
    if !no_keys {
        server.problem("open", "contradicts [[keys]]", "only without [[keys]]");
    }
    match known.teams.first() {
        Some(team) if known.teams.len() == 1 => {
            let key = Name::new("open").ok()?;
            Some(Keys::open(team.clone(), key))
        }
        _ => {
            server.problem(
                "open",
                "whose requests they are is not known",
                "only with exactly one team",
            );
            None
        }
    }
}

fn grant(fields: &Fields<'_>, known: &Known<'_>) -> Option<(KeyHash, Grant)> {
    let name = fields.required("name", Fields::name);
    let hash = fields
        .required("sha256", |f, key| f.text(key))
        .and_then(|text| {
            let hash = KeyHash::from_hex(text);
            if hash.is_none() {
                // Not shown: someone may have put the key itself here.
                let allowed = "64 hexadecimal digits, as `printf %s KEY | sha256sum` gives";
                fields.secret_problem("sha256", "not a SHA-256", allowed);
            }
            hash
        });
    let team = fields.required("team", Fields::name);
    if team
        .as_ref()
        .is_some_and(|team| !known.teams.contains(team))
    {
        let teams: Vec<_> = known.teams.iter().map(Name::as_str).collect();
        fields.problem("team", "no such team", teams.join(", "));
    }
    let words = Scope::ALL.map(Scope::as_str).join(", ");
    let scopes = fields.required("scopes", |f, key| {
        Some(f.list(key, &words, |text| text.parse::<Scope>().ok()))
    });
    let arms = list(fields, "arms");
    if let (Some(arms), Some(catalogue)) = (&arms, known.catalogue) {
        let unknown = arms
            .iter()
            .find(|arm| catalogue.arm(arm.as_str()).is_none());
        if let Some(arm) = unknown {
            let problem = format!("no such arm: {arm}");
            fields.problem("arms", &problem, arm_names(catalogue));
        }
    }
    let bounds = bounds(fields, known);
    let grant = Grant {
        key: name?,
        team: team?,
        scopes: scopes?.into_iter().collect(),
        arms,
        bounds,
    };
    Some((hash?, grant))
}

/// A list that bounds a key, if it stands there.
fn list(fields: &Fields<'_>, key: &'static str) -> Option<BTreeSet<Name>> {
    fields.know(&[key]);
    fields
        .has(key)
        .then(|| fields.names(key).into_iter().collect())
}

fn bounds(fields: &Fields<'_>, known: &Known<'_>) -> Bounds {
    let endpoints = list(fields, "endpoints");
    if let (Some(endpoints), Some(catalogue)) = (&endpoints, known.catalogue) {
        let there: BTreeSet<_> = catalogue.endpoints().iter().map(|e| &e.name).collect();
        if let Some(endpoint) = endpoints.iter().find(|name| !there.contains(name)) {
            let problem = format!("no such endpoint: {endpoint}");
            fields.problem("endpoints", &problem, listed(there.iter().copied()));
        }
    }
    let allowed = "networks as 10.0.0.0/8 (the first address and its bits), or addresses";
    let networks = fields.list("networks", allowed, |text| text.parse::<Network>().ok());
    if fields.has("networks") && networks.is_empty() {
        let problem = "names no network: nobody could use the key";
        fields.problem("networks", problem, "one or more, or leave it out");
    }
    Bounds {
        endpoints,
        tasks: list(fields, "tasks"),
        networks: networks.into_iter().collect(),
        expires: fields.date("expires"),
    }
}
