//! What was acknowledged is still there: after a process is killed, and after a power cut.
//!
//! The killed process is the real program on a real directory. The power cut is a simulated disk
//! under a served Bellwether: it forgets every byte that was not synced.

use crate::rig::{
    CODING, Caller, LIMIT, Rig, about, as_first, configured, item, passed, refusal, within,
    within_episode, write_config,
};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::server;
use bellwether::store::simulated::SimulatedDisk;
use bellwether::store::{Keyed, Record, VersionKind};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Code;

/// Callers at work at the same time.
const CALLERS: usize = 8;

/// A decision that was acknowledged.
#[derive(Debug, Clone)]
struct Acknowledged {
    reply: v1::RouteResponse,
    /// Its idempotency key and request, where there was one.
    asked: v1::RouteRequest,
    /// The outcome that was acknowledged, if any was.
    told: Option<bool>,
    when: Instant,
}

/// All that was acknowledged, by decision.
type Book = BTreeMap<String, Acknowledged>;

/// One caller's n-th request: every third with an idempotency key, every fourth in an episode.
fn request(caller: usize, number: u64) -> v1::RouteRequest {
    let task = ["fix", "review", "triage"][caller % 3];
    let mut request = match number % 4 {
        0 => within_episode(task, &format!("pr-{}", number / 8)),
        _ => about(task),
    };
    if number.is_multiple_of(3) {
        request.request_id = Some(format!("r-{caller}-{number}"));
    }
    request
}

/// Calls until a call fails; writes what was acknowledged into `book`, counts it in `calls`.
async fn call(
    mut team: Caller,
    caller: usize,
    from: u64,
    book: Arc<Mutex<Book>>,
    calls: watch::Sender<u64>,
) {
    for number in from.. {
        let asked = request(caller, number);
        let Ok(reply) = team.ask(asked.clone()).await else {
            return;
        };
        let id = reply.decision_id.clone();
        let good = reply.arm == "large";
        let acknowledged = Acknowledged {
            reply,
            asked,
            told: None,
            when: Instant::now(),
        };
        book.lock().unwrap().insert(id.clone(), acknowledged);
        calls.send_modify(|count| *count += 1);
        if number % 5 == 4 {
            continue;
        }
        let Ok(result) = team.submit(item(&id, vec![passed(good)]), false).await else {
            return;
        };
        assert_eq!(
            result.status(),
            v1::feedback_result::Status::Accepted,
            "{result:?}"
        );
        if let Some(entry) = book.lock().unwrap().get_mut(&id) {
            (entry.told, entry.when) = (Some(good), Instant::now());
        }
        calls.send_modify(|count| *count += 1);
    }
}

/// Puts a server under load, and does `end` when `after` calls have been acknowledged.
async fn load(address: &str, from: u64, after: u64, end: impl FnOnce()) -> Book {
    let book = Arc::new(Mutex::new(Book::new()));
    let calls = watch::Sender::new(0);
    let mut enough = calls.subscribe();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let team = Caller::connect(address, Some(CODING)).await;
        callers.spawn(call(team, caller, from, Arc::clone(&book), calls.clone()));
    }
    within("the load", enough.wait_for(|count| *count >= after))
        .await
        .expect("callers at work");
    end();
    within("the callers' end", callers.join_all()).await;
    Arc::into_inner(book).unwrap().into_inner().unwrap()
}

/// The outcome that the server knows of a decision; `Err` if it does not know the decision.
async fn known(team: &mut Caller, id: &str) -> Result<Option<bool>, (Code, String)> {
    let record = team.decision(id).await;
    let record = record.map_err(|status| refusal(Err::<(), _>(status)))?;
    let signal = record
        .signals
        .into_iter()
        .find(|s| s.name == "tests_passed");
    let value = signal.and_then(|s| s.value).and_then(|v| v.value);
    Ok(value.map(|v| v == v1::signal_value::Value::Flag(true)))
}

/// What is missing of the book.
async fn lost(address: &str, book: &Book) -> Vec<Acknowledged> {
    let mut team = Caller::connect(address, Some(CODING)).await;
    let mut lost = Vec::new();
    for (id, acknowledged) in book {
        let found = known(&mut team, id).await;
        let whole = match (found, acknowledged.told) {
            (Ok(found), Some(told)) => found == Some(told),
            (Ok(_), None) => true,
            (Err((code, _)), _) => {
                assert_eq!(code, Code::NotFound);
                false
            }
        };
        if !whole {
            lost.push(acknowledged.clone());
        }
    }
    lost
}

/// The program under test, copied: a build beside the test cannot replace it between two runs.
pub(crate) struct Program {
    path: PathBuf,
    config: PathBuf,
}

impl Program {
    fn new(dir: &Path, durability: &str) -> Self {
        Self::with(dir, write_config(dir, durability))
    }

    /// With a configuration of the caller's.
    pub(crate) fn with(dir: &Path, config: PathBuf) -> Self {
        let path = dir.join("bellwether");
        std::fs::copy(env!("CARGO_BIN_EXE_bellwether"), &path).expect("copied");
        Self { path, config }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.arg(name).arg("--config").arg(&self.config);
        command
    }

