//! No endpoint that a request's data may not go to is ever asked.
//!
//! Worlds are made up from a seed: arms and endpoints that say where they lie, what they keep, whether they train and
//! what they are certified for; classes of data; teams with policies, a class, rules of tasks, checks that ask again or
//! fall back, a baseline; keys bound to arms and endpoints. Requests to them are made up as well: chosen, explored,
//! in an order of the caller's, pinned, inherited and held out, with warm sessions, whole, streamed, dropped, as
//! embeddings, as decisions alone. Endpoints fail in every way a provider can. Meanwhile the rules are replaced, as a
//! reload does it; a request goes by those that it began under. Some come again with their request id, by another key
//! of the team or after a reload: what is asked or named then goes by that key and by the rules of then.
//!
//! What each endpoint was asked is judged by an oracle that knows the declared facts and shares nothing with
//! `eligibility`. The test can fail: for every reason and each of the first three hops, there must have been requests
//! where an endpoint was kept out by that reason alone, so that it would have been asked without.
//!
//! Replay and seeding ask no provider: they hold none, which a test of their sources shows.
//!
//! `BELLWETHER_BOUNDARY` is how many requests, at least: 10,000 if it says nothing. What failed says its seed. With
//! fewer than 10,000 nothing is said of how often each reason was tried.

mod ask;
mod chance;
mod gateway;
mod oracle;
mod provider;
mod world;

use ask::{Ask, Way, name};
use bellwether::access::{Bounds, Grant};
use bellwether::complete;
use bellwether::route;
use bellwether::store::Control;
use chance::Chance;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use gateway::{Gateway, Regime};
use oracle::{Reason, forbids};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use world::{ARMS, TEAMS, World};

/// Requests that are under way together.
const TOGETHER: u64 = 8;
const WORLDS: u64 = 20;
/// Requests, and how many it takes to say that each reason was tried.
const REQUESTS: u64 = 10_000;
/// Share of those that came before.
const AGAIN: f64 = 0.1;
/// Hops that are told apart; what comes later counts as the last of them.
const HOPS: usize = 3;

/// What was seen.
#[derive(Debug, Default)]
struct Seen {
    requests: u64,
    attempts: u64,
    /// No endpoint was left by the facts, and none was asked.
    refused: u64,
    again: Again,
    /// How often an endpoint was kept out at a hop by one reason alone.
    alone: BTreeMap<(Reason, usize), u64>,
}

/// What became of requests that came again.
#[derive(Debug, Default, Clone, Copy)]
struct Again {
    requests: u64,
    /// They asked an endpoint.
    asked: u64,
    /// They were decisions alone, and named an endpoint.
    named: u64,
    /// They were refused, though another endpoint than the first call's was left.
    refused: u64,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.attempts += other.attempts;
        self.refused += other.refused;
        self.again.requests += other.again.requests;
        self.again.asked += other.again.asked;
        self.again.named += other.again.named;
        self.again.refused += other.again.refused;
        for (cell, count) in other.alone {
            *self.alone.entry(cell).or_default() += count;
        }
    }
}

fn grant(world: &World, key: usize) -> Grant {
    let facts = &world.keys[key];
    let arms = facts.arms.as_ref();
    let endpoints = facts.endpoints.as_ref();
    Grant {
        key: name(&format!("key{key}")),
        team: name(TEAMS[facts.team]),
        scopes: BTreeSet::new(),
        arms: arms.map(|arms| {
            arms.iter()
                .map(|arm| name(&world.arms[*arm].name))
                .collect()
        }),
        bounds: Bounds {
            endpoints: endpoints.map(|all| {
                all.iter()
                    .map(|at| name(&world.endpoints[*at].name))
                    .collect()
            }),
            ..Bounds::default()
        },
    }
}

