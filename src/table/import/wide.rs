//! A wide table: a row for each prompt, a column of scores for each model, and perhaps one of costs and one of
//! latencies, called as the model with a suffix.
//!
//! Invariants: a model is a column of scores; a column that is mapped, or has one of the suffixes, or an empty name,
//! is none.
//!
//! Units: cost in USD, latency in milliseconds; scores from 0 to 1, or to 100 where that is said.
//!
//! Source: `RouterBench`'s tables (`sample_id`, `prompt`, `eval_name`, a column a model, `MODEL|total_cost`,
//! `MODEL|model_response`, `oracle_model_to_route_to`).

use super::gathered::Gathered;
use super::parquet::ready;
use super::sheet::{Allowed, Sheet};
use super::summary::Imported;
use crate::id::Name;
use crate::table::{Cell, Error, Prompt};
use std::path::{Path, PathBuf};

/// How wide tables are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Wide {
    /// What the format is called.
    pub format: &'static str,
    /// The column of the prompt's id.
    pub id: String,
    /// The column of its text; absent: `prompt`, if there is such a column.
    pub prompt: Option<String>,
    /// The column of its task; absent: the format's own, if there is such a column.
    pub task: Option<String>,
    /// What the format calls the task.
    pub usual_task: &'static str,
    /// The columns of scores; absent: every column of numbers that is nothing else.
    pub models: Option<Vec<String>>,
    /// What the name of a column of costs has after the model's.
    pub cost_suffix: String,
    /// The same of latencies.
    pub latency_suffix: String,
    /// Whether scores are from 0 to 100.
    pub percent: bool,
    /// Columns that are passed over, by the end of their names.
    pub passed_over: &'static [&'static str],
}

impl Default for Wide {
    fn default() -> Self {
        Self {
            format: "wide",
            id: "prompt_id".to_owned(),
            prompt: None,
            task: None,
            usual_task: "task",
            models: None,
            cost_suffix: "|total_cost".to_owned(),
            latency_suffix: "|latency_ms".to_owned(),
            percent: false,
            passed_over: &[],
        }
    }
}

impl Wide {
    /// With `RouterBench`'s names.
    pub fn routerbench() -> Self {
        Self {
            format: "routerbench",
            id: "sample_id".to_owned(),
            usual_task: "eval_name",
            passed_over: &["|model_response", "oracle_model_to_route_to"],
            ..Self::default()
        }
    }

    /// Reads wide tables and writes them as one outcome table.
    pub fn import(&self, files: &[PathBuf], out: &Path) -> Result<Imported, Error> {
        ready(files, out)?;
        let mut table = Gathered::default();
        for file in files {
            self.take(&Sheet::read(file)?, &mut table)?;
        }
        table.write(self.format, files, out)
    }

    fn take(&self, sheet: &Sheet, table: &mut Gathered) -> Result<(), Error> {
        if !sheet.has(&self.id) {
            return Err(sheet.missing(&self.id, "text or a number, unique for each prompt"));
        }
        let ids = sheet.whole_texts(&self.id)?;
        // A column that was said must be there.
        let column = |said: &Option<String>, name: &str| match said.is_some() || sheet.has(name) {
            true => sheet.texts(name),
            false => Ok(vec![None; sheet.rows]),
        };
        let (prompt, task) = self.labels();
        let (texts, tasks) = (column(&self.prompt, prompt)?, column(&self.task, task)?);
        let models = self.models(sheet)?;
        let prompts = ids.into_iter().zip(texts).zip(tasks);
        for (row, ((id, text), of)) in prompts.enumerate() {
            let name = |text: String| {
                let fault = |_| sheet.fault(row, task, &text, "text of 1 to 128 characters");
                Name::new(&text).map_err(fault)
            };
            let task = of.map(name).transpose()?;
            let prompt = table.prompt(Prompt { id, task, text });
            table.rows_read += 1;
            for model in &models {
                table.add((&sheet.file, row + 1), prompt, &model.name, model.cell(row))?;
            }
        }
        Ok(())
    }

    /// The columns of each model.
    fn models(&self, sheet: &Sheet) -> Result<Vec<Model>, Error> {
        const EXPECTED: &str = "a column of scores for each model";
        let names = match &self.models {
            Some(models) => models.clone(),
            None => {
                let names = sheet.names.iter();
                let names = names.filter(|name| self.may_be_a_model(name));
                let names = names.filter(|name| sheet.is_numeric(name)).cloned();
                names.collect()
            }
        };
        if names.is_empty() {
            return Err(sheet.missing("of scores", EXPECTED));
        }
        if let Some(absent) = names.iter().find(|name| !sheet.has(name)) {
            return Err(sheet.missing(absent, EXPECTED));
        }
        names.iter().map(|name| self.model(sheet, name)).collect()
    }

