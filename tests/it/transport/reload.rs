//! Certificates, keys, prices and policies that change under load: no call is lost, none is let in by some of the old
//! keys and some of the new, none is judged by the prices of one configuration and the policy of another.

use super::{Secret, started};
use crate::rig::{CODING, Rig, SUPPORT, about, configured, key, refusal, within, write_config};
use bellwether::clock::SystemClock;
use bellwether::config::{self, Params};
use bellwether::eligibility::DataPolicy;
use bellwether::grpc::client;
use bellwether::id::Name;
use bellwether::proto::v1::{self, router_service_client::RouterServiceClient};
use bellwether::server::{self, Running};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// A key whose team and arms change.
const TURNED: &str = "k-turned";

/// The configuration with the key as it is in this generation.
fn turned(dir: &Path, generation: usize) -> Params {
    let (team, arm) = if generation.is_multiple_of(2) {
        ("coding", "small")
    } else {
        ("support", "large")
    };
    let path = write_config(dir, "group");
    let mut text = std::fs::read_to_string(&path).expect("read");
    let granted = key("turned", TURNED, team, "\"route\"");
    text.insert_str(
        text.find("[[keys]]").expect("keys"),
        &format!("{granted}arms = [\"{arm}\"]\n"),
    );
    let tls = "tls = { certificate = \"server.pem\", key = \"server.key\" }\n";
    text = text.replacen("[server]\n", &format!("[server]\n{tls}"), 1);
    // Every other generation chooses by another policy, and all is dearer.
    if !generation.is_multiple_of(2) {
        text = text.replace("scorecard = ", "policy = \"greedy\"\nscorecard = ");
        text = text.replace("_million = ", "_million = 1");
    }
    std::fs::write(&path, text).expect("written");
    config::load(&path).unwrap_or_else(|p| panic!("{}", config::render(&p)))
}

const CALLERS: usize = 8;
const CALLS: usize = 10_000;
const RELOADS: usize = 100;