/// Asks, and says which endpoints a decision alone named, or that no arm was eligible.
async fn asked(regime: &Regime, ask: &Ask) -> Result<Vec<usize>, bool> {
    let (grant, request) = (grant(&regime.world, ask.key), ask.request(&regime.world));
    let deadline = Instant::now() + Duration::from_secs(600);
    let complete = &regime.complete;
    let failed = match ask.way {
        Way::Route => match regime.route.route(&grant, &request).await {
            Ok(routed) => {
                let named = [&routed.endpoint].into_iter().chain(&routed.fallbacks);
                let place = |name: &str| regime.world.endpoints.iter().position(|e| e.name == name);
                return Ok(named
                    .map(|e| place(e.name.as_str()).expect("an endpoint"))
                    .collect());
            }
            Err(error) => Some(complete::Error::Route(error)),
        },
        Way::Whole => complete.complete(&grant, &request, deadline).await.err(),
        Way::Embed => complete
            .embed(&grant, &request, &[ask.said()], None, deadline)
            .await
            .err(),
        Way::Stream(most) => match complete.stream(&grant, &request, deadline).await {
            Ok(streaming) => {
                let mut events = streaming.events.take(most.unwrap_or(usize::MAX));
                while events.next().await.is_some() {}
                None
            }
            Err(error) => Some(error),
        },
    };
    match failed {
        Some(complete::Error::Route(route::Error::NoEligibleArm { excluded })) => {
            // One that has no price may stand beside one that rests, and is told of first.
            use bellwether::decision::Reason::{NoPrice, Unavailable};
            let resting = |reason| matches!(reason, Unavailable | NoPrice);
            Err(excluded.iter().any(|excluded| resting(excluded.reason)))
        }
        Some(complete::Error::Route(route::Error::Bug(bug))) => panic!("{ask:?}: {bug}"),
        _ => Ok(Vec::new()),
    }
}

/// One request, begun at some moment of its batch, and all that the oracle says of it.
async fn one(
    seed: u64,
    regimes: &Mutex<Arc<Regime>>,
    log: &provider::Log,
    ask: Ask,
    pins: &[Option<usize>; 3],
) -> Seen {
    for _ in 0..ask.id % 5 {
        tokio::task::yield_now().await;
    }
    let regime = Arc::clone(&regimes.lock().expect("nobody panics with it"));
    let world = &regime.world;
    let outcome = asked(&regime, &ask).await;
    let tried = log.of(ask.id);
    let mut seen = Seen {
        requests: 1,
        attempts: tried.len() as u64,
        ..Seen::default()
    };
    let pin = pins[world.keys[ask.key].team];
    let verdicts: Vec<Vec<Reason>> = (0..world.endpoints.len())
        .map(|place| forbids(world, &ask, pin, place))
        .collect();
    let named = outcome.clone().unwrap_or_default();
    for place in tried.iter().chain(&named) {
        let (reasons, endpoint) = (&verdicts[*place], &world.endpoints[*place].name);
        assert!(
            reasons.is_empty(),
            "seed {seed}: {endpoint} was asked against {reasons:?}: {ask:?}"
        );
    }
    if ask.no_fallbacks {
        let apart: BTreeSet<_> = tried.iter().collect();
        assert!(apart.len() <= 1, "seed {seed}: a fallback, against {ask:?}");
    }
    let left = verdicts.iter().position(Vec::is_empty);
    if ask.again {
        seen.again = Again {
            requests: 1,
            asked: u64::from(!tried.is_empty()),
            named: u64::from(!named.is_empty()),
            refused: u64::from(outcome == Err(false) && left.is_some()),
        };
    }
    // One that came again goes where its first call did, or nowhere.
    if outcome == Err(false) && !ask.again {
        assert_eq!(
            left, None,
            "seed {seed}: refused, though an endpoint was left: {ask:?}"
        );
        seen.refused += 1;
    }
    for hop in 0..tried.len().min(HOPS) {
        for reasons in &verdicts {
            let kinds: BTreeSet<_> = reasons.iter().collect();
            if let ([reason], 1) = (&reasons[..], kinds.len()) {
                *seen.alone.entry((*reason, hop)).or_default() += 1;
            }
        }
    }
    seen
}

/// What is asked together: new requests, and such as came before, each once.
fn batch(first: u64, world: &World, earlier: &[Ask], chance: &mut Chance) -> Vec<Ask> {
    let mut asks: Vec<Ask> = Vec::new();
    for id in first..first + TOGETHER {
        let old = chance.hit(AGAIN).then(|| chance.below(earlier.len()));
        let old = old.and_then(|at| earlier.get(at));
        let old = old.filter(|old| asks.iter().all(|ask| ask.id != old.id));
        asks.push(match old {
            Some(old) => old.again(world, chance),
            None => Ask::made(id, world, chance),
        });
    }
    asks
}

