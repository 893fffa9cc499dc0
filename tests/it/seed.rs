//! A table taught before the first request: the arms that it favours are favoured, the same table again
//! changes nothing, a rebuild gives the same bits, and what is refused is refused before anything is written.
//! The same of published rates, which say how good an arm is and not at what.

use crate::bad_input::{Said, check, run};
use crate::rig::{CODING, Rig, about, configured, said, write_config};
use bellwether::clock::SystemClock;
use bellwether::config::Params;
use bellwether::proto::v1;
use bellwether::route::FORCED_PULLS;
use bellwether::scorecard::Kind;
use bellwether::seed::{self, Done, Options, Rates, RatesDone};
use bellwether::server::{self, Opened};
use bellwether::signal::Value;
use bellwether::store::{Record, Seed};
use bellwether::table::{Columns, Layout, OutcomeTable};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const PROMPTS: usize = 60;

/// A table in which `large` alone is good at `fix`, and `small` alone at `docs`.
fn write_table(dir: &Path) -> OutcomeTable {
    let mut text = "prompt_id,task,prompt,model,score,cost_usd,latency_ms,signals\n".to_owned();
    for number in 0..PROMPTS {
        let (task, good) = [("fix", "large"), ("docs", "small")][number % 2];
        for (arm, cost) in [("large", 0.01), ("medium", 0.002), ("small", 0.0002)] {
            let score = u8::from(arm == good);
            let words = format!("Number {number}: please {task} it.");
            let signals = r#""{""json_valid"":true,""patch_lines"":40}""#;
            writeln!(
                text,
                "p{number:02},{task},{words},{arm},{score},{cost},900,{signals}"
            )
            .unwrap();
        }
    }
    let file = dir.join("table.csv");
    std::fs::write(&file, text).unwrap();
    OutcomeTable::read(&file, &Columns::default()).unwrap()
}

fn options(prompts: Option<usize>) -> Options {
    let pair = |(from, to): (&str, &str)| (from.to_owned(), to.to_owned());
    Options {
        team: "coding".to_owned(),
        prompts,
        signals: [("score", "tests_passed"), ("json_valid", "json_valid")]
            .map(pair)
            .to_vec(),
        arms: Vec::new(),
        weight: 1.0,
    }
}

async fn teach(params: &Params, table: &OutcomeTable, options: &Options) -> Done {
    let done = seed::seed(params, &SystemClock, table, options, |_, _| {});
    done.await.unwrap_or_else(|error| panic!("{error}"))
}

/// The state that is left, after a check that the journal alone gives the same.
fn verified(params: &Params) -> Opened {
    let opened = server::open(params, &SystemClock).unwrap();
    let rebuilt = server::rebuild(&opened).unwrap();
    let bytes = opened.follower.checkpoint_bytes();
    assert!(bytes.is_some() && bytes == rebuilt.checkpoint_bytes());
    opened
}

fn records(opened: &Opened) -> Vec<Record> {
    let mut records = Vec::new();
    opened.store.reader(1).read(10_000, &mut records).unwrap();
    records.into_iter().map(|(_, record)| record).collect()
}

fn owned((name, count): (&str, u64)) -> (String, u64) {
    (name.to_owned(), count)
}

/// The arm for which `of` is greatest.
fn best(reply: &v1::RouteResponse, of: impl Fn(&v1::ArmEstimate) -> f64) -> &str {
    let estimates = reply.estimates.iter();
    &estimates
        .max_by(|a, b| of(a).total_cmp(&of(b)))
        .unwrap()
        .arm
}

