//! The whole page is well formed, harmless, and has no number that is not in the JSON.

use super::sample::{HOSTILE, barren, document};
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, write};
use crate::report::page::STYLE;
use serde_json::Value;
use std::collections::BTreeSet;

/// Ends of elements match their beginnings, and no character stands where it must be escaped.
fn check_well_formed(html: &str) {
    let mut rest = html.strip_prefix("<!doctype html>\n").unwrap();
    let mut open: Vec<&str> = Vec::new();
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        assert!(
            open.last() == Some(&"style") || !text.contains(['>', '"', '\'']),
            "{text}"
        );
        let end = at + rest[at..].find('>').unwrap();
        let inside = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "ends what was not open");
            continue;
        }
        let name = inside.split(' ').next().unwrap();
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()), "{inside}");
        assert_eq!(inside.matches('"').count() % 2, 0, "{inside}");
        if !["meta", "br", "hr", "link", "col"].contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
}

fn elements(page: &Element) -> Vec<&Element> {
    let mut all = Vec::new();
    page.walk(&mut |element| all.push(element));
    all
}

#[test]
fn the_page_is_well_formed_whatever_the_document_holds() {
    for document in [document(), barren()] {
        check_well_formed(&document.html());
    }
}

#[test]
fn a_script_in_a_name_stays_text() {
    let html = barren().html();
    assert!(!html.to_ascii_lowercase().contains("<script"));
    assert!(html.contains("&lt;script&gt;"));
    let page = barren().page();
    assert!(elements(&page).iter().all(|e| e.tag() != "script"));
    assert!(page.plain().contains(HOSTILE));
}

#[test]
fn nothing_is_fetched_and_nothing_can_run() {
    for document in [document(), barren()] {
        let page = document.page();
        for element in elements(&page) {
            assert!(
                !["script", "img", "iframe", "object", "link", "use", "form"]
                    .contains(&element.tag())
            );
            for name in ["src", "style", "onload", "onclick"] {
                assert_eq!(element.attribute(name), None, "{element:?}");
            }
            if let Some(to) = element.attribute("href") {
                assert!(to.starts_with('#') || to == "report.json", "{to}");
            }
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
        assert!(
            document
                .html()
                .contains("default-src &#39;none&#39;; style-src &#39;sha256-")
        );
    }
}

#[test]
fn ids_are_unique_and_every_reference_on_the_page_leads_somewhere() {
    for document in [document(), barren()] {
        let page = document.page();
        let all = elements(&page);
        let ids: Vec<&str> = all.iter().filter_map(|e| e.attribute("id")).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len());
        let links = all
            .iter()
            .filter_map(|e| e.attribute("href")?.strip_prefix('#'));
        let labels = all.iter().filter_map(|e| e.attribute("aria-labelledby"));
        for id in links.chain(labels.flat_map(|l| l.split(' '))) {
            assert!(unique.contains(id), "{id}");
        }
    }
}

#[test]
fn no_coordinate_is_anything_but_a_number() {
    for document in [document(), barren()] {
        let page = document.page();
        let mut seen = 0;
        for element in elements(&page) {
            for name in ["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r"] {
                if let Some(value) = element.attribute(name) {
                    assert!(value.parse::<f64>().unwrap().is_finite(), "{element:?}");
                    seen += 1;
                }
            }
            for name in ["d", "viewBox"] {
                let drawn = element.attribute(name).unwrap_or_default();
                assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
            }
        }
        assert!(seen > 50);
    }
}

/// All numbers of a JSON value, and all its strings one after another.
fn leaves(value: &Value, numbers: &mut BTreeSet<u64>, strings: &mut String) {
    match value {
        Value::Number(n) => {
            numbers.insert(n.as_f64().unwrap().to_bits());
        }
        Value::String(s) => {
            strings.push_str(s);
            strings.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|v| leaves(v, numbers, strings)),
        Value::Object(fields) => fields.values().for_each(|v| leaves(v, numbers, strings)),
        Value::Null | Value::Bool(_) => {}
    }
}

/// Texts outside figures and ticks, with the digits in them.
fn loose_text(element: &Element, found: &mut Vec<String>) {
    if element.tag() == "data" || element.has_class("tick") || element.tag() == "style" {
        return;
    }
    for child in element.children() {
        match child {
            Node::Element(element) => loose_text(element, found),
            Node::Text(text) => found.push(text.clone()),
            Node::Style(_) => {}
        }
    }
}

