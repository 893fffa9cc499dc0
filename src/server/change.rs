//! What of a new configuration may be in force at once, and what only after a restart.
//!
//! At once: keys; certificates, where there were some; an endpoint's prices and what it says of data; a team's policy,
//! floor, recording, guardrail, data policy, classes of data, limits, loops and tasks; the limits of keys and of the
//! organisation. A table is taken whole or not at all: where something in it needs a restart, all of it does. What has
//! state of its own that hangs on a configuration (listeners, store, learner, budgets, standing, metrics) needs one.
//!
//! Invariants: what is in force afterwards is one whole valid value; whatever differs and is not in force is named,
//! never passed over.
//!
//! Two things are refused though the file is valid: to open a server to everyone, whose listeners were judged when it
//! started, and keys of teams that it does not have.
//!
//! Not here: swapping (`reload`).

use crate::access::Keys;
use crate::config::{self, Params, Team};
use crate::eligibility::{Catalogue, Endpoint};
use crate::id::Name;
use crate::quota::Quota;
use std::collections::{BTreeMap, BTreeSet};

type KeyQuotas = BTreeMap<Name, (Name, Quota)>;

/// What a new configuration changes.
#[derive(Debug)]
pub(super) struct Change {
    /// What is in force afterwards.
    pub(super) in_force: Params,
    /// Whether what calls are judged by changes.
    pub(super) rules: bool,
    /// Whether keys do.
    pub(super) keys: bool,
    /// What is in force of the new, as the file calls it.
    pub(super) swapped: Vec<&'static str>,
    /// What is not, by its place in the file.
    pub(super) restart: Vec<String>,
}

/// What `new` changes for a server that runs by `running`; else why it changes nothing.
pub(super) fn change(running: &Params, new: &Params) -> Result<Change, String> {
    let mut in_force = running.clone();
    let (mut swapped, mut restart) = (Vec::new(), needs_restart(running, new));
    if running.server.tls.is_some() && new.server.tls.is_some() {
        in_force.server.tls.clone_from(&new.server.tls);
    }
    in_force.keys = keys(running, new, &mut restart);
    let keys = in_force.keys != running.keys;
    if keys {
        fits(running, new)?;
        swapped.push("keys");
    }
    let endpoints = endpoints(running, new, &mut restart);
    let changed = endpoints.iter().zip(running.catalogue.endpoints());
    let priced = changed.into_iter().any(|(now, was)| *now != **was);
    if priced {
        let arms = running.catalogue.arms().to_vec();
        let catalogue = Catalogue::new(arms, endpoints);
        // Each endpoint was valid with the arms that it has.
        in_force.catalogue = catalogue.map_err(|errors| format!("endpoints: {errors:?}"))?;
        swapped.push("endpoints");
    }
    if running.organisation == new.organisation {
        in_force.organisation_quota = new.organisation_quota;
    }
    in_force.key_quotas = key_quotas(running, new);
    let limited = in_force.organisation_quota != running.organisation_quota
        || in_force.key_quotas != running.key_quotas;
    if limited {
        swapped.push("limits");
    }
    in_force.teams = teams(running, new, &mut restart);
    let ruled = in_force.teams != running.teams;
    if ruled {
        swapped.push("teams");
    }
    Ok(Change {
        in_force,
        rules: priced || ruled || limited,
        keys,
        swapped,
        restart,
    })
}

/// The keys that are in force afterwards: of one whose budget is another, what there was, for accounts are opened at the
/// start.
fn keys(running: &Params, new: &Params, restart: &mut Vec<String>) -> Keys {
    let budgets = |params: &Params, key: &Name| params.key_budgets.get(key).cloned();
    let named = running.key_budgets.keys().chain(new.key_budgets.keys());
    let named = named.filter(|key| budgets(running, key) != budgets(new, key));
    let named: BTreeSet<Name> = named.cloned().collect();
    let there = |key: &&Name| new.keys.fingerprints().any(|(_, grant)| grant.key == **key);
    restart.extend(named.iter().filter(there).map(|key| format!("keys.{key}")));
    new.keys.but(&named, &running.keys)
}

