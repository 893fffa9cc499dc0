//! The journal and the keyed state: what survives a restart.
//!
//! Invariants: the journal is the only truth; everything else here ([`index`], checkpoints, imported
//! versions) is derived from it or can be made again. A record that was acknowledged is read back
//! after a kill; after a power cut too in mode [`Durability::Sync`], and in mode
//! [`Durability::Group`] but for the last window.
//!
//! Not here: what a record means (`route`, `learn`, `replay`), who may read it (`access`), export to
//! Parquet (`table`).
//!
//! Read first: [`record`] (what is kept), [`Store`] (the door), [`journal`] (how it is kept).

mod behind;
mod digest;
mod engine;
#[cfg(test)]
mod engine_tests;
mod error;
mod filing;
#[cfg(test)]
mod fuzz;
mod look;
mod seed;
mod sink;
mod turn;

pub mod attempt;
pub mod audit;
mod checkpoint;
pub mod disk;
pub mod index;
pub mod journal;
pub mod keyed;
mod pages;
pub mod record;
pub mod simulated;

#[cfg(test)]
pub(crate) mod sample;

pub use behind::stand_behind;
pub use checkpoint::{Checkpoints, Unfit};
pub use digest::{Copied, Digest};
pub use disk::{Disk, FileDisk};
pub use engine::{Settings, Store};
pub use error::Error;
pub use journal::{Durability, Journal, Position, Reader, Recovery};
pub use keyed::Keyed;
pub use look::{Asked, Draw, Episode, Found};
pub use pages::{Pages, Place};
pub use record::{Control, Record, VersionKind};
pub use seed::Seed;
pub use turn::{Claim, Turn};
