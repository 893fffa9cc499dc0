//! Quality against cost: arms with both intervals, the router, and the hull of static mixes.
//!
//! Invariants: the cost axis begins at nothing and is linear, since a mix of two arms lies on a straight
//! line only there; each label takes the place around its point that covers least of what is drawn.

use super::axis;
use super::chart::Chart;
use super::label::{Area, FONT, LINE, shorten, width};
use super::scale::Scale;
use super::shape::{Anchor, circle, diamond, line, text, through};
use crate::report::markup::Element;
use crate::report::model::{Point, Team};
use crate::report::number::Unit;
use crate::report::palette::Palette;

/// A point in its place: its middle and the ends of its intervals.
struct Placed<'a> {
    name: &'a str,
    class: &'static str,
    at: (f64, f64),
    across: (f64, f64),
    down: (f64, f64),
}

/// The team's picture.
pub(crate) fn scatter(team: &Team, palette: &Palette, size: f64) -> Option<Chart> {
    let points = || team.arms.iter().map(|a| &a.point).chain([&team.router]);
    let hull = || team.hull.iter();
    let costs = points().flat_map(|p| [p.cost_usd.value, p.cost_usd.upper]);
    let qualities = points().flat_map(|p| [p.quality.value, p.quality.lower, p.quality.upper]);
    let mut chart = Chart::new(size, LINE + 260.0 + axis::BOTTOM);
    let plot = chart.inside(40.0, 20.0, LINE + 12.0, axis::BOTTOM);
    let x = Scale::over(costs.chain(hull().map(|h| h.0))).with_zero();
    let x = x.onto(plot.left, plot.right);
    let y = Scale::over(qualities.chain(hull().map(|h| h.1))).onto(plot.bottom, plot.top);
    let arms = team.arms.iter().map(|row| {
        let class = palette.arm(&row.arm).unwrap_or("reference");
        place(&row.arm, class, &row.point, &x, &y)
    });
    let router = place("the router", "router", &team.router, &x, &y);
    let placed: Vec<Placed<'_>> = arms.chain([router]).flatten().collect();
    if placed.is_empty() {
        return None;
    }
    chart.draw_all(axis::left(&y, &plot, Unit::Points, "quality"));
    chart.draw_all(axis::bottom(&x, &plot, Unit::Money, "cost of a request"));
    let corners = hull().filter_map(|(c, q)| x.at(*c).zip(y.at(*q)));
    let corners: Vec<(f64, f64)> = corners.collect();
    if corners.len() > 1 {
        let hull = Element::new("path").set("d", through(&corners));
        chart.draw(hull.class("hull"));
    }
    chart.draw_all(placed.iter().flat_map(drawn));
    chart.draw_all(labels(&placed, &corners, &plot));
    Some(chart)
}

fn place<'a>(
    name: &'a str,
    class: &'static str,
    point: &Point,
    x: &Scale,
    y: &Scale,
) -> Option<Placed<'a>> {
    let at = (x.at(point.cost_usd.value)?, y.at(point.quality.value)?);
    let end = |scale: &Scale, value: f64, middle: f64| scale.at(value).unwrap_or(middle);
    Some(Placed {
        name,
        class,
        at,
        across: (
            end(x, point.cost_usd.lower, at.0),
            end(x, point.cost_usd.upper, at.0),
        ),
        down: (
            end(y, point.quality.upper, at.1),
            end(y, point.quality.lower, at.1),
        ),
    })
}

fn drawn(point: &Placed<'_>) -> Vec<Element> {
    let (x, y) = point.at;
    let spot = if point.class == "router" {
        diamond(point.at, 7.0)
    } else {
        circle(point.at, 4.5)
    };
    vec![
        line((point.across.0, y), (point.across.1, y))
            .class("whisker")
            .class(point.class),
        line((x, point.down.0), (x, point.down.1))
            .class("whisker")
            .class(point.class),
        spot.class("dot").class(point.class),
    ]
}

/// What a point's signs take up.
fn taken(point: &Placed<'_>) -> [Area; 3] {
    let (x, y) = point.at;
    let area = |left: f64, right: f64, top: f64, bottom: f64| Area {
        left,
        right,
        top,
        bottom,
    };
    [
        area(x - 7.0, x + 7.0, y - 7.0, y + 7.0),
        area(point.across.0 - 3.0, point.across.1 + 3.0, y - 3.0, y + 3.0),
        area(x - 3.0, x + 3.0, point.down.0, point.down.1),
    ]
}

/// Small squares along the hull, so that labels keep off it.
fn beads(corners: &[(f64, f64)]) -> Vec<Area> {
    let between = corners.windows(2).flat_map(|pair| {
        let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
        (0..=24).map(move |i| {
            let part = f64::from(i) / 24.0;
            (x0 + part * (x1 - x0), y0 + part * (y1 - y0))
        })
    });
    between
        .map(|(x, y)| Area {
            left: x - 2.0,
            right: x + 2.0,
            top: y - 2.0,
            bottom: y + 2.0,
        })
        .collect()
}

fn labels(placed: &[Placed<'_>], corners: &[(f64, f64)], plot: &Area) -> Vec<Element> {
    let mut busy: Vec<Area> = placed.iter().flat_map(taken).collect();
    busy.extend(beads(corners));
    let mut drawn = Vec::new();
    let mut names = Vec::new();
    for point in placed {
        let name = shorten(point.name, (plot.right - plot.left) * 0.45);
        let spot = best(point, width(&name), &busy, &names, plot);
        names.push(spot);
        drawn.extend(leader(point, &spot));
        let label = text((spot.left, spot.bottom - 4.0), Anchor::Start, name);
        drawn.push(label.class("label").class(point.class));
    }
    drawn
}

/// A thin line to a label that had to move away.
fn leader(point: &Placed<'_>, spot: &Area) -> Option<Element> {
    let (x, y) = point.at;
    let near = (
        x.clamp(spot.left, spot.right),
        y.clamp(spot.top, spot.bottom),
    );
    let away = (near.0 - x).hypot(near.1 - y);
    (away > 10.0).then(|| line(point.at, near).class("leader"))
}

/// The spot around the point that covers least; names are worse to cover than signs.
fn best(point: &Placed<'_>, wide: f64, busy: &[Area], names: &[Area], plot: &Area) -> Area {
    let (x, y) = point.at;
    let mut best: Option<(f64, Area)> = None;
    for away in [9.0, 18.0, 30.0] {
        let lefts = [x + away, x - away - wide, x - wide / 2.0];
        let middles = [y, y - away - 2.0, y + away + 2.0];
        for (at, left) in lefts.into_iter().enumerate() {
            for middle in middles {
                if at == 2 && middle == y {
                    continue;
                }
                let spot = Area {
                    left,
                    right: left + wide,
                    top: middle - FONT / 2.0 - 1.0,
                    bottom: middle + FONT / 2.0 + 2.0,
                };
                let signs: f64 = busy.iter().map(|b| spot.overlap(b)).sum();
                let words: f64 = names.iter().map(|b| spot.overlap(b)).sum();
                let cost = signs + 20.0 * words + 20.0 * spot.outside(plot) + away * 0.6;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, spot));
                }
            }
        }
    }
    best.map_or(*plot, |(_, spot)| spot)
}
