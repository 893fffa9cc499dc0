//! Time to make one context: `cargo bench --no-default-features --bench feature`.
//!
//! Least times seen on a shared machine with two cores, in microseconds: 300 bytes of prose 1.2,
//! 2 KB of prose 6.4, 2 KB of code 8.7. Medians there were up to 1.5 times that.
//!
//! The prompts are texts of this repository: its licence for prose, a source file for code.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]
#![allow(
    clippy::expect_used,
    reason = "a benchmark may stop where it cannot begin"
)]

use bellwether::feature::{DIM, Extractor, Request, Tag, TagValue};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const PROSE: &str = include_str!("../../LICENSE");
const CODE: &str = include_str!("../../src/unit.rs");

fn extract(c: &mut Criterion) {
    let extractor = Extractor::shipped().expect("the shipped embedding is sound");
    let mut group = c.benchmark_group("feature");
    let tags = [
        Tag {
            key: "language",
            value: TagValue::Text("rust"),
        },
        Tag {
            key: "files",
            value: TagValue::Number(0.3),
        },
    ];
    for (name, text) in [
        ("prose, 300 bytes", &PROSE[1000..1300]),
        ("prose, 2 KB", &PROSE[1000..3048]),
        ("code, 2 KB", &CODE[..2048]),
        ("prose, 8 KB", &PROSE[1000..9192]),
    ] {
        let request = Request {
            task: Some("fix-test"),
            tags: &tags,
            last_user: &[text],
            ..Request::default()
        };
        let mut context = [0.0; DIM];
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| extractor.extract(black_box(&request), black_box(&mut context)));
        });
    }
    let embedding = [0.1; 1536];
    let request = Request {
        task: Some("fix-test"),
        embedding: Some(&embedding),
        ..Request::default()
    };
    let extractor = Extractor::client(1536).expect("an allowed length");
    let mut context = [0.0; DIM];
    group.throughput(Throughput::Elements(1));
    group.bench_function("client embedding of 1536", |b| {
        b.iter(|| extractor.extract(black_box(&request), black_box(&mut context)));
    });
    group.finish();
}

criterion_group!(benches, extract);
criterion_main!(benches);
