//! From published rates to rows in the journal: what an arm is expected to do before the team has seen it.
//!
//! An arm's rates become rows at the neutral context, in which only the bias is not zero: whatever the request,
//! the arm is expected to be so good, and nothing is said of what sets requests apart. Together they weigh
//! as much as N outcomes, N the pseudo-count or the published number of trials, whichever is less. They are
//! split over true and false so that their weighted mean is the published rate; rates of several signals
//! are taken as independent, since the file says nothing of how they go together: each combination of
//! answers weighs the product of its shares.
//!
//! What the regression makes of them (the rows are ordinary ones, `learn::seed`): the arm's bias moves, its
//! other weights do not, and neither does their doubt. The spread of trues and falses, p (1 - p), is that of
//! real outcomes, and they are mixed evenly, so that the estimate of noise is told what it would be told by
//! N outcomes. The arms' common prior counts them as rows of the arm: its mean goes to the mean of the
//! rates, and how far rates differ says how far arms differ in their bias; of other coordinates nothing is
//! determined, so that its first guess stands there. No pull is counted, no outcome, and no time passes.
//! Where an arm does otherwise for the team than was published, its own outcomes outweigh the rates after
//! some N of them, or sooner, where the watch for changes raises an alarm.
//!
//! Invariants: one arm of one team is taught published rates once: the same again adds what is missing of
//! them, others are not added to the first. Everything is checked before anything is written.
//!
//! Not here: costs and latencies. Published ones are those of other prompts and prices; the catalogue's
//! prices stand until the team's own attempts say more.
//!
//! Source: SCIENCE 2.5 (pseudo-counts), 2.9.

use super::error::Error;
use super::prior_done::{PriorDone, RatesDone};
use super::rates::{self, Parted, Rated, Rates};
use super::run::{BATCH, find_team, settle};
use crate::clock::Clock;
use crate::config;
use crate::feature::{DIM, Extractor};
use crate::id::Name;
use crate::server;
use crate::signal::Value;
use crate::store::{Record, Seed, Store};
use crate::table::Published;
use crate::unit::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_128;

/// Most signals whose rates are taught at once: there are two to that many combinations of answers.
const SIGNALS: usize = 6;

/// Teaches published rates. The store must be free.
pub async fn teach_rates(
    params: &config::Params,
    clock: &dyn Clock,
    options: &Rates,
) -> Result<RatesDone, Error> {
    let team = find_team(params, &options.team)?;
    let signals = rates::signals(team, &options.signals)?;
    check(options, signals.len())?;
    let mut layout = options.layout.clone();
    layout.rates = signals.iter().map(|(column, _)| column.clone()).collect();
    let published = Published::read(&options.file, &layout)?;
    let parted = rates::part(params, published, &options.arms)?;
    let teacher = Teacher::new(team, signals, options, clock.now())?;
    let mut opened = server::open(params, clock)?;
    if opened.store.control(&team.name).frozen {
        let team = team.name.clone();
        return Err(Error::Frozen { team });
    }
    let earlier = earlier(&opened.store, &team.name)?;
    let mut arms = Vec::with_capacity(parted.rated.len());
    for rated in &parted.rated {
        arms.push(teacher.teach(&opened.store, rated, earlier.get(&rated.arm))?);
    }
    settle(&mut opened).await?;
    Ok(teacher.done(params, &parted, arms))
}

fn check(options: &Rates, signals: usize) -> Result<(), Error> {
    let out = |field, value, allowed| {
        Err(Error::Range {
            field,
            value,
            allowed,
        })
    };
    match options.pseudo_count {
        1..=1000 if signals <= SIGNALS => Ok(()),
        1..=1000 => out("the number of --signal", signals as f64, "1 to 6"),
        count => out("--pseudo-count", f64::from(count), "1 to 1000"),
    }
}

/// Published rates that an arm was taught: the numbers of their rows by batch, and the source.
#[derive(Debug)]
struct Earlier {
    batch: u128,
    source: String,
    rows: BTreeSet<u32>,
}

