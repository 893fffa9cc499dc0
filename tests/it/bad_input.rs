//! Bad input over a real socket, and on the command line: what is said, word by word, and that
//! nothing else is disturbed.
//!
//! The words are in `tests/golden/`; after a change of them: `BELLWETHER_BLESS=1 cargo test --test it
//! bad_input`, and read the difference.

use crate::rig::{
    CODING, Caller, NARROW, Rig, SUPPORT, VECTOR, about, item, passed, said, signal, write_config,
};
use bellwether::proto::v1::{self, signal::Kind, signal_value::Value};
use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use tonic::Status;
use tonic_types::StatusExt;

/// Compares with a golden file, or writes it.
pub(crate) fn check(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(file);
    if std::env::var_os("BELLWETHER_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "tests/golden/{file} says otherwise; found:\n{found}"
    );
}

/// The report: a heading for each case, and what was said.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) text: String,
    /// Texts that differ from run to run, and what stands for them.
    hidden: Vec<(String, &'static str)>,
}

impl Said {
    pub(crate) fn hide(&mut self, text: &str, name: &'static str) {
        self.hidden.push((text.to_owned(), name));
    }

    fn line(&mut self, line: &str) {
        let mut line = line.to_owned();
        for (text, name) in &self.hidden {
            line = line.replace(text, name);
        }
        writeln!(self.text, "{line}").unwrap();
    }

    fn heading(&mut self, case: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        self.line(&format!("{gap}# {case}"));
    }

