//! The sums behind bounds that hold at every peek: the empirical-Bernstein lower bound of a mean.
//!
//! s_t^2 = (1/4 + sum over i < t of (xi_i - xbar_i)^2) / t, with xbar_i = (g + xi_1 + .. + xi_i) / (i + 1);
//! l_t = min(sqrt(2 ln(1/a) / (s_t^2 t ln(1 + t))), 1/2); g_t = min((g + xi_1 + .. + xi_(t-1)) / t, cap);
//! L_t = [sum l_i xi_i - ln(1/a) - sum (xi_i - g_i)^2 psi(l_i)] / sum l_i, psi(l) = -ln(1 - l) - l.
//!
//! Invariants: l_t and g_t are fixed before xi_t; xi_t - g_t is at least -1, for which the caller chooses scale and
//! cap: then L_t ever exceeds the mean with probability at most a.
//!
//! Not here: what xi is ([`super::LowerBound`], [`super::AdvantageBounds`]).
//!
//! Source: SCIENCE 3.4; Waudby-Smith et al. 2022, Howard et al. 2021.

/// Largest l.
pub(super) const MOST: f64 = 0.5;

/// One lower bound's sums.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bernstein {
    log_miss: f64,
    /// g: what the mean is guessed to be before the first.
    prior: f64,
    first_guess: f64,
    cap: f64,
    count: f64,
    sum: f64,
    spread: f64,
    weight: f64,
    weighted: f64,
    penalty: f64,
}

impl Bernstein {
    /// Before any. `first_guess` stands for g_1.
    pub(super) fn new(miss: f64, prior: f64, first_guess: f64, cap: f64) -> Self {
        Self {
            log_miss: -miss.ln(),
            prior,
            first_guess,
            cap,
            count: 0.0,
            sum: 0.0,
            spread: 0.0,
            weight: 0.0,
            weighted: 0.0,
            penalty: 0.0,
        }
    }

    /// Takes in xi_t.
    pub(super) fn add(&mut self, xi: f64) {
        let number = self.count + 1.0;
        let variance = (0.25 + self.spread) / number;
        let weight = (2.0 * self.log_miss / (variance * number * number.ln_1p())).sqrt();
        let weight = weight.min(MOST);
        let guess = match self.count > 0.0 {
            true => ((self.prior + self.sum) / number).min(self.cap),
            false => self.first_guess,
        };
        self.count = number;
        self.sum += xi;
        let after = (self.prior + self.sum) / (number + 1.0);
        self.spread += (xi - after) * (xi - after);
        self.weight += weight;
        self.weighted += weight * xi;
        self.penalty += (xi - guess) * (xi - guess) * (-(-weight).ln_1p() - weight);
    }

    /// L_t; minus infinity before the first.
    pub(super) fn lower(&self) -> f64 {
        match self.weight > 0.0 {
            true => (self.weighted - self.log_miss - self.penalty) / self.weight,
            false => f64::NEG_INFINITY,
        }
    }
}