    /// The columns of text and task.
    fn labels(&self) -> (&str, &str) {
        let prompt = self.prompt.as_deref().unwrap_or("prompt");
        (prompt, self.task.as_deref().unwrap_or(self.usual_task))
    }

    fn may_be_a_model(&self, name: &str) -> bool {
        let (prompt, task) = self.labels();
        let suffixes = [self.cost_suffix.as_str(), self.latency_suffix.as_str()];
        let mut suffixes = suffixes.iter().chain(self.passed_over);
        !name.trim().is_empty()
            && ![self.id.as_str(), prompt, task].contains(&name)
            && !suffixes.any(|suffix| !suffix.is_empty() && name.ends_with(suffix))
    }

    fn model(&self, sheet: &Sheet, column: &str) -> Result<Model, Error> {
        let (allowed, scale) = Allowed::score(self.percent);
        let allowed = Allowed {
            expected: match self.percent {
                true => "a score from 0 to 100 (which columns are models can be said)",
                false => "a score from 0 to 1 (to 100 and which columns are models can be said)",
            },
            ..allowed
        };
        let beside = |suffix: &str| {
            let name = format!("{column}{suffix}");
            match !suffix.is_empty() && sheet.has(&name) {
                true => sheet.numbers(&name, Allowed::AMOUNT),
                false => Ok(Vec::new()),
            }
        };
        let mut scores = sheet.numbers(column, allowed)?;
        scores
            .iter_mut()
            .flatten()
            .for_each(|score| *score /= scale);
        Ok(Model {
            name: Name::new(column).map_err(|_| Error::ColumnType {
                file: sheet.file.clone(),
                column: column.to_owned(),
                found: "no name of an arm".to_owned(),
                expected: "text of 1 to 128 characters",
            })?,
            scores,
            costs: beside(&self.cost_suffix)?,
            latencies: beside(&self.latency_suffix)?,
        })
    }
}

/// The columns of one model.
struct Model {
    name: Name,
    scores: Vec<Option<f64>>,
    /// Empty where the file has none.
    costs: Vec<Option<f64>>,
    latencies: Vec<Option<f64>>,
}

