//! Processes: the mock as a child, and what `/proc` says of a gateway's.

use crate::Error;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A mock of our own; it ends when dropped, or when this process does.
pub(crate) struct Mock {
    child: Child,
    pub(crate) address: String,
}

impl Mock {
    pub(crate) fn start() -> Result<Self, Error> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["mock", "--until-input-ends"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let out = child.stdout.take().ok_or("no standard output")?;
        let mut address = String::new();
        BufReader::new(out).read_line(&mut address)?;
        let address = address.trim().to_owned();
        match address.is_empty() {
            true => Err("the mock did not start".into()),
            false => Ok(Self { child, address }),
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It stops at the end of its input; nothing is left to tell an error to.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Blocks until the input ends: the parent stopped or is gone.
pub(crate) fn wait_for_end_of_input() {
    let mut rest = Vec::new();
    let _ = std::io::stdin().read_to_end(&mut rest);
}

/// The cores that this process may use.
pub(crate) fn cores() -> String {
    field("/proc/self/status", "Cpus_allowed_list").unwrap_or_else(|_| "unknown".to_owned())
}

/// CPU time of these processes, all threads, once they have nothing more to do (or after 5 s).
pub(crate) fn settled_cpu(pids: &[u32]) -> Result<Duration, Error> {
    let begun = Instant::now();
    let mut last = cpu(pids)?;
    loop {
        std::thread::sleep(Duration::from_millis(20));
        let now = cpu(pids)?;
        let idle = now.saturating_sub(last) < Duration::from_micros(500);
        if idle || begun.elapsed() > Duration::from_secs(5) {
            return Ok(now);
        }
        last = now;
    }
}

fn cpu(pids: &[u32]) -> Result<Duration, Error> {
    let mut sum = Duration::ZERO;
    for pid in pids {
        for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
            let stat = std::fs::read_to_string(task?.path().join("schedstat"))?;
            let nanos = stat.split(' ').next().unwrap_or_default().parse()?;
            sum += Duration::from_nanos(nanos);
        }
    }
    Ok(sum)
}

/// Memory of these processes now, in MiB.
pub(crate) fn resident_mib(pids: &[u32]) -> Result<f64, Error> {
    let mut sum = 0.0;
    for pid in pids {
        let text = field(&format!("/proc/{pid}/status"), "VmRSS")?;
        let kib: f64 = text.trim_end_matches(" kB").parse()?;
        sum += kib / 1024.0;
    }
    Ok(sum)
}

fn field(path: &str, name: &str) -> Result<String, Error> {
    let text = std::fs::read_to_string(path)?;
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(own, _)| *own == name);
    let (_, value) = found.ok_or_else(|| format!("{path} has no {name}"))?;
    Ok(value.trim().to_owned())
}
