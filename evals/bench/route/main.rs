//! What `Route` costs beside a bare tonic echo: `cargo bench --no-default-features --bench route`.
//!
//! Four servers, each a process of its own on one core, take the same 300-byte requests in turn from
//! one load generator on the other core (raw h2, since a tonic client costs more than a server):
//!
//! - `echo`: decodes the request and sends it back; what tonic itself costs;
//! - `canned`: sends a fixed reply of `Route`'s size; what the contract itself costs;
//! - `group` and `sync`: Bellwether with a journal on disk, ten arms that have learned from 2000
//!   outcomes of three signals, d = 105, the policy as shipped.
//!
//! A round loads each server in turn; figures are medians over rounds, ratios are taken within a
//! round, so that a slow minute of a shared machine slows both sides of one. CPU is the kernel's count
//! for all threads of a server (the learner and the sync thread too), after its backlog is worked off.
//! Bounded in requests and in time; loopback only. Arguments: rounds (9), requests a run (20000), the
//! servers to put beside echo (all).

#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

mod load;
mod process;
mod server;

use load::{Load, Run};
use process::{Cpu, Process};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Requests in flight under full load, over all connections.
const IN_FLIGHT: usize = 64;
/// Requests a second where latency is measured.
const PACE: u32 = 5_000;
const PACED: Duration = Duration::from_secs(1);

/// One server under load.
struct Side {
    kind: server::Kind,
    process: Process,
    load: Load,
    runs: Vec<(Run, Cpu)>,
    paced: Vec<Run>,
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(["--serve", kind]) = arguments.get(..2).map(|a| [a[0].as_str(), a[1].as_str()]) {
        return server::serve(kind.parse()?);
    }
    // Cargo passes `--bench`.
    let mut numbers = arguments.iter().filter_map(|a| a.parse::<u32>().ok());
    let rounds = numbers.next().unwrap_or(9).clamp(1, 100);
    let requests = numbers.next().unwrap_or(20_000).clamp(1_000, 200_000);
    let named = |kind: &server::Kind| arguments.contains(&kind.to_string());
    let mut kinds: Vec<_> = server::Kind::ALL[1..]
        .iter()
        .copied()
        .filter(named)
        .collect();
    if kinds.is_empty() {
        kinds.extend(&server::Kind::ALL[1..]);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let pinned = process::pin_self("1");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    println!(
        "{cores} cores, server and generator {}; {IN_FLIGHT} in flight; latency at {PACE}/s; {rounds} rounds",
        if pinned {
            "pinned to one each"
        } else {
            "not pinned (no taskset)"
        },
    );
    runtime.block_on(drive(&kinds, rounds, requests, pinned))
}

async fn drive(
    kinds: &[server::Kind],
    rounds: u32,
    requests: u32,
    pinned: bool,
) -> Result<(), Error> {
    let mut sides = Vec::new();
    for kind in [server::Kind::Echo]
        .into_iter()
        .chain(kinds.iter().copied())
    {
        let process = Process::start(kind, pinned)?;
        if kind.learns() {
            load::teach(&process.address, 2_000).await?;
        }
        let load = Load::connect(&process.address, 4).await?;
        load.full(IN_FLIGHT, 2_000).await?;
        let (runs, paced) = (Vec::new(), Vec::new());
        sides.push(Side {
            kind,
            process,
            load,
            runs,
            paced,
        });
    }
    for round in 0..rounds {
        // Every second round backwards: no server always follows the same one.
        let order: Vec<usize> = match round % 2 {
            0 => (0..sides.len()).collect(),
            _ => (0..sides.len()).rev().collect(),
        };
        for index in order {
            let side = &mut sides[index];
            let before = side.process.settled_cpu().await?;
            let run = side.load.full(IN_FLIGHT, requests).await?;
            let cpu = side.process.settled_cpu().await?.since(&before);
            side.runs.push((run, cpu));
            side.paced.push(side.load.paced(PACE, PACED).await?);
        }
    }
    report(&sides);
    for side in sides {
        // A draining server waits for its connections to say goodbye.
        drop(side.load);
        tokio::task::yield_now().await;
        drop(side.process);
    }
    Ok(())
}

fn report(sides: &[Side]) {
    let Some(echo) = sides.first() else {
        return;
    };
    println!(
        "{:<8}{:>11}{:>10}{:>18}{:>14}{:>10}{:>10}{:>9}",
        "server",
        "requests/s",
        "of echo",
        "(least..most)",
        "CPU us/call",
        "p50 us",
        "p99 us",
        "bytes"
    );
    for side in sides {
        let ratios = side.runs.iter().zip(&echo.runs);
        let ratios = sorted(ratios.map(|(own, echo)| own.0.rate() / echo.0.rate()));
        let rate = median(side.runs.iter().map(|(run, _)| run.rate()));
        let cpu = median(side.runs.iter().map(|(run, cpu)| micros(cpu.total(), run)));
        let at = |share| median(side.paced.iter().map(|run| run.latency_us(share)));
        println!(
            "{:<8}{rate:>11.0}{:>9.0}%{:>18}{cpu:>14.1}{:>10.0}{:>10.0}{:>9}",
            side.kind.to_string(),
            100.0 * ratios[ratios.len() / 2],
            format!(
                "({:.0}..{:.0}%)",
                100.0 * ratios[0],
                100.0 * ratios[ratios.len() - 1]
            ),
            at(0.5),
            at(0.99),
            side.load.reply_bytes(),
        );
    }
    for side in sides.iter().filter(|side| side.kind.learns()) {
        println!("CPU of {} by thread, us a call:", side.kind);
        let names = side.runs.last().map(|(_, cpu)| cpu.threads());
        for name in names.into_iter().flatten() {
            let each = median(side.runs.iter().map(|(run, cpu)| micros(cpu.of(name), run)));
            if each >= 0.05 {
                println!("  {name:<18}{each:>6.1}");
            }
        }
    }
}

fn micros(cpu: Duration, run: &Run) -> f64 {
    cpu.as_secs_f64() * 1e6 / f64::from(run.requests)
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let values = sorted(values);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