/// Those that the journal has of a team.
fn earlier(store: &Store, team: &Name) -> Result<BTreeMap<Name, Earlier>, Error> {
    let (mut reader, mut read) = (store.reader(1), Vec::with_capacity(BATCH));
    let mut found = BTreeMap::<Name, Earlier>::new();
    while reader.read(BATCH, &mut read)? > 0 {
        for (_, record) in read.drain(..) {
            let Record::Seed(seed) = record else { continue };
            if seed.team != *team || !is_rate(&seed) {
                continue;
            }
            let arm = found.entry(seed.arm.clone()).or_insert_with(|| Earlier {
                batch: seed.batch,
                source: seed.source.clone(),
                rows: BTreeSet::new(),
            });
            if arm.batch == seed.batch {
                arm.rows.insert(seed.prompt);
            }
        }
    }
    Ok(found)
}

/// Whether a row is of published rates: of nothing that was asked, and at no cost. A table's row has at least
/// what its arm's prices say.
fn is_rate(seed: &Seed) -> bool {
    let free = seed.cost_usd.is_none() && seed.reference_cost_usd.is_none();
    free && seed.context == neutral()
}

/// The context in which only the bias is not zero.
fn neutral() -> Vec<f32> {
    let mut context = vec![0.0; DIM];
    if let Some(bias) = context.last_mut() {
        *bias = 1.0;
    }
    context
}

/// A row to be: the answers of the signals whose rate is known, and its weight.
#[derive(Debug, Clone, PartialEq)]
struct Answers {
    values: Vec<Option<bool>>,
    weight: f64,
}

/// Rows that weigh `count` together and have `rates` in the mean, no row more than 1, mixed evenly.
fn rows(rates: &[Option<f64>], count: f64) -> Vec<Answers> {
    let mut cells = vec![(Vec::new(), count)];
    for rate in rates {
        let answers = match rate {
            None => vec![(None, 1.0)],
            Some(rate) => vec![(Some(true), *rate), (Some(false), 1.0 - rate)],
        };
        let split = cells.into_iter().flat_map(|(values, weight)| {
            let with = |(answer, share): &(Option<bool>, f64)| {
                let values = [values.as_slice(), &[*answer]].concat();
                (values, weight * share)
            };
            answers.iter().map(with).collect::<Vec<_>>()
        });
        cells = split.filter(|(_, weight)| *weight > 0.0).collect();
    }
    let mut placed = Vec::new();
    for (values, weight) in cells {
        let parts = weight.ceil().max(1.0);
        for part in 0..parts as usize {
            let weight = weight / parts;
            let values = values.clone();
            placed.push(((part as f64 + 0.5) / parts, Answers { values, weight }));
        }
    }
    placed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    placed.into_iter().map(|(_, row)| row).collect()
}

/// Who makes the records.
struct Teacher<'a> {
    team: &'a config::Team,
    /// Columns, and the numbers of their signals.
    signals: Vec<(String, usize)>,
    source: String,
    feature_set: Name,
    pseudo_count: u32,
    now: Timestamp,
}

impl<'a> Teacher<'a> {
    fn new(
        team: &'a config::Team,
        signals: Vec<(String, usize)>,
        options: &Rates,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let extractor = match team.embedding_length {
            Some(length) => Extractor::client(length as usize)?,
            None => Extractor::shipped()?,
        };
        let source = options.file.file_stem().map(|stem| stem.to_string_lossy());
        Ok(Self {
            team,
            signals,
            source: source.unwrap_or_default().into_owned(),
            feature_set: Name::new(extractor.feature_set())?,
            pseudo_count: options.pseudo_count,
            now,
        })
    }

    fn names(&self) -> Vec<(String, Name)> {
        let specs = self.team.scorecard.signals();
        let named = self.signals.iter();
        let named =
            named.filter_map(|(column, at)| Some((column.clone(), specs.get(*at)?.name.clone())));
        named.collect()
    }

