//! What a gateway costs beside the provider that it asks: `cargo bench --bench complete`.
//!
//! Three commands of one program; [the README](../README.md) says how to run them on cores of their own:
//!
//! - `mock`: a provider that answers a fixed chat completion and does nothing else ([mock.rs](mock.rs));
//! - `load`: as many requests as go, or so many a second, at one address ([load.rs](load.rs));
//! - `pair`: the mock and the gateways before it in turn, so that a slow minute of a shared machine
//!   slows both sides of a pair ([pair.rs](pair.rs)).
//!
//! Without a command it is `pair` with no gateway: what the mock and the generator come to by themselves.
//! All of it speaks plain HTTP/1.1 with kept connections, and is bounded in time.

#![expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]

mod gateway;
mod http;
mod load;
mod mock;
mod pair;
mod process;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What a gateway costs beside the provider that it asks.
#[derive(Parser)]
#[command(name = "complete")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves a fixed chat completion on one thread.
    Mock(mock::Arguments),
    /// Loads one address and says what came of it.
    Load(load::Arguments),
    /// Loads the mock and each gateway in turn, and says what a gateway adds.
    Pair(pair::Arguments),
}

fn main() -> Result<(), Error> {
    // Cargo adds `--bench`.
    let arguments = std::env::args().filter(|argument| argument != "--bench");
    match Arguments::parse_from(arguments).command {
        Some(Command::Mock(arguments)) => mock::run(&arguments),
        Some(Command::Load(arguments)) => load::run(&arguments),
        Some(Command::Pair(arguments)) => pair::run(&arguments),
        None => pair::run(&pair::Arguments::parse_from(["pair"])),
    }
}

/// The middle of these values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
