//! `LiteLLM`'s log of requests with what came of them, as logged bandit feedback.
//!
//! Invariants: a row is a request that succeeded, was not answered from a cache, was of the group and of a model with
//! a weight, and has an outcome; all others are counted, each for the first of these reasons. A request is written
//! once. Its probability is its model's weight over the sum of all.
//!
//! Lost: which deployments were cooling down when a request came (the draw was then among the others), retries and
//! fallbacks (the model that answered stands in the log, not the one that was drawn first). `estimate` tests whether
//! models were drawn as often as the weights say.
//!
//! Source: `LiteLLM`'s `simple-shuffle`, which draws by `weight`, or by `rpm` or `tpm` where these are set.

use super::feedback::{Family, Feedback};
use super::fields::Fields;
use super::parquet::ready;
use super::sheet::{Allowed, Sheet};
use super::spend_log::SpendLog;
use super::summary::{ArmRows, Imported, Tally};
use super::weights::Weights;
use crate::table::Error;
use polars::prelude::Column;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// How a log and its outcomes are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Spend {
    /// Where the log's fields are.
    pub fields: Fields,
    /// The weights that models were drawn by. Absent: refused, with what to do.
    pub weights: Option<Weights>,
    /// The model group that the weights are of; needed where requests of several have a model with a weight.
    pub group: Option<String>,
    /// A request's tag is its first that begins so.
    pub tag: String,
    /// The file of outcomes.
    pub outcomes: PathBuf,
    /// Its column of the request's id.
    pub outcome_id: String,
    /// Its column of the score.
    pub score: String,
    /// Whether scores are from 0 to 100.
    pub percent: bool,
}

/// Requests on their way out.
#[derive(Default)]
struct Draws {
    ids: Vec<String>,
    actions: Vec<usize>,
    rewards: Vec<f64>,
    costs: Vec<Option<f64>>,
    latencies: Vec<Option<f64>>,
    input_tokens: Vec<Option<f64>>,
    output_tokens: Vec<Option<f64>>,
    tags: Vec<String>,
    sessions: Vec<Option<String>>,
    /// Ids of all rows of the log.
    known: HashSet<String>,
    /// Ids of the rows that are written.
    written: HashSet<String>,
    groups: BTreeSet<String>,
    /// Requests of models without a weight.
    others: BTreeMap<String, usize>,
    drawn: Vec<usize>,
    left_out: Tally,
    read: usize,
}

impl Spend {
    /// Reads logs and outcomes and writes them as one log.
    pub fn import(&self, files: &[PathBuf], out: &Path) -> Result<Imported, Error> {
        let mut read = files.to_vec();
        read.push(self.outcomes.clone());
        ready(&read, out)?;
        let first = files.first().map_or(out, PathBuf::as_path);
        let weights = self.weights.as_ref().ok_or_else(|| Error::NoWeights {
            file: first.to_owned(),
        })?;
        let scores = self.scores()?;
        let pmf = weights.pmf();
        let mut draws = Draws {
            drawn: vec![0; pmf.len()],
            ..Draws::default()
        };
        for file in files {
            let log = SpendLog::read(file, &self.fields, &self.tag)?;
            for row in 0..log.id.len() {
                self.take(&mut draws, &log, row, (weights, &scores))?;
            }
        }
        if draws.groups.len() > 1 {
            return Err(Error::Groups {
                file: first.to_owned(),
                groups: draws.groups.into_iter().collect(),
            });
        }
        let rows = draws.actions.len();
        draws.left_out.some_left(rows, draws.read, first)?;
        let probability = |arm: &usize| pmf.get(*arm).copied().unwrap_or(0.0);
        let feedback = Feedback {
            propensities: draws.actions.iter().map(probability).collect(),
            pmf: Some(Family::same(pmf.clone(), rows)),
            target: None,
            beside: draws.beside(weights),
            actions: draws.actions.clone(),
            rewards: draws.rewards.clone(),
        };
        feedback.write(out)?;
        Ok(draws.told(weights, &scores, out))
    }

