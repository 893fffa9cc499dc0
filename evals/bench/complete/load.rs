//! The load generator: a thread for each connection, each call raw HTTP.
//!
//! Closed loop: every connection sends its next request when the last is answered; this finds the rate
//! that a server can bear. Open loop: requests have their moments, whatever became of those before;
//! this finds what a caller waits. A request that is sent late, for want of a free connection, waits
//! from the moment that it was due: a slow server cannot hide by slowing its callers.

use crate::Error;
use crate::http::{Answer, Connection};
use crate::process::settled_cpu;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// What is sent where.
#[derive(clap::Args, Clone)]
pub(crate) struct Shape {
    /// Connections; in the open loop the most requests in flight.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) connections: u32,
    /// Seconds of a run.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Ask for streams, and measure the time to their first data byte.
    #[arg(long)]
    pub(crate) stream: bool,
    /// Bytes of the prompt.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) prompt_bytes: u32,
}

/// Arguments of `load`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Address up to and without `/chat/completions`, such as `http://127.0.0.1:7480/v1`.
    #[arg(long)]
    url: String,
    /// The key that is sent.
    #[arg(long, default_value = "bench-key")]
    key: String,
    /// The model that is asked for.
    #[arg(long, default_value = "auto")]
    model: String,
    /// Requests a second. Absent: as many as go.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    rate: Option<u32>,
    /// Processes whose CPU a call is told.
    #[arg(long, value_delimiter = '+')]
    pid: Vec<u32>,
    #[command(flatten)]
    shape: Shape,
}

/// Loads one address.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Error> {
    let shape = &arguments.shape;
    let target = Target::new(&arguments.url, &arguments.key, &arguments.model, shape)?;
    let before = settled_cpu(&arguments.pid)?;
    let run = match arguments.rate {
        Some(rate) => target.open(rate)?,
        None => target.closed()?,
    };
    let cpu = settled_cpu(&arguments.pid)?.saturating_sub(before);
    println!(
        "{} requests, {:.0}/s; us p50 {:.0}, p90 {:.0}, p99 {:.0}, p99.9 {:.0}, most {:.0}; {} bytes each",
        run.requests(),
        run.rate(),
        run.total.at_us(0.5),
        run.total.at_us(0.9),
        run.total.at_us(0.99),
        run.total.at_us(0.999),
        run.total.at_us(1.0),
        run.bytes,
    );
    if shape.stream {
        let (half, most) = (run.first.at_us(0.5), run.first.at_us(0.99));
        println!("first data byte: us p50 {half:.0}, p99 {most:.0}");
    }
    if !arguments.pid.is_empty() {
        println!("CPU: {:.1} us a call", run.each_us(cpu));
    }
    Ok(())
}

/// Durations, sorted.
pub(crate) struct Sorted(Vec<Duration>);

impl Sorted {
    fn new(mut samples: Vec<Duration>) -> Self {
        samples.sort_unstable();
        Self(samples)
    }

    /// What this share of them does not exceed, in microseconds.
    pub(crate) fn at_us(&self, share: f64) -> f64 {
        let at = (share * self.0.len() as f64) as usize;
        let found = self.0.get(at).or(self.0.last());
        found.map_or(f64::NAN, |duration| duration.as_secs_f64() * 1e6)
    }
}

/// What a run came to.
pub(crate) struct Run {
    elapsed: Duration,
    /// Requests that were sent before, one for each connection.
    warming: usize,
    /// To the end of the answer.
    pub(crate) total: Sorted,
    /// To the first byte of its body.
    pub(crate) first: Sorted,
    /// Bytes of the last body.
    pub(crate) bytes: usize,
}

impl Run {
    pub(crate) fn requests(&self) -> usize {
        self.total.0.len()
    }

    /// A duration, shared among the requests and those that warmed the connections, in microseconds.
    pub(crate) fn each_us(&self, whole: Duration) -> f64 {
        whole.as_secs_f64() * 1e6 / (self.requests() + self.warming) as f64
    }

    pub(crate) fn rate(&self) -> f64 {
        self.requests() as f64 / self.elapsed.as_secs_f64()
    }
}

/// What one connection measured.
#[derive(Default)]
struct Samples {
    total: Vec<Duration>,
    first: Vec<Duration>,
    bytes: usize,
}

impl Samples {
    fn add(&mut self, since: Instant, answer: &Answer) {
        self.total
            .push(answer.last.saturating_duration_since(since));
        self.first
            .push(answer.first.saturating_duration_since(since));
        self.bytes = answer.bytes;
    }
}

