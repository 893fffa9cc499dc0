//! The arguments of `import`.

use super::{Columns, Format};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// A row for each prompt, a column of scores for each model: becomes an outcome table.
    Wide(Sheets),
    /// The same with the names of `RouterBench`: sample_id, prompt, eval_name, a column a model,
    /// MODEL|total_cost. It is published as a pickle: write it as Parquet first
    /// (pandas.read_pickle(..).to_parquet(..)).
    Routerbench(Sheets),
    /// A row for each prompt and model, under other names: becomes an outcome table.
    Long(Long),
    /// The Open Bandit Dataset: becomes a log for `estimate`.
    OpenBandit(Shop),
    /// The request log of `LiteLLM` (`LiteLLM_SpendLogs`, or its logging payloads), whose models were drawn by
    /// weights, with a file of outcomes: becomes a log for `estimate`.
    Litellm(Litellm),
}

/// What is read and where it goes.
#[derive(Debug, Args)]
pub(crate) struct Moved {
    /// The files, by their ending: .parquet, .csv, .jsonl or .ndjson (an object a line), .json (an array; not
    /// for long).
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The Parquet file to write.
    #[arg(long, value_name = "FILE.parquet")]
    pub(crate) out: PathBuf,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Sheets {
    #[command(flatten)]
    pub(crate) moved: Moved,
    /// Column of the prompt's id, unique. Absent: prompt_id; of routerbench, sample_id.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) id: Option<String>,
    /// Column of the prompt's text, if there is one. Absent: prompt.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) prompt: Option<String>,
    /// Column of the prompt's task, if there is one. Absent: task; of routerbench, eval_name.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) task: Option<String>,
    /// Columns of scores. Absent: every column of numbers that is not named above and has no suffix below.
    #[arg(long, value_name = "COLUMN,..", value_delimiter = ',')]
    pub(crate) models: Vec<String>,
    /// What a column of costs in USD is called, after the model's name.
    #[arg(long, value_name = "SUFFIX", default_value = "|total_cost")]
    pub(crate) cost_suffix: String,
    /// The same of latencies in milliseconds.
    #[arg(long, value_name = "SUFFIX", default_value = "|latency_ms")]
    pub(crate) latency_suffix: String,
    /// Scores are from 0 to 100, not from 0 to 1.
    #[arg(long)]
    pub(crate) percent: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Long {
    #[command(flatten)]
    pub(crate) moved: Moved,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// Scores are from 0 to 100, not from 0 to 1.
    #[arg(long)]
    pub(crate) percent: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Shop {
    #[command(flatten)]
    pub(crate) moved: Moved,
    /// Other names of columns: FIELD=COLUMN,.. with FIELD one of action (item_id), reward (click), pscore
    /// (propensity_score), position, timestamp.
    #[arg(long, value_name = "FIELD=COLUMN,..", default_value = "")]
    pub(crate) map: String,
    /// The logged pmf that is written as p_0, p_1, ..
    #[arg(long, value_enum, default_value_t = ShopPmf::None)]
    pub(crate) pmf: ShopPmf,
    /// Another such log: how often it showed each item at each position is written as the policy to judge, pi_0,
    /// pi_1, .. Absent, and without a pmf: every item alike, so that the number of arms is known.
    #[arg(long, value_name = "FILE")]
    pub(crate) target: Option<PathBuf>,
    /// Number of items. Absent: the largest and one.
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    pub(crate) arms: Option<u32>,
}

/// A pmf to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShopPmf {
    /// None: the probability of the item shown is all that is known.
    None,
    /// Every item alike, as in the data set's random policy; the file's probabilities must say so too.
    Uniform,
    /// How often each item was shown at the position: approximate where the policy moved meanwhile.
    Shares,
}

#[derive(Debug, Args)]
pub(crate) struct Litellm {
    #[command(flatten)]
    pub(crate) moved: Moved,
    /// What models were drawn by, in the order of their numbers; names as in the log's column model. A log without
    /// weights is refused.
    #[arg(long, value_name = "MODEL=WEIGHT,..")]
    pub(crate) weights: Option<String>,
    /// Model group that the weights are of. Needed where requests of several have a model with a weight.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// What came of the requests.
    #[arg(long, value_name = "FILE")]
    pub(crate) outcomes: PathBuf,
    /// Column of the request's id there.
    #[arg(long, value_name = "COLUMN", default_value = "request_id")]
    pub(crate) outcome_id: String,
    /// Column of the score there.
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    pub(crate) score: String,
    /// Scores are from 0 to 100, not from 0 to 1.
    #[arg(long)]
    pub(crate) percent: bool,
    /// A request's tag is its first that begins so, as task: does. Absent: its first that the gateway did not write.
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub(crate) tag: String,
    /// Other names of the log's columns: FIELD=COLUMN,.. with FIELD one of id (request_id, id), model, group
    /// (model_group), start (startTime), end (endTime), spend (spend, response_cost), input_tokens (prompt_tokens),
    /// output_tokens (completion_tokens), status, tags (request_tags), session (session_id, trace_id), cache
    /// (cache_hit). In JSON, metadata.job is the job within the metadata.
    #[arg(long, value_name = "FIELD=COLUMN,..", default_value = "")]
    pub(crate) map: String,
}
