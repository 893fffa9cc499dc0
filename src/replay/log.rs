//! Traffic gathered for judging: its draws, and the outcomes that hang on them.
//!
//! Invariants: a decision that inherited its arm adds no draw; its outcome hangs on the draw it came
//! from, so it repeats that draw's weight and never adds one. Deterministic draws, and what inherits
//! from them, are left out and counted. So are decisions of episodes that were held out: a policy is judged
//! within the router's cell.
//!
//! Memory: about 4 d + 60 K bytes a draw (d coordinates, K arms); signal predictions are let go.
//!
//! Source: SCIENCE 2.3 (unit of randomisation).

use super::error::Error;
use super::wanted::Wanted;
use super::{Progress, Row, Watch};
use crate::decision::{Cell, Drawn, Origin};
use crate::id::{DecisionId, Name};
use crate::ope::fold;
use crate::table;
use std::collections::BTreeMap;

/// Rows between two tellings of progress.
const TELL_EVERY: usize = 1024;

/// One draw.
#[derive(Debug)]
pub(super) struct Draw {
    /// Its episode, from 0.
    pub(super) episode: usize,
    /// The episode's fold.
    pub(super) fold: usize,
    /// The log's numbers of the eligible arms.
    pub(super) arms: Vec<usize>,
    pub(super) drawn: Drawn,
    pub(super) policy: String,
    /// Statistics are kept apart by feature set; without a context there is the constant alone.
    pub(super) feature_set: Option<Name>,
    pub(super) context: Vec<f32>,
    pub(super) task: Option<Name>,
}

/// An outcome.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    /// The draw it hangs on.
    pub(super) draw: usize,
    pub(super) utility: f64,
    /// Number of each other measure that is known, and its value.
    told: Vec<(usize, f64)>,
}

/// What every outcome may have besides utility (number 0), by number; signals follow.
const MEASURES: [&str; 4] = ["utility", "quality", "cost_usd", "latency_ms"];

/// Signals at most: what is reported beyond them is passed over.
const MOST_MEASURES: usize = 32;

impl Outcome {
    /// The value of a measure, where it is known.
    pub(super) fn value(&self, measure: usize) -> Option<f64> {
        if measure == 0 {
            return Some(self.utility);
        }
        let told = self.told.iter().find(|(number, _)| *number == measure);
        told.map(|(_, value)| *value)
    }
}

/// All that is judged by.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The arms met, by number.
    pub(super) arms: Vec<Name>,
    pub(super) draws: Vec<Draw>,
    /// The draws of each episode, in their order.
    pub(super) episodes: Vec<Vec<usize>>,
    pub(super) outcomes: Vec<Outcome>,
    /// Names of the measures, by number.
    pub(super) measures: Vec<String>,
    pub(super) rows: usize,
    pub(super) deterministic: usize,
    pub(super) unobserved: usize,
    /// Unobserved decisions by the signal that they want.
    pub(super) wanted: BTreeMap<Name, usize>,
    pub(super) orphaned: usize,
    pub(super) held_out: usize,
    /// Episode, and utility, of those held out that chance had a part in.
    pub(super) holdout: Vec<(usize, f64)>,
}

/// What a decision's arm came from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Draw(usize),
    Certain,
}

/// Names met so far.
#[derive(Debug, Default)]
struct Known {
    team: Option<Name>,
    arms: BTreeMap<Name, usize>,
    episodes: BTreeMap<Name, usize>,
    held_out: BTreeMap<Name, usize>,
    /// Episodes held out, those without a name too.
    held: usize,
    sources: BTreeMap<DecisionId, Source>,
}

