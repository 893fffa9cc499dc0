//! Pairs: the mock, a gateway, the mock, the next gateway, round after round.
//!
//! Invariants: each gateway's run comes right after one of the mock with the same load, and shares and
//! additions are taken within that pair; figures are medians over rounds.

use crate::gateway::Gateway;
use crate::load::{Run, Shape, Target};
use crate::process::{Mock, cores, resident_mib, settled_cpu};
use crate::{Error, median};

/// Arguments of `pair`.
#[derive(clap::Parser)]
pub(crate) struct Arguments {
    /// A gateway before the mock: `NAME=URL[,key=KEY][,model=MODEL][,header=NAME:VALUE...][,pid=PID[+PID...]]`. May be
    /// repeated.
    #[arg(long = "gateway")]
    gateways: Vec<Gateway>,
    /// Where the mock listens, as HOST:PORT. Absent: one is started, which gateways cannot know of.
    #[arg(long)]
    mock: Option<String>,
    /// Rounds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Requests a second where latency is measured.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: u32,
    #[command(flatten)]
    shape: Shape,
}

/// What one server showed in one round.
struct Showing {
    full: Run,
    paced: Run,
    /// Microseconds a call, under full load.
    cpu_us: f64,
}

/// A gateway and the mock before it, round by round.
struct Pairs<'a> {
    gateway: &'a Gateway,
    target: Target,
    rounds: Vec<[Showing; 2]>,
}

/// Loads all in turn, and reports.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let own = match &arguments.mock {
        Some(_) => None,
        None => Some(Mock::start()?),
    };
    let given = arguments.mock.as_ref();
    let address = given.or(own.as_ref().map(|own| &own.address));
    let address = address.ok_or("no mock")?;
    let shape = &arguments.shape;
    let mock = Target::new(&format!("http://{address}/v1"), "none", "mock", shape)?;
    println!(
        "mock and generator on cores {}; {} connections, {} s a run, latency at {}/s; {} rounds; {} answers",
        cores(),
        shape.connections,
        shape.seconds,
        arguments.rate,
        arguments.rounds,
        if shape.stream { "streamed" } else { "whole" },
    );
    if arguments.gateways.is_empty() {
        return alone(&mock, arguments);
    }
    let mut pairs = Vec::new();
    for gateway in &arguments.gateways {
        pairs.push(Pairs {
            gateway,
            target: Target::new(&gateway.url, &gateway.key, &gateway.model, shape)?
                .with_headers(&gateway.headers),
            rounds: Vec::new(),
        });
    }
    for round in 0..arguments.rounds {
        // Every second round backwards: no gateway always follows the same one.
        let order: Vec<usize> = match round % 2 {
            0 => (0..pairs.len()).collect(),
            _ => (0..pairs.len()).rev().collect(),
        };
        for index in order {
            let pair = &mut pairs[index];
            let before = show(&mock, arguments.rate, &[])?;
            let own = show(&pair.target, arguments.rate, &pair.gateway.pids)?;
            pair.rounds.push([before, own]);
        }
    }
    report(&pairs, shape.stream)
}

/// The mock by itself.
fn alone(mock: &Target, arguments: &Arguments) -> Result<(), Error> {
    for _ in 0..arguments.rounds {
        let showing = show(mock, arguments.rate, &[])?;
        println!(
            "mock: {:.0} requests/s; us p50 {:.0}, p99 {:.0}; {} bytes",
            showing.full.rate(),
            showing.paced.total.at_us(0.5),
            showing.paced.total.at_us(0.99),
            showing.full.bytes,
        );
    }
    Ok(())
}

fn show(target: &Target, rate: u32, pids: &[u32]) -> Result<Showing, Error> {
    let before = settled_cpu(pids)?;
    let full = target.closed()?;
    let cpu = settled_cpu(pids)?.saturating_sub(before);
    let cpu_us = full.each_us(cpu);
    let paced = target.open(rate)?;
    Ok(Showing {
        full,
        paced,
        cpu_us,
    })
}

fn report(pairs: &[Pairs<'_>], streamed: bool) -> Result<(), Error> {
    row([
        "server",
        "requests/s",
        "of mock",
        "p50 us",
        "p99 us",
        "added p50",
        "added p99",
        "CPU us/call",
        "RSS MiB",
    ]);
    let mocks = pairs.iter().flat_map(|pair| &pair.rounds);
    let mocks: Vec<&Showing> = mocks.map(|[mock, _]| mock).collect();
    let [rate, half, most] = plain(&mocks);
    row(["mock", &rate, "100%", &half, &most, "", "", "", ""]);
    for pair in pairs {
        let own: Vec<&Showing> = pair.rounds.iter().map(|[_, own]| own).collect();
        let [rate, half, most] = plain(&own);
        let shares = pair.rounds.iter();
        let share = median(shares.map(|[mock, own]| own.full.rate() / mock.full.rate()));
        let share = format!("{:.0}%", 100.0 * share);
        let half_more = pair.added(|showing| showing.paced.total.at_us(0.5));
        let most_more = pair.added(|showing| showing.paced.total.at_us(0.99));
        let (cpu, memory) = match pair.gateway.pids.as_slice() {
            [] => Default::default(),
            pids => {
                let cpu = median(own.iter().map(|showing| showing.cpu_us));
                (format!("{cpu:.1}"), format!("{:.1}", resident_mib(pids)?))
            }
        };
        let name = &pair.gateway.name;
        row([
            name, &rate, &share, &half, &most, &half_more, &most_more, &cpu, &memory,
        ]);
        if streamed {
            let half = pair.added(|showing| showing.paced.first.at_us(0.5));
            let most = pair.added(|showing| showing.paced.first.at_us(0.99));
            row(["  first byte", "", "", "", "", &half, &most, "", ""]);
        }
    }
    Ok(())
}

impl Pairs<'_> {
    /// How much more than the mock's this figure is.
    fn added(&self, of: fn(&Showing) -> f64) -> String {
        let rounds = self.rounds.iter();
        let added = median(rounds.map(|[mock, own]| of(own) - of(mock)));
        format!("{added:.0}")
    }
}

/// Rate, p50 and p99.
fn plain(showings: &[&Showing]) -> [String; 3] {
    let over = |of: fn(&Showing) -> f64| {
        let value = median(showings.iter().map(|showing| of(showing)));
        format!("{value:.0}")
    };
    [
        over(|showing| showing.full.rate()),
        over(|showing| showing.paced.total.at_us(0.5)),
        over(|showing| showing.paced.total.at_us(0.99)),
    ]
}

fn row(cells: [&str; 9]) {
    let [name, cells @ ..] = cells;
    let cells = cells.map(|cell| format!("{cell:>12}")).concat();
    println!("{name:<14}{cells}");
}
