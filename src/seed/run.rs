//! From a table to rows in the journal, learned and checkpointed.
//!
//! Not here: what is allowed (`plan`), values (`rows`), figures (`done`).

use super::done::{Done, Sums};
use super::error::Error;
use super::plan::Plan;
use super::rows::{Row, rows};
use crate::chat::{ContentPart, Generation, InputTokens, Message, ResponseFormat, Role};
use crate::clock::Clock;
use crate::config;
use crate::eligibility::Need;
use crate::feature::Extractor;
use crate::id::Name;
use crate::replay::Bench;
use crate::route;
use crate::server::{self, Opened};
use crate::store::{Record, Seed, Store};
use crate::table::{OutcomeTable, Prompt};
use crate::unit::Timestamp;
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_128;

/// Records read at a time.
pub(super) const BATCH: usize = 256;

/// What to teach, to whom.
#[derive(Debug, Clone)]
pub struct Options {
    /// The team.
    pub team: String,
    /// Most prompts; absent: all.
    pub prompts: Option<usize>,
    /// (place in the table, signal); empty: the score is the scorecard's only signal.
    pub signals: Vec<(String, String)>,
    /// (the table's name of an arm, the configuration's) where the two differ.
    pub arms: Vec<(String, String)>,
    /// What a row weighs against an outcome of the team's own, 0.001 to 1.
    pub weight: f64,
}

/// Teaches a table; `progress` is told how many prompts are done of how many. The store must be free.
pub async fn seed(
    params: &config::Params,
    clock: &dyn Clock,
    table: &OutcomeTable,
    options: &Options,
    mut progress: impl FnMut(usize, usize),
) -> Result<Done, Error> {
    check(options)?;
    let team = team(params, &options.team)?;
    let plan = Plan::new(params, team, table, options)?;
    let all: Result<Vec<_>, _> = (0..table.prompts.len())
        .map(|prompt| rows(&plan, table, prompt))
        .collect();
    let teacher = Teacher::new(params, team, table, all?, options, clock.now())?;
    let mut order = Bench::rewards_only(table, 0.0)?.order(0);
    order.truncate(options.prompts.unwrap_or(usize::MAX));
    let mut opened = server::open(params, clock)?;
    if opened.store.control(&team.name).frozen {
        let team = team.name.clone();
        return Err(Error::Frozen { team });
    }
    let known = known(&opened.store, teacher.batch)?;
    let mut sums = vec![Sums::default(); plan.arms.len()];
    let mut done = teacher.nothing(&plan, order.len());
    for (number, prompt) in order.iter().copied().enumerate() {
        progress(number, order.len());
        let (written, there) = teacher.teach(&opened.store, prompt, &known)?;
        done.rows += written;
        done.known += there;
        let rows = teacher.rows.get(prompt).map_or(&[][..], Vec::as_slice);
        sums.iter_mut()
            .zip(rows)
            .for_each(|(sums, row)| sums.add(&plan, row));
    }
    settle(&mut opened).await?;
    let means = sums.into_iter().zip(&plan.arms);
    done.arms = means.map(|(sums, arm)| sums.means(arm.clone())).collect();
    Ok(done)
}

fn check(options: &Options) -> Result<(), Error> {
    let (field, value, allowed) = match options {
        Options { weight, .. } if !(0.001..=1.0).contains(weight) => {
            ("--weight", *weight, "0.001 to 1")
        }
        Options {
            prompts: Some(0), ..
        } => ("--rows", 0.0, "at least 1"),
        _ => return Ok(()),
    };
    Err(Error::Range {
        field,
        value,
        allowed,
    })
}

/// The team of a name.
pub(super) fn find_team<'a>(
    params: &'a config::Params,
    name: &str,
) -> Result<&'a config::Team, Error> {
    let team = params.teams.iter().find(|team| team.name.as_str() == name);
    team.ok_or_else(|| Error::Team {
        team: name.to_owned(),
        known: crate::id::listed(params.teams.iter().map(|team| &team.name)),
    })
}

fn team<'a>(params: &'a config::Params, name: &str) -> Result<&'a config::Team, Error> {
    let team = find_team(params, name)?;
    match team.embedding_length {
        Some(length) => Err(Error::Embedding {
            team: team.name.clone(),
            length,
        }),
        None => Ok(team),
    }
}

/// On disk, learned, and in a checkpoint: the next start need not learn it again.
pub(super) async fn settle(opened: &mut Opened) -> Result<(), Error> {
    let journal = opened.store.journal();
    journal.on_disk(journal.newest()).await?;
    opened.follower.catch_up()?;
    opened.follower.write_checkpoint()?;
    Ok(())
}

/// The prompts and arms of a batch that the journal has.
fn known(store: &Store, batch: u128) -> Result<BTreeSet<(u32, Name)>, Error> {
    let (mut reader, mut read) = (store.reader(1), Vec::with_capacity(BATCH));
    let mut known = BTreeSet::new();
    while reader.read(BATCH, &mut read)? > 0 {
        for (_, record) in read.drain(..) {
            if let Record::Seed(seed) = record
                && seed.batch == batch
            {
                known.insert((seed.prompt, seed.arm));
            }
        }
    }
    Ok(known)
}

