//! One team: everything about it, under its name.

use super::{
    arms, calibration, candidates, frontier, learning, references, shares, signals, slices,
};
use crate::report::markup::Element;
use crate::report::model::Team;
use crate::report::number::count;
use crate::report::writer::Writer;

/// The whole section; `at` is the team's place in the document.
pub(crate) fn team(team: &Team, at: usize, writer: &mut Writer) -> Element {
    let path = format!("teams[{at}]");
    let opening = Element::new("p")
        .class("lede")
        .add(count(team.requests))
        .add_all(writer.say(" requests. What counts: "))
        .add_all(writer.say(&team.reward));
    let pair = |one: Element, two: Element| Element::new("div").class("pair").add(one).add(two);
    let first = frontier::frontier(team, &path, writer);
    let second = learning::learning(team, &path, writer);
    let mut section = Element::new("section")
        .class("team")
        .set("id", format_args!("team-{at}"))
        .add(Element::new("h2").text(format_args!("Team {}", team.name)))
        .add(opening)
        .add(pair(first, second))
        .add(arms::arms(team, &path, writer))
        .add(references::references(team, &path, writer));
    let first = shares::overall(team, &path, writer);
    let second = shares::by_task(team, &path, writer);
    section = section
        .add(pair(first, second))
        .add(slices::slices(team, &path, writer))
        .add(signals::signals(team, &path, writer))
        .add(candidates::candidates(team, &path, writer))
        .add(calibration::calibration(team, &path, writer));
    section
}
