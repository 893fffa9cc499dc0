//! The outcome table: what every arm scored on every prompt.
//!
//! Invariants: arms are in ascending order of name, prompts in bytewise ascending order of id; every
//! prompt has a cell for every arm that is kept (the others are left out and counted).
//!
//! Shapes: `cells[prompt * arms + arm]`.

use super::record::{Place, Raw};
use super::{Columns, Error, Keep, LeftOut, frame, json_lines};
use crate::id::Name;
use std::collections::BTreeMap;
use std::path::Path;

/// Every arm's outcome for every prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeTable {
    /// The file's name without its ending.
    pub name: String,
    /// The arms.
    pub arms: Vec<Name>,
    /// The prompts.
    pub prompts: Vec<Prompt>,
    /// Prompts left out because an arm that is kept had no score on them.
    pub dropped: usize,
    /// Arms that the file has besides, by name.
    pub left_out: Vec<LeftOut>,
    cells: Vec<Cell>,
}

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its id, unique in the table.
    pub id: String,
    /// Its task.
    pub task: Option<Name>,
    /// Its text.
    pub text: Option<String>,
}

/// What one arm did on one prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// How good the answer was, in [0, 1].
    pub score: f64,
    /// What it cost in USD.
    pub cost_usd: Option<f64>,
    /// How long it took in milliseconds.
    pub latency_ms: Option<f64>,
    /// Input tokens.
    pub input_tokens: Option<u32>,
    /// Output tokens.
    pub output_tokens: Option<u32>,
    /// Secondary signals, a JSON object as text.
    pub signals: Option<String>,
}

impl OutcomeTable {
    /// Reads a file by its ending: `.parquet`, `.csv`, or JSON lines (`.jsonl`, `.ndjson`).
    pub fn read(file: &Path, columns: &Columns) -> Result<Self, Error> {
        Self::read_some(file, columns, &Keep::default())
    }

    /// As [`OutcomeTable::read`], with some of the arms: the table is what it would be had the file only
    /// these. Other rows must be right all the same.
    pub fn read_some(file: &Path, columns: &Columns, keep: &Keep) -> Result<Self, Error> {
        let rows = rows(file, columns)?;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        Self::assemble(
            &name,
            rows,
            Place {
                file,
                columns,
                row: 0,
            },
            keep,
        )
    }

    /// The cells of a prompt, one for each arm. Empty outside the table.
    pub fn cells(&self, prompt: usize) -> &[Cell] {
        let arms = self.arms.len();
        self.cells
            .get(prompt * arms..(prompt + 1) * arms)
            .unwrap_or_default()
    }

    /// Whether every cell has a cost.
    pub fn has_cost(&self) -> bool {
        self.cells.iter().all(|cell| cell.cost_usd.is_some())
    }

    fn assemble(name: &str, rows: Vec<Raw>, at: Place<'_>, keep: &Keep) -> Result<Self, Error> {
        let Place { file, columns, .. } = at;
        let mut scored: BTreeMap<Name, usize> = BTreeMap::new();
        let mut prompts: BTreeMap<String, Gathered> = BTreeMap::new();
        for (index, raw) in rows.into_iter().enumerate() {
            let row = index + 1;
            let place = Place { file, columns, row };
            let record = raw.check(place)?;
            let prompt = prompts.entry(record.prompt_id.clone()).or_default();
            prompt.task = prompt.task.take().or(record.task);
            prompt.text = prompt.text.take().or(record.prompt);
            *scored.entry(record.arm.clone()).or_default() += usize::from(record.cell.is_some());
            let earlier = prompt.cells.insert(record.arm.clone(), record.cell);
            if earlier.is_some() {
                return Err(Error::Duplicate {
                    file: file.to_owned(),
                    row,
                    prompt: record.prompt_id,
                    arm: record.arm.as_str().to_owned(),
                });
            }
        }
        let found = prompts.len();
        let (arms, left_out) = keep.part(&scored, found, file)?;
        let mut table = Self {
            name: name.to_owned(),
            arms,
            prompts: Vec::with_capacity(found),
            dropped: 0,
            left_out,
            cells: Vec::new(),
        };
        for (id, gathered) in prompts {
            table.take(id, gathered);
        }
        if table.prompts.is_empty() {
            return Err(Error::Empty {
                file: file.to_owned(),
                prompts: found,
                arms: table.arms.len(),
            });
        }
        Ok(table)
    }

    /// Keeps a prompt on which every arm has a score.
    fn take(&mut self, id: String, gathered: Gathered) {
        // A map's entries run in the order of its keys: the arms' own order.
        let kept = gathered.cells.into_iter();
        let kept = kept.filter(|(arm, _)| self.arms.binary_search(arm).is_ok());
        let cells: Vec<Cell> = kept.filter_map(|(_, cell)| cell).collect();
        if cells.len() < self.arms.len() {
            self.dropped += 1;
            return;
        }
        self.cells.extend(cells);
        self.prompts.push(Prompt {
            id,
            task: gathered.task,
            text: gathered.text,
        });
    }
}

