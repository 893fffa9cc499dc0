//! The sign of each kind of finding: five shapes that differ without colour.

use super::chart::Chart;
use super::shape::{circle, line};
use crate::report::markup::Element;
use crate::report::model::Finding;

/// The sign that stands before the finding's word.
pub(crate) fn icon(finding: Finding) -> Element {
    let mut chart = Chart::new(18.0, 18.0);
    chart.draw(circle((9.0, 9.0), 7.5).class("ring"));
    let path = |d: &str| Element::new("path").set("d", d).class("stroke");
    match finding {
        Finding::Shown => chart.draw(path("M5.2 9.4L8 12L12.8 6.4")),
        Finding::Contradicted => chart.draw(path("M6 6L12 12M12 6L6 12")),
        Finding::Undecided => chart.draw(path("M4.8 10C6.2 7 7.8 7 9 9S11.8 11 13.2 8")),
        Finding::Refused => chart.draw(line((4.0, 14.0), (14.0, 4.0)).class("stroke")),
        Finding::Note => chart.draw(path("M9 8V13M9 5V5.6")),
    }
    chart.beside_text()
}
