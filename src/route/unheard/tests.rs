//! A call that is dropped at each of its waits, and what is held after it.

use super::*;
use crate::access::Grant;
use crate::account::PATIENCE;
use crate::bandit::{Hierarchy, Policy};
use crate::budget::{Limit, Refill, Window};
use crate::chat::{Generation, Message, ResponseFormat, Role};
use crate::clock::ManualClock;
use crate::decision::{self, Attempt, Usage};
use crate::eligibility::{Arm, Catalogue, DataPolicy, Endpoint, Price};
use crate::feature::{ENDS, Extractor};
use crate::id::{Mint, Secret};
use crate::learn::sample::{HOUR, name, scorecard};
use crate::learn::{self, Follower, Pooling};
use crate::route::{self, Choosing, Constraints, Known, Recording, Request, Route, Team};
use crate::standing::Standing;
use crate::store::disk::{Disk, DiskFile};
use crate::store::simulated::SimulatedDisk;
use crate::store::{Checkpoints, Claim, Durability, Record, Settings, Store};
use crate::unit::NanoUsd;
use futures_util::FutureExt;
use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// The limit of the team.
const LIMIT: i64 = 1_000_000_000;
/// 10 tokens in and 20 out at 1,000 nano-dollars each.
const WORST: i64 = 30_000;

/// Lets nobody by while it is shut.
#[derive(Debug, Default)]
struct Gate {
    shut: Mutex<bool>,
    moved: Condvar,
}

impl Gate {
    fn set(&self, shut: bool) {
        *self.shut.lock().unwrap_or_else(PoisonError::into_inner) = shut;
        self.moved.notify_all();
    }

    fn pass(&self) {
        let shut = self.shut.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.moved.wait_while(shut, |shut| *shut));
    }
}

/// A disk that nothing is brought to while its gate is shut.
#[derive(Debug, Clone, Default)]
struct Gated<T> {
    inner: T,
    gate: Arc<Gate>,
}

impl Gated<SimulatedDisk> {
    fn file(&self, inner: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let gate = Arc::clone(&self.gate);
        Arc::new(Gated { inner, gate })
    }
}

impl Disk for Gated<SimulatedDisk> {
    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(self.inner.create(name, len)?))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.file(self.inner.open(name)?))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.inner.sync_dir()
    }
}

impl DiskFile for Gated<Arc<dyn DiskFile>> {
    fn size(&self) -> io::Result<u64> {
        self.inner.size()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.inner.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.inner.write_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.gate.pass();
        self.inner.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.inner.allocate(len)
    }
}

/// A route of one arm for team `team`, which may spend a dollar a day.
struct Rig {
    route: Route,
    store: Arc<Store>,
    accounts: Arc<Accounts>,
    gate: Arc<Gate>,
}

impl Drop for Rig {
    /// Or the store would wait for its disk for ever.
    fn drop(&mut self) {
        self.gate.set(false);
    }
}

fn catalogue() -> Catalogue {
    let arm = Arm {
        name: name("a"),
        capabilities: Default::default(),
        context_tokens: 1_000,
        max_output_tokens: None,
    };
    let endpoint = Endpoint {
        name: name("e"),
        arm: name("a"),
        provider: name("simulated"),
        model: String::new(),
        base_url: String::new(),
        region: None,
        zero_retention: false,
        trains: false,
        certifications: Vec::new(),
        expresses: crate::chat::Parameters::ALL,
        waits: Default::default(),
        prices: vec![Price {
            from: Timestamp::from_micros(0),
            input: 1.0,
            cached_input: 1.0,
            cache_write: 1.0,
            output: 1.0,
        }],
    };
    Catalogue::new(vec![arm], vec![endpoint]).unwrap()
}