/// Who makes the records.
struct Teacher<'a> {
    params: &'a config::Params,
    team: &'a config::Team,
    table: &'a OutcomeTable,
    extractor: Extractor,
    feature_set: Name,
    /// Rows by prompt, in the table's order.
    rows: Vec<Vec<Row>>,
    weight: f64,
    batch: u128,
    now: Timestamp,
}

impl<'a> Teacher<'a> {
    fn new(
        params: &'a config::Params,
        team: &'a config::Team,
        table: &'a OutcomeTable,
        rows: Vec<Vec<Row>>,
        options: &Options,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let extractor = Extractor::shipped()?;
        let feature_set = Name::new(extractor.feature_set())?;
        let prompts = table.prompts.iter().map(|p| (&p.id, &p.task, &p.text));
        let prompts: Vec<_> = prompts.collect();
        // Neither the file's name nor its format is part of it, nor how much of it is taught.
        let content = postcard::to_allocvec(&(&team.name, &feature_set, &prompts, &rows));
        let content = content.map_err(|error| Error::Hash(error.to_string()))?;
        Ok(Self {
            batch: xxh3_128(&content),
            weight: options.weight,
            params,
            team,
            table,
            extractor,
            feature_set,
            rows,
            now,
        })
    }

    fn nothing(&self, plan: &Plan<'_>, prompts: usize) -> Done {
        let signals = plan.signals.iter();
        let signals =
            signals.filter_map(|(from, at)| Some((from.clone(), plan.name(*at)?.clone())));
        Done {
            team: self.team.name.clone(),
            table: self.table.name.clone(),
            prompts,
            rows: 0,
            known: 0,
            weight: self.weight,
            signals: signals.collect(),
            arms: Vec::new(),
        }
    }

    /// Writes the rows of a prompt that are not `known`: how many that are, and how many are known.
    fn teach(
        &self,
        store: &Store,
        prompt: usize,
        known: &BTreeSet<(u32, Name)>,
    ) -> Result<(usize, usize), Error> {
        let (Some(asked), Some(rows)) = (self.table.prompts.get(prompt), self.rows.get(prompt))
        else {
            return Ok((0, 0));
        };
        let number = u32::try_from(prompt).unwrap_or(u32::MAX);
        let new = rows
            .iter()
            .filter(|row| !known.contains(&(number, row.arm.clone())));
        let new: Vec<&Row> = new.collect();
        if new.is_empty() {
            return Ok((0, rows.len()));
        }
        let request = request(asked);
        let context = route::context(&self.extractor, &request);
        let context = context.map_err(|source| Error::Context {
            prompt: asked.id.clone(),
            source,
        })?;
        for row in &new {
            let tokens = row
                .input_tokens
                .unwrap_or_else(|| route::input_tokens(&request).expected());
            let seed = Seed {
                team: self.team.name.clone(),
                time: self.now,
                source: self.table.name.clone(),
                batch: self.batch,
                prompt: number,
                arm: row.arm.clone(),
                task: asked.task.clone(),
                feature_set: self.feature_set.clone(),
                context: context.to_vec(),
                signals: row.signals.clone(),
                cost_usd: row.cost_usd,
                reference_cost_usd: self.reference_cost_usd(&row.arm, tokens),
                latency_ms: row.latency_ms,
                weight: self.weight,
            };
            store.append(&Record::Seed(Box::new(seed)))?;
        }
        Ok((new.len(), rows.len() - new.len()))
    }

    /// As `route` has it; nothing where the arm could not take the prompt.
    fn reference_cost_usd(&self, arm: &Name, input_tokens: u32) -> Option<f64> {
        let need = Need {
            allowed: std::slice::from_ref(arm),
            input: InputTokens::counted(input_tokens),
            ..Need::under(&self.team.data_policy)
        };
        let eligible = self.params.catalogue.eligible(&need, self.now);
        eligible.arms.first().map(|arm| arm.reference_cost_usd)
    }
}

/// The prompt as an agent would send it.
fn request(prompt: &Prompt) -> route::Request {
    let text = prompt.text.iter().filter(|text| !text.is_empty());
    let message = |text: &String| Message {
        role: Role::User,
        content: vec![ContentPart::Text(text.clone())],
        tool_calls: Vec::new(),
        tool_call_id: None,
    };
    route::Request {
        task: prompt.task.clone(),
        episode: None,
        session: None,
        tags: Vec::new(),
        messages: text.map(message).collect(),
        tools: Vec::new(),
        response_format: ResponseFormat::Text,
        embedding: None,
        input_tokens: None,
        max_output_tokens: None,
        generation: Generation::default(),
        constraints: route::Constraints::default(),
        request: None,
        explore: true,
        streaming: false,
    }
}