/// The limits of keys that are in force afterwards: of one whose budget is another, those that there were.
fn key_quotas(running: &Params, new: &Params) -> KeyQuotas {
    let same = |key: &Name| running.key_budgets.get(key) == new.key_budgets.get(key);
    let (is, was) = (new.key_quotas.iter(), running.key_quotas.iter());
    let is = is.filter(|(key, _)| same(key));
    let of = is.chain(was.filter(|(key, _)| !same(key)));
    of.map(|(key, quota)| (key.clone(), quota.clone()))
        .collect()
}

/// The endpoints that are in force afterwards, in the order that they have now.
fn endpoints(running: &Params, new: &Params, restart: &mut Vec<String>) -> Vec<Endpoint> {
    let reached = |params: &Params, name: &Name| {
        let place = params.catalogue.place(name)?;
        let endpoint = params.catalogue.endpoints().get(place)?;
        Some((
            Endpoint::clone(endpoint),
            params.connections.get(place)?.clone(),
        ))
    };
    let names = |params: &Params| -> Vec<Name> {
        let endpoints = params.catalogue.endpoints().iter();
        endpoints.map(|endpoint| endpoint.name.clone()).collect()
    };
    let (own, wanted) = (names(running), names(new));
    let (known, told) = (own.iter().collect::<BTreeSet<_>>(), wanted.iter().collect());
    for name in known.symmetric_difference(&told) {
        restart.push(format!("endpoints.{name}"));
    }
    if known == told && own != wanted {
        restart.push("the order of endpoints".to_owned());
    }
    let mut afterwards = Vec::with_capacity(own.len());
    for name in &own {
        let Some((was, way)) = reached(running, name) else {
            continue;
        };
        let Some((now, new_way)) = reached(new, name) else {
            afterwards.push(was);
            continue;
        };
        let allowed = Endpoint {
            prices: now.prices.clone(),
            region: now.region.clone(),
            zero_retention: now.zero_retention,
            trains: now.trains,
            certifications: now.certifications.clone(),
            ..was.clone()
        };
        match allowed == now && way == new_way {
            true => afterwards.push(now),
            false => {
                restart.push(format!("endpoints.{name}"));
                afterwards.push(was);
            }
        }
    }
    afterwards
}

/// The teams that are in force afterwards.
fn teams(running: &Params, new: &Params, restart: &mut Vec<String>) -> Vec<Team> {
    let find =
        |params: &Params, name: &Name| params.teams.iter().find(|t| t.name == *name).cloned();
    for team in &new.teams {
        if find(running, &team.name).is_none() {
            restart.push(format!("teams.{}", team.name));
        }
    }
    // A task's rule names arms: where there are others, it may name one that is not there yet.
    let arms = running.catalogue.arms() == new.catalogue.arms();
    let mut afterwards = Vec::with_capacity(running.teams.len());
    for was in &running.teams {
        let now = find(new, &was.name);
        let allowed = now.clone().map(|now| Team {
            policy: now.policy,
            explore_floor: now.explore_floor,
            recording: now.recording,
            guardrail: now.guardrail,
            data_policy: now.data_policy,
            data_classes: now.data_classes,
            tasks: now.tasks,
            quota: now.quota,
            loops: now.loops,
            ..was.clone()
        });
        let taken = allowed.filter(|allowed| {
            now.as_ref() == Some(allowed) && (arms || allowed.tasks == was.tasks)
        });
        if taken.is_none() {
            restart.push(format!("teams.{}", was.name));
        }
        afterwards.push(taken.unwrap_or_else(|| was.clone()));
    }
    afterwards
}