#[test]
fn every_number_on_the_page_is_in_the_json() {
    let document = document();
    let json: Value = serde_json::from_str(&document.json().unwrap()).unwrap();
    let (mut numbers, mut strings) = (BTreeSet::new(), String::new());
    leaves(&json, &mut numbers, &mut strings);
    let page = document.page();
    let figures: Vec<&Element> = elements(&page)
        .into_iter()
        .filter(|e| e.tag() == "data")
        .collect();
    assert!(figures.len() > 500);
    let units = [
        Unit::Points,
        Unit::Difference,
        Unit::Money,
        Unit::Share,
        Unit::Count,
        Unit::Seconds,
        Unit::Statistic,
        Unit::Chance,
    ];
    for figure in figures {
        let value: f64 = figure.attribute("value").unwrap().parse().unwrap();
        assert!(numbers.contains(&value.to_bits()), "{figure}");
        let text = figure.plain();
        // Ends of an interval have the decimals of its middle, so money may differ in their number.
        let shown = units.iter().any(|unit| write(*unit, value) == text) || text.starts_with('$');
        assert!(shown, "{figure}");
    }
    // Numbers in running text are the document's own words, or these of the page's explanations.
    let said = [
        "from 0 (worst) to 1 (best)",
        "of 100 such",
        "95",
        "30 % ",
        "one of twenty",
    ];
    let mut texts = Vec::new();
    loose_text(&page, &mut texts);
    for text in texts
        .iter()
        .filter(|t| t.contains(|c: char| c.is_ascii_digit()))
    {
        let shortened = text.trim_end_matches('\u{2026}');
        let own = said.iter().any(|s| text.contains(s)) || text.starts_with("teams[");
        let path = text.split(", ").all(|part| part.starts_with("teams["));
        assert!(own || path || strings.contains(shortened), "{text}");
    }
}

#[test]
fn money_in_an_interval_is_the_value_rounded() {
    let page = document().page();
    for figure in elements(&page).into_iter().filter(|e| e.tag() == "data") {
        let text = figure.plain();
        if let Some(digits) = text.strip_prefix('$') {
            let value: f64 = figure.attribute("value").unwrap().parse().unwrap();
            let decimals = digits.split_once('.').map_or(0, |(_, d)| d.len());
            let shown: f64 = digits.parse().unwrap();
            assert!(
                (shown - value).abs() <= 0.500_001 * 10f64.powi(-(decimals as i32)),
                "{figure}"
            );
        }
    }
}

#[test]
fn what_must_be_said_is_said() {
    let text = document().page().plain().replace('\u{a0}', " ");
    for said in [
        "SIMULATED.",
        "cargo run -- demo --seed 7",
        "Cannot know",
        "at least 100 outcomes of pebble: raise the floor",
        "not seen",
        "Nothing here speaks against the logged probabilities.",
        "harbor silently gets worse",
        "In the JSON: teams[1].learning",
        "Every number on this page is in report.json",
    ] {
        assert!(text.contains(said), "{said}");
    }
    let bare = barren().page().plain();
    assert!(!bare.contains("SIMULATED"));
    assert!(bare.contains("There were too few draws to test."));
    assert!(bare.contains("Nothing to draw"));
}

#[test]
fn the_same_document_gives_the_same_page() {
    assert_eq!(document().html(), document().html());
}

/// Elements that begin a line of their own.
const LINES: [&str; 13] = [
    "h1",
    "h2",
    "h4",
    "h5",
    "p",
    "li",
    "tr",
    "dt",
    "dd",
    "pre",
    "caption",
    "figcaption",
    "div",
];

/// The words that a reader sees without opening anything, charts left out.
fn words(element: &Element, text: &mut String) {
    if ["svg", "details", "head", "caption"].contains(&element.tag()) {
        return;
    }
    if LINES.contains(&element.tag()) && !text.ends_with('\n') {
        text.push('\n');
    }
    for child in element.children() {
        match child {
            Node::Element(element) => words(element, text),
            Node::Text(said) => text.push_str(said),
            Node::Style(_) => {}
        }
    }
    if ["td", "th"].contains(&element.tag()) {
        text.push_str(" | ");
    }
}

/// `BELLWETHER_BLESS=1 cargo test --lib report` after a change that is meant.
#[test]
fn the_page_reads_as_the_golden_file_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/report.txt");
    let mut fresh = String::new();
    words(&document().page(), &mut fresh);
    let lines = fresh
        .trim()
        .lines()
        .map(|line| line.trim_end_matches([' ', '|']));
    let fresh: String = lines.map(|line| format!("{line}\n")).collect();
    if std::env::var_os("BELLWETHER_BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    assert_eq!(fresh, std::fs::read_to_string(path).unwrap());
}
