//! Outcome tables (every arm's outcome for every prompt) in from Parquet, CSV or JSON lines and out to
//! Parquet, exported traffic (decisions with what came of them) out to Parquet and back, logged bandit feedback in
//! from Parquet or CSV, published rates in from CSV, and files of other projects and gateways turned into these
//! (`import`).
//!
//! Not here: what is done with either (`replay`), where traffic comes from (`store`). With `replay`,
//! the only place that knows polars.

mod columns;
mod error;
mod frame;
mod import;
mod json_lines;
mod judged_writer;
mod keep;
mod logged;
mod logged_batch;
mod logged_cells;
mod logged_columns;
mod logged_files;
mod logged_shape;
mod outcome;
mod outcome_writer;
mod published;
mod record;
mod traffic;
mod traffic_batch;
mod traffic_folder;
mod traffic_reader;
mod traffic_writer;

pub use columns::Columns;
pub use error::Error;
pub use import::{
    ArmRows, Fields, Imported, LITELLM, Left, OPEN_BANDIT, OpenBandit, Pmf, Spend, Weights, Wide,
    long,
};
pub use judged_writer::{JudgedRow, Spanned, write_judged};
pub use keep::{Keep, LeftOut, Why};
pub use logged::LoggedReader;
pub use logged_batch::{LoggedBatch, Numbers};
pub use logged_columns::LoggedColumns;
pub use logged_shape::Families;
pub use outcome::{Cell, OutcomeTable, Prompt};
pub use outcome_writer::{OutcomeRow, write_outcomes};
pub use published::{Layout, Published};
pub use traffic::{SCHEMA_VERSION, TrafficRow};
pub use traffic_folder::{TrafficFolder, Written};
pub use traffic_reader::TrafficReader;
pub use traffic_writer::TrafficWriter;