/// That a server with these parameters can take the keys of those.
fn fits(running: &Params, new: &Params) -> Result<(), String> {
    if new.keys.is_open() && !running.keys.is_open() {
        return Err("server.open: needs a restart, which judges every listener".to_owned());
    }
    let teams = |params: &Params| -> BTreeSet<Name> {
        params.teams.iter().map(|team| team.name.clone()).collect()
    };
    match teams(new).difference(&teams(running)).next() {
        None => Ok(()),
        Some(team) => Err(format!(
            "team {team} needs a restart, and the keys changed beside it: allowed one after the other"
        )),
    }
}

/// Where a configuration differs in what cannot be in force at once, but for endpoints and teams. Each field is named
/// here, so that a new one cannot be forgotten.
fn needs_restart(running: &Params, new: &Params) -> Vec<String> {
    let Params {
        server,
        otlp,
        store,
        catalogue,
        connections: _,
        teams: _,
        keys: _,
        organisation,
        key_budgets: _,
        // In force at once.
        organisation_quota: _,
        key_quotas: _,
    } = running;
    let others = [
        ("telemetry", *otlp != new.otlp),
        ("store", *store != new.store),
        ("arms", catalogue.arms() != new.catalogue.arms()),
        ("organisation", *organisation != new.organisation),
    ];
    let places = of_server(server, &new.server).into_iter().chain(others);
    let differs = places.filter(|(_, differs)| *differs);
    differs.map(|(place, _)| place.to_owned()).collect()
}