/// Asks until all callers together have asked enough; what was decided.
async fn ask<F: Future<Output = RouterServiceClient<client::Keyed>>>(
    connect: impl Fn(&'static str) -> F,
    asked: Arc<AtomicUsize>,
    enough: Arc<Notify>,
) -> Vec<v1::RouteResponse> {
    let mut decided = Vec::new();
    let mut caller = connect(TURNED).await;
    while asked.fetch_add(1, Ordering::SeqCst) < CALLS {
        // A new connection now and then, by the certificate of that moment.
        if decided.len() % 100 == 99 {
            caller = connect(TURNED).await;
        }
        let reply = within("a decision", caller.route(about("fix-test"))).await;
        let reply = reply.expect("no call is lost").into_inner();
        decided.push(reply);
        enough.notify_one();
    }
    decided
}

/// Reads the configuration anew, evenly over the calls.
async fn reloads(
    dir: &Path,
    secret: &super::certs::Authority,
    running: &mut Running,
    asked: &AtomicUsize,
    enough: &Notify,
) {
    for generation in 1..=RELOADS {
        while asked.load(Ordering::SeqCst) < generation * (CALLS / (RELOADS + 1)) {
            enough.notified().await;
        }
        secret.write(dir, "server");
        let reloaded = running.reload(&turned(dir, generation));
        assert_eq!(
            reloaded.swapped,
            ["certificates", "keys", "endpoints", "teams"]
        );
        assert_eq!((reloaded.restart, reloaded.refused), (Vec::new(), None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_calls_during_a_hundred_reloads_are_each_judged_by_one_configuration() {
    let dir = tempfile::tempdir().expect("a folder");
    let authority = super::Authority::new("ours");
    authority.write(dir.path(), "server");
    let mut running = started(&turned(dir.path(), 0)).await;
    let trust = authority.trust(dir.path(), None);
    let address = format!("https://localhost:{}", running.address().port());
    let connect = move |key: &'static str| {
        let (address, trust) = (address.clone(), trust.clone());
        async move {
            let channel = client::connect_with(&address, Some(key), &trust).await;
            RouterServiceClient::new(channel.expect("connected"))
        }
    };
    let (asked, enough) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(ask(
            connect.clone(),
            Arc::clone(&asked),
            Arc::clone(&enough),
        ));
    }
    reloads(dir.path(), &authority, &mut running, &asked, &enough).await;
    let decided = callers.join_all().await.concat();
    assert_eq!(decided.len(), CALLS);
    // Whose decision it is, only a key of the team can tell; which arms, the arm; which rules, policy and price.
    let (mut coding, mut support) = (connect(CODING).await, connect(SUPPORT).await);
    let (mut counts, mut costs) = ([0; 2], BTreeMap::new());
    for reply in decided {
        let (own, other, team) = match reply.arm.as_str() {
            "small" => (&mut coding, &mut support, 0),
            "large" => (&mut support, &mut coding, 1),
            arm => panic!("no generation allows {arm}"),
        };
        counts[team] += 1;
        let cost = reply
            .estimates
            .iter()
            .find(|estimate| estimate.arm == reply.arm);
        let cost = cost.expect("an estimate").cost_nano_usd;
        *costs.entry((team, reply.policy, cost)).or_insert(0) += 1;
        let decision_id = reply.decision_id;
        let asked = v1::GetDecisionRequest { decision_id };
        own.get_decision(asked.clone())
            .await
            .expect("its own team's");
        if counts[team] % 50 == 0 {
            other
                .get_decision(asked)
                .await
                .expect_err("no other team's");
        }
    }
    assert!(
        counts.into_iter().all(|count| count > CALLS / 4),
        "{counts:?}"
    );
    // Of each generation its arm, its policy and its price; nothing of one with anything of the other.
    let judged: Vec<(usize, bool)> = costs
        .keys()
        .map(|(t, policy, _)| (*t, policy == "greedy"))
        .collect();
    assert_eq!(judged, [(0, false), (1, true)], "{costs:?}");
    within("the end", running.stop())
        .await
        .expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_of_files_that_does_not_hold_together_changes_nothing() {
    let mut secret = Secret::start().await;
    let dir = secret.dir().to_owned();
    std::fs::write(dir.join("server.key"), "words").expect("written");
    let mut params = secret.params.clone();
    params.keys = bellwether::access::Keys::new([]);
    params.server.max_message_bytes += 1;
    let reloaded = secret.running.reload(&params);
    let why = reloaded.refused.expect("refused");
    assert!(why.starts_with("server.tls.key ("), "{why}");
    assert_eq!(
        (reloaded.swapped, reloaded.restart),
        (Vec::new(), Vec::new())
    );
    secret.serves().await;
    // Whole again: what can be is swapped, what cannot is named.
    secret.authority.write(&dir, "server");
    let reloaded = secret.running.reload(&params);
    assert_eq!(reloaded.swapped, ["certificates", "keys"]);
    assert_eq!(reloaded.restart, ["server.max_message_mib"]);
    let mut caller = secret.caller(&secret.trust).await.expect("connected");
    let refused = crate::rig::refusal(caller.route(about("fix-test")).await);
    assert_eq!(refused.1, "KEY_UNKNOWN");
    secret.stop().await;
}

/// A request whose data is of this class, or of none.
fn of_class(class: Option<&str>) -> v1::RouteRequest {
    let mut request = about("fix-test");
    request.constraints = Some(v1::Constraints {
        data_class: class.map(ToString::to_string),
        ..Default::default()
    });
    request
}

#[tokio::test]
async fn a_class_that_a_reload_tightens_or_loosens_judges_each_call_by_what_it_demands_then() {
    let (dir, mut loose) = configured("group");
    let patient =
        |policy: DataPolicy| Arc::new([(Name::new("patient").expect("a name"), policy)].into());
    loose.teams[0].data_classes = patient(DataPolicy::default());
    let opened = server::open(&loose, &SystemClock).expect("opened");
    let mut rig = Rig::serve(dir, loose.clone(), opened).await;
    let mut caller = rig.caller(CODING).await;
    let classed = || of_class(Some("patient"));
    caller.ask(classed()).await.expect("any endpoint will do");
    // No endpoint says that it keeps nothing.
    let mut tight = loose.clone();
    tight.teams[0].data_classes = patient(DataPolicy {
        zero_retention: true,
        ..DataPolicy::default()
    });
    let reloaded = rig.reload(&tight);
    assert_eq!(
        (reloaded.swapped, reloaded.restart),
        (vec!["teams"], Vec::new())
    );
    let refused = refusal(caller.ask(classed()).await);
    assert_eq!(refused.1, "NO_ELIGIBLE_ARM");
    caller.ask(of_class(None)).await.expect("of no class");
    // A class that is gone is none.
    let mut without = tight.clone();
    without.teams[0].data_classes = Arc::default();
    assert_eq!(rig.reload(&without).swapped, ["teams"]);
    let refused = refusal(caller.ask(classed()).await);
    assert_eq!(refused.1, "INVALID_FIELD");
    assert_eq!(rig.reload(&loose).swapped, ["teams"]);
    caller.ask(classed()).await.expect("any endpoint will do");
    rig.stop().await;
}
