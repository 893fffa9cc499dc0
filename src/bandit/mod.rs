//! The bandit: context and eligible arms to a pmf, and outcomes to statistics.
//!
//! In reading order: [`Ridge`] learns one arm in f64 from a [`Prior`]; [`Hierarchy`] learns the prior from
//! all arms; [`Lender`] is what one may start from; [`Posterior`] is what it publishes in f32; [`Policy`] turns [`Scores`] of the eligible arms
//! into a pmf over them, with [`floors`]; [`Detector`] notices that an arm has changed, [`Tempo`] says how
//! fast it forgets.
//!
//! Invariants: every number here is the same bits on every machine. The kernels are plain Rust with a
//! fixed order of additions; the wider instructions that are chosen at run time never fuse a multiply
//! with an add, so they change the speed and nothing else. A pmf logged on one machine is recomputed
//! exactly on another, and a rebuilt learner equals the one that served.
//!
//! Not here: utility (`scorecard`), the draw ([`crate::unit::Pmf::draw`]), when to learn (`learn`),
//! which arms are eligible (`eligibility`).
//!
//! Source: SCIENCE 2.2 and 2.3. Per-arm ridge and `LinUcb`: Li et al. 2010; `LinearThompson`: Agrawal
//! and Goyal 2013, with the pmf computed instead of sampled; `SquareCb`: Foster and Rakhlin 2020;
//! `Detector`: Page 1954, Lorden 1971.

mod change;
mod cholesky;
mod correct;
mod error;
mod fading;
mod floor;
mod forget;
mod form;
mod greedy;
mod hierarchy;
mod lanes;
mod lend;
mod normal;
mod packed;
mod policy;
mod posterior;
mod prior;
mod residual;
mod ridge;
mod spec;
mod spread;
mod square_cb;
mod squares;
mod tempo;
mod thompson;
mod whole;

pub use change::{Change, Detector, Direction};
pub use error::{ChoiceError, StateError};
pub use fading::Fading;
pub use floor::{floors, is_newcomer, raise_newcomers};
pub use hierarchy::Hierarchy;
pub use lend::{Borrowed, Lender};
pub use policy::{Policy, Scores, Scratch};
pub use posterior::Posterior;
pub use prior::Prior;
pub use residual::PRIOR_SD;
pub use ridge::Ridge;
pub use spec::SpecError;
pub use square_cb::Schedule;
pub use tempo::Tempo;