    /// Starts a server; itself and its address.
    pub(crate) fn serve(&self) -> (Served, String) {
        let mut command = self.command("serve");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("started");
        let stdout = child.stdout.take().expect("piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let address = line
            .split_whitespace()
            .map(|word| word.trim_end_matches(';'))
            .find(|word| word.starts_with("http://"))
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        let address = address.to_owned();
        (Served(child), address)
    }

    /// Rebuilds the learner from the journal alone and from checkpoint and journal: the same bits.
    fn verify(&self) -> u64 {
        let output = self.command("verify").args(["--format", "json"]).output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.expect("run");
        let stderr = String::from_utf8_lossy(&stderr);
        assert!(status.success(), "{stderr}");
        let told: serde_json::Value = serde_json::from_slice(&stdout).expect("JSON");
        assert_eq!(told["identical"], true, "{told}");
        assert_eq!(told["rebuilt_xxh3"], told["running_xxh3"]);
        told["records"].as_u64().expect("a count")
    }
}

/// A server of its own process; it does not outlive the test.
pub(crate) struct Served(Child);

impl Served {
    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) {
        let asked = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.0.id())])
            .status();
        assert!(asked.expect("sh").success());
        let status = self.0.wait().expect("ended");
        assert!(status.success(), "{status}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended before, in a test that went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Rounds of load and kill in each mode: 3, or as many as the environment says.
fn rounds() -> u64 {
    let said = std::env::var("BELLWETHER_KILL_ROUNDS");
    said.map_or(3, |text| text.parse().expect("a number of rounds"))
}

/// Load, kill -9, look for all that was acknowledged; again and again on one directory.
async fn killed_again_and_again(durability: &str, seed: u64) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let program = Program::new(dir.path(), durability);
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut book = Book::new();
    let (mut records, mut requests) = (0, 0);
    for round in 0..rounds() {
        let (mut server, address) = program.serve();
        let after = rng.random_range(1..600);
        let kill = || server.kill();
        let new = load(&address, round * 100_000, after, kill).await;
        book.extend(new.clone());
        // The journal with its torn end, on top of the checkpoint of the round before.
        let verified = program.verify();
        assert!(verified > records, "the journal grew");
        records = verified;

        let (server, address) = program.serve();
        let lost = lost(&address, &book).await;
        assert!(lost.is_empty(), "{durability}: round {round}: {lost:?}");
        let mut team = Caller::connect(&address, Some(CODING)).await;
        let repeated = new.values().filter(|a| a.asked.request_id.is_some());
        for acknowledged in repeated {
            let again = team.ask(acknowledged.asked.clone()).await.expect("known");
            assert!(again.repeated);
            assert_eq!(
                as_first(again),
                as_first(acknowledged.reply.clone()),
                "the same request, the same reply"
            );
            requests += 1;
        }
        // Every second round ends well, with a checkpoint; the others are killed in peace.
        if round % 2 == 0 {
            server.stop();
            assert_eq!(program.verify(), records, "nothing was written meanwhile");
        }
    }
    let told = book.values().filter(|a| a.told.is_some()).count();
    eprintln!(
        "{durability}: {} kills; {} decisions and {told} outcomes acknowledged, 0 lost; {requests} \
         requests repeated; {records} records, rebuilt to the same bits after every kill",
        rounds(),
        book.len(),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_acknowledged_in_mode_group() {
    killed_again_and_again("group", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_acknowledged_in_mode_sync() {
    killed_again_and_again("sync", 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_it_starts_for_the_first_time_starts_again() {
    // With so many lines of its log written: none, the journal open, the learner ready, serving.
    for lines in 0..4 {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let program = Program::new(dir.path(), "sync");
        let mut command = program.command("serve");
        let command = command.args(["--log-level", "info"]).stdout(Stdio::null());
        let mut child = Served(command.stderr(Stdio::piped()).spawn().expect("started"));
        let log = BufReader::new(child.0.stderr.take().expect("piped"));
        assert_eq!(log.lines().take(lines).count(), lines);
        child.kill();
        let (server, address) = program.serve();
        let mut team = Caller::connect(&address, Some(CODING)).await;
        let id = team.route("fix").await.decision_id;
        assert_eq!(known(&mut team, &id).await, Ok(None));
        server.stop();
        program.verify();
    }
}

#[test]
fn a_version_that_the_journal_lost_is_written_again_and_only_then() {
    let (_dir, params) = configured("group");
    let import = || {
        let keyed = Keyed::open(params.store.dir.join("keyed"), [1; 32]).expect("opened");
        for team in &params.teams {
            let (kind, text) = (VersionKind::Scorecard, &team.scorecard_text);
            keyed.import(kind, &team.name, text).expect("imported");
        }
    };
    // Whoever had the keyed state open lets go of its lock a moment after it is dropped.
    let open = || {
        let tries = (0..200).map(|_| server::open(&params, &SystemClock));
        let mut tries = tries.inspect(|opened| {
            if opened.is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        tries.find_map(Result::ok).expect("opened within seconds")
    };
    // As if the power had gone between the number and its record.
    import();
    for _ in 0..2 {
        let opened = open();
        let mut reader = opened.store.reader(1);
        let mut written = Vec::new();
        while let Some((_, record)) = reader.next().expect("read") {
            if let Record::Version { version, text, .. } = record {
                written.push((version, text));
            }
        }
        let teams = params.teams.iter();
        let expected: Vec<_> = teams.map(|team| (1, team.scorecard_text.clone())).collect();
        assert_eq!(written, expected);
    }
}

/// Cuts the power under a server at work, starts again on what the disk kept: what was lost, and when
/// the power was cut.
async fn power_cut(durability: &str, seed: u64) -> (Book, Vec<Acknowledged>, Instant) {
    let disk = SimulatedDisk::new();
    let (dir, params) = configured(durability);
    let rig = Rig::start_on(Arc::new(disk.clone()), dir, params).await;
    let mut rng = SmallRng::seed_from_u64(seed);
    let after = rng.random_range(50..400);
    let mut cut = Instant::now();
    let end = || {
        disk.crash_torn(&mut rng);
        cut = Instant::now();
    };
    let book = load(&rig.address(), 0, after, end).await;
    let (dir, params) = rig.abandon().await;
    let rig = Rig::start_on(Arc::new(disk), dir, params).await;
    let lost = lost(&rig.address(), &book).await;
    rig.stop().await;
    (book, lost, cut)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_nothing_acknowledged_in_mode_sync() {
    for seed in 0..4 {
        let (book, lost, _) = power_cut("sync", seed).await;
        assert!(book.len() > 20, "there was load");
        assert!(lost.is_empty(), "{lost:?}");
    }
}

/// The window of mode group is 5 ms from a write to the start of its sync, and what the sync takes.
/// A busy machine may wake the thread that syncs late; a second is more than it can be late by.
#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_at_most_the_last_window_in_mode_group() {
    let allowed = Duration::from_secs(1);
    let (mut calls, mut gone, mut worst) = (0, 0, Duration::ZERO);
    for seed in 0..4 {
        let (book, lost, cut) = power_cut("group", seed).await;
        (calls, gone) = (calls + book.len(), gone + lost.len());
        for acknowledged in &lost {
            let age = cut.saturating_duration_since(acknowledged.when);
            assert!(age <= allowed, "lost {age:?} after it: {acknowledged:?}");
            worst = worst.max(age);
        }
    }
    eprintln!(
        "group: 4 power cuts; {calls} decisions acknowledged, {gone} lost or without their outcome, \
         the oldest acknowledged {worst:?} before the cut"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_decisions_while_reading_goes_on() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let disk = SimulatedDisk::new();
    let (dir, params) = configured("sync");
    let rig = Rig::start_on(Arc::new(disk.clone()), dir, params).await;
    let mut team = rig.caller(CODING).await;
    let before = team.route("fix").await;
    disk.set_room(Some(0));
    let mut asked = about("fix");
    asked.request_id = Some("r-1".to_owned());
    let full = (Code::ResourceExhausted, "STORE_FULL".to_owned());
    for _ in 0..3 {
        assert_eq!(refusal(team.ask(asked.clone()).await), full);
    }
    let outcome = item(&before.decision_id, vec![passed(true)]);
    assert_eq!(refusal(team.submit(outcome.clone(), false).await), full);
    let kept = team.decision(&before.decision_id).await.expect("readable");
    assert_eq!(kept.decision.expect("whole").arm, before.arm);
    assert!(kept.signals.is_empty(), "what was refused was not kept");
    let list = team
        .router
        .list_decisions(v1::ListDecisionsRequest::default());
    assert_eq!(list.await.expect("listed").into_inner().decisions.len(), 1);
    let channel = tonic::transport::Endpoint::from_shared(rig.address()).expect("an address");
    let channel = channel
        .connect_timeout(LIMIT)
        .connect()
        .await
        .expect("connected");
    let check = HealthClient::new(channel)
        .check(HealthCheckRequest::default())
        .await;
    assert_eq!(check.expect("healthy").into_inner().status, 1);

    disk.set_room(None);
    let after = team.ask(asked.clone()).await.expect("routed again");
    let result = team.submit(outcome, false).await.expect("taken");
    assert_eq!(result.status(), v1::feedback_result::Status::Accepted);
    rig.learned().await;
    disk.crash();
    let (dir, params) = rig.abandon().await;
    let rig = Rig::start_on(Arc::new(disk), dir, params).await;
    let mut team = rig.caller(CODING).await;
    assert_eq!(as_first(team.ask(asked).await.expect("known")), after);
    let told = known(&mut team, &before.decision_id).await;
    assert_eq!(told, Ok(Some(true)), "what came before and after is kept");
    rig.stop().await;
}
