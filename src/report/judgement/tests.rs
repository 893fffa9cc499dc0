//! The page on made traffic that was really judged.

use super::Judgement;
use crate::id::Name;
use crate::replay::{self, Candidate, Row, TrafficQuestion, TrafficReport};
use crate::report::markup::Element;
use crate::unit::Pmf;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

fn elements(page: &Element) -> Vec<&Element> {
    let mut all = Vec::new();
    page.walk(&mut |element| all.push(element));
    all
}

fn numbers(value: &Value, found: &mut BTreeSet<u64>) {
    match value {
        Value::Number(n) => drop(found.insert(n.as_f64().unwrap().to_bits())),
        Value::Array(items) => items.iter().for_each(|v| numbers(v, found)),
        Value::Object(fields) => fields.values().for_each(|v| numbers(v, found)),
        _ => {}
    }
}

/// Decisions of two tasks, with quality, cost and latency.
fn rows(n: usize) -> Vec<Row> {
    let mut rows = replay::made_log(n, 3);
    for (at, row) in rows.iter_mut().enumerate() {
        let task = if at % 3 == 0 { "sum up" } else { "translate" };
        row.task = Some(Name::new(task).unwrap());
        row.quality = row.utility;
        row.cost_usd = Some(0.001 * f64::from(row.drawn.chosen + 1));
        row.latency_ms = Some(900.0);
        row.outcomes = vec![(
            Name::new("passed").unwrap(),
            row.utility.unwrap_or_default(),
        )];
    }
    rows
}

/// The third arm could never be drawn.
fn without_third(rows: Vec<Row>) -> Vec<Row> {
    let kept = rows.into_iter().filter(|row| row.drawn.chosen != 2);
    let cut = kept.map(|mut row| {
        let [first, second, _] = row.drawn.pmf.as_slice() else {
            panic!("three arms");
        };
        let both = first + second;
        row.drawn.pmf = Pmf::new(vec![first / both, second / both, 0.0]).unwrap();
        row
    });
    cut.collect()
}

fn question(candidates: &[&str], incumbent: &str) -> TrafficQuestion {
    let parsed = candidates.iter().map(|text| text.parse().unwrap());
    let candidates: Vec<Candidate> = parsed.collect();
    TrafficQuestion {
        incumbent: incumbent.parse().unwrap(),
        guards: vec!["passed=-0.02".parse().unwrap()],
        ..TrafficQuestion::new(candidates)
    }
}

fn judged(rows: Vec<Row>, question: &TrafficQuestion) -> TrafficReport {
    let go_on = |_: replay::Progress| ControlFlow::Continue(());
    replay::traffic(rows.into_iter().map(Ok), None, question, &go_on).unwrap()
}

fn page(report: &TrafficReport) -> Element {
    let (traffic, json) = ("<script>alert(1)</script>.parquet", "a b.json");
    Judgement {
        report,
        traffic,
        json,
    }
    .page()
}

/// The reports that these tests look at: of all kinds of outcome.
fn reports() -> [TrafficReport; 4] {
    let mut peeking = question(&["greedy", "uniform"], "logged");
    peeking.peeking = true;
    [
        judged(
            rows(3000),
            &question(&["greedy", "fixed:arm=c", "logged"], "fixed:arm=c"),
        ),
        judged(rows(3000), &question(&["uniform", "logged"], "logged")),
        judged(
            without_third(rows(1500)),
            &question(&["uniform", "fixed:arm=c"], "logged"),
        ),
        judged(rows(400), &peeking),
    ]
}

fn words(report: &TrafficReport) -> Vec<String> {
    let page = page(report);
    let all = elements(&page);
    let list = all.iter().find(|e| e.has_class("verdict")).unwrap();
    let signs = elements(list);
    let signs = signs.iter().filter(|e| e.has_class("finding"));
    signs.map(|e| e.plain()).collect()
}

#[test]
fn each_candidate_has_its_outcome_in_a_word() {
    let [first, second, third, fourth] = &reports();
    assert_eq!(words(first), ["Yes", "Incumbent", "Yes"]);
    assert_eq!(words(second), ["No: worse", "Incumbent"]);
    assert_eq!(words(third), ["Cannot know", "Cannot know"]);
    assert_eq!(words(fourth)[0], "Not shown");
}

