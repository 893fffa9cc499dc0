//! Tests of the whole page: well formed, harmless, every number of it in the JSON, colours apart.

use super::markup::{Element, Node};
use super::model::Document;
use super::number::{Unit, write};
use super::page::STYLE;
use super::sample::{HOSTILE, barren, document};
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
        "Cannot be known",
        "fixed:pebble is refused",
        "What would help: at least 100 outcomes of pebble",
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

/// The colours of a scheme: the first block of the style sheet is light, the second dark.
fn colours(scheme: usize) -> impl Fn(&str) -> [f64; 3] {
    let block = STYLE
        .split(":root {")
        .nth(scheme + 1)
        .unwrap()
        .split('}')
        .next()
        .unwrap()
        .to_owned();
    move |name| {
        let at = block.find(&format!("{name}: #")).unwrap() + name.len() + 3;
        let linear = |from: usize| {
            let c = f64::from(u8::from_str_radix(&block[at + from..at + from + 2], 16).unwrap())
                / 255.0;
            if c <= 0.040_45 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        [linear(0), linear(2), linear(4)]
    }
}

/// WCAG 2.2, contrast ratio.
fn contrast(one: [f64; 3], two: [f64; 3]) -> f64 {
    let light = |[r, g, b]: [f64; 3]| 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    let (one, two) = (light(one), light(two));
    one.max(two) / one.min(two)
}

#[test]
fn text_and_arms_stand_out_from_the_paper_in_both_schemes() {
    for scheme in 0..2 {
        let colour = colours(scheme);
        let texts = [
            "--ink",
            "--soft",
            "--link",
            "--good",
            "--bad",
            "--open",
            "--refused",
        ];
        for name in texts
            .into_iter()
            .chain(["--a0", "--a1", "--a2", "--a3", "--a4", "--a5"])
        {
            for paper in ["--paper", "--panel"] {
                let found = contrast(colour(name), colour(paper));
                assert!(
                    found >= 4.5,
                    "scheme {scheme}: {name} on {paper}: {found:.2}"
                );
            }
        }
        assert!(contrast(colour("--warnink"), colour("--warn")) >= 4.5);
    }
}

/// What someone without one kind of cone sees (Machado, Oliveira and Fernandes 2009, severity 1).
const SIGHT: [[[f64; 3]; 3]; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
];

fn seen(rows: &[[f64; 3]; 3], [r, g, b]: [f64; 3]) -> [f64; 3] {
    rows.map(|[x, y, z]| x * r + y * g + z * b)
}

/// Oklab (Ottosson 2020), in which distances are about as large as they look.
fn oklab(linear: [f64; 3]) -> [f64; 3] {
    let bounded = linear.map(|c| c.clamp(0.0, 1.0));
    let cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ];
    let axes = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ];
    seen(&axes, seen(&cones, bounded).map(f64::cbrt))
}

#[test]
fn the_arms_colours_stay_apart_for_every_kind_of_sight() {
    let names = ["--a0", "--a1", "--a2", "--a3", "--a4", "--a5"];
    for scheme in 0..2 {
        let colour = colours(scheme);
        for sight in &SIGHT {
            let seen = names.map(|name| oklab(seen(sight, colour(name))));
            for (at, one) in seen.iter().enumerate() {
                for (other, two) in seen.iter().enumerate().skip(at + 1) {
                    let squares = one.iter().zip(two).map(|(a, b)| (a - b).powi(2));
                    let apart = squares.sum::<f64>().sqrt();
                    // Two neighbouring patches are told apart from about 0.02.
                    assert!(
                        apart > 0.08,
                        "scheme {scheme}: {} and {}: {apart:.3}",
                        names[at],
                        names[other]
                    );
                }
            }
        }
    }
}

/// Where a person may look at it: `BELLWETHER_REPORT_SAMPLE=folder cargo test report`.
#[test]
fn the_sample_can_be_written_for_the_eye() {
    let Ok(folder) = std::env::var("BELLWETHER_REPORT_SAMPLE") else {
        println!("skipped: BELLWETHER_REPORT_SAMPLE names no folder");
        return;
    };
    let folder = std::path::Path::new(&folder);
    let write = |name: &str, document: &Document| {
        std::fs::write(folder.join(format!("{name}.html")), document.html()).unwrap();
        std::fs::write(folder.join("report.json"), document.json().unwrap()).unwrap();
    };
    write("barren", &barren());
    write("report", &document());
}