    /// The score of each request, where there is one.
    fn scores(&self) -> Result<BTreeMap<String, Option<f64>>, Error> {
        let sheet = Sheet::read(&self.outcomes)?;
        if !sheet.has(&self.outcome_id) {
            return Err(sheet.missing(&self.outcome_id, "the request's id, as the log has it"));
        }
        let (allowed, scale) = Allowed::score(self.percent);
        if !sheet.has(&self.score) {
            return Err(sheet.missing(&self.score, allowed.expected));
        }
        let scores = sheet.numbers(&self.score, allowed)?;
        let ids = sheet.whole_texts(&self.outcome_id)?;
        let mut found = BTreeMap::new();
        for (row, (id, score)) in ids.into_iter().zip(scores).enumerate() {
            let score = score.map(|score| score / scale);
            if found.insert(id.clone(), score).is_some() {
                return Err(Error::Repeated {
                    file: self.outcomes.clone(),
                    row: row + 1,
                    column: self.outcome_id.clone(),
                    found: id,
                });
            }
        }
        Ok(found)
    }

    /// Takes a request of the log in, or counts why not.
    fn take(
        &self,
        draws: &mut Draws,
        log: &SpendLog,
        row: usize,
        (weights, scores): (&Weights, &BTreeMap<String, Option<f64>>),
    ) -> Result<(), Error> {
        draws.read += 1;
        let id = text(&log.id, row);
        draws.known.extend(id.clone());
        if let Some(why) = self.why_not(log, row) {
            draws.left_out.add(why);
            return Ok(());
        }
        let model = text(&log.model, row).unwrap_or_default();
        let Some(arm) = weights.number(&model) else {
            draws.left_out.add("of a model without a weight");
            *draws.others.entry(model).or_default() += 1;
            return Ok(());
        };
        draws.groups.extend(text(&log.group, row));
        if let Some(drawn) = draws.drawn.get_mut(arm) {
            *drawn += 1;
        }
        let scored = id.and_then(|id| {
            let score = scores.get(&id).copied().flatten()?;
            Some((id, score))
        });
        match scored {
            Some((id, score)) => draws.push(log, row, (id, arm, score)),
            None => {
                draws.left_out.add("without an outcome");
                Ok(())
            }
        }
    }

    /// Why a request is not looked at.
    fn why_not(&self, log: &SpendLog, row: usize) -> Option<&'static str> {
        let flag = |column: &[bool]| column.get(row).copied().unwrap_or(false);
        let group = text(&log.group, row);
        let other = self.group.is_some() && self.group != group;
        match (flag(&log.failed), flag(&log.cached), other) {
            (true, _, _) => Some("failed"),
            (_, true, _) => Some("answered from the gateway's cache"),
            (_, _, true) => Some("of another model group"),
            (false, false, false) => None,
        }
    }
}

/// A cell of a column of texts.
fn text(column: &[Option<String>], row: usize) -> Option<String> {
    column.get(row).cloned().flatten()
}

impl Draws {
    /// Takes a request in.
    fn push(
        &mut self,
        log: &SpendLog,
        row: usize,
        (id, arm, score): (String, usize, f64),
    ) -> Result<(), Error> {
        let number = |column: &[Option<f64>]| column.get(row).copied().flatten();
        if !self.written.insert(id.clone()) {
            return Err(Error::Repeated {
                file: log.file.clone(),
                row: row + 1,
                column: log.id_column.clone(),
                found: id,
            });
        }
        self.ids.push(id);
        self.actions.push(arm);
        self.rewards.push(score);
        self.costs.push(number(&log.cost_usd));
        self.latencies.push(number(&log.latency_ms));
        self.input_tokens.push(number(&log.input_tokens));
        self.output_tokens.push(number(&log.output_tokens));
        self.tags
            .push(log.tag.get(row).cloned().unwrap_or_default());
        self.sessions.push(text(&log.session, row));
        Ok(())
    }

    /// The columns that stand beside.
    fn beside(&self, weights: &Weights) -> Vec<Column> {
        let models: Vec<&str> = weights.models().collect();
        let model = |arm: &usize| models.get(*arm).copied();
        let models: Vec<Option<&str>> = self.actions.iter().map(model).collect();
        let tokens = |column: &[Option<f64>]| {
            let whole = column
                .iter()
                .map(|tokens| tokens.map(|tokens| tokens as i64));
            whole.collect::<Vec<Option<i64>>>()
        };
        let sessions: Vec<Option<&str>> = self.sessions.iter().map(Option::as_deref).collect();
        let tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        let ids: Vec<&str> = self.ids.iter().map(String::as_str).collect();
        vec![
            Column::new("request_id".into(), ids),
            Column::new("model".into(), models),
            Column::new("tag".into(), tags),
            Column::new("session".into(), sessions),
            Column::new("cost_usd".into(), self.costs.as_slice()),
            Column::new("latency_ms".into(), self.latencies.as_slice()),
            Column::new("input_tokens".into(), tokens(&self.input_tokens)),
            Column::new("output_tokens".into(), tokens(&self.output_tokens)),
        ]
    }

