//! The real program with keys on a real folder: a change that was acknowledged outlives a kill, and no key is in
//! anything that the program writes.
//!
//! Planted are keys that were made, rotated and revoked, and keys of the configuration. Scanned are every file below
//! the data folder, everything that the server writes to standard output and error (log lines from level info on),
//! the metrics, and what the calls answer that are not to show a key.

use crate::openai_door::caller::{get, post};
use crate::rig::{CODING, Caller, about, refusal, write_config};
use bellwether::proto::v1;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Status;

/// A folder with a configuration that has all listeners, and what was written by the programs run there.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) config: PathBuf,
    /// To standard error.
    pub(crate) written: Vec<u8>,
    /// To standard output, by servers: what is asked for a key writes it there, as it should.
    pub(crate) shown: Vec<u8>,
}

/// A server of its own process; it does not outlive the test.
pub(crate) struct Served {
    child: Child,
    pub(crate) grpc: String,
    pub(crate) http: SocketAddr,
    pub(crate) metrics: SocketAddr,
    /// Reads standard error to its end.
    log: Option<JoinHandle<Vec<u8>>>,
    /// Reads standard output to its end.
    shown: Option<JoinHandle<Vec<u8>>>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let config = write_config(dir.path(), "group");
        let text = std::fs::read_to_string(&config).expect("a configuration");
        let more = "[server]\nhttp_listen = \"127.0.0.1:0\"\nmetrics_listen = \"127.0.0.1:0\"\n\
                    metrics_teams = true\n";
        let text = text.replacen("[server]\n", more, 1);
        std::fs::write(&config, text).expect("written");
        Self {
            dir,
            config,
            written: Vec::new(),
            shown: Vec::new(),
        }
    }

    pub(crate) fn serve(&self) -> Served {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        let command = command.args(["serve", "--log-level", "info", "--config"]);
        let command = command.arg(&self.config).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("started");
        let mut out = child.stdout.take().expect("piped");
        let shown = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            out.read_to_end(&mut bytes).expect("read");
            bytes
        });
        let mut log = BufReader::new(child.stderr.take().expect("piped"));
        let mut lines = Vec::new();
        let [metrics, http, grpc] = addresses(&mut log, &mut lines);
        Served {
            child,
            grpc: format!("http://{grpc}"),
            http,
            metrics,
            log: Some(std::thread::spawn(move || {
                log.read_to_end(&mut lines).expect("read");
                lines
            })),
            shown: Some(shown),
        }
    }

    /// Runs `bellwether key` and gives what it wrote to standard output, if it went well.
    fn key(&mut self, served: &Served, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
        let command = command.arg("key").args(args);
        let command = command.args(["--team", "coding", "--addr", &served.grpc]);
        let Output {
            status,
            stdout,
            stderr,
        } = command.env("BELLWETHER_KEY", CODING).output().expect("run");
        self.written.extend_from_slice(&stderr);
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .expect("text")
                .trim_end()
                .to_owned()
        };
        match status.success() {
            true => Ok(text(stdout)),
            false => Err(text(stderr)),
        }
    }

    /// Ends a server, as a kill -9 would, and keeps what it logged.
    pub(crate) fn kill(&mut self, mut served: Served) {
        served.child.kill().expect("killed");
        served.child.wait().expect("ended");
        if let Some(log) = served.log.take() {
            self.written.extend(log.join().expect("read"));
        }
        if let Some(shown) = served.shown.take() {
            self.shown.extend(shown.join().expect("read"));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended before, in a test that went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads lines until metrics, HTTP and gRPC are served, in whatever order; where.
fn addresses(log: &mut BufReader<ChildStderr>, lines: &mut Vec<u8>) -> [SocketAddr; 3] {
    let said = ["serving metrics", "serving HTTP", "serving"];
    let mut found = [None; 3];
    loop {
        let mut line = String::new();
        let read = log.read_line(&mut line).expect("a line");
        assert!(read > 0, "not told of all: {found:?}");
        lines.extend_from_slice(line.as_bytes());
        for (said, found) in said.iter().zip(&mut found) {
            let told = line.split_once(&format!(" {said} address="));
            let at = told.and_then(|(_, rest)| rest.split_whitespace().next());
            *found = at.and_then(|at| at.parse().ok()).or(*found);
        }
        if let [Some(metrics), Some(http), Some(grpc)] = found {
            return [metrics, http, grpc];
        }
    }
}

/// What a listener answers to these bytes.
pub(crate) async fn exchange(at: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(at).await.expect("connected");
    stream.write_all(bytes).await.expect("sent");
    let mut reply = Vec::new();
    // It may cut the connection; what came before is the reply.
    let _ = stream.read_to_end(&mut reply).await;
    reply
}

async fn routed(served: &Served, key: &str) -> Result<v1::RouteResponse, Status> {
    let mut caller = Caller::connect(&served.grpc, Some(key)).await;
    caller.ask(about("fix")).await
}

async fn check(served: &Served, key: &str, good: bool) {
    match routed(served, key).await {
        Ok(_) => assert!(good, "let in"),
        refused => assert_eq!((refusal(refused).1.as_str(), good), ("KEY_UNKNOWN", false)),
    }
}

/// The bytes of every file below a folder, one after the other, and how many files there are.
pub(crate) fn files(dir: &Path) -> (Vec<u8>, usize) {
    let (mut bytes, mut count) = (Vec::new(), 0);
    for entry in std::fs::read_dir(dir).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let (more, files) = files(&path);
            bytes.extend(more);
            count += files;
        } else {
            bytes.extend(std::fs::read(&path).expect("a file"));
            count += 1;
        }
    }
    (bytes, count)
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_its_changes_outlive_a_kill() {
    let mut place = Place::new();
    let served = place.serve();
    let create = ["create", "--scope", "route,complete", "--name"];
    let made = |place: &mut Place, served: &Served, name: &str| {
        let key = place.key(served, &[&create[..], &[name]].concat());
        key.expect("made")
    };
    let kept = made(&mut place, &served, "kept");
    let gone = made(&mut place, &served, "gone");
    assert_eq!(kept.lines().count(), 1, "the key alone");
    assert!(kept.starts_with("bw_") && kept.len() == 60);
    place
        .key(&served, &["revoke", "--name", "gone"])
        .expect("revoked");
    place.kill(served);
    let served = place.serve();
    check(&served, &kept, true).await;
    check(&served, &gone, false).await;
    let rotated = place
        .key(&served, &["rotate", "--name", "kept"])
        .expect("rotated");
    place.kill(served);
    let served = place.serve();
    check(&served, &kept, true).await;
    check(&served, &rotated, true).await;
    let again = ["rotate", "--name", "kept", "--overlap-hours", "0"];
    let newest = place.key(&served, &again).expect("rotated");
    place.kill(served);
    let served = place.serve();
    for (key, good) in [
        (&kept, false),
        (&rotated, false),
        (&newest, true),
        (&gone, false),
    ] {
        check(&served, key, good).await;
    }
    let shown = place.key(&served, &["list"]).expect("listed");
    let states = shown.lines().skip(1).map(|line| {
        let mut words = line.split_whitespace();
        (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        )
    });
    let expected = [
        ("coding-all", "configured"),
        ("coding-route", "configured"),
        ("gone", "revoked"),
        ("kept", "made"),
    ];
    assert_eq!(states.collect::<Vec<_>>(), expected, "{shown}");
    let refused = place.key(&served, &["revoke", "--name", "coding-all"]);
    let refused = refused.expect_err("refused");
    assert!(refused.contains("stands in the configuration"), "{refused}");
    place.kill(served);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_key_is_in_anything_that_the_program_writes() {
    let mut place = Place::new();
    let served = place.serve();
    let scopes = ["--scope", "route,complete,feedback,admin"];
    let mut planted = Vec::new();
    for name in ["used", "ended", "turned"] {
        let create = [&["create", "--name", name][..], &scopes].concat();
        planted.push(place.key(&served, &create).expect("made"));
    }
    planted.push(
        place
            .key(&served, &["rotate", "--name", "turned"])
            .expect("rotated"),
    );
    let used = planted[0].clone();
    let mut caller = Caller::connect(&served.grpc, Some(&used)).await;
    let decision = caller.route("fix").await.decision_id;
    let mut told = format!("{:?}", caller.decision(&decision).await.expect("known"));
    let request = v1::ListKeysRequest {
        team: "coding".to_owned(),
        ..Default::default()
    };
    told += &format!(
        "{:?}",
        caller.admin.list_keys(request).await.expect("listed")
    );
    told += &place
        .key(&served, &["list", "--format", "json"])
        .expect("listed");
    let ended = place.key(&served, &["revoke", "--name", "ended"]);
    told += &ended.expect("revoked");
    // Refused calls with keys in the wrong places.
    let body = format!("{{\"model\": \"{used}\", \"messages\": 7}}");
    for key in planted
        .iter()
        .map(String::as_str)
        .chain([CODING, "k-support"])
    {
        let bytes = [
            post("/v1/chat/completions", Some(key), &[], body.as_bytes()),
            post("/v1/feedback", Some(key), &[("api-key", key)], b"{}"),
            get("/v1/models", Some(&format!("{key}x"))),
        ];
        for bytes in bytes {
            let reply = exchange(served.http, &bytes).await;
            let reply = String::from_utf8_lossy(&reply).into_owned();
            assert!(!reply.contains(key), "{reply}");
            told += &reply;
        }
        let mut caller = Caller::connect(&served.grpc, Some(key)).await;
        for result in [caller.ask(about("fix")).await, caller.ask(about("")).await] {
            told += &format!("{result:?}");
        }
        check(&served, &format!("{key}x"), false).await;
    }
    let metrics = exchange(served.metrics, &get("/metrics", None)).await;
    assert!(holds(&metrics, "bellwether_"), "metrics are told");
    place.kill(served);
    let (data, count) = files(&place.dir.path().join("state"));
    assert!(
        count > 3 && holds(&data, "used"),
        "the name is there, the key is not"
    );
    assert!(holds(&place.written, "serving"), "the log was read");
    assert!(holds(&place.shown, "serves on"), "standard output was read");
    planted.extend([CODING, "k-support"].map(str::to_owned));
    // What the secrets are known by, without what lists may show of them.
    let secrets = planted
        .iter()
        .map(|key| key.rsplit('_').next().unwrap_or(key));
    let secrets: Vec<&str> = secrets.collect();
    for (what, bytes) in [
        ("the data folder", &data),
        ("standard error", &place.written),
        ("standard output", &place.shown),
        ("the metrics", &metrics),
        ("replies", &told.into_bytes()),
    ] {
        let found = secrets.iter().filter(|secret| holds(bytes, secret)).count();
        assert_eq!(found, 0, "{what}");
    }
    println!(
        "{} secrets in {} bytes of {count} files, {} bytes of log, {} of metrics: none found",
        secrets.len(),
        data.len(),
        place.written.len(),
        metrics.len()
    );
}
