//! The page on a small table that was really played.

use super::Learned;
use crate::bandit::Policy;
use crate::feature::Extractor;
use crate::replay::{self, Bench, Budget, OutcomesReport, Params};
use crate::report::markup::Element;
use crate::table::{Columns, OutcomeTable};
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

/// The sample played by these policies, without a price of cost, at one, or under a budget.
fn played(lambda: f64, budget: Option<f64>, seeds: u64) -> OutcomesReport {
    let file =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/sample/outcomes.csv");
    let table = OutcomeTable::read(&file, &Columns::default()).unwrap();
    let extractor = Extractor::shipped().unwrap();
    let bench = Bench::new(&table, lambda, &extractor, true).unwrap();
    let policies = ["linear-thompson", "uniform", "fixed:arm=swift"];
    let policies = policies.map(|policy| policy.parse::<Policy>().unwrap());
    let params = Params {
        seeds,
        budget: budget.map(|request_usd| Budget {
            request_usd,
            first: 100,
        }),
        ..Params::default()
    };
    replay::outcomes(&bench, &policies, &params, &|_| ControlFlow::Continue(())).unwrap()
}

fn page(reports: &[OutcomesReport]) -> Element {
    let json = "a b.json";
    Learned { reports, json }.page()
}

#[test]
fn every_number_of_the_page_is_in_the_json_and_every_policy_in_its_table() {
    let reports = [played(0.1, None, 2), played(0.0, Some(0.001), 2)];
    let json = serde_json::to_value(&reports).unwrap();
    let mut known = BTreeSet::new();
    numbers(&json, &mut known);
    let page = page(&reports);
    let all = elements(&page);
    let figures = all.iter().filter(|e| e.tag() == "data");
    let values = figures.map(|e| e.attribute("value").unwrap().parse::<f64>().unwrap());
    let values: Vec<f64> = values.collect();
    assert!(values.len() > 500, "{}", values.len());
    for value in values {
        assert!(known.contains(&value.to_bits()), "{value}");
    }
    for policy in ["linear-thompson", "uniform", "fixed:arm=swift"] {
        let rows = all
            .iter()
            .filter(|e| e.tag() == "th" && e.plain().starts_with(policy));
        assert!(rows.count() >= 2, "{policy}");
    }
}

#[test]
fn a_policy_that_learns_has_a_chart_of_its_reward_and_under_a_budget_of_its_spend() {
    let charts = |reports: &[OutcomesReport]| {
        let page = page(reports);
        let all = elements(&page);
        let charts = all.iter().filter(|e| e.has_class("chart"));
        let spreads = all.iter().filter(|e| e.has_class("spread"));
        let levels = all.iter().filter(|e| e.has_class("hull"));
        (charts.count(), spreads.count(), levels.count())
    };
    // Two policies that choose by context or chance; the fixed arm does not learn.
    assert_eq!(charts(&[played(0.1, None, 2)]), (2, 2, 2));
    // Chance heeds no budget.
    assert_eq!(charts(&[played(0.0, Some(0.001), 2)]), (3, 3, 3));
    // One stream has no spread.
    assert_eq!(charts(&[played(0.1, None, 1)]), (2, 0, 2));
}

#[test]
fn the_page_fetches_nothing_and_its_references_lead_somewhere() {
    let reports = [played(0.0, Some(0.001), 2)];
    let page = page(&reports);
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
    let html = Learned {
        reports: &reports,
        json: "a b.json",
    }
    .html();
    assert!(html.starts_with("<!doctype html>\n<html") && !html.contains("NaN"));
}