    /// What a reader has to know.
    fn notes(&self, arms: &[ArmRows], scores: &BTreeMap<String, Option<f64>>) -> Vec<String> {
        let mut notes = vec![
            "probabilities are the weights, as if every model could be drawn every time: cool-downs, retries and \
             fallbacks are not in the log; estimate tests the shares"
                .to_owned(),
        ];
        if self.left_out.0.iter().any(|left| left.why == "failed") {
            notes.push(
                "failed requests are left out: a model that fails often looks better than it is"
                    .to_owned(),
            );
        }
        if arms.iter().any(|arm| arm.drawn != Some(arm.rows)) {
            notes.push(
                "requests without an outcome are left out: if outcomes are missing for the bad ones of a model, it \
                 looks better than it is"
                    .to_owned(),
            );
        }
        if !self.others.is_empty() {
            let mut others: Vec<(&String, &usize)> = self.others.iter().collect();
            others.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
            let named = others
                .iter()
                .take(5)
                .map(|(model, rows)| format!("{model} ({rows})"));
            let named: Vec<String> = named.collect();
            notes.push(format!(
                "models without a weight, the most frequent: {}",
                named.join(", ")
            ));
        }
        let strange = scores.keys().filter(|id| !self.known.contains(*id)).count();
        if strange > 0 {
            notes.push(format!(
                "outcomes that are of no request of the log: {strange}"
            ));
        }
        notes
    }

