//! From values to places, and the round values worth a tick.
//!
//! Invariants: a scale has a finite, positive extent whatever it was made from; what is not finite has
//! no place.
//!
//! Source: ticks at 1, 2 or 5 times a power of ten (Heckbert 1990, Nice Numbers for Graph Labels).

/// A linear map from values to places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Scale {
    /// Values from `low` to `high`; places from 0 to 1 until [`Scale::onto`] says otherwise.
    pub(crate) fn new(low: f64, high: f64) -> Self {
        let (low, high) = match (low.is_finite(), high.is_finite()) {
            (true, true) if low < high => (low, high),
            (true, true) => {
                let room = (low.abs() * 0.1).max(1e-6);
                (low.min(high) - room, low.max(high) + room)
            }
            _ => (0.0, 1.0),
        };
        Self {
            low,
            high,
            from: 0.0,
            to: 1.0,
        }
    }

    /// Over all finite `values`, with a twentieth of room at either end.
    pub(crate) fn over(values: impl IntoIterator<Item = f64>) -> Self {
        let finite = values.into_iter().filter(|v| v.is_finite());
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = finite.fold(none, |(l, h), v| (l.min(v), h.max(v)));
        let bare = Self::new(low, high);
        let room = (bare.high - bare.low) * 0.05;
        Self::new(bare.low - room, bare.high + room)
    }

    /// The same values onto other places.
    pub(crate) fn onto(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// Starts at nothing.
    pub(crate) fn with_zero(self) -> Self {
        Self {
            low: 0.0,
            high: self.high.max(1e-9),
            ..self
        }
    }

    /// Where a value is, if it is a number; a value beyond the ends is at the end.
    pub(crate) fn at(&self, value: f64) -> Option<f64> {
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        let place = self.from + part * (self.to - self.from);
        value.is_finite().then_some(place)
    }

    /// Whether it has a place of its own.
    pub(crate) fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// First and last place.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.from, self.to)
    }

    /// Round values inside it, at most about `wanted`, and the step between them.
    pub(crate) fn ticks(&self, wanted: usize) -> (Vec<f64>, f64) {
        let rough = (self.high - self.low) / wanted.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|m| m * power)
            .into_iter()
            .find(|step| *step >= rough * 0.8)
            .unwrap_or(rough);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let ticks = (first..=last).map(|i| i as f64 * step).collect();
        (ticks, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(low: f64, high: f64, wanted: usize, expected: &[f64]) {
        let (ticks, _) = Scale::new(low, high).ticks(wanted);
        assert_eq!(ticks.len(), expected.len(), "{ticks:?}");
        for (found, expected) in ticks.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{ticks:?}");
        }
    }

    #[test]
    fn ticks_are_round_and_few() {
        check(0.0, 1.0, 5, &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        check(0.62, 0.81, 4, &[0.65, 0.7, 0.75, 0.8]);
        check(0.0, 1800.0, 4, &[0.0, 500.0, 1000.0, 1500.0]);
        check(-0.03, 0.05, 4, &[-0.02, 0.0, 0.02, 0.04]);
    }

    #[test]
    fn a_value_is_where_it_belongs() {
        let scale = Scale::new(0.0, 2.0).onto(100.0, 0.0);
        assert_eq!(scale.at(0.5), Some(75.0));
        assert_eq!(scale.at(9.0), Some(0.0));
        assert_eq!(scale.at(f64::NAN), None);
        assert_eq!(scale.at(f64::INFINITY), None);
    }

    #[test]
    fn a_scale_of_nothing_or_of_one_value_still_has_extent() {
        for scale in [
            Scale::over([]),
            Scale::over([f64::NAN]),
            Scale::over([0.5]),
            Scale::over([0.0]),
            Scale::new(1.0, 1.0),
            Scale::new(0.0, f64::INFINITY),
        ] {
            assert!(scale.high > scale.low, "{scale:?}");
            assert!(scale.ticks(4).0.len() < 20, "{scale:?}");
        }
    }
}
