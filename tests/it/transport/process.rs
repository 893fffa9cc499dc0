//! The signals that a server takes: SIGHUP reads the configuration anew, a second SIGTERM ends at once.

use super::frames::{post, preface, send};
use crate::rig::{CODING, LIMIT, within, write_config};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use tokio::net::TcpStream;

/// A server of its own process.
struct Process {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Process {
    fn start(config: &std::path::Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        command.arg("serve").arg("--config").arg(config);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let mut child = child.expect("started");
        let (told, lines) = std::sync::mpsc::channel();
        let out = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// The next line that it writes.
    fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("a line")
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        kill_process(Pid::from_raw(id).expect("a process id"), signal).expect("sent");
    }

    /// How it ended, and what it wrote on standard error.
    fn ended(mut self) -> (bool, String) {
        let mut said = String::new();
        let mut errors = self.child.stderr.take().expect("piped");
        errors.read_to_string(&mut said).expect("text");
        (self.child.wait().expect("ended").success(), said)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_reads_the_configuration_anew_and_a_bad_one_changes_nothing() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = write_config(dir.path(), "group");
    let process = Process::start(&path);
    assert!(
        process
            .line()
            .starts_with("bellwether serves on http://127.0.0.1:")
    );
    let good = std::fs::read_to_string(&path).expect("read");
    std::fs::write(
        &path,
        good.replace("k-", "K-")
            .replacen("segment_mib = 1", "segment_mib = 2", 1),
    )
    .expect("written");
    process.signal(Signal::HUP);
    let told = "configuration read anew: nothing to change; needs a restart: store";
    assert_eq!(process.line(), told);
    let key = good.find("[[keys]]").expect("keys");
    std::fs::write(
        &path,
        good.replacen("name = \"coding-all\"", "name = \"renamed\"", 1),
    )
    .expect("written");
    process.signal(Signal::HUP);
    assert_eq!(
        process.line(),
        "configuration read anew: now in force: keys"
    );
    std::fs::write(&path, &good[..key]).expect("written");
    process.signal(Signal::HUP);
    let told = process.line();
    assert!(
        told.starts_with("configuration read anew: nothing is changed: "),
        "{told}"
    );
    process.signal(Signal::TERM);
    let (well, said) = process.ended();
    assert!(well, "{said}");
    assert!(said.contains("keys: is required"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_a_server_that_waits_for_a_call() {
    let dir = tempfile::tempdir().expect("a folder");
    let process = Process::start(&write_config(dir.path(), "group"));
    let said = process.line();
    let address = said
        .split_once("http://")
        .and_then(|(_, rest)| rest.split_once(';'));
    let address = address.expect("an address").0.to_owned();
    // A call whose body never comes.
    let mut stream = TcpStream::connect(&address).await.expect("connected");
    let path = "/bellwether.v1.RouterService/Route";
    let key = format!("Bearer {CODING}");
    let begun = [preface(), post(1, 0, path, "application/grpc", &key)].concat();
    send(&mut stream, &begun).await;
    super::frames::heard(&mut stream, |frame| frame.kind == super::frames::SETTINGS).await;
    process.signal(Signal::TERM);
    within("the door to shut", async {
        while TcpStream::connect(&address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    process.signal(Signal::TERM);
    let (well, said) = process.ended();
    assert!(!well && said.contains("interrupted again"), "{said}");
}