/// Every row of a file, unchecked, by its ending.
pub(super) fn rows(file: &Path, columns: &Columns) -> Result<Vec<Raw>, Error> {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("parquet") => frame::read_parquet(file, columns),
        Some("csv") => frame::read_csv(file, columns),
        Some("jsonl" | "ndjson") => json_lines::read(file, columns),
        _ => Err(Error::Format {
            file: file.to_owned(),
            allowed: ".parquet, .csv, .jsonl, .ndjson",
        }),
    }
}

/// The rows of one prompt.
#[derive(Default)]
struct Gathered {
    task: Option<Name>,
    text: Option<String>,
    cells: BTreeMap<Name, Option<Cell>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{DataFrame, IntoColumn, NamedFrom, ParquetWriter, Series};

    const CSV: &str = "prompt_id,task,prompt,model,score,cost_usd\n\
        10,sum,\"one, two\",b,0.5,0.002\n\
        10,sum,,a,1,0.001\n\
        2,,,a,0,0.001\n\
        2,,,b,1,\n\
        3,,,a,0.25,\n";

    fn write(name: &str, text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        (dir, file)
    }

    fn read(name: &str, text: &str, map: &str) -> Result<OutcomeTable, Error> {
        let (_dir, file) = write(name, text);
        OutcomeTable::read(&file, &Columns::parse(map).unwrap())
    }

    /// The error's text without the folder.
    fn check(name: &str, text: &str, map: &str, expected: &str) {
        let (dir, file) = write(name, text);
        let found = OutcomeTable::read(&file, &Columns::parse(map).unwrap()).unwrap_err();
        let folder = format!("{}/", dir.path().display());
        assert_eq!(found.to_string().replace(&folder, ""), expected);
    }