#[tokio::test]
async fn the_arm_that_the_table_favours_is_favoured_from_the_first_free_draw_on() {
    let (dir, params) = configured("group");
    let table = write_table(dir.path());
    let done = teach(&params, &table, &options(None)).await;
    assert_eq!((done.rows, done.known, done.prompts), (180, 0, PROMPTS));
    let opened = verified(&params);
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    // Nothing that the table says passes for an outcome of the team's own.
    let state = caller.team("coding").await;
    assert!(state.arms.iter().all(|arm| arm.outcome_count == 0));
    let mut draws = BTreeMap::from([("small", 0), ("medium", 0), ("large", 0)].map(owned));
    for (task, arm) in [("fix", "large"), ("docs", "small")].iter().cycle() {
        let reply = caller.route(task).await;
        assert_eq!(best(&reply, |arm| arm.utility), *arm, "{reply:?}");
        *draws.get_mut(&reply.arm).unwrap() += 1;
        rig.learned().await;
        if draws.values().all(|count| *count >= FORCED_PULLS) {
            break;
        }
    }
    let (fix, docs) = (caller.route("fix").await, caller.route("docs").await);
    assert_eq!(best(&fix, |arm| arm.probability), "large", "{fix:?}");
    assert_eq!(best(&docs, |arm| arm.probability), "small", "{docs:?}");
    // The costs of the table are known too: large at 0.01 USD a prompt, its list price is less.
    let cost = |reply: &v1::RouteResponse, arm: &str| {
        let estimate = reply.estimates.iter().find(|e| e.arm == arm);
        estimate.unwrap().cost_nano_usd
    };
    assert!((5_000_000..15_000_000).contains(&cost(&fix, "large")));
    let mut request = about("fix");
    request.context.as_mut().unwrap().messages = vec![said("Number 0: please fix it.")];
    caller.ask(request).await.unwrap();
    let (_dir, params) = rig.stop().await;
    // The context of a row is the one that Route makes.
    let opened = verified(&params);
    let mut taught = None;
    for record in records(&opened) {
        match record {
            Record::Seed(seed) if seed.prompt == 0 => taught = Some(seed.context),
            Record::Decision(decision) if decision.input_tokens > 0 => {
                assert_eq!(decision.context, taught);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_table_is_taught_once_however_often_and_in_whatever_parts() {
    let (dir, params) = configured("sync");
    let table = write_table(dir.path());
    let part = teach(&params, &table, &options(Some(20))).await;
    assert_eq!((part.rows, part.known), (60, 0));
    let rest = teach(&params, &table, &options(None)).await;
    assert_eq!((rest.rows, rest.known), (120, 60));
    let opened = verified(&params);
    let (before, bytes) = (records(&opened), opened.follower.checkpoint_bytes());
    drop(opened);
    // Another name of the file, another weight: still the same table.
    let mut renamed = table.clone();
    renamed.name = "other".to_owned();
    let mut light = options(None);
    light.weight = 0.25;
    let again = teach(&params, &renamed, &light).await;
    assert_eq!((again.rows, again.known), (0, 180));
    assert!(again.to_string().starts_with("nothing added: "), "{again}");
    let opened = verified(&params);
    assert!(records(&opened) == before && opened.follower.checkpoint_bytes() == bytes);
    drop(opened);
    // Another signal is another lesson.
    let mut more = options(Some(5));
    more.signals = vec![("patch_lines".to_owned(), "patch_lines".to_owned())];
    assert_eq!(teach(&params, &table, &more).await.rows, 15);
    verified(&params);
}

/// Rates of five models, in percent, two of them arms under their own names.
const BOARD: &str = "board,model,cases,passed,valid\n\
    new,gpt-large,225,88.0,97.5\n\
    new,small,10,20.0,\n\
    new,gpt-x,225,50.0,90.0\n\
    new,gpt-y,225,,\n\
    old,small,133,90.0,90.0\n";

/// The published rates for `coding`, of which `large` and `small` are arms.
fn rates(dir: &Path, board: &str, pseudo_count: u32) -> Rates {
    let pair = |(from, to): (&str, &str)| (from.to_owned(), to.to_owned());
    let file = dir.join("board.csv");
    std::fs::write(&file, board).unwrap();
    let mut layout = Layout::parse("n=cases").unwrap();
    layout.percent = true;
    layout.only = vec![pair(("board", "new"))];
    Rates {
        team: "coding".to_owned(),
        file,
        layout,
        signals: [("passed", "tests_passed"), ("valid", "json_valid")]
            .map(pair)
            .to_vec(),
        arms: vec![pair(("gpt-large", "large"))],
        pseudo_count,
    }
}

async fn teach_rates(params: &Params, rates: &Rates) -> RatesDone {
    let done = seed::teach_rates(params, &SystemClock, rates);
    done.await.unwrap_or_else(|error| panic!("{error}"))
}

/// What an arm's rows weigh together, and the weighted share of trues of a signal.
fn weighed(seeds: &[Seed], arm: &str, signal: &str) -> (f64, f64) {
    let rows = seeds.iter().filter(|seed| seed.arm.as_str() == arm);
    let of = |seed: &Seed| {
        let said = seed
            .signals
            .iter()
            .find(|(name, _)| name.as_str() == signal);
        said.is_some_and(|(_, value)| *value == Value::Flag(true))
    };
    let sums = rows.fold((0.0, 0.0), |(all, trues), seed| {
        let more = if of(seed) { seed.weight } else { 0.0 };
        (all + seed.weight, trues + more)
    });
    (sums.0, sums.1 / sums.0)
}

fn seeds(opened: &Opened) -> Vec<Seed> {
    let seeds = records(opened)
        .into_iter()
        .filter_map(|record| match record {
            Record::Seed(seed) => Some(*seed),
            _ => None,
        });
    seeds.collect()
}

#[tokio::test]
async fn published_rates_are_a_prior_of_so_many_outcomes_and_of_no_draw() {
    let (dir, params) = configured("group");
    let done = teach_rates(&params, &rates(dir.path(), BOARD, 20)).await;
    assert_eq!(done.skipped, ["gpt-x", "gpt-y"]);
    assert_eq!(done.unrated.len(), 1, "medium: {:?}", done.unrated);
    let opened = verified(&params);
    let near = |found: (f64, f64), expected: (f64, f64)| {
        let off = (found.0 - expected.0).abs() + (found.1 - expected.1).abs();
        assert!(off < 1e-9, "{found:?} {expected:?}");
    };
    let taught = seeds(&opened);
    near(weighed(&taught, "large", "tests_passed"), (20.0, 0.88));
    near(weighed(&taught, "large", "json_valid"), (20.0, 0.975));
    // No more than the trials that were published.
    near(weighed(&taught, "small", "tests_passed"), (10.0, 0.2));
    let said = |name: &str| {
        taught
            .iter()
            .any(|s| s.signals.iter().any(|(n, _)| n.as_str() == name))
    };
    assert!(said("json_valid") && !said("patch_lines"));
    let unsaid = taught.iter().filter(|seed| seed.arm.as_str() == "small");
    assert!(unsaid.into_iter().all(|seed| seed.signals.len() == 1));
    let rig = Rig::serve(dir, params, opened).await;
    let mut caller = rig.caller(CODING).await;
    let state = caller.team("coding").await;
    assert!(state.arms.iter().all(|arm| arm.outcome_count == 0));
    let mut draws = BTreeMap::<String, u64>::new();
    for task in ["fix", "docs"].iter().cycle().take(9) {
        let reply = caller.route(task).await;
        let utility = |arm: &str| {
            let estimate = reply.estimates.iter().find(|e| e.arm == arm);
            estimate.unwrap().utility
        };
        // Whatever is asked. What nothing was published of stands between.
        assert!(utility("large") > utility("medium"), "{reply:?}");
        assert!(utility("medium") > utility("small"), "{reply:?}");
        *draws.entry(reply.arm).or_default() += 1;
        rig.learned().await;
    }
    assert!(
        draws.len() == 3 && draws.values().all(|count| *count == FORCED_PULLS),
        "{draws:?}"
    );
}

#[tokio::test]
async fn published_rates_are_taught_once_and_others_are_not_added_to_them() {
    let (dir, params) = configured("sync");
    let first = teach_rates(&params, &rates(dir.path(), BOARD, 20)).await;
    let opened = verified(&params);
    let (before, bytes) = (records(&opened), opened.follower.checkpoint_bytes());
    drop(opened);
    let unchanged = |again: &RatesDone| {
        assert!(again.arms.iter().all(|arm| arm.rows == 0), "{again}");
        let opened = verified(&params);
        assert!(records(&opened) == before && opened.follower.checkpoint_bytes() == bytes);
    };
    let again = teach_rates(&params, &rates(dir.path(), BOARD, 20)).await;
    unchanged(&again);
    let rows = |done: &RatesDone, of: fn(&seed::PriorDone) -> usize| {
        done.arms.iter().map(of).sum::<usize>()
    };
    assert_eq!(rows(&again, |arm| arm.known), rows(&first, |arm| arm.rows));
    // A newer edition of the file, which has one more arm: it alone is taught.
    let newer = BOARD.replace("88.0", "60.0").replace("gpt-x", "medium");
    let newer = teach_rates(&params, &rates(dir.path(), &newer, 20)).await;
    let taught = |arm: &seed::PriorDone| (arm.arm.as_str().to_owned(), arm.rows > 0);
    let taught: Vec<_> = newer.arms.iter().map(taught).collect();
    let expected = [("large", false), ("small", false), ("medium", true)];
    assert_eq!(
        taught,
        expected.map(|(arm, taught)| (arm.to_owned(), taught))
    );
    assert_eq!(newer.arms[0].taught_before.as_deref(), Some("board"));
    let opened = verified(&params);
    let (weight, _) = weighed(&seeds(&opened), "large", "tests_passed");
    assert!((weight - 20.0).abs() < 1e-9, "{weight}");
}

#[tokio::test]
async fn a_team_with_embeddings_of_its_own_can_be_taught_published_rates() {
    let (dir, params) = configured("group");
    let mut rates = rates(dir.path(), &BOARD.replace("valid", "other"), 20);
    rates.team = "vector".to_owned();
    let flag = params
        .teams
        .iter()
        .find(|team| team.name.as_str() == "vector");
    let flag = flag.unwrap().scorecard.signals().iter();
    let flag = flag
        .into_iter()
        .find(|spec| matches!(spec.kind, Kind::Flag { .. }));
    rates.signals = vec![("passed".to_owned(), flag.unwrap().name.to_string())];
    let done = teach_rates(&params, &rates).await;
    assert_eq!(done.arms.len(), 2);
    let opened = verified(&params);
    // The learner took them in: their features are the team's.
    let before = opened.follower.checkpoint_bytes();
    drop(opened);
    let (_fresh, other) = configured("group");
    assert!(verified(&other).follower.checkpoint_bytes() != before);
}

#[test]
fn published_rates_that_are_refused_are_told_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    write_config(dir.path(), "group");
    write_table(dir.path());
    rates(dir.path(), BOARD, 20);
    let mut told = Said::default();
    told.hide(&dir.path().to_string_lossy(), "DIR");
    let mut case = |case: &str, arguments: &str| {
        let all: Vec<&str> = "seed --team coding"
            .split(' ')
            .chain(arguments.split(' '))
            .collect();
        run(&mut told, case, dir.path(), &all);
    };
    let new = "--priors board.csv --map n=cases --percent --where board=new";
    let passed = format!("{new} --signal passed=tests_passed");
    case("neither a table nor rates", "--rows 3");
    case("both", "--outcomes table.csv --priors board.csv");
    case("a weight for rates", "--priors board.csv --weight 0.5");
    case("several signals that the mean may be of", new);
    case(
        "a rate of a number",
        &format!("{new} --signal passed=patch_lines"),
    );
    case(
        "a signal that the scorecard has not",
        &format!("{new} --signal passed=quality"),
    );
    case(
        "a signal given twice",
        &format!("{passed} --signal valid=tests_passed"),
    );
    case(
        "a column that the file has not",
        &format!("{new} --signal quality=tests_passed"),
    );
    case(
        "percent that are taken for shares",
        "--priors board.csv --where board=new --signal passed=tests_passed",
    );
    case(
        "no trials",
        "--priors board.csv --map n=board --percent --signal passed=tests_passed",
    );
    case(
        "an arm on two rows",
        "--priors board.csv --percent --signal passed=tests_passed",
    );
    case(
        "a model that the file has not",
        &format!("{passed} --arm gpt-z=large"),
    );
    case(
        "an arm that the configuration has not",
        &format!("{passed} --arm gpt-x=huge"),
    );
    case(
        "no model that is an arm",
        &format!("{passed} --where model=gpt-x"),
    );
    case("no weight", &format!("{passed} --pseudo-count 0"));
    assert!(!dir.path().join("state").exists(), "nothing is written");
    let both = format!("{passed} --signal valid=json_valid --arm gpt-large=large");
    case("the rates of two arms", &both);
    case("the same again", &both);
    case(
        "the same, to weigh more",
        &format!("{both} --pseudo-count 40"),
    );
    check("seed_priors.txt", &told.text);
}

#[tokio::test]
async fn a_frozen_team_is_taught_nothing() {
    let rig = Rig::start().await;
    rig.caller(CODING).await.control("", true).await;
    let (dir, params) = rig.stop().await;
    let table = write_table(dir.path());
    let refused = seed::seed(&params, &SystemClock, &table, &options(None), |_, _| {}).await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "team coding is frozen, so that nothing would be learned: lift that first (control --lift)"
    );
}

#[test]
fn what_is_refused_is_told_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let config = write_config(dir.path(), "group");
    write_table(dir.path());
    let rows = "prompt_id,model,score\np1,small,0.5\np1,gpt-x,1\n";
    std::fs::write(dir.path().join("foreign.csv"), rows).unwrap();
    let mut told = Said::default();
    told.hide(&dir.path().to_string_lossy(), "DIR");
    let mut case = |case: &str, arguments: &str| {
        let all: Vec<&str> = "seed".split(' ').chain(arguments.split(' ')).collect();
        run(&mut told, case, dir.path(), &all);
    };
    let passed = "--team coding --outcomes table.csv --signal score=tests_passed";
    case("no such team", "--team nobody --outcomes table.csv");
    case(
        "arms of another configuration",
        "--team coding --outcomes foreign.csv",
    );
    case(
        "an arm that the table has not",
        "--team coding --outcomes foreign.csv --arm gpt-y=large",
    );
    case(
        "two arms that would be one",
        "--team coding --outcomes foreign.csv --arm gpt-x=small",
    );
    case(
        "several signals that the score may be",
        "--team coding --outcomes table.csv",
    );
    case(
        "a signal that the scorecard has not",
        "--team coding --outcomes table.csv --signal score=quality",
    );
    case(
        "a column that the table has not",
        "--team coding --outcomes table.csv --signal tests=tests_passed",
    );
    case(
        "a signal given twice",
        &format!("{passed} --signal json_valid=tests_passed"),
    );
    case(
        "a score that is no flag",
        "--team coding --outcomes foreign.csv --arm gpt-x=large --signal score=tests_passed",
    );
    case(
        "a number for a flag",
        &format!("{passed} --signal patch_lines=json_valid"),
    );
    case(
        "half a mapping",
        "--team coding --outcomes table.csv --signal score",
    );
    case("no weight", &format!("{passed} --weight 0"));
    case("no prompts", &format!("{passed} --rows 0"));
    case(
        "embeddings of the team's own",
        "--team vector --outcomes table.csv",
    );
    assert!(!dir.path().join("state").exists(), "nothing is written");
    case(
        "a part of the table",
        &format!("{passed} --rows 10 --weight 0.5"),
    );
    case(
        "the same part again",
        &format!("{passed} --rows 10 --weight 0.5"),
    );
    let params = bellwether::config::load(&config).unwrap();
    let opened = server::open(&params, &SystemClock).unwrap();
    case("a store that is in use", passed);
    drop(opened);
    check("seed.txt", &told.text);
}
