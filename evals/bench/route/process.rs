//! A server in a process of its own, pinned where `taskset` is at hand, and its CPU time by thread.

use crate::Error;
use crate::server::Kind;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Pins this process to a core. False: there is no `taskset`, or no such core.
pub(crate) fn pin_self(core: &str) -> bool {
    let pid = std::process::id().to_string();
    let mut pin = Command::new("taskset");
    pin.args(["-a", "-p", "-c", core, &pid])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    pin.status().is_ok_and(|status| status.success())
}

/// A running server; it ends when dropped, or when this process does.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: String,
}

impl Process {
    pub(crate) fn start(kind: Kind, pinned: bool) -> Result<Self, Error> {
        let own = std::env::current_exe()?;
        let mut command = match pinned {
            true => Command::new("taskset"),
            false => Command::new(&own),
        };
        if pinned {
            command.args(["-c", "0"]).arg(&own);
        }
        let mut child = command
            .args(["--serve", &kind.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        let address = address.trim().to_owned();
        if address.is_empty() {
            return Err(format!("the server {kind} did not start").into());
        }
        Ok(Self { child, address })
    }

    /// CPU time so far, once the server has nothing more to do (or after 5 s).
    pub(crate) async fn settled_cpu(&self) -> Result<Cpu, Error> {
        let begun = Instant::now();
        let mut last = self.cpu()?;
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let now = self.cpu()?;
            let idle = now.total() - last.total() < Duration::from_micros(500);
            if idle || begun.elapsed() > Duration::from_secs(5) {
                return Ok(now);
            }
            last = now;
        }
    }

    fn cpu(&self) -> Result<Cpu, Error> {
        let mut threads = BTreeMap::new();
        for task in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let task = task?.path();
            let name = std::fs::read_to_string(task.join("comm"))?;
            let stat = std::fs::read_to_string(task.join("schedstat"))?;
            let nanos = stat.split(' ').next().unwrap_or_default().parse()?;
            let sum: &mut Duration = threads.entry(name.trim().to_owned()).or_default();
            *sum += Duration::from_nanos(nanos);
        }
        Ok(Cpu(threads))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The server stops at the end of its input; nothing is left to tell an error to.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// CPU time by thread name.
pub(crate) struct Cpu(BTreeMap<String, Duration>);

impl Cpu {
    pub(crate) fn total(&self) -> Duration {
        self.0.values().sum()
    }

    pub(crate) fn of(&self, thread: &str) -> Duration {
        self.0.get(thread).copied().unwrap_or_default()
    }

    pub(crate) fn threads(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        let spent =
            |(name, now): (&String, &Duration)| (name.clone(), now.saturating_sub(before.of(name)));
        Self(self.0.iter().map(spent).collect())
    }
}

/// Blocks until the input ends: the driver stopped or is gone.
pub(crate) fn wait_for_end_of_input() {
    let mut rest = Vec::new();
    let _ = std::io::Read::read_to_end(&mut std::io::stdin(), &mut rest);
}