#[test]
fn every_number_of_the_page_is_in_the_json() {
    for report in &reports() {
        let mut known = BTreeSet::new();
        numbers(&serde_json::to_value(report).unwrap(), &mut known);
        let page = page(report);
        let all = elements(&page);
        let figures = all.iter().filter(|e| e.tag() == "data");
        let values = figures.map(|e| e.attribute("value").unwrap().parse::<f64>().unwrap());
        let values: Vec<f64> = values.collect();
        assert!(values.len() > 40, "{}", values.len());
        for value in values {
            assert!(known.contains(&value.to_bits()), "{value}");
        }
    }
}

fn section<'a>(page: &'a Element, id: &str) -> &'a Element {
    let all = elements(page);
    let found = all.into_iter().find(|e| e.attribute("id") == Some(id));
    found.unwrap_or_else(|| panic!("{id}"))
}

#[test]
fn a_candidate_has_its_conditions_measures_tasks_course_and_weights() {
    let report = &reports()[1];
    let page = page(report);
    let one = section(&page, "candidate-0");
    let text = one.plain();
    for part in [
        "utility higher",
        "quality not lower by 0.01",
        "cost_usd",
        "latency_ms",
        "translate",
        "Worst: ",
        "The difference as the log grew",
        "How much of the log speaks for it",
        "inverse propensity scoring",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let within = elements(one);
    let class = |class| within.iter().filter(|e| e.has_class(class)).count();
    // The course and the bars of weights, each for two widths.
    assert_eq!(class("chart"), 4);
    assert_eq!(class("spread"), 2);
    // The incumbent against itself has no difference to show.
    let incumbent = section(&page, "candidate-1").plain();
    assert!(!incumbent.contains("as the log grew"), "{incumbent}");
}

#[test]
fn tasks_with_too_little_on_them_are_listed_without_a_drawing() {
    let few = judged(rows(400), &question(&["uniform"], "logged"));
    let [candidate] = &few.candidates[..] else {
        panic!("one candidate");
    };
    assert!(candidate.difference.is_some() && candidate.slices.len() == 2);
    assert!(
        candidate
            .slices
            .iter()
            .all(|slice| slice.difference.is_none())
    );
    let said = |report: &TrafficReport| section(&page(report), "candidate-0").plain();
    let [few, enough] = [&few, &reports()[1]].map(said);
    let drawn = |text: &str| text.matches("Difference, drawn").count();
    assert!(
        few.contains("too few") && drawn(&few) < drawn(&enough),
        "{few}"
    );
}

#[test]
fn a_refused_candidate_has_its_reason_its_remedy_and_what_is_known_all_the_same() {
    let report = &reports()[2];
    let page = page(report);
    let text = section(&page, "candidate-0").plain();
    for part in [
        "33\u{a0}% of its probability is on arms that were never drawn",
        "What would help: exploration with a floor",
        "Whatever the arms that were never drawn are worth",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("measure by measure"), "{text}");
}

#[test]
fn the_log_shows_its_arms_beside_what_was_expected_and_what_was_left_out() {
    let mut some = rows(600);
    for row in some.iter_mut().take(7) {
        row.utility = None;
    }
    let report = judged(some, &question(&["uniform"], "logged"));
    let page = page(&report);
    let log = section(&page, "log");
    let diamonds = elements(log);
    let diamonds = diamonds.iter().filter(|e| e.has_class("truth"));
    // Three arms, for two widths.
    assert_eq!(diamonds.count(), 6);
    assert!(
        log.plain().contains("Without an outcome7"),
        "{}",
        log.plain()
    );
}

#[test]
fn the_page_fetches_nothing_and_its_references_lead_somewhere() {
    for report in &reports() {
        let page = page(report);
        let all = elements(&page);
        let ids: Vec<&str> = all.iter().filter_map(|e| e.attribute("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len());
        for element in &all {
            assert!(!["script", "img", "link", "iframe"].contains(&element.tag()));
            match element.attribute("href") {
                Some(to) if to.starts_with('#') => assert!(unique.contains(&to[1..]), "{to}"),
                Some(to) => assert_eq!(to, "./a%20b.json"),
                None => {}
            }
        }
        let html = page.to_string();
        assert!(!html.contains("NaN") && !html.contains("<script"));
    }
}

#[test]
fn bounds_at_every_peek_are_said_where_gates_go_by_them() {
    let [plain, .., peeking] = &reports();
    let said = |report| {
        page(report)
            .plain()
            .contains("The bounds hold at every peek")
    };
    assert!(said(peeking) && !said(plain));
}