    /// Writes what the journal lacks of an arm's rates, unless others were taught before.
    fn teach(
        &self,
        store: &Store,
        rated: &Rated,
        earlier: Option<&Earlier>,
    ) -> Result<PriorDone, Error> {
        let published = &rated.published;
        let count = published.trials.unwrap_or(f64::INFINITY);
        let count = count.min(f64::from(self.pseudo_count));
        let signals = self.names();
        let body = (
            "published",
            &self.team.name,
            &self.feature_set,
            &rated.arm,
            signals.iter().map(|(_, name)| name).collect::<Vec<_>>(),
            &published.rates,
            count,
        );
        let body = postcard::to_allocvec(&body).map_err(|error| Error::Hash(error.to_string()))?;
        let batch = xxh3_128(&body);
        let mut done = PriorDone {
            arm: rated.arm.clone(),
            model: published.model.clone(),
            row: published.row,
            trials: published.trials,
            weight: count,
            rates: published.rates.clone(),
            rows: 0,
            known: 0,
            taught_before: None,
        };
        if let Some(other) = earlier.filter(|earlier| earlier.batch != batch) {
            done.taught_before = Some(other.source.clone());
            done.weight = 0.0;
            return Ok(done);
        }
        for (number, answers) in rows(&published.rates, count).into_iter().enumerate() {
            let prompt = u32::try_from(number).unwrap_or(u32::MAX);
            if earlier.is_some_and(|earlier| earlier.rows.contains(&prompt)) {
                done.known += 1;
                continue;
            }
            let seed = self.record(rated, batch, prompt, &answers);
            store.append(&Record::Seed(Box::new(seed)))?;
            done.rows += 1;
        }
        Ok(done)
    }

    fn record(&self, rated: &Rated, batch: u128, prompt: u32, answers: &Answers) -> Seed {
        let signals = self.names();
        let signals = signals.into_iter().zip(&answers.values);
        let signals = signals.filter_map(|((_, name), value)| Some((name, Value::Flag((*value)?))));
        Seed {
            team: self.team.name.clone(),
            time: self.now,
            source: self.source.clone(),
            batch,
            prompt,
            arm: rated.arm.clone(),
            task: None,
            feature_set: self.feature_set.clone(),
            context: neutral(),
            signals: signals.collect(),
            cost_usd: None,
            reference_cost_usd: None,
            latency_ms: None,
            weight: answers.weight,
        }
    }

    fn done(&self, params: &config::Params, parted: &Parted, arms: Vec<PriorDone>) -> RatesDone {
        let lacks = |arm: &Name| arms.iter().all(|done| done.arm != *arm);
        let catalogue = params.catalogue.arms().iter().map(|arm| arm.name.clone());
        RatesDone {
            team: self.team.name.clone(),
            source: self.source.clone(),
            pseudo_count: self.pseudo_count,
            signals: self.names(),
            unrated: catalogue.filter(lacks).collect(),
            skipped: parted.skipped.clone(),
            arms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weight of all rows, and the weighted share of trues of each signal.
    fn sums(rows: &[Answers], signals: usize) -> (f64, Vec<f64>) {
        let weight: f64 = rows.iter().map(|row| row.weight).sum();
        let share = |signal: usize| {
            let trues = rows.iter().filter(|row| row.values[signal] == Some(true));
            trues.map(|row| row.weight).sum::<f64>() / weight
        };
        (weight, (0..signals).map(share).collect())
    }

    #[test]
    fn rows_weigh_the_count_and_have_the_published_mean() {
        let check = |rate: f64, count: f64, most: usize| {
            let rows = rows(&[Some(rate)], count);
            let (weight, shares) = sums(&rows, 1);
            assert!((weight - count).abs() < 1e-12, "{weight}");
            assert!((shares[0] - rate).abs() < 1e-12, "{shares:?}");
            assert!(rows.iter().all(|row| row.weight > 0.0 && row.weight <= 1.0));
            assert!(rows.len() <= most, "{}", rows.len());
        };
        check(0.722, 20.0, 21);
        check(0.5, 1.0, 2);
        check(0.0, 20.0, 20);
        check(1.0, 20.0, 20);
        check(0.0004, 7.5, 9);
    }

    #[test]
    fn signals_are_taken_as_independent_and_what_is_not_published_is_not_said() {
        let rows = rows(&[Some(0.8), None, Some(0.25)], 20.0);
        let (weight, _) = sums(&rows, 0);
        assert!((weight - 20.0).abs() < 1e-12);
        assert!(rows.iter().all(|row| row.values[1].is_none()));
        let both = rows
            .iter()
            .filter(|row| row.values == [Some(true), None, Some(true)]);
        let both: f64 = both.map(|row| row.weight).sum();
        assert!((both - 20.0 * 0.8 * 0.25).abs() < 1e-12, "{both}");
    }

    #[test]
    fn no_half_of_the_rows_is_better_than_the_other() {
        let rows = rows(&[Some(0.5)], 20.0);
        let trues = |rows: &[Answers]| {
            rows.iter()
                .filter(|row| row.values[0] == Some(true))
                .count()
        };
        assert_eq!((trues(&rows[..10]), trues(&rows[10..])), (5, 5));
    }
}