/// A snapshot in which nothing has been learned.
fn known(store: &Arc<Store>, accounts: &Arc<Accounts>, catalogue: &Catalogue) -> Known {
    let team = learn::Team {
        name: name("team"),
        arms: vec![name("a")],
        scorecard: Arc::new(scorecard(HOUR)),
        scorecard_version: 1,
        feature_set: name("test"),
        start: Hierarchy::new(&ENDS, 10.0, &[0.5]).unwrap(),
        pooling: Pooling::None,
        compared: false,
        checked: Default::default(),
    };
    let params = learn::Params {
        teams: [(name("team"), team)].into(),
        limits: learn::Limits::default(),
    };
    let checkpoints = Checkpoints::new(Arc::new(SimulatedDisk::new()));
    let follower = Follower::open(Arc::clone(store), checkpoints, Arc::new(params));
    Known {
        published: follower.published(),
        accounts: Arc::clone(accounts),
        warmth: Arc::default(),
        standing: Arc::new(Standing::new(catalogue.endpoints(), [&name("team")])),
        metrics: Arc::default(),
        meters: Arc::default(),
        loops: Arc::default(),
    }
}

fn rig() -> Rig {
    let disk: Gated<SimulatedDisk> = Gated::default();
    let gate = Arc::clone(&disk.gate);
    let mut settings = Settings::default();
    settings.journal.durability = Durability::Sync;
    let (store, _) = Store::open(Arc::new(disk), settings, NOW).unwrap();
    let (store, catalogue) = (Arc::new(store), Arc::new(catalogue()));
    let limit = Limit {
        usd: NanoUsd::new(LIMIT),
        refill: Refill::Calendar(Window::Day),
    };
    let accounts = Arc::new(Accounts::new([(name("team"), limit)]).unwrap());
    let team = Team {
        guardrail: None,
        choosing: Choosing {
            policy: Policy::Fixed { arm: name("a") },
            explore_floor: 0.0,
        },
        extractor: Arc::new(Extractor::shipped().unwrap()),
        data_policy: DataPolicy::default(),
        data_classes: Default::default(),
        recording: Recording::Features,
        baseline: None,
        tasks: Default::default(),
        loops: None,
    };
    let known = known(&store, &accounts, &catalogue);
    let (clock, mint) = (ManualClock::new(NOW), Mint::new(Secret::new([7; 32]), 0));
    let teams = [(name("team"), team)].into();
    let kept = Arc::clone(&store);
    let route = Route::new(catalogue, teams, known, kept, Arc::new(clock), mint).unwrap();
    Rig {
        route,
        store,
        accounts,
        gate,
    }
}

fn caller() -> Grant {
    Grant {
        key: name("key"),
        team: name("team"),
        scopes: Default::default(),
        arms: None,
        bounds: Default::default(),
    }
}

fn request() -> Request {
    Request {
        task: None,
        episode: Some(name("episode")),
        session: None,
        tags: Vec::new(),
        messages: vec![Message::text(Role::User, "hi")],
        tools: Vec::new(),
        response_format: ResponseFormat::Text,
        embedding: None,
        input_tokens: Some(10),
        max_output_tokens: Some(20),
        generation: Generation::default(),
        constraints: Constraints::default(),
        request: Some(decision::Request {
            id: name("r1"),
            body_hash: 1,
        }),
        explore: true,
        streaming: false,
    }
}

impl Rig {
    /// What is held for the team, and what it has spent.
    fn check(&self, expected: (i64, i64)) {
        let balance = self.accounts.balance(&name("team"), NOW).unwrap();
        assert_eq!((balance.held.get(), balance.spent.get()), expected);
    }