/// Requests of one world.
async fn lived(seed: u64, requests: u64) -> Seen {
    let mut chance = Chance::new(seed);
    let made = World::made(&mut chance);
    let (mut gateway, regime) = Gateway::open(made, seed, seed as usize);
    let regimes = Mutex::new(Arc::new(regime));
    let (mut seen, mut pins) = (Seen::default(), [None; 3]);
    let mut earlier = Vec::new();
    while seen.requests < requests {
        let world = regimes.lock().expect("nobody panics with it").world.clone();
        let asks = batch(seen.requests + 1, &world, &earlier, &mut chance);
        let new = asks.iter().filter(|ask| ask.named && !ask.again);
        earlier.extend(new.cloned());
        let asked = asks.into_iter();
        let asked = asked.map(|ask| one(seed, &regimes, &gateway.log, ask, &pins));
        let asked: Vec<_> = asked.collect();
        let next = chance.hit(0.02).then(|| world.reloaded(&mut chance));
        let reload = async {
            let Some(next) = next else { return };
            tokio::task::yield_now().await;
            let now = Arc::clone(&regimes.lock().expect("nobody panics with it"));
            let then = gateway.reloaded(&now, next);
            *regimes.lock().expect("nobody panics with it") = Arc::new(then);
        };
        let (all, ()) = join(join_all(asked), reload).await;
        all.into_iter().for_each(|one| seen.add(one));
        sleep(Duration::from_millis(chance.one(&[0, 500, 3_000, 70_000]))).await;
        if chance.hit(0.02) {
            gateway.follower.catch_up().expect("learned");
        }
        if chance.hit(0.02) {
            let team = chance.below(TEAMS.len());
            pins[team] = chance.hit(0.4).then(|| chance.below(ARMS));
            let pinned = pins[team].map(|arm: usize| name(&world.arms[arm].name));
            let control = Control {
                pinned,
                frozen: false,
            };
            gateway
                .intake
                .set_control(&name(TEAMS[team]), control)
                .await
                .expect("set");
        }
    }
    // Longer than any of them would have waited.
    sleep(Duration::from_secs(1_000)).await;
    let left = gateway.log.left();
    assert!(
        left.is_empty(),
        "seed {seed}: asked after it was judged: {left:?}"
    );
    seen
}

fn in_a_world(seed: u64, requests: u64) -> Seen {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(lived(seed, requests))
}

#[test]
fn no_forbidden_endpoint_is_asked_in_random_requests_with_random_faults() {
    let said = std::env::var("BELLWETHER_BOUNDARY").ok();
    let requests = said.map_or(REQUESTS, |said| said.parse().expect("a number of requests"));
    let half = |first: u64| {
        let mut seen = Seen::default();
        for seed in (first..WORLDS).step_by(2) {
            seen.add(in_a_world(seed + 1, requests.div_ceil(WORLDS)));
        }
        seen
    };
    let (mut seen, other) = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        (half(0), other.join().expect("the other half"))
    });
    seen.add(other);
    let (asked, attempts, refused) = (seen.requests, seen.attempts, seen.refused);
    println!("{asked} requests, {attempts} attempts, {refused} refused as no endpoint was left");
    println!("came again: {:?}", seen.again);
    assert!(asked >= requests && attempts > asked / 2 && refused > asked / 100);
    if asked < REQUESTS {
        return;
    }
    let Again {
        requests: again,
        asked: asked_again,
        named,
        refused: kept_back,
    } = seen.again;
    assert!(again > asked / 20 && asked_again > asked / 1_000);
    assert!(named > asked / 1_000 && kept_back > asked / 5_000);
    for reason in Reason::all() {
        for hop in 0..HOPS {
            let alone = seen.alone.get(&(reason, hop)).copied().unwrap_or_default();
            println!("{reason} at hop {hop}: {alone}");
            assert!(
                alone * 10_000 >= asked,
                "{reason} at hop {hop} was hardly tried: {alone} times"
            );
        }
    }
}

/// What judges recorded traffic and seeds a learner holds nothing that could ask an endpoint: it cannot leave by there.
#[test]
fn replay_seeding_and_learning_know_no_provider() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders: Vec<_> = ["replay", "seed", "learn", "ope"]
        .map(|module| root.join(module))
        .into();
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("read");
            for asks in ["crate::provider", "crate::complete", "dyn Provider"] {
                assert!(!text.contains(asks), "{} has {asks}", path.display());
            }
            files += 1;
        }
    }
    assert!(files > 20);
}