impl Log {
    /// The signals whose absence leaves decisions out, most wanted first.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        let counted = |(signal, decisions): (&Name, &usize)| Wanted {
            signal: signal.clone(),
            decisions: *decisions,
        };
        let mut wanted: Vec<Wanted> = self.wanted.iter().map(counted).collect();
        wanted.sort_by_key(|wanted| std::cmp::Reverse(wanted.decisions));
        wanted
    }

    /// The signals that were seen.
    pub(super) fn signals(&self) -> &[String] {
        self.measures.get(MEASURES.len()..).unwrap_or_default()
    }

    /// Outcomes of each episode.
    pub(super) fn by_episode(&self) -> Vec<Vec<&Outcome>> {
        let mut episodes = vec![Vec::new(); self.episodes.len()];
        for outcome in &self.outcomes {
            let draw = self.draws.get(outcome.draw);
            if let Some(own) = draw.and_then(|draw| episodes.get_mut(draw.episode)) {
                own.push(outcome);
            }
        }
        episodes
    }

    /// Episodes in the order in which they began, each with those that were over when it did and not before the one
    /// before it: what may be known of others when an episode begins.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (usize, Vec<usize>)> + '_ {
        let last = |episode: usize| self.episodes.get(episode).and_then(|draws| draws.last());
        let mut ended: Vec<usize> = (0..self.episodes.len()).collect();
        ended.sort_by_key(|episode| last(*episode));
        let mut ended = ended.into_iter().peekable();
        let episodes = self.episodes.iter().enumerate();
        episodes.map(move |(number, draws)| {
            let mut over = Vec::new();
            while let Some(episode) = ended.next_if(|episode| last(*episode) < draws.first()) {
                over.push(episode);
            }
            (number, over)
        })
    }

    /// Reads all rows.
    pub(super) fn gather(
        rows: impl Iterator<Item = Result<Row, table::Error>>,
        total: Option<usize>,
        watch: &Watch<'_>,
    ) -> Result<Self, Error> {
        let mut log = Self {
            measures: MEASURES.map(str::to_owned).to_vec(),
            ..Self::default()
        };
        let mut known = Known::default();
        for row in rows {
            log.add(row?, &mut known)?;
            let done = log.rows;
            if done.is_multiple_of(TELL_EVERY) && watch(Progress { done, total }).is_break() {
                return Err(Error::Stopped);
            }
        }
        Ok(log)
    }

    fn add(&mut self, mut row: Row, known: &mut Known) -> Result<(), Error> {
        let first = known.team.get_or_insert_with(|| row.team.clone());
        if *first != row.team {
            return Err(Error::Teams {
                first: first.clone(),
                second: row.team,
            });
        }
        self.rows += 1;
        let (id, utility) = (row.id, row.utility);
        if row.cell == Cell::Holdout {
            known.sources.insert(id, Source::Certain);
            self.hold_out(row, known);
            return Ok(());
        }
        let wanted = std::mem::take(&mut row.wanted);
        let told = if utility.is_some() {
            self.told(&row)
        } else {
            Vec::new()
        };
        let source = if row.deterministic() {
            Some(Source::Certain)
        } else if row.is_draw() {
            Some(Source::Draw(self.draw(row, known)))
        } else {
            row.earlier().and_then(|id| known.sources.get(&id).copied())
        };
        match (source, utility) {
            (None, _) => self.orphaned += 1,
            (Some(Source::Certain), _) => self.deterministic += 1,
            (Some(Source::Draw(_)), None) => {
                self.unobserved += 1;
                for signal in wanted {
                    *self.wanted.entry(signal).or_default() += 1;
                }
            }
            (Some(Source::Draw(draw)), Some(utility)) => {
                self.outcomes.push(Outcome {
                    draw,
                    utility,
                    told,
                });
            }
        }
        if let Some(source) = source {
            known.sources.insert(id, source);
        }
        Ok(())
    }

    /// The measures of a row, but for utility.
    fn told(&mut self, row: &Row) -> Vec<(usize, f64)> {
        let own = [row.quality, row.cost_usd, row.latency_ms].into_iter();
        let own = own.enumerate().filter_map(|(i, v)| Some((i + 1, v?)));
        let mut told: Vec<(usize, f64)> = own.collect();
        for (signal, value) in &row.outcomes {
            let name = signal.as_str();
            let signals = self.measures.iter().skip(MEASURES.len());
            let known = signals.into_iter().position(|measure| measure == name);
            let number = MEASURES.len() + known.unwrap_or(self.measures.len() - MEASURES.len());
            if number == MOST_MEASURES {
                continue;
            }
            if known.is_none() {
                self.measures.push(name.to_owned());
            }
            told.push((number, *value));
        }
        told
    }

    /// Takes in a decision that was held out.
    fn hold_out(&mut self, row: Row, known: &mut Known) {
        self.held_out += 1;
        let by_chance = !matches!(row.origin, Origin::NoExplore | Origin::Pinned);
        let Some(utility) = row.utility.filter(|_| by_chance) else {
            return;
        };
        let next = known.held;
        let episode = match row.episode {
            Some(name) => *known.held_out.entry(name).or_insert(next),
            None => next,
        };
        known.held += usize::from(episode == next);
        self.holdout.push((episode, utility));
    }

    /// Adds a draw; gives its number.
    fn draw(&mut self, row: Row, known: &mut Known) -> usize {
        let index = self.draws.len();
        let (episode, fold) = match row.episode {
            Some(name) => {
                let fold = fold(name.as_str());
                let next = self.episodes.len();
                (*known.episodes.entry(name).or_insert(next), fold)
            }
            // Without an episode a decision is its own.
            None => (self.episodes.len(), fold(&row.id.to_string())),
        };
        if episode == self.episodes.len() {
            self.episodes.push(Vec::new());
        }
        if let Some(draws) = self.episodes.get_mut(episode) {
            draws.push(index);
        }
        let mut number = |arm: &Name| {
            let next = self.arms.len();
            let number = *known.arms.entry(arm.clone()).or_insert(next);
            if number == next {
                self.arms.push(arm.clone());
            }
            number
        };
        let mut drawn = row.drawn;
        let arms = drawn.arms.iter().map(&mut number).collect();
        drawn.signals = Vec::new();
        drawn.signal_mean = Vec::new();
        drawn.signal_sd = Vec::new();
        self.draws.push(Draw {
            episode,
            fold,
            arms,
            drawn,
            policy: row.policy,
            feature_set: row.context.is_some().then_some(row.feature_set),
            context: row.context.unwrap_or_else(|| vec![1.0]),
            task: row.task,
        });
        index
    }
}