fn of_server(running: &config::Server, new: &config::Server) -> [(&'static str, bool); 8] {
    let config::Server {
        listen,
        http_listen,
        http_patience,
        admin_listen,
        metrics_listen,
        metrics_teams,
        max_message_bytes,
        tls,
    } = running;
    [
        ("server.listen", *listen != new.listen),
        ("server.http_listen", *http_listen != new.http_listen),
        (
            "server.http_patience_s",
            *http_patience != new.http_patience,
        ),
        ("server.admin_listen", *admin_listen != new.admin_listen),
        (
            "server.metrics_listen",
            *metrics_listen != new.metrics_listen,
        ),
        ("server.metrics_teams", *metrics_teams != new.metrics_teams),
        (
            "server.max_message_mib",
            *max_message_bytes != new.max_message_bytes,
        ),
        ("server.tls", tls.is_some() != new.tls.is_some()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn text() -> String {
        let scorecard = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards/coding.toml");
        format!(
            "[server]\nlisten = \"127.0.0.1:7431\"\n[store]\ndir = \"state\"\n\
             [[data_classes]]\nname = \"patient\"\nzero_retention = true\n\
             [[teams]]\nname = \"coding\"\nscorecard = '{}'\n\
             [[keys]]\nname = \"ci\"\nsha256 = \"{ABC}\"\nteam = \"coding\"\nscopes = [\"route\"]\n\
             [[arms]]\nname = \"a\"\ncontext_tokens = 1000\n\
             [[endpoints]]\nname = \"e\"\narm = \"a\"\nprovider = \"simulated\"\n\
             prices = [{{ input_usd_per_million = 1, output_usd_per_million = 2 }}]\n",
            scorecard.display()
        )
    }

    fn loaded(text: &str) -> Params {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("bellwether.toml");
        std::fs::write(&path, text).unwrap();
        let mut params = config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)));
        params.store.dir = "state".into();
        params
    }

    /// The text with each pair replaced: what is in force of it, and what needs a restart.
    fn check(changes: &[(&str, &str)], swapped: &[&str], restart: &[&str]) {
        let mut changed = text();
        for (from, to) in changes {
            assert!(changed.contains(from), "{from}");
            changed = changed.replacen(from, to, 1);
        }
        let (running, new) = (loaded(&text()), loaded(&changed));
        let found = change(&running, &new).unwrap();
        assert_eq!(
            (found.swapped.as_slice(), found.restart),
            (swapped, said(restart))
        );
        let rules = swapped
            .iter()
            .any(|place| ["endpoints", "limits", "teams"].contains(place));
        assert_eq!(
            (found.rules, found.keys),
            (rules, swapped.contains(&"keys"))
        );
        // What is in force is the new configuration, where nothing needs a restart; read again it changes nothing.
        assert_eq!(found.in_force == new, restart.is_empty());
        let again = change(&found.in_force, &new).unwrap();
        assert_eq!(
            (again.swapped.as_slice(), again.restart),
            (&[][..], said(restart))
        );
    }

    fn said(places: &[&str]) -> Vec<String> {
        places.iter().map(|place| (*place).to_owned()).collect()
    }

    #[test]
    fn whatever_cannot_be_in_force_at_once_is_named() {
        check(&[], &[], &[]);
        check(
            &[("7431\"", "7431\"\nhttp_listen = \"[::1]:1\"")],
            &[],
            &["server.http_listen"],
        );
        check(
            &[("7431\"", "7431\"\nadmin_listen = \"[::1]:1\"")],
            &[],
            &["server.admin_listen"],
        );
        let two = [
            ("7431", "7433"),
            ("\"state\"", "\"state\"\nsegment_mib = 9"),
        ];
        check(&two, &[], &["server.listen", "store"]);
        let told = [("7431\"", "7431\"\nmax_message_mib = 9\nhttp_patience_s = 9")];
        check(
            &told,
            &[],
            &["server.http_patience_s", "server.max_message_mib"],
        );
        check(
            &[("context_tokens = 1000", "context_tokens = 2000")],
            &[],
            &["arms"],
        );
        check(
            &[("prices", "latency_ms = 3\nprices")],
            &[],
            &["endpoints.e"],
        );
        check(
            &[("[[keys]]", "embedding_length = 64\n[[keys]]")],
            &[],
            &["teams.coding"],
        );
    }

    #[test]
    fn keys_prices_and_rules_are_in_force_at_once() {
        check(
            &[("scopes = [\"route\"]", "scopes = [\"admin\"]")],
            &["keys"],
            &[],
        );
        check(
            &[("input_usd_per_million = 1", "input_usd_per_million = 3")],
            &["endpoints"],
            &[],
        );
        for line in [
            "region = \"eu\"",
            "zero_retention = true",
            "trains_on_requests = false",
            "certifications = [\"iso\"]",
        ] {
            check(
                &[("prices", &format!("{line}\nprices"))],
                &["endpoints"],
                &[],
            );
        }
        // What a class demands, a class that no team names, and a class that endpoints are certified for.
        let class = "name = \"patient\"\nzero_retention = true\n";
        for line in [
            "no_training = true\n",
            "[[data_classes]]\nname = \"public\"\n",
        ] {
            check(&[(class, &format!("{class}{line}"))], &["teams"], &[]);
        }
        let certified = [
            ("prices", "certifications = [\"iso\"]\nprices"),
            (class, &format!("{class}certifications = [\"iso\"]\n")),
        ];
        check(&certified, &["endpoints", "teams"], &[]);
        for line in [
            "explore_floor = 0.03",
            "policy = \"greedy\"",
            "recording = \"nothing\"",
            "recording = \"redacted\"",
            "guardrail = { action = \"redact\", kinds = [\"email\"] }",
            "data_policy = { no_training = true }",
            "data_class = \"patient\"",
            "tasks = [{ name = \"t\", fallbacks = [\"a\"] }]",
        ] {
            check(
                &[("[[keys]]", &format!("{line}\n[[keys]]"))],
                &["teams"],
                &[],
            );
        }
    }

    #[test]
    fn a_table_is_taken_whole_or_not_at_all_and_the_others_beside_it() {
        let both = (
            "prices = [{ input_usd_per_million = 1",
            "latency_ms = 3\nprices = [{ input_usd_per_million = 3",
        );
        let floor = ("[[keys]]", "explore_floor = 0.03\n[[keys]]");
        check(&[both, floor], &["teams"], &["endpoints.e"]);
        let team = (
            "[[keys]]",
            "explore_floor = 0.03\nembedding_length = 64\n[[keys]]",
        );
        check(
            &[team, ("[\"route\"]", "[\"admin\"]")],
            &["keys"],
            &["teams.coding"],
        );
        // A rule may name an arm that is not there yet.
        let more = "[[arms]]\nname = \"b\"\ncontext_tokens = 1\n[[endpoints]]\nname = \"f\"\narm = \"b\"\nprovider = \"simulated\"\n\
                    prices = [{ input_usd_per_million = 1, output_usd_per_million = 2 }]\n[[arms]]";
        let task = (
            "[[keys]]",
            "tasks = [{ name = \"t\", denied_arms = [\"b\"] }]\n[[keys]]",
        );
        check(
            &[task, ("[[arms]]", more)],
            &[],
            &["arms", "endpoints.f", "teams.coding"],
        );
    }

    #[test]
    fn a_key_whose_budget_is_another_stays_as_it_is_until_a_restart() {
        let budget = "budget = { limit_usd = 5, per = \"day\" }\n";
        let widened = (
            "scopes = [\"route\"]\n",
            format!("scopes = [\"admin\"]\n{budget}"),
        );
        check(&[(widened.0, &widened.1)], &[], &["keys.ci"]);
        let more = text()
            .replacen("[[arms]]", &format!("[[keys]]\nname = \"new\"\nsha256 = \"{}\"\nteam = \"coding\"\nscopes = [\"route\"]\n{budget}[[arms]]", ABC.replace('b', "c")), 1);
        let (running, new) = (loaded(&text()), loaded(&more));
        let found = change(&running, &new).unwrap();
        assert_eq!((found.keys, found.restart), (false, said(&["keys.new"])));
        // The other way it goes at once: nothing is left that could be spent.
        let found = change(&new, &running).unwrap();
        assert_eq!((found.keys, found.restart), (true, said(&[])));
    }

    #[test]
    fn limits_and_the_watch_for_loops_are_in_force_at_once() {
        let limited = "scopes = [\"route\"]\nlimits = { requests_per_minute = 5 }";
        let key = ("scopes = [\"route\"]", limited);
        check(&[key], &["limits"], &[]);
        let team = "[[keys]]\nname";
        let watched = "[teams.loops]\naction = \"warn\"\n[[keys]]\nname";
        check(&[(team, watched)], &["teams"], &[]);
        let all = "[organisation]\nlimits = { parallel_calls = 5 }\n[[arms]]";
        check(&[("[[arms]]", all)], &["limits"], &[]);
        // A table is taken whole: what stands beside another budget waits with it.
        let budget = "budget = { limit_usd = 5, per = \"day\" }";
        let both = format!("{limited}\n{budget}");
        check(&[(key.0, &both)], &[], &["keys.ci"]);
        let both = all.replacen("limits", &format!("{budget}\nlimits"), 1);
        check(&[("[[arms]]", &both)], &[], &["organisation"]);
    }

    #[test]
    fn a_running_server_is_not_opened_and_gets_no_keys_of_teams_that_it_lacks() {
        let running = loaded(&text());
        let (keys, rest) = (
            text().find("[[keys]]").unwrap(),
            text().find("[[arms]]").unwrap(),
        );
        let mut open = text();
        open.replace_range(keys..rest, "");
        let open = open.replace("[server]", "[server]\nopen = true");
        assert!(
            fits(&running, &loaded(&open))
                .unwrap_err()
                .starts_with("server.open: needs a restart")
        );
        let mut more = text();
        let team = text();
        let team = &team[team.find("[[teams]]").unwrap()..keys];
        more.insert_str(keys, &team.replace("coding\"", "other\""));
        assert!(
            fits(&running, &loaded(&more))
                .unwrap_err()
                .starts_with("team other needs a restart")
        );
        assert_eq!(fits(&running, &running), Ok(()));
        let less = change(&loaded(&more), &running).unwrap();
        assert_eq!((less.keys, less.restart), (false, said(&["teams.other"])));
    }
}