/// An address, and what it is sent.
pub(crate) struct Target {
    address: String,
    request: Vec<u8>,
    shape: Shape,
}

impl Target {
    pub(crate) fn new(url: &str, key: &str, model: &str, shape: &Shape) -> Result<Self, Error> {
        let allowed = "allowed http://HOST:PORT[/PATH]";
        let rest = url
            .strip_prefix("http://")
            .ok_or_else(|| format!("url {url}: {allowed}"))?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let slash = if path.is_empty() { "" } else { "/" };
        let path = path.trim_end_matches('/');
        let prompt = "Say what this does. ".repeat(shape.prompt_bytes as usize / 20 + 1);
        let prompt = &prompt[..shape.prompt_bytes as usize];
        let mut body = serde_json::json!({
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "max_completion_tokens": 256,
        });
        if shape.stream {
            body["stream"] = true.into();
            body["stream_options"] = serde_json::json!({"include_usage": true});
        }
        let body = body.to_string();
        let head = format!(
            "POST {slash}{path}/chat/completions HTTP/1.1\r\nhost: {address}\r\n\
             authorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             accept: */*\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Ok(Self {
            address: address.to_owned(),
            request: (head + &body).into_bytes(),
            shape: shape.clone(),
        })
    }

    /// With these lines in the head too, each `NAME: VALUE`.
    pub(crate) fn with_headers(mut self, headers: &[String]) -> Self {
        let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        if let Some(first) = self.request.windows(2).position(|two| two == b"\r\n") {
            self.request
                .splice(first + 2..first + 2, lines.into_bytes());
        }
        self
    }

    /// As many requests as go.
    pub(crate) fn closed(&self) -> Result<Run, Error> {
        let length = Duration::from_secs(self.shape.seconds.into());
        self.on_all(|connection, begin| {
            let mut samples = Samples::default();
            while begin.elapsed() < length {
                let sent = Instant::now();
                let answer = connection.call(&self.request, self.shape.stream)?;
                samples.add(sent, &answer);
            }
            Ok(samples)
        })
    }

    /// So many requests a second.
    pub(crate) fn open(&self, rate: u32) -> Result<Run, Error> {
        let (gap, count) = (Duration::from_secs(1) / rate, rate * self.shape.seconds);
        let turn = AtomicU32::new(0);
        self.on_all(|connection, begin| {
            let mut samples = Samples::default();
            loop {
                let number = turn.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    return Ok(samples);
                }
                let due = begin + gap * number;
                let wait = due.saturating_duration_since(Instant::now());
                let since = if wait.is_zero() {
                    due
                } else {
                    thread::sleep(wait);
                    // The sleep's own lateness is the generator's, not the server's.
                    Instant::now()
                };
                let answer = connection.call(&self.request, self.shape.stream)?;
                samples.add(since, &answer);
            }
        })
    }

    /// Lets `work` loose on every connection at one moment.
    fn on_all(
        &self,
        work: impl Fn(&mut Connection, Instant) -> Result<Samples, Error> + Sync,
    ) -> Result<Run, Error> {
        let mut connections = Vec::new();
        for _ in 0..self.shape.connections {
            let mut connection = Connection::open(&self.address)?;
            connection.call(&self.request, self.shape.stream)?;
            connections.push(connection);
        }
        let begin = Instant::now() + Duration::from_millis(5);
        let work = &work;
        let parts = thread::scope(|scope| {
            let threads: Vec<_> = connections
                .iter_mut()
                .map(|connection| {
                    scope.spawn(move || {
                        thread::sleep(begin.saturating_duration_since(Instant::now()));
                        work(connection, begin)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(joined)
                .collect::<Result<Vec<_>, _>>()
        })?;
        let elapsed = begin.elapsed();
        let warming = parts.len();
        let bytes = parts.first().map_or(0, |samples| samples.bytes);
        let (total, first): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .map(|part| (part.total, part.first))
            .unzip();
        Ok(Run {
            elapsed,
            warming,
            total: Sorted::new(total.concat()),
            first: Sorted::new(first.concat()),
            bytes,
        })
    }
}

fn joined(thread: ScopedJoinHandle<'_, Result<Samples, Error>>) -> Result<Samples, Error> {
    thread
        .join()
        .map_err(|_| "a thread of the generator broke")?
}
