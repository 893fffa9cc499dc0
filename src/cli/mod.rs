//! The commands: each turns arguments into one call of the library and writes what came of it.

pub(crate) mod args;
pub(crate) mod audit;
#[cfg(feature = "analytics")]
pub(crate) mod dataset;
#[cfg(feature = "analytics")]
pub(crate) mod demo;
#[cfg(feature = "analytics")]
pub(crate) mod drive;
#[cfg(feature = "analytics")]
pub(crate) mod estimate;
#[cfg(feature = "analytics")]
pub(crate) mod eval;
#[cfg(feature = "analytics")]
pub(crate) mod import;
pub(crate) mod key;
mod noticed;
pub(crate) mod out;
#[cfg(feature = "analytics")]
pub(crate) mod replay;
pub(crate) mod report;
#[cfg(feature = "analytics")]
pub(crate) mod seed;
pub(crate) mod serve;
mod team;