    /// A refusal of a whole call.
    fn refused<T: std::fmt::Debug>(&mut self, case: &str, result: Result<T, Status>) {
        self.heading(case);
        let status = result.expect_err(case);
        let details = status.get_error_details();
        let reason = details.error_info().map_or("none", |info| &info.reason);
        self.line(&format!("{:?} {reason}", status.code()));
        self.line(status.message());
        for v in details
            .bad_request()
            .iter()
            .flat_map(|b| &b.field_violations)
        {
            self.line(&format!("- {}: {}", v.field, v.description));
        }
        for v in details
            .precondition_failure()
            .iter()
            .flat_map(|p| &p.violations)
        {
            self.line(&format!("- {} {}: {}", v.r#type, v.subject, v.description));
        }
        if let Some(resource) = details.resource_info() {
            let (kind, name) = (&resource.resource_type, &resource.resource_name);
            self.line(&format!("- {kind} \"{name}\": {}", resource.description));
        }
    }

    /// A refusal of one item of feedback within a good reply.
    fn item(&mut self, case: &str, result: Result<v1::FeedbackResult, Status>) {
        self.heading(case);
        let result = result.expect(case);
        self.line(&format!("{:?} {}", result.status(), result.reason));
        self.line(&result.message);
    }
}

fn with(change: impl FnOnce(&mut v1::RequestContext)) -> v1::RouteRequest {
    let mut request = about("fix");
    change(request.context.as_mut().expect("a context"));
    request
}

async fn bad_keys(said: &mut Said, rig: &Rig) {
    let mut nobody = Caller::connect(&rig.address(), None).await;
    said.refused("no key", nobody.ask(about("fix")).await);
    let mut stranger = rig.caller("k-nobody").await;
    said.refused("an unknown key", stranger.ask(about("fix")).await);
    let mut narrow = rig.caller(NARROW).await;
    let feedback = narrow.submit(item("x", vec![passed(true)]), false).await;
    said.refused("a key without the scope", feedback);
    let asked = v1::GetTeamRequest {
        team: "support".to_owned(),
    };
    let other = rig.caller(CODING).await.admin.get_team(asked).await;
    said.refused("another team's state", other);
}

async fn bad_ids(said: &mut Said, rig: &Rig, good: &v1::RouteResponse) {
    let mut other = rig.caller(SUPPORT).await;
    said.hide(&good.decision_id, "<another team's decision>");
    let shown = other.decision(&good.decision_id).await;
    said.refused("another team's decision", shown);
    let minutes = signal("handling_minutes", Some(Value::Number(1.0)), Kind::Observed);
    let told = item(&good.decision_id, vec![minutes]);
    let told = other.submit(told, false).await;
    said.item("feedback about another team's decision", told);
    let mut team = rig.caller(CODING).await;
    let foreign = "018bcfe5-6800-7001-8000-000037f07baa";
    let shown = team.decision(foreign).await;
    said.refused("a decision id that this server never made", shown);
    let told = team.submit(item(foreign, vec![passed(true)]), false).await;
    said.item("feedback with such an id", told);
    said.refused("a malformed decision id", team.decision("42").await);
    let report = v1::ReportAttemptRequest {
        decision_id: good.decision_id.clone(),
        endpoint: "nowhere".to_owned(),
        ..Default::default()
    };
    let report = team.router.report_attempt(report).await;
    said.refused("an attempt at an endpoint that is not there", report);
    let closing = v1::CloseEpisodeRequest {
        episode_id: "never".to_owned(),
        ..Default::default()
    };
    let closed = team.router.close_episode(closing).await;
    said.refused("an episode that was never begun", closed);
    let list = v1::ListDecisionsRequest {
        page_token: "page 2".to_owned(),
        page_size: -1,
        ..Default::default()
    };
    let list = team.router.list_decisions(list).await;
    said.refused("an unknown page token and a negative size", list);
}

async fn bad_requests(report: &mut Said, rig: &Rig) {
    let mut team = rig.caller(CODING).await;
    let empty = v1::CompleteRequest::default();
    let empty = team.router.complete(empty).await;
    report.refused("Complete without messages", empty);
    let empty = v1::StreamCompleteRequest::default();
    let empty = team.router.stream_complete(empty).await.map(|_| ());
    report.refused("StreamComplete without a request", empty);
    let long = with(|c| c.messages = vec![said(&"x".repeat(50 << 20))]);
    report.refused("a prompt of 50 MB", team.ask(long).await);
    let tag = |key: usize| v1::ContextTag {
        key: format!("k{key}"),
        value: Some(v1::context_tag::Value::Number(1.0)),
    };
    let many = with(|c| c.tags = (0..10_000).map(tag).collect());
    report.refused("10,000 tags", team.ask(many).await);
    let own = with(|c| c.embedding = vec![0.5; 64]);
    report.refused(
        "an embedding where the built-in is used",
        team.ask(own).await,
    );
    let mut vector = rig.caller(VECTOR).await;
    let short = with(|c| c.embedding = vec![0.5; 65]);
    report.refused("an embedding of the wrong length", vector.ask(short).await);
    let none = vector.ask(about("fix")).await;
    report.refused("no embedding where one is needed", none);
    let mut numbers = vec![0.5; 64];
    (numbers[7], numbers[9]) = (f32::NAN, f32::INFINITY);
    let bad = with(|c| c.embedding = numbers);
    report.refused("NaN in an embedding", vector.ask(bad).await);
    let bad = with(|c| c.embedding = vec![f32::NAN; 64]);
    report.refused("nothing but NaN in an embedding", vector.ask(bad).await);
    let few = with(|c| c.embedding = vec![0.5; 3]);
    report.refused("an embedding that nobody takes", vector.ask(few).await);
    let mut reused = about("fix");
    reused.request_id = Some("r-1".to_owned());
    team.ask(reused.clone()).await.expect("the first use");
    reused.explore = Some(false);
    report.refused("a request id with another body", team.ask(reused).await);
    let name = |text: &str| vec![text.to_owned()];
    let mut unknown = about("fix");
    unknown.constraints = Some(v1::Constraints {
        allowed_arms: vec!["small".to_owned(), "smal".to_owned()],
        denied_arms: name("huge"),
        required_capabilities: vec!["vision".to_owned(), "flying".to_owned()],
        data_policy: Some(v1::DataPolicy {
            regions: name("mars"),
            ..Default::default()
        }),
        ..Default::default()
    });
    let constraints = unknown.constraints.clone();
    report.refused("names that are not there", team.ask(unknown).await);
    let context = with(|c| c.messages = vec![said("hello")]).context;
    let stream = v1::StreamCompleteRequest {
        request: Some(v1::CompleteRequest {
            context,
            constraints,
            ..Default::default()
        }),
    };
    let stream = team.router.stream_complete(stream).await.map(|_| ());
    report.refused("the same within another message", stream);
    let mut denied = about("fix");
    denied.constraints = Some(v1::Constraints {
        denied_arms: vec!["small".to_owned()],
        allowed_arms: vec!["small".to_owned(), "medium".to_owned()],
        required_capabilities: vec!["vision".to_owned()],
        ..Default::default()
    });
    report.refused("no arm is left", team.ask(denied).await);
    let mut several = with(|c| {
        c.task = Some(String::new());
        c.tags = vec![tag(1), tag(1)];
        c.input_tokens = Some(-1);
        c.messages = vec![v1::Message::default()];
    });
    several.constraints = Some(v1::Constraints {
        max_cost_nano_usd: Some(-5),
        max_latency_ms: Some(f64::NAN),
        ..Default::default()
    });
    report.refused("several mistakes in one request", team.ask(several).await);
}

async fn bad_feedback(said: &mut Said, rig: &Rig, good: &v1::RouteResponse) {
    let mut team = rig.caller(CODING).await;
    let observed = |name: &str, value| signal(name, Some(value), Kind::Observed);
    let retracted = v1::Signal {
        kind: Kind::Retraction.into(),
        ..passed(true)
    };
    let unset = signal("tests_passed", None, Kind::Observed);
    let lines = |number| observed("patch_lines", Value::Number(number));
    for (case, signals) in [
        ("a signal that is NaN", vec![lines(f64::NAN)]),
        ("an infinite signal", vec![lines(f64::INFINITY)]),
        (
            "a number where a flag belongs",
            vec![observed("tests_passed", Value::Number(0.5))],
        ),
        (
            "a flag where a number belongs",
            vec![observed("patch_lines", Value::Flag(true))],
        ),
        (
            "an unknown signal",
            vec![observed("vibes", Value::Flag(true))],
        ),
        ("a retraction with a value", vec![retracted]),
        ("a signal without a value", vec![unset]),
        ("a signal given twice", vec![passed(true), passed(false)]),
        ("no signals", Vec::new()),
    ] {
        let told = team.submit(item(&good.decision_id, signals), false).await;
        said.item(case, told);
    }
    for (case, number) in [
        ("a number far out of range", 1e9),
        (
            "a number a little beyond the worst counts as the worst",
            500.0,
        ),
    ] {
        let beyond = item(&good.decision_id, vec![lines(number)]);
        said.item(case, team.submit(beyond, true).await);
    }
    let mut of_episode = item("", vec![passed(true)]);
    of_episode.subject = Some(v1::feedback::Subject::EpisodeId("pr-1".to_owned()));
    let told = team.submit(of_episode, false).await;
    said.item("a signal of one decision given for an episode", told);
    let mut early = item(&good.decision_id, vec![passed(true)]);
    early.observed_time = Some(prost_types::Timestamp {
        seconds: 253_402_300_799,
        nanos: 0,
    });
    let told = team.submit(early, false).await.expect("judged");
    said.heading("an outcome seen in the future");
    said.line(&format!("{:?} {}", told.status(), told.reason));
    let without = v1::Feedback {
        signals: vec![passed(true)],
        ..Default::default()
    };
    let told = team.submit(without, false).await;
    said.item("feedback about nothing", told);
    for count in [0, 1001] {
        let items = vec![item(&good.decision_id, vec![passed(true)]); count];
        let request = v1::SubmitFeedbackRequest {
            items,
            dry_run: false,
        };
        let told = team.feedback.submit_feedback(request).await;
        said.refused(&format!("{count} items of feedback"), told);
    }
    let kept = team.decision(&good.decision_id).await.expect("kept");
    assert!(kept.signals.is_empty(), "nothing of it was taken: {kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_told_what_is_wrong_and_disturbs_nothing_else() {
    let rig = Rig::start().await;
    let mut team = rig.caller(CODING).await;
    let good = team.route("fix").await;
    let mut said = Said::default();
    bad_keys(&mut said, &rig).await;
    bad_ids(&mut said, &rig, &good).await;
    bad_requests(&mut said, &rig).await;
    bad_feedback(&mut said, &rig, &good).await;
    let mut pin = v1::SetControlRequest {
        team: "coding".to_owned(),
        control: Some(v1::Control {
            pinned_arm: "huge".to_owned(),
            frozen: false,
        }),
        lift_guard: false,
    };
    let refused = team.admin.set_control(pin.clone()).await;
    said.refused("a pin to an arm that is not there", refused);
    pin.control = None;
    let refused = team.admin.set_control(pin).await;
    said.refused("a control that says nothing", refused);
    check("bad_input.txt", &said.text);

    team.tell(&good.decision_id, passed(true)).await;
    let again = team.route("fix").await;
    assert_eq!(again.estimates.len(), 3, "a good call is served as before");
    rig.stop().await;
}

/// What a command said, with the directory hidden.
pub(crate) fn run(said: &mut Said, case: &str, dir: &Path, arguments: &[&str]) {
    said.heading(case);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bellwether"));
    // Help is wrapped at 100 where no terminal says otherwise.
    command.env_remove("COLUMNS");
    let output = command.args(arguments).current_dir(dir).output().unwrap();
    said.line(&format!("$ bellwether {}", arguments.join(" ")));
    for (stream, bytes) in [("", output.stdout), ("stderr: ", output.stderr)] {
        for line in String::from_utf8(bytes).unwrap().lines() {
            said.line(&format!("{stream}{line}"));
        }
    }
    said.line(&format!("exit {}", output.status.code().unwrap_or(-1)));
}

#[test]
fn a_configuration_with_five_mistakes_is_told_all_five() {
    let dir = tempfile::tempdir().unwrap();
    let path = write_config(dir.path(), "group");
    let mut said = Said::default();
    let check_it = ["check", "--config", "bellwether.toml"];
    run(&mut said, "a good configuration", dir.path(), &check_it);
    let good = std::fs::read_to_string(&path).unwrap();
    let mut bad = good.clone();
    for (from, to) in [
        ("durability = \"group\"", "durability = \"always\""),
        ("segment_mib = 1", "segment_mb = 1"),
        ("team = \"support\"", "team = \"suport\""),
        ("context_tokens = 100_000", "context_tokens = 0"),
        (
            "input_usd_per_million = 0.1",
            "input_usd_per_million = -0.1",
        ),
    ] {
        assert!(bad.contains(from), "{from}");
        bad = bad.replacen(from, to, 1);
    }
    std::fs::write(&path, bad).unwrap();
    run(&mut said, "five mistakes", dir.path(), &check_it);
    let serve = ["serve", "--config", "bellwether.toml"];
    run(
        &mut said,
        "serve refuses what check refuses",
        dir.path(),
        &serve,
    );
    let none = ["check", "--config", "absent.toml"];
    run(&mut said, "no such file", dir.path(), &none);
    check("bad_config.txt", &said.text);
}

#[cfg(feature = "analytics")]
#[test]
fn a_table_that_cannot_be_one_is_told_why() {
    use polars::prelude::{ParquetWriter, df};
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    file(
        "table.csv",
        "task,prompt_id,model,cost_usd\nfix,p1,small,0.1\n",
    );
    file(
        "words.csv",
        "prompt_id,model,score\np1,small,0.5\np1,large,good\n",
    );
    file(
        "above.csv",
        "prompt_id,model,score\np1,small,0.5\np1,large,1.5\n",
    );
    file(
        "twice.csv",
        "prompt_id,model,score\np1,small,0.5\np1,small,0.5\n",
    );
    file(
        "holes.csv",
        "prompt_id,model,score\np1,small,0.5\np2,large,0.5\n",
    );
    file("table.txt", "score");
    file("torn.parquet", "PAR1");
    let mut frame = df!("prompt_id" => ["p1"], "model" => ["small"]).unwrap();
    let parquet = std::fs::File::create(dir.path().join("table.parquet")).unwrap();
    ParquetWriter::new(parquet).finish(&mut frame).unwrap();
    let mut said = Said::default();
    for (case, table) in [
        ("a Parquet file without a column", "table.parquet"),
        ("a CSV file without a column", "table.csv"),
        ("a word where a number belongs", "words.csv"),
        ("a score above 1", "above.csv"),
        ("an outcome given twice", "twice.csv"),
        ("no prompt with every arm", "holes.csv"),
        ("an ending that is no table's", "table.txt"),
        ("a Parquet file that is cut off", "torn.parquet"),
        ("no such file", "absent.csv"),
    ] {
        run(&mut said, case, dir.path(), &["replay", "outcomes", table]);
    }
    check("bad_table.txt", &said.text);
}

#[cfg(feature = "analytics")]
#[test]
fn what_may_be_done_to_a_stream_is_told_and_what_may_not() {
    let dir = tempfile::tempdir().unwrap();
    let rows =
        "prompt_id,model,score\np1#e0,small,0.5\np1#e0,large,1\np1#e1,small,0\np1#e1,large,1\n";
    std::fs::write(dir.path().join("t.csv"), rows).unwrap();
    let mut said = Said::default();
    let mut asked = |case: &str, options: &[&str]| {
        let arguments = [&["replay", "outcomes", "t.csv"], options].concat();
        run(&mut said, case, dir.path(), &arguments);
    };
    asked("help", &["--help"]);
    asked("all rows given away", &["--seed-rows", "2"]);
    asked("a delay that is too long", &["--delay", "1000001"]);
    asked("nothing ever comes", &["--missing", "1"]);
    for (case, drift) in [
        ("no such drift", "fall=0.5"),
        ("a factor above 1", "drop=1.5@0.5"),
        ("a share of nothing", "drop=0.5@0"),
        ("an arm that is not there", "drop=0.5@0.5:huge"),
        ("one suffix is the other's end", "suffix=0,e0"),
        ("a suffix that no id has", "suffix=#e0,#e2"),
    ] {
        asked(case, &["--drift", drift]);
    }
    asked("a budget of nothing", &["--budget", "0"]);
    asked("a budget that is no number", &["--budget", "0.1,NaN"]);
    asked("two weights of cost", &["--budget", "0.1", "--lambda", "0"]);
    asked("a budget without costs", &["--budget", "0.1"]);
    asked(
        "an arm to play that is not there",
        &["--arms", "small,huge"],
    );
    asked("more prompts than any arm has", &["--min-coverage", "1.5"]);
    asked("an incumbent that is nothing", &["--incumbent", "huge"]);
    asked(
        "an incumbent that is no arm",
        &["--incumbent", "fixed:arm=huge", "--policy", "uniform"],
    );
    let all = ["--drift", "suffix=#e1,#e0", "--delay", "1", "--missing"];
    let all = [
        &all[..],
        &["0.5", "--policy", "fixed:arm=small", "--seeds", "2"],
    ]
    .concat();
    asked("as it may be", &all);
    check("stream.txt", &said.text);
}
