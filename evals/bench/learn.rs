//! What the learner keeps up with: `cargo bench --no-default-features --bench learn`.
//!
//! One thread does all of it, from the journal's bytes to the published snapshot, by the code of the server's
//! own learner (`learn::Follower`). The journal is in a temporary directory and has just been written, so it
//! is read from the page cache. Shapes: 10 arms, d = 105, one team; contexts as `feature` makes them.
//!
//! - `rebuild`: from nothing over a journal of which every second record is a decision and every second one
//!   its feedback. Two scorecards: `one_group`, three signals, all in the one feedback; `closing`, two in
//!   the feedback, the third missing and worth 0 when its hour is over, which is a second row a decision.
//!   Criterion's `thrpt` is records a second: a million records take 1,000,000 / thrpt seconds.
//! - `feedback`: the feedback alone, the decisions learned before. `thrpt` is feedbacks a second. In
//!   `late`, each comes in two: two signals, then the third.
//! - `decisions`: decisions alone, of which each makes everything learned fade a little.

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![expect(clippy::expect_used, reason = "a benchmark stops at its first mistake")]

use bellwether::bandit::Hierarchy;
use bellwether::decision::{Cell, Decision, Drawn, Origin};
use bellwether::feature::{DIM, ENDS};
use bellwether::id::{DecisionId, Name, Secret};
use bellwether::learn::{Follower, Limits, Params, Team};
use bellwether::scorecard::{Definition, Kind, Level, Missing, Scorecard, Spec};
use bellwether::signal::{Change, Feedback, Subject, Value};
use bellwether::store::{Checkpoints, FileDisk, Record, Settings, Store};
use bellwether::unit::{Pmf, Timestamp};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::sync::Arc;
use std::time::{Duration, Instant};

const ARMS: usize = 10;
const HOUR: Duration = Duration::from_secs(3600);

/// A whole number of the learner's batches.
const DECISIONS: usize = 80 * 256;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn arms() -> Vec<Name> {
    (0..ARMS).map(|arm| name(&format!("arm-{arm}"))).collect()
}

/// Three flags, of which the last is worth 0 where it is missing if `closing`.
fn params(closing: bool) -> Arc<Params> {
    let spec = |signal: &str, missing| Spec {
        name: name(signal),
        kind: Kind::Flag { good: true },
        weight: 1.0,
        gate: None,
        level: Level::Decision,
        closes_after: HOUR,
        missing,
    };
    let last = if closing {
        Missing::Worst
    } else {
        Missing::Unknown
    };
    let definition = Definition {
        name: name("card"),
        signals: vec![
            spec("tests", Missing::Unknown),
            spec("merged", Missing::Unknown),
            spec("alive", last),
        ],
        quality_usd: 1.0,
        latency_target_ms: None,
        latency_weight: 0.0,
    };
    let team = Team {
        name: name("team"),
        arms: arms(),
        scorecard: Arc::new(Scorecard::new(definition).expect("a scorecard")),
        scorecard_version: 1,
        feature_set: name("f1"),
        start: Hierarchy::new(&ENDS, 10.0, &[0.5]).expect("a prior"),
        pooling: bellwether::learn::Pooling::None,
        compared: false,
        checked: Default::default(),
    };
    Arc::new(Params {
        teams: [(name("team"), team)].into(),
        limits: Limits::default(),
    })
}

/// Makes records, a tenth of a second apart.
struct Maker {
    rng: SmallRng,
    secret: Secret,
    number: u64,
}

impl Maker {
    fn new() -> Self {
        Self {
            rng: SmallRng::seed_from_u64(3),
            secret: Secret::new([1; 32]),
            number: 0,
        }
    }

    fn now(&self) -> Timestamp {
        let start = 1_700_000_000_000_000_i64;
        Timestamp::from_micros(start + 100_000 * i64::try_from(self.number).expect("few"))
    }

    fn context(&mut self) -> Vec<f32> {
        let mut x: Vec<f32> = (0..DIM).map(|_| self.rng.random_range(-1.0..1.0)).collect();
        for (slot, v) in x.iter_mut().enumerate().take(32) {
            if slot % 8 != 3 {
                *v = 0.0;
            }
        }
        let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt();
        x.iter_mut().for_each(|v| *v *= 3.0_f32.sqrt() / norm);
        if let Some(bias) = x.last_mut() {
            *bias = 1.0;
        }
        x
    }

