//! Why nothing, or not everything, was taught.

use crate::id::Name;
use crate::{feature, id, replay, server, store, table};

/// Why nothing, or not everything, was taught.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such team.
    #[error("team {team} is not in the configuration: allowed {known}")]
    Team {
        /// The name given.
        team: String,
        /// The teams there are.
        known: String,
    },
    /// A number out of its range.
    #[error("{field} is {value}: allowed {allowed}")]
    Range {
        /// What it is of.
        field: &'static str,
        /// The number.
        value: f64,
        /// Its range.
        allowed: &'static str,
    },
    /// Arms of the table that cannot be chosen.
    #[error(
        "the table has arms that the configuration has not: {unknown}; allowed {known}: name each \
         with --arm TABLE_NAME=ARM"
    )]
    Arms {
        /// Those arms.
        unknown: String,
        /// The configuration's arms.
        known: String,
    },
    /// A mapping of an arm that the table does not have.
    #[error("--arm names {name}, which is no arm of the table: allowed {known}")]
    NotInTable {
        /// The name given.
        name: String,
        /// The table's arms.
        known: String,
    },
    /// Two arms of the table that would be one.
    #[error(
        "arms {first} and {second} of the table are both arm {arm}: allowed one of the table's arms for each"
    )]
    ArmTwice {
        /// One.
        first: Name,
        /// The other.
        second: Name,
        /// What both would be.
        arm: Name,
    },
    /// A signal that the team does not report.
    #[error("signal {signal} is not in the scorecard of team {team}: allowed {known}")]
    Signal {
        /// The name given.
        signal: String,
        /// The team.
        team: Name,
        /// Its scorecard's signals.
        known: String,
    },
    /// A signal that would be given twice.
    #[error("signal {signal} is given by both {first} and {second}: allowed once")]
    SignalTwice {
        /// The signal.
        signal: Name,
        /// One place of the table.
        first: String,
        /// The other.
        second: String,
    },
    /// More than one signal that the score could be.
    #[error(
        "the scorecard of team {team} has {count} signals, so that the table's score may be any: give \
         --signal score=SIGNAL with SIGNAL one of {known}"
    )]
    WhichSignal {
        /// The team.
        team: Name,
        /// How many.
        count: usize,
        /// Their names.
        known: String,
    },
    /// More than one signal that the mean could be.
    #[error(
        "the scorecard of team {team} has {count} signals, so that the file's mean may be of any: give \
         --signal COLUMN=SIGNAL with SIGNAL one of {known}"
    )]
    WhichRate {
        /// The team.
        team: Name,
        /// How many.
        count: usize,
        /// Their names.
        known: String,
    },
    /// A rate of something that is not true or false.
    #[error("--signal reads {column} as the rate of {signal}, which is a number: allowed a flag")]
    NoFlag {
        /// The column.
        column: String,
        /// The signal.
        signal: Name,
    },
    /// A mapping to an arm that there is not.
    #[error("--arm gives {arm}, which the configuration has not: allowed {known}")]
    NoArm {
        /// The name given.
        arm: String,
        /// The configuration's arms.
        known: String,
    },
    /// Two rows of published rates for one arm.
    #[error(
        "rows {first} and {second} are both of arm {arm}: allowed one: choose it with --where COLUMN=VALUE"
    )]
    RatedTwice {
        /// One, from 1.
        first: usize,
        /// The other.
        second: usize,
        /// The arm.
        arm: Name,
    },
    /// No row of published rates is of an arm.
    #[error(
        "none of the {count} models read has rates and is an arm of the configuration: found {models}; \
         allowed {known}: name each with --arm TABLE_NAME=ARM"
    )]
    NoModel {
        /// How many models.
        count: usize,
        /// Their names.
        models: String,
        /// The configuration's arms.
        known: String,
    },
    /// Neither the score nor anything in the table's signals.
    #[error("--signal reads {source_name}, which the table has not: allowed {known}")]
    Source {
        /// The name given.
        source_name: String,
        /// What the table has.
        known: String,
    },
    /// A value that the scorecard cannot read.
    #[error("prompt {prompt}, arm {arm}: {problem}")]
    Value {
        /// The prompt.
        prompt: String,
        /// The table's arm.
        arm: Name,
        /// What is wrong, and what is allowed.
        problem: String,
    },
    /// Contexts of this team cannot be made from words.
    #[error(
        "team {team} sends embeddings of {length} numbers, which an outcome table has not: allowed teams \
         without embedding_length"
    )]
    Embedding {
        /// The team.
        team: Name,
        /// Their length.
        length: u32,
    },
    /// The team learns nothing now.
    #[error(
        "team {team} is frozen, so that nothing would be learned: lift that first (control --lift)"
    )]
    Frozen {
        /// The team.
        team: Name,
    },
    /// A server, or another command, is at work on the store.
    #[error(
        "{path} is held by a running server or another command: stop it, seed, and start it again"
    )]
    Held {
        /// The lock.
        path: String,
    },
    /// The prompts' order.
    #[error(transparent)]
    Table(#[from] replay::Error),
    /// The published rates.
    #[error(transparent)]
    Rates(#[from] table::Error),
    /// A prompt without a context.
    #[error("the context of prompt {prompt}: {source}")]
    Context {
        /// The prompt.
        prompt: String,
        /// Why.
        source: feature::Error,
    },
    /// The features.
    #[error("the features: {0}")]
    Feature(#[from] feature::Error),
    /// A built-in name.
    #[error("a built-in name {0}")]
    Name(#[from] id::Error),
    /// Opening the state.
    #[error(transparent)]
    Server(server::Error),
    /// The journal.
    #[error("the store: {0}")]
    Store(#[from] store::Error),
    /// The rows could not be told from others.
    #[error("the table cannot be hashed: {0}")]
    Hash(String),
}

impl From<server::Error> for Error {
    fn from(error: server::Error) -> Self {
        match error {
            server::Error::Store(store::Error::Locked { path }) => Self::Held { path },
            error => Self::Server(error),
        }
    }
}