    /// What was done.
    fn told(
        self,
        weights: &Weights,
        scores: &BTreeMap<String, Option<f64>>,
        out: &Path,
    ) -> Imported {
        let mut written = vec![0; self.drawn.len()];
        for arm in &self.actions {
            if let Some(rows) = written.get_mut(*arm) {
                *rows += 1;
            }
        }
        let arms = weights.models().zip(weights.pmf()).enumerate();
        let arms = arms.map(|(number, (name, probability))| ArmRows {
            name: name.to_owned(),
            number: Some(number),
            probability: Some(probability),
            drawn: self.drawn.get(number).copied(),
            rows: written.get(number).copied().unwrap_or(0),
        });
        let arms: Vec<ArmRows> = arms.collect();
        let notes = self.notes(&arms, scores);
        let slice = "--columns slice=tag";
        Imported {
            format: "litellm",
            to: out.to_owned(),
            holds: "bandit_feedback",
            rows_read: self.read,
            outcomes: self.read,
            rows_written: self.actions.len(),
            left_out: self.left_out.0,
            arms,
            notes,
            next: format!(
                "bellwether estimate --log {} --target arm:0 {slice}",
                out.display()
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{LITELLM, LoggedColumns, LoggedReader};

    const LOG: &str = "request_id,model,model_group,startTime,endTime,spend,status,request_tags,cache_hit\n\
        r1,gpt-4o,chat,2026-05-01T12:00:00Z,2026-05-01T12:00:01Z,0.5,success,\"[\"\"fix\"\"]\",False\n\
        r2,haiku,chat,2026-05-01T12:00:00Z,2026-05-01T12:00:00.5Z,0.25,success,\"[\"\"ask\"\"]\",False\n\
        r3,haiku,chat,,,0,failure,[],False\n\
        r4,haiku,chat,,,0,success,[],True\n\
        r5,o3,chat,,,0,success,[],False\n\
        r6,gpt-4o,chat,,,0,success,[],False\n";

    const SCORES: &str = "request_id,passed\nr1,true\nr2,0.25\nr3,1\nr4,1\nr5,1\nr9,1\n";

    fn how() -> Spend {
        Spend {
            fields: Fields::parse("", LITELLM).unwrap(),
            weights: Some(Weights::parse("gpt-4o=0.7,haiku=0.3").unwrap()),
            group: None,
            tag: String::new(),
            outcomes: PathBuf::new(),
            outcome_id: "request_id".to_owned(),
            score: "passed".to_owned(),
            percent: false,
        }
    }

    fn import(
        how: &Spend,
        log: &str,
        scores: &str,
    ) -> Result<(Imported, LoggedReader, tempfile::TempDir), Error> {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::write(path("log.csv"), log).unwrap();
        std::fs::write(path("scores.csv"), scores).unwrap();
        let mut how = how.clone();
        how.outcomes = path("scores.csv");
        let out = path("out.parquet");
        let done = how.import(&[path("log.csv")], &out)?;
        let columns = LoggedColumns::parse("slice=tag").unwrap();
        let reader = LoggedReader::open(&[out], &columns, false).unwrap();
        Ok((done, reader, dir))
    }

    #[test]
    fn draws_carry_their_weights_and_all_others_are_counted() {
        let (done, mut reader, _dir) = import(&how(), LOG, SCORES).unwrap();
        let left: Vec<_> = done
            .left_out
            .iter()
            .map(|l| (l.rows, l.why.as_str()))
            .collect();
        let expected = [
            (1, "failed"),
            (1, "answered from the gateway's cache"),
            (1, "of a model without a weight"),
            (1, "without an outcome"),
        ];
        assert_eq!(left, expected);
        assert_eq!((done.rows_read, done.rows_written), (6, 2));
        let arms: Vec<_> = done
            .arms
            .iter()
            .map(|a| (a.number, a.drawn, a.rows))
            .collect();
        assert_eq!(arms, [(Some(0), Some(2), 1), (Some(1), Some(1), 1)]);
        let notes = done.notes.join("\n");
        assert!(
            notes.contains("o3 (1)") && notes.contains("of no request of the log: 1"),
            "{notes}"
        );
        let batch = reader.batch().unwrap().unwrap();
        assert_eq!(
            (batch.chosen, batch.slices),
            (vec![0, 1], vec!["fix".to_owned(), "ask".to_owned()])
        );
        assert_eq!(batch.reward.all(), [1.0, 0.25]);
        assert_eq!(batch.propensity.all(), [0.7, 0.3]);
        assert_eq!(
            (batch.pmf[0].all(), batch.pmf[1].all()),
            (&[0.7, 0.7][..], &[0.3, 0.3][..])
        );
    }

    #[test]
    fn what_cannot_be_judged_is_refused_with_what_to_do() {
        let check = |how: &Spend, log: &str, scores: &str, expected: &str| {
            let found = import(how, log, scores).map(|(done, ..)| done);
            let found = found.unwrap_err().to_string();
            assert!(found.contains(expected), "{found}");
        };
        let none = Spend {
            weights: None,
            ..how()
        };
        check(
            &none,
            LOG,
            SCORES,
            "a log without probabilities cannot judge another policy",
        );
        let two = LOG.replacen("r2,haiku,chat", "r2,haiku,code", 1);
        check(
            &how(),
            &two,
            SCORES,
            "requests of several model groups (chat, code)",
        );
        let one = Spend {
            group: Some("chat".to_owned()),
            ..how()
        };
        let (done, ..) = import(&one, &two, SCORES).unwrap();
        assert_eq!(
            (done.rows_written, done.left_out[0].why.as_str()),
            (1, "of another model group")
        );
        check(
            &how(),
            &LOG.replacen("r2,", "r1,", 1),
            SCORES,
            "log.csv: row 2, column request_id repeats r1: allowed once",
        );
        check(
            &how(),
            LOG,
            &SCORES.replacen("r2", "r1", 1),
            "scores.csv: row 2, column request_id repeats r1: allowed once",
        );
        check(
            &how(),
            LOG,
            &SCORES.replacen("0.25", "25", 1),
            "scores.csv: row 2, column passed is 25: expected a number from 0 to 1",
        );
        check(
            &how(),
            LOG,
            "request_id,passed\nr7,1\n",
            "nothing is left of 6 rows to write: 3 without an outcome, 1 failed, \
             1 answered from the gateway's cache, 1 of a model without a weight",
        );
        check(
            &how(),
            LOG,
            "id,passed\n1,1\n",
            "column request_id is missing",
        );
        check(
            &how(),
            LOG,
            "request_id,ok\n1,1\n",
            "column passed is missing",
        );
    }
}
