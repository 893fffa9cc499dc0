//! The page on a small journal that was really read.

use super::Spending;
use crate::report::markup::Element;
use crate::spend::{Spent, shown};
use serde_json::Value;
use std::collections::BTreeSet;

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

fn page(spent: &Spent) -> Element {
    let json = "a b.json";
    Spending { spent, json }.page()
}

#[test]
fn every_number_of_the_page_is_in_the_json() {
    let spent = shown();
    let mut known = BTreeSet::new();
    numbers(&serde_json::to_value(&spent).unwrap(), &mut known);
    let page = page(&spent);
    let all = elements(&page);
    let figures = all.iter().filter(|e| e.tag() == "data");
    let values = figures.map(|e| e.attribute("value").unwrap().parse::<f64>().unwrap());
    let values: Vec<f64> = values.collect();
    assert!(values.len() > 50, "{}", values.len());
    for value in values {
        assert!(known.contains(&value.to_bits()), "{value}");
    }
}

#[test]
fn each_chart_is_there_wide_and_narrow_with_a_bar_for_each_arm_and_day() {
    let page = page(&shown());
    let all = elements(&page);
    let charts = all.iter().filter(|e| e.has_class("chart")).count();
    assert_eq!(charts, 4);
    // Two arms on three days, wide and narrow; a whisker for each day.
    assert_eq!(all.iter().filter(|e| e.has_class("area")).count(), 12);
    assert_eq!(all.iter().filter(|e| e.has_class("whisker")).count(), 6);
}

#[test]
fn the_page_fetches_nothing_runs_nothing_and_no_name_breaks_it() {
    let mut spent = shown();
    let hostile = "<script>alert(1)</script>\u{202e}";
    spent.rows[0].labels.team = Some(hostile.to_owned());
    spent.days[0].arm = hostile.to_owned();
    spent.saved[0].baseline = Some(hostile.to_owned());
    spent.saved_days[0].labels.team = Some(hostile.to_owned());
    let page = page(&spent);
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
    assert!(!html.contains("<script") && !html.contains('\u{202e}') && !html.contains("NaN"));
    assert!(html.contains("&lt;script&gt;"));
}
