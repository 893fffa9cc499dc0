//! Where labels go, so that none lies on another.
//!
//! Invariants: labels spread along a side keep their order and, where the side is long enough, do not
//! overlap; a shortened label fits its room by the estimate of [`width`].
//!
//! Source: moving labels apart with least squares is an isotonic regression of their places less the
//! room taken by those before them, solved by pooling adjacent violators (Ayer et al. 1955).

/// Size of a chart's text.
pub(super) const FONT: f64 = 12.0;
/// From one line of text to the next.
pub(super) const LINE: f64 = 14.0;

/// About how wide a text is. Fonts differ, so it errs on the wide side.
pub(super) fn width(text: &str) -> f64 {
    let one = |c: char| match c {
        'i' | 'j' | 'l' | 't' | 'f' | 'I' | ' ' | '.' | ',' | ':' | '\'' | '(' | ')' => 0.36,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
        'A'..='Z' => 0.7,
        c if (c as u32) < 0x2000 => 0.58,
        _ => 1.0,
    };
    text.chars().map(one).sum::<f64>() * FONT * 1.04
}

/// The text, cut with an ellipsis if it is wider than `room`.
pub(super) fn shorten(text: &str, room: f64) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        let longer = format!("{short}{c}");
        if width(&longer) + FONT > room {
            break;
        }
        short = longer;
    }
    format!("{}\u{2026}", short.trim_end())
}

/// The text in at most two lines of `room`, the second cut if need be.
pub(super) fn wrap(text: &str, room: f64) -> Vec<String> {
    if width(text) <= room {
        return vec![text.to_owned()];
    }
    let mut breaks = text.match_indices(' ').map(|(at, _)| text.split_at(at));
    match breaks.rfind(|(head, _)| width(head) <= room) {
        Some((head, tail)) => vec![head.to_owned(), shorten(tail.trim_start(), room)],
        None => vec![shorten(text, room)],
    }
}

/// Moves labels apart: each is (wanted middle, height); all stay between `low` and `high` if they fit.
///
/// Three labels of height 10 that all want to be at 50 end at 40, 50 and 60.
pub(super) fn spread(wanted: &[(f64, f64)], low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].0.total_cmp(&wanted[*b].0));
    let mut before = 0.0;
    // Runs of labels that touch: (sum of their free places, how many).
    let mut runs: Vec<(f64, f64)> = Vec::new();
    let mut middles = Vec::with_capacity(wanted.len());
    for index in &order {
        let (middle, height) = wanted[*index];
        middles.push(before + height / 2.0);
        let mut run = (middle - (before + height / 2.0), 1.0);
        before += height;
        while let Some(last) = runs.last().copied()
            && last.0 / last.1 > run.0 / run.1
        {
            runs.pop();
            run = (last.0 + run.0, last.1 + run.1);
        }
        runs.push(run);
    }
    // The whole run of labels slides between these, if there is room at all.
    let (first, last) = (low, (high - before).max(low));
    let places = runs.iter().flat_map(|(sum, count)| {
        let place = (sum / count).clamp(first, last);
        std::iter::repeat_n(place, *count as usize)
    });
    let mut spread = vec![0.0; wanted.len()];
    for ((index, middle), place) in order.iter().zip(middles).zip(places) {
        spread[*index] = place + middle;
    }
    spread
}

/// A rectangle that something lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Area {
    /// How much of `self` lies on `other`.
    pub(super) fn overlap(&self, other: &Self) -> f64 {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        across.max(0.0) * down.max(0.0)
    }

    /// How much of `self` lies outside `other`.
    pub(super) fn outside(&self, other: &Self) -> f64 {
        (self.right - self.left) * (self.bottom - self.top) - self.overlap(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &[(f64, f64)], low: f64, high: f64, expected: &[f64]) {
        assert_eq!(spread(wanted, low, high), expected);
    }

    #[test]
    fn labels_that_lie_apart_stay_where_they_are() {
        check(&[(80.0, 10.0), (20.0, 10.0)], 0.0, 100.0, &[80.0, 20.0]);
    }

    #[test]
    fn labels_that_lie_on_each_other_move_apart_evenly() {
        let same = [(50.0, 10.0), (50.0, 10.0), (50.0, 10.0)];
        check(&same, 0.0, 100.0, &[40.0, 50.0, 60.0]);
        check(&[(50.0, 10.0), (52.0, 20.0)], 0.0, 100.0, &[43.5, 58.5]);
    }

    #[test]
    fn labels_stay_inside_if_they_fit() {
        check(&[(0.0, 10.0), (1.0, 10.0)], 0.0, 100.0, &[5.0, 15.0]);
        check(&[(99.0, 10.0), (100.0, 10.0)], 0.0, 100.0, &[85.0, 95.0]);
        check(&[], 0.0, 100.0, &[]);
    }

    #[test]
    fn a_long_label_is_cut_to_its_room() {
        let long = "the best fixed arm that could have been chosen in hindsight";
        for room in [40.0, 80.0, 200.0] {
            assert!(width(&shorten(long, room)) <= room);
            let lines = wrap(long, room);
            assert!(
                lines.len() <= 2 && lines.iter().all(|l| width(l) <= room),
                "{lines:?}"
            );
        }
        assert_eq!(shorten("harbor", 100.0), "harbor");
        assert_eq!(wrap("by chance", 56.0), ["by", "chance"]);
    }
}
