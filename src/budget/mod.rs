//! Budgets: what a dollar is worth in quality points, and money that is never spent twice.
//!
//! In reading order: [`Budget`] is what a team may spend; [`Hull`] is what a coin flip between two offers
//! buys, and [`aiq`] with its like says what a router's points are worth beside it ([`GapRecovered`]: where
//! there are two arms); [`Pacer`] keeps the mean spend at a budget by a price on cost, and [`Pace`] is what choosing asks
//! of it; [`Ledger`] holds a hard limit for each [`Window`] by reservations, of which [`Bounds`] says how much each is.
//! The pacer is soft and earns quality: it decides *where* money is spent. The ledger is hard and earns
//! nothing: it says no. A request meets both: the pacer's price is in the utility of every arm, an arm
//! that [`Pace::allows`] or [`Ledger::left`] cannot pay for is not eligible, and the pmf is computed
//! over the arms that remain.
//!
//! Invariants: a price is finite and at least 0; what is spent and reserved together never exceeds a
//! limit, but by what a settlement exceeded its own reservation, which is counted; a reservation ends
//! once.
//!
//! Not here: what an arm costs (`eligibility`, `learn`), the utility (`scorecard`), the pmf (`bandit`),
//! the record that a reservation rides on (`store`), who has which budget (`config`).
//!
//! Units: the pacer in USD as f64, since it reasons about predictions; the ledger in integer
//! nano-dollars, since it counts money. Prices in quality points per USD. Times in UTC;
//! a [`Window`] begins where its [`Zone`] says.
//!
//! Source: SCIENCE 2.6, with the differences that [`Pacer`] states.

mod bounds;
mod calendar;
mod definition;
mod frontier;
mod hull;
mod ledger;
mod pace;
mod pacer;
mod params;
mod price;
mod refill;
mod reservation;
mod strong;
mod zone;

pub use bounds::Bounds;
pub use calendar::Window;
pub use definition::{Budget, Limit, Raise, Terms};
pub use frontier::{
    Aiq, aiq, cost_save, gain_over_hull, pareto_dist, pareto_front, perf_gain, router_arena,
};
pub use hull::Hull;
pub use ledger::Ledger;
pub use pace::Pace;
pub use pacer::{Offer, Pacer};
pub use params::{PacerError, Params};
pub use price::Price;
pub use refill::Refill;
pub use reservation::{Error, Refused, Reservation};
pub use strong::{GapError, GapRecovered};
pub use zone::Zone;