    /// So much is held for another call.
    fn others_hold(&self, number: u64, amount: i64) {
        let (team, key) = (name("team"), name("key"));
        let id = Secret::new([9; 32]).mint(NOW, number);
        let mut purse = self.accounts.purse(&team, &key, NOW).unwrap();
        purse.hold(id, NanoUsd::new(amount)).unwrap();
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_at_any_of_its_waits_holds_nothing() {
    // The request id's turn, the turn to draw, the record on disk; and none of them.
    for waits in 0..=3 {
        let rig = rig();
        let (caller, request) = (caller(), request());
        let (team, id, episode) = (name("team"), name("r1"), name("episode"));
        let Claim::New(turn) = rig.store.claim(&team, &id, 1).await.unwrap() else {
            panic!("nobody had the id");
        };
        let mut turns = vec![rig.store.draw_turn(&team, &episode, None).await, turn];
        rig.gate.set(true);
        let mut call = rig.route.route(&caller, &request).boxed();
        for passed in 0..waits {
            assert!((&mut call).now_or_never().is_none(), "wait {passed}");
            rig.check((if passed == 2 { WORST } else { 0 }, 0));
            if turns.pop().is_none() {
                rig.gate.set(false);
            }
        }
        if waits < 3 {
            assert!((&mut call).now_or_never().is_none(), "wait {waits}");
            rig.check((if waits == 2 { WORST } else { 0 }, 0));
            drop(call);
            rig.check((0, 0));
        } else {
            call.await.unwrap();
            rig.check((WORST, 0));
        }
    }
}

#[tokio::test]
async fn a_repeat_of_a_call_that_was_dropped_gets_its_decision_and_holds_again_until_it_is_tried() {
    let rig = rig();
    let (caller, request) = (caller(), request());
    rig.gate.set(true);
    let dropped = rig.route.route(&caller, &request).now_or_never();
    assert!(dropped.is_none());
    rig.gate.set(false);
    rig.check((0, 0));
    for _ in 0..2 {
        let again = rig.route.route(&caller, &request).await.unwrap();
        assert!(again.repeated);
        rig.check((WORST, 0));
    }
    let decision = rig.route.route(&caller, &request).await.unwrap().decision;
    let attempt = Attempt {
        decision: decision.id,
        arm: name("a"),
        endpoint: name("e"),
        ended: NOW,
        latency_ms: None,
        usage: Usage::default(),
        cost: Some(NanoUsd::new(7)),
        error: None,
        reported: true,
        request: None,
        first_token_ms: None,
    };
    let team = name("team");
    rig.accounts.settle(&team, &attempt);
    let record = Record::Attempt { team, attempt };
    rig.store.commit(&record).await.unwrap();
    rig.route.route(&caller, &request).await.unwrap();
    rig.check((0, 7));
}

#[tokio::test(start_paused = true)]
async fn many_calls_of_one_episode_wait_for_money_together() {
    let rig = rig();
    rig.others_hold(1, LIMIT);
    let caller = caller();
    let request = Request {
        request: None,
        ..request()
    };
    let began = Instant::now();
    let calls = (0..20).map(|_| rig.route.route(&caller, &request));
    for routed in futures_util::future::join_all(calls).await {
        assert!(matches!(routed, Err(route::Error::BudgetExhausted(_))));
    }
    assert_eq!(Instant::now() - began, PATIENCE);
    let (began, patience) = (Instant::now(), Duration::from_millis(500));
    let entered = rig.route.enter(&caller, &request).await.unwrap();
    let begun = rig.route.begin(&caller, &entered, began + patience).await;
    assert!(begun.is_err());
    assert_eq!(Instant::now() - began, patience);
}

#[tokio::test(start_paused = true)]
async fn a_repeat_holds_what_is_left_allows_and_is_told_of_where_that_is_nothing() {
    let rig = rig();
    let caller = caller();
    let request = Request {
        max_output_tokens: Some(900),
        ..request()
    };
    let deadline = Instant::now() + Duration::from_secs(60);
    let entered = rig.route.enter(&caller, &request).await.unwrap();
    let begun = rig.route.begin(&caller, &entered, deadline).await.unwrap();
    let decision = Arc::clone(&begun.routed.decision);
    rig.check((910_000, 0));
    rig.route.let_go(&decision);
    // Enough for the answer that is expected, not for all that was held.
    rig.others_hold(1, LIMIT - 800_000);
    let asked = (&caller, &request);
    let reopened = rig.route.reopen(asked, &decision, deadline).await;
    reopened.unwrap();
    rig.route.let_go(&decision);
    rig.others_hold(2, 800_000);
    let began = Instant::now();
    let reopened = rig.route.reopen(asked, &decision, deadline).await;
    assert!(matches!(reopened, Err(route::Error::BudgetExhausted(_))));
    assert_eq!(Instant::now() - began, PATIENCE);
    assert_eq!(rig.accounts.refusals(&name("team")).len(), 1);
}
