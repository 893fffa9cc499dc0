//! Time to keep one record: `cargo bench --no-default-features --bench journal`.
//!
//! The record is a decision between three arms with its context of 105 numbers. It goes to a
//! temporary directory: put `TMPDIR` on the disk to be measured. Some seconds write about 2 GB.
//!
//! Medians on a busy machine with two cores, 0.8 KB a record, ext4: encode 0.7 us, decode 2.0 us,
//! append in mode group 3.4 us, read in order 2.7 us; a commit in mode sync 355 us alone, 21 us each
//! where 64 wait together (one sync serves them all).
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(
    clippy::expect_used,
    reason = "a benchmark may stop where it cannot begin"
)]

use bellwether::decision::{Cell, Decision, Drawn, Origin};
use bellwether::id::{Name, Secret};
use bellwether::store::journal;
use bellwether::store::{Durability, FileDisk, Record, Settings, Store};
use bellwether::unit::{Pmf, Timestamp};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn record() -> Record {
    let arms = 3;
    let drawn = Drawn {
        arms: ["small-model", "middle-model", "large-model"]
            .map(name)
            .into(),
        signals: ["tests_passed", "json_valid", "review_accepted"]
            .map(name)
            .into(),
        pmf: Pmf::new(vec![0.25, 0.25, 0.5]).expect("a pmf"),
        floor: vec![0.01; arms],
        utility: vec![0.5; arms],
        utility_sd: vec![0.1; arms],
        signal_mean: vec![0.5; arms * 3],
        signal_sd: vec![0.1; arms * 3],
        cost_usd: vec![0.001; arms],
        reference_cost_usd: vec![0.001; arms],
        latency_ms: vec![400.0; arms],
        samples: 1000.0,
        forced: Vec::new(),
        uniform: 0.5,
        chosen: 1,
    };
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    Record::Decision(Box::new(Decision {
        id: Secret::new([1; 32]).mint(now, 1),
        time: now,
        team: name("team"),
        key: name("key"),
        task: Some(name("fix-test")),
        episode: None,
        session: None,
        request: None,
        origin: Origin::Drawn,
        policy: "linear-thompson:v=0.1".to_owned(),
        scorecard_version: 1,
        snapshot_version: 0,
        feature_set: name("f1"),
        context: Some(vec![0.1; 105]),
        input_tokens: 500,
        drawn,
        excluded: Vec::new(),
        endpoint: name("large-at-provider"),
        fallbacks: Vec::new(),
        content: None,
        cell: Cell::Router,
        allowance: None,
    }))
}

fn store(dir: &tempfile::TempDir, durability: Durability) -> Store {
    let settings = Settings {
        journal: journal::Settings {
            durability,
            ..journal::Settings::default()
        },
        ..Settings::default()
    };
    let disk = FileDisk::open(dir.path()).expect("a directory");
    let (store, _) = Store::open(Arc::new(disk), settings, Timestamp::default()).expect("a store");
    store
}

fn keep(c: &mut Criterion) {
    let record = record();
    let bytes = record.encode_after(Vec::new()).expect("it encodes");
    let mut group = c.benchmark_group("journal");
    group.warm_up_time(Duration::from_millis(300));
    group.measurement_time(Duration::from_secs(2));
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("encode", |b| {
        b.iter(|| black_box(&record).encode_after(Vec::with_capacity(2048)));
    });
    group.bench_function("decode", |b| {
        b.iter(|| Record::decode(black_box(&bytes), 1))
    });

    let dir = tempfile::tempdir().expect("a directory");
    let kept = store(&dir, Durability::Group);
    group.bench_function("append, group", |b| {
        b.iter(|| kept.journal().append(&record).expect("room"));
    });
    let mut reader = kept.reader(1);
    group.bench_function("read in order", |b| {
        b.iter(|| match reader.next().expect("whole") {
            Some(record) => black_box(record),
            None => {
                reader = kept.reader(1);
                reader.next().expect("whole").expect("a record")
            }
        });
    });
    drop((reader, kept, dir));

    let dir = tempfile::tempdir().expect("a directory");
    let kept = store(&dir, Durability::Sync);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    for at_once in [1, 64] {
        group.throughput(Throughput::Elements(at_once));
        group.bench_function(format!("commit, sync, {at_once} at once"), |b| {
            b.iter(|| {
                let commits = (0..at_once).map(|_| kept.journal().commit(&record));
                runtime.block_on(futures_util::future::join_all(commits))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, keep);
criterion_main!(benches);
