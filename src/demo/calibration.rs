//! Whether arms were drawn as often as their logged probabilities say, for the report.
//!
//! Not here: the test itself (`ope::Calibration`).

use super::candidates::Judged;
use crate::replay::Row;
use crate::report::{Calibration, CalibrationBin, Interval};

/// Upper ends of the bins of logged probability; narrow where most of them lie.
const EDGES: [f64; 11] = [0.005, 0.01, 0.03, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0];

const Z_95: f64 = 1.96;

/// (decision, arm) pairs of about one probability.
#[derive(Debug, Clone, Copy, Default)]
struct Bin {
    count: usize,
    logged: f64,
    drawn: f64,
    /// Sum of p (1 - p).
    variance: f64,
}

pub(super) fn calibration(judged: &Judged) -> Calibration {
    let check = &judged.report.propensities;
    Calibration {
        draws: check.calibration.draws,
        recomputed_equal: check.equal,
        chi_square: check.calibration.chi_square,
        degrees: check.calibration.degrees,
        p_value: check.calibration.p_value,
        bins: bins(&judged.rows),
    }
}

fn bins(rows: &[Row]) -> Vec<CalibrationBin> {
    let mut bins = [Bin::default(); EDGES.len()];
    for row in rows
        .iter()
        .filter(|row| row.is_draw() && !row.deterministic())
    {
        for (arm, p) in row.drawn.pmf.as_slice().iter().enumerate() {
            let place = EDGES.iter().position(|edge| p <= edge);
            let Some(bin) = place.and_then(|place| bins.get_mut(place)) else {
                continue;
            };
            bin.count += 1;
            bin.logged += p;
            bin.drawn += f64::from(u8::from(row.drawn.chosen as usize == arm));
            bin.variance += p * (1.0 - p);
        }
    }
    bins.iter()
        .filter(|bin| bin.count > 0)
        .map(Bin::shown)
        .collect()
}

impl Bin {
    /// The interval is that of the share drawn, were the logged probabilities true.
    fn shown(&self) -> CalibrationBin {
        let count = self.count as f64;
        let (value, half) = (self.drawn / count, Z_95 * self.variance.sqrt() / count);
        CalibrationBin {
            logged: self.logged / count,
            drawn: Interval {
                value,
                lower: (value - half).max(0.0),
                upper: (value + half).min(1.0),
            },
            count: self.count,
        }
    }
}
