//! How much of the log speaks for a candidate: its weights, and what to be wary of.

use crate::replay::{Bucket, CandidateReport};
use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, figure};
use crate::report::svg::{Bar, bars};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const READING: &str = "Episodes by their weight: at 1 the candidate was as likely as the router to do what was done; at 0 \
    it would never have done it, and the outcome says nothing of it. Few episodes of large weight make a wide \
    interval.";

pub(super) fn weights(candidate: &CandidateReport, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.weights, {path}.overlap");
    let shape = Figure {
        title: "How much of the log speaks for it",
        reading: READING,
        source: &source,
    };
    let buckets = filled(&candidate.weights);
    let shown: Vec<Bar> = buckets
        .iter()
        .map(|bucket| Bar {
            label: label(bucket),
            count: bucket.episodes as f64,
            expected: None,
        })
        .collect();
    let drawn = shape.draw(
        writer,
        |_, size| bars(&shown, size),
        |writer| numbers(buckets, writer),
    );
    drawn.class("square").add(facts(candidate, writer))
}

/// From the first to the last that has an episode.
fn filled(buckets: &[Bucket]) -> &[Bucket] {
    let holds = |bucket: &Bucket| bucket.episodes > 0;
    let first = buckets.iter().position(holds).unwrap_or(0);
    let last = buckets.iter().rposition(holds).map_or(0, |last| last + 1);
    buckets.get(first..last).unwrap_or_default()
}

fn label(bucket: &Bucket) -> String {
    match bucket.most {
        Some(0.0) => "none".to_owned(),
        Some(most) => format!("up to {most}"),
        None => "above 128".to_owned(),
    }
}

fn numbers(buckets: &[Bucket], writer: &mut Writer) -> Element {
    let columns = vec![Column::Text("Weight"), Column::Number("Episodes")];
    let mut table = Table::new(writer, "Episodes by weight", columns);
    for bucket in buckets {
        let cells: Vec<Node> = vec![Node::Text(label(bucket)), count(bucket.episodes).into()];
        table.row(cells);
    }
    table.boxed()
}

fn facts(candidate: &CandidateReport, writer: &mut Writer) -> Element {
    let overlap = &candidate.overlap;
    let size = Element::new("dd")
        .add(figure(Unit::Count, overlap.effective_sample_size))
        .add_all(writer.say(" of "))
        .add(count(overlap.clusters))
        .add_all(writer.say(" episodes"));
    let mut mean = Element::new("dd").add(figure(Unit::Points, overlap.mean_weight));
    // Where all weights are alike and not 1, there is no telling how far off that is.
    if overlap.mean_weight_z.is_finite() {
        mean = mean
            .text(", ")
            .add(figure(Unit::Statistic, overlap.mean_weight_z))
            .text(" standard errors from 1");
    }
    let tail = match candidate.tail_index {
        Some(index) if index.is_infinite() => {
            Element::new("dd").text("none: the largest weights are alike")
        }
        Some(index) => Element::new("dd").add(figure(Unit::Statistic, index)),
        None => Element::new("dd").text("not known: fewer than 200 episodes of any weight"),
    };
    let share = |value| Element::new("dd").add(figure(Unit::Share, value));
    let all = [
        ("Effective sample size", size),
        ("Mean weight", mean),
        ("Largest share", share(overlap.largest_share)),
        ("Tail index", tail),
        ("On arms drawn less than 1 in 100", share(candidate.thin)),
        ("On arms never drawn", share(overlap.unsupported)),
    ];
    let wary = cautions(candidate, writer);
    let wary = wary.map(|said| ("Be wary", said));
    let mut list = Element::new("dl").class("facts");
    for (name, value) in all.into_iter().chain(wary) {
        let name = writer.element("dt", name);
        list = list.add(Element::new("div").add(name).add(value));
    }
    list
}

/// Of a candidate that was refused there is nothing to be wary of.
fn cautions(candidate: &CandidateReport, writer: &mut Writer) -> Option<Element> {
    if candidate.refusal.is_some() {
        return None;
    }
    if candidate.cautions.is_empty() {
        return Some(writer.element("dd", "of nothing here"));
    }
    let items = candidate
        .cautions
        .iter()
        .map(|caution| Element::new("li").text(caution));
    let items: Vec<Element> = items.collect();
    Some(Element::new("dd").add(Element::new("ul").class("caveats").add_all(items)))
}