    #[test]
    fn a_table_is_sorted_and_keeps_only_prompts_that_every_arm_answered() {
        let table = read("small.csv", CSV, "").unwrap();
        assert_eq!((table.name.as_str(), table.dropped), ("small", 1));
        assert_eq!(
            table.arms,
            [Name::new("a").unwrap(), Name::new("b").unwrap()]
        );
        let ids: Vec<&str> = table.prompts.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids, ["10", "2"], "bytewise, not by number");
        assert_eq!(table.prompts[0].text.as_deref(), Some("one, two"));
        assert_eq!(table.prompts[1].task, None);
        let scores = [0, 1].map(|p| table.cells(p).iter().map(|c| c.score).collect::<Vec<_>>());
        assert_eq!(scores, [vec![1.0, 0.5], vec![0.0, 1.0]]);
        assert_eq!(table.cells(0)[1].cost_usd, Some(0.002));
        assert!(!table.has_cost());
        assert!(table.cells(2).is_empty());
    }

    #[test]
    fn json_lines_read_as_the_csv_does_with_names_mapped_and_signals_nested() {
        let text = r#"
            {"id": 10, "task": "sum", "prompt": "one, two", "arm": "b", "score": 0.5, "cost_usd": 0.002}
            {"id": "10", "task": "sum", "prompt": null, "arm": "a", "score": 1, "cost_usd": 0.001}
            {"id": "2", "arm": "a", "score": 0, "cost_usd": 0.001}
            {"id": "2", "arm": "b", "score": 1, "signals": {"valid": true}}
            {"id": "3", "arm": "a", "score": 0.25}"#;
        let table = read("small.jsonl", text, "prompt_id=id,model=arm").unwrap();
        let mut csv = read("small.csv", CSV, "").unwrap();
        assert_eq!(
            table.cells(1)[1].signals.as_deref(),
            Some(r#"{"valid":true}"#)
        );
        csv.cells[3].signals.clone_from(&table.cells(1)[1].signals);
        assert_eq!(table, csv);
    }

    #[test]
    fn a_fault_names_the_file_the_column_and_what_was_expected() {
        check(
            "a.csv",
            "prompt_id,score\n1,0.5\n",
            "",
            "a.csv: column model is missing: expected text of 1 to 128 characters",
        );
        check(
            "a.csv",
            "prompt_id,m,score\n1,a,0.5\n2,b,great\n",
            "model=m",
            "a.csv: row 2, column score is great: expected a number from 0 to 1",
        );
        check(
            "a.csv",
            "prompt_id,model,score\n1,a,1.5\n",
            "",
            "a.csv: row 1, column score is 1.5: expected a number from 0 to 1",
        );
        check(
            "a.jsonl",
            "{\"prompt_id\":\"1\",\"model\":\"a\",\"score\":0.5,\"cost_usd\":-1}",
            "",
            "a.jsonl: row 1, column cost_usd is -1: expected a number of at least 0",
        );
        check(
            "a.jsonl",
            "{\"prompt_id\":\"1\",\"model\":\"a\",\"score\":\"0.5\"}",
            "",
            "a.jsonl: row 1, column score is \"0.5\": expected a number from 0 to 1",
        );
        check(
            "a.jsonl",
            "{\"prompt_id\":\"1\",\"model\":\"a\"}",
            "",
            "a.jsonl: column score is missing: expected a number from 0 to 1",
        );
        check(
            "a.csv",
            "prompt_id,model,score\n1,a,0.5\n1,a,0.5\n",
            "",
            "a.csv: row 2 repeats prompt 1 with arm a: allowed once",
        );
        check(
            "a.csv",
            "prompt_id,model,score\n1,a,0.5\n2,b,0.5\n",
            "",
            "a.csv: none of 2 prompts has a score from each of 2 arms: at least 1 is needed",
        );
        check(
            "a.xlsx",
            "",
            "",
            "a.xlsx: allowed endings .parquet, .csv, .jsonl, .ndjson",
        );
        let text = read("a.parquet", "not parquet", "")
            .unwrap_err()
            .to_string();
        assert!(text.contains("a.parquet: cannot be read"), "{text}");
    }

    /// The arms kept of a table in which a scored 4 prompts, b 3, c 1; those left out; the prompts.
    fn kept(arms: Option<&[&str]>, coverage: f64) -> Result<(String, String, usize), Error> {
        let text = "prompt_id,model,score\n1,a,1\n2,a,1\n3,a,1\n4,a,1\n1,b,0\n2,b,0\n3,b,0\n4,b,\n\
            1,c,0.5\n2,c,\n";
        let (_dir, file) = write("some.csv", text);
        let keep = Keep {
            arms: arms.map(|arms| arms.iter().map(|arm| Name::new(arm).unwrap()).collect()),
            coverage,
        };
        let table = OutcomeTable::read_some(&file, &Columns::default(), &keep)?;
        let kept: Vec<&str> = table.arms.iter().map(Name::as_str).collect();
        let out = |out: &LeftOut| format!("{} {} {:?}", out.arm, out.coverage, out.why);
        let out: Vec<String> = table.left_out.iter().map(out).collect();
        assert_eq!(table.cells.len(), table.arms.len() * table.prompts.len());
        Ok((kept.join(" "), out.join(", "), table.prompts.len()))
    }

    #[test]
    fn arms_may_be_named_or_left_out_for_covering_little_and_prompts_follow() {
        let check = |arms, coverage, expected: (&str, &str, usize)| {
            let (kept, out, prompts) = kept(arms, coverage).unwrap();
            assert_eq!((kept.as_str(), out.as_str(), prompts), expected);
        };
        check(None, 0.0, ("a b c", "", 1));
        check(None, 0.75, ("a b", "c 0.25 Coverage", 3));
        check(None, 1.0, ("a", "b 0.75 Coverage, c 0.25 Coverage", 4));
        check(Some(&["c", "a"]), 0.0, ("a c", "b 0.75 NotNamed", 1));
        check(
            Some(&["b", "c"]),
            0.5,
            ("b", "a 1 NotNamed, c 0.25 Coverage", 3),
        );
    }

    #[test]
    fn an_arm_that_is_not_there_and_a_share_that_none_reaches_are_refused() {
        let refused = |arms, coverage| {
            let text = kept(arms, coverage).unwrap_err().to_string();
            text.rsplit('/').next().unwrap().to_owned()
        };
        assert_eq!(
            refused(Some(&["a", "d"]), 0.0),
            "some.csv: no arm d: allowed a, b, c"
        );
        assert_eq!(
            refused(Some(&["b", "c"]), 0.9),
            "some.csv: no arm has a score on a share of 0.9 of the prompts: allowed at most 0.75"
        );
        assert_eq!(
            refused(None, 1.5),
            "a share of 1.5 of the prompts: allowed 0 to 1"
        );
    }

    #[test]
    fn a_parquet_column_of_another_type_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("typed.parquet");
        let columns = vec![
            Series::new("prompt_id".into(), ["1"]).into_column(),
            Series::new("model".into(), ["a"]).into_column(),
            Series::new("score".into(), [true]).into_column(),
        ];
        let mut frame = DataFrame::new(1, columns).unwrap();
        ParquetWriter::new(std::fs::File::create(&path).unwrap())
            .finish(&mut frame)
            .unwrap();
        let error = OutcomeTable::read(&path, &Columns::default()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("column score is bool: expected a number from 0 to 1"),
            "{error}"
        );
    }
}