    fn decision(&mut self) -> Decision {
        self.number += 1;
        let chosen = self.rng.random_range(0..ARMS);
        let share = 1.0 / ARMS as f64;
        let drawn = Drawn {
            arms: arms(),
            signals: ["tests", "merged", "alive"].map(name).into(),
            pmf: Pmf::new(vec![share; ARMS]).expect("a pmf"),
            floor: vec![0.002; ARMS],
            utility: vec![0.5; ARMS],
            utility_sd: vec![0.1; ARMS],
            signal_mean: vec![0.5; ARMS * 3],
            signal_sd: vec![0.1; ARMS * 3],
            cost_usd: vec![0.001; ARMS],
            reference_cost_usd: vec![0.001; ARMS],
            latency_ms: vec![400.0; ARMS],
            samples: 1000.0,
            forced: Vec::new(),
            uniform: (chosen as f64 + 0.5) * share,
            chosen: u32::try_from(chosen).expect("few"),
        };
        Decision {
            id: self.secret.mint(self.now(), self.number),
            time: self.now(),
            team: name("team"),
            key: name("key"),
            task: Some(name("fix-test")),
            episode: None,
            session: None,
            request: None,
            origin: Origin::Drawn,
            policy: "linear-thompson".to_owned(),
            scorecard_version: 1,
            snapshot_version: 0,
            feature_set: name("f1"),
            context: Some(self.context()),
            input_tokens: 500,
            drawn,
            excluded: Vec::new(),
            endpoint: name("an-endpoint"),
            fallbacks: Vec::new(),
            content: None,
            cell: Cell::Router,
            allowance: None,
        }
    }

    fn feedback(&mut self, decision: DecisionId, signals: &[&str]) -> Record {
        let mut value = |signal: &&str| {
            let passed = Value::Flag(self.rng.random_bool(0.7));
            (name(signal), Change::Observed(passed))
        };
        let signals = signals.iter().map(&mut value).collect();
        Record::Feedback(Feedback {
            team: name("team"),
            subject: Subject::Decision(decision),
            signals,
            observed: self.now(),
            received: self.now(),
            evaluator: None,
            request_id: None,
            body_hash: 0,
        })
    }
}

/// A journal, and whatever reads it anew.
struct Journal {
    _dir: tempfile::TempDir,
    disk: Arc<FileDisk>,
    store: Arc<Store>,
    params: Arc<Params>,
}

impl Journal {
    fn new(closing: bool) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let disk = Arc::new(FileDisk::open(dir.path()).expect("a disk"));
        let now = Timestamp::default();
        let (store, _) =
            Store::open(Arc::clone(&disk) as _, Settings::default(), now).expect("a store");
        Self {
            _dir: dir,
            disk,
            store: Arc::new(store),
            params: params(closing),
        }
    }

    fn write(&self, record: &Record) {
        self.store.append(record).expect("room");
    }

    fn decide(&self, maker: &mut Maker) -> DecisionId {
        let decision = maker.decision();
        let id = decision.id;
        self.write(&Record::Decision(Box::new(decision)));
        id
    }

    fn follower(&self) -> Follower {
        let checkpoints = Checkpoints::new(Arc::clone(&self.disk) as _);
        Follower::from_scratch(
            Arc::clone(&self.store),
            checkpoints,
            Arc::clone(&self.params),
        )
    }

    /// Time to learn what comes after record `known`.
    fn time(&self, times: u64, known: u64) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..times {
            let mut follower = self.follower();
            if known > 0 {
                let before = follower.catch_up_while(|f| f.learner().sequence() < known);
                assert_eq!(before.expect("whole"), known);
            }
            let began = Instant::now();
            let learned = follower.catch_up().expect("whole");
            spent += began.elapsed();
            assert_eq!(learned, self.store.journal().newest() - known);
        }
        spent
    }

    fn bench(&self, group: &mut BenchmarkGroup<'_, WallTime>, what: &str, known: u64) {
        let records = self.store.journal().newest() - known;
        group.throughput(Throughput::Elements(records));
        group.bench_function(what, |b| b.iter_custom(|times| self.time(times, known)));
    }
}

const ALL: [&str; 3] = ["tests", "merged", "alive"];

fn learn(c: &mut Criterion) {
    let mut group = c.benchmark_group("learner_10_arms_d105");
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(100));
    group.measurement_time(Duration::from_secs(5));
    for (what, closing, signals) in [
        ("rebuild_one_group", false, &ALL[..]),
        ("rebuild_closing", true, &ALL[..2]),
    ] {
        let (journal, mut maker) = (Journal::new(closing), Maker::new());
        for _ in 0..DECISIONS {
            let id = journal.decide(&mut maker);
            let feedback = maker.feedback(id, signals);
            journal.write(&feedback);
        }
        journal.bench(&mut group, what, 0);
    }
    for (what, parts) in [
        ("feedback", &[&ALL[..]][..]),
        ("feedback_late", &[&ALL[..2], &ALL[2..]]),
    ] {
        let (journal, mut maker) = (Journal::new(false), Maker::new());
        let ids: Vec<_> = (0..DECISIONS).map(|_| journal.decide(&mut maker)).collect();
        if parts.len() == 1 {
            journal.bench(&mut group, "decisions", 0);
        }
        for signals in parts {
            for id in &ids {
                let feedback = maker.feedback(*id, signals);
                journal.write(&feedback);
            }
        }
        journal.bench(&mut group, what, DECISIONS as u64);
    }
    group.finish();
}

criterion_group!(benches, learn);
criterion_main!(benches);