impl Model {
    fn cell(&self, row: usize) -> Option<Cell> {
        let of = |column: &[Option<f64>]| column.get(row).copied().flatten();
        Some(Cell {
            score: of(&self.scores)?,
            cost_usd: of(&self.costs),
            latency_ms: of(&self.latencies),
            input_tokens: None,
            output_tokens: None,
            signals: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Columns, OutcomeTable};
    use proptest::prelude::*;

    fn import(wide: &Wide, name: &str, text: &str) -> Result<(Imported, OutcomeTable), Error> {
        let dir = tempfile::tempdir().unwrap();
        let (file, out) = (dir.path().join(name), dir.path().join("out.parquet"));
        std::fs::write(&file, text).unwrap();
        let done = wide.import(&[file], &out)?;
        let table = OutcomeTable::read(&out, &Columns::default()).unwrap();
        Ok((done, table))
    }

    /// As pandas writes it: an index without a name, answers, an oracle.
    const ROUTERBENCH: &str = ",sample_id,prompt,eval_name,gpt-4,a/b,gpt-4|model_response,a/b|model_response,\
        gpt-4|total_cost,a/b|total_cost,oracle_model_to_route_to\n\
        0,mmlu.1,\"['one, two']\",mmlu,1.0,0.25,7,8,0.03,0.0001,gpt-4\n\
        1,mmlu.2,['three'],mmlu,0.0,,7,8,0.02,,no_model_correct\n\
        2,gsm.1,['four'],,True,False,7,8,0.02,0.0002,gpt-4\n";

    #[test]
    fn routerbench_needs_no_options() {
        let (done, table) = import(&Wide::routerbench(), "rb.csv", ROUTERBENCH).unwrap();
        assert_eq!(
            (done.rows_read, done.outcomes, done.rows_written),
            (3, 6, 5)
        );
        let (left, arms) = (&done.left_out[0], &done.arms);
        assert_eq!((left.rows, left.why.as_str()), (1, "without a score"));
        let arms: Vec<_> = arms
            .iter()
            .map(|arm| (arm.name.as_str(), arm.rows))
            .collect();
        assert_eq!(arms, [("a/b", 2), ("gpt-4", 3)]);
        let prompts: Vec<_> = table.prompts.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(prompts, ["gsm.1", "mmlu.1"]);
        assert_eq!(table.prompts[1].text.as_deref(), Some("['one, two']"));
        assert_eq!(table.prompts[1].task, Name::new("mmlu").ok());
        let cells = |prompt| table.cells(prompt).iter().map(|c| (c.score, c.cost_usd));
        let found: Vec<_> = cells(1).chain(cells(0)).collect();
        let usd = Some;
        let expected = [
            (0.25, usd(0.0001)),
            (1.0, usd(0.03)),
            (0.0, usd(0.0002)),
            (1.0, usd(0.02)),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn models_suffixes_and_percent_may_be_said() {
        let wide = Wide {
            id: "key".to_owned(),
            models: Some(vec!["x".to_owned()]),
            cost_suffix: "_usd".to_owned(),
            latency_suffix: "_ms".to_owned(),
            percent: true,
            ..Wide::default()
        };
        let text = r#"{"key":1,"x":50,"y":7,"x_usd":0.5,"x_ms":12,"shots":3}"#;
        let (done, table) = import(&wide, "t.jsonl", text).unwrap();
        assert_eq!((done.outcomes, table.arms.len()), (1, 1));
        let cell = &table.cells(0)[0];
        assert_eq!(
            (cell.score, cell.cost_usd, cell.latency_ms),
            (0.5, Some(0.5), Some(12.0))
        );
    }

    #[test]
    fn a_fault_names_the_column_and_what_may_be_said() {
        let check = |wide: &Wide, text: &str, expected: &str| {
            let found = import(wide, "t.csv", text).unwrap_err().to_string();
            assert!(found.ends_with(expected), "{found}");
        };
        let wide = Wide::default();
        check(
            &wide,
            "id,a\n1,1\n",
            "column prompt_id is missing: expected text or a number, unique for each prompt",
        );
        check(
            &wide,
            "prompt_id,a,shots\n1,1,5\n",
            "row 1, column shots is 5: expected a score from 0 to 1 (to 100 and which columns are models can be said)",
        );
        check(
            &wide,
            "prompt_id,a\n1,x\n",
            "column of scores is missing: expected a column of scores for each model",
        );
        check(
            &wide,
            "prompt_id,a,a|total_cost\n1,1,-1\n",
            "row 1, column a|total_cost is -1: expected a number of at least 0",
        );
        check(
            &wide,
            "prompt_id,a\n1,1\n1,0\n",
            "row 2 repeats prompt 1 with arm a: allowed once",
        );
        let labelled = Wide {
            task: Some("kind".to_owned()),
            ..Wide::default()
        };
        check(
            &labelled,
            "prompt_id,a\n1,1\n",
            "column kind is missing: expected text or a number",
        );
        let named = Wide {
            models: Some(vec!["b".to_owned()]),
            ..Wide::default()
        };
        check(
            &named,
            "prompt_id,a\n1,1\n",
            "column b is missing: expected a column of scores for each model",
        );
    }

    #[test]
    fn what_is_read_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.parquet");
        std::fs::write(&file, "as it was").unwrap();
        let same = dir.path().join(".").join("t.parquet");
        let refused = Wide::default().import(std::slice::from_ref(&file), &same);
        let told = refused.unwrap_err().to_string();
        assert!(told.ends_with("is read and cannot be written too: name another file"));
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "as it was");
        let refused = Wide::default().import(&[file], &dir.path().join("out.csv"));
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .ends_with("allowed endings .parquet")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Every score is written to the bit or counted.
        #[test]
        fn nothing_is_lost_and_nothing_is_made_up(
            cells in prop::collection::vec(prop::collection::vec(prop::option::of(0.0..=1.0f64), 3), 1..20),
        ) {
            prop_assume!(cells.iter().flatten().any(Option::is_some));
            // A column without a number is not taken for a model.
            let models: Vec<usize> =
                (0..3).filter(|model| cells.iter().any(|row| row[*model].is_some())).collect();
            let mut text = "prompt_id,m0,m1,m2\n".to_owned();
            for (row, scores) in cells.iter().enumerate() {
                let scores = scores.iter().map(|s| s.map(|s| s.to_string()).unwrap_or_default());
                text += &format!("{row:03},{}\n", scores.collect::<Vec<_>>().join(","));
            }
            let dir = tempfile::tempdir().unwrap();
            let (file, out) = (dir.path().join("t.csv"), dir.path().join("out.parquet"));
            std::fs::write(&file, text).unwrap();
            let done = Wide::default().import(&[file], &out).unwrap();
            let left: usize = done.left_out.iter().map(|left| left.rows).sum();
            prop_assert_eq!(done.rows_written + left, done.outcomes);
            prop_assert_eq!(done.outcomes, cells.len() * models.len());
            let full: Vec<&Vec<Option<f64>>> = cells
                .iter()
                .filter(|row| models.iter().all(|model| row[*model].is_some()))
                .collect();
            match OutcomeTable::read(&out, &Columns::default()) {
                Ok(table) => {
                    prop_assert_eq!(table.prompts.len(), full.len());
                    for (prompt, row) in full.iter().enumerate() {
                        let found: Vec<_> = table.cells(prompt).iter().map(|c| Some(c.score)).collect();
                        let wanted: Vec<_> = models.iter().map(|model| row[*model]).collect();
                        prop_assert_eq!(found, wanted);
                    }
                }
                Err(_) => prop_assert!(full.is_empty()),
            }
        }
    }
}
