//! A long table under other names: a row for each prompt and model.
//!
//! Not here: what the columns mean and may hold ([`crate::table::OutcomeTable`]).

use super::gathered::Gathered;
use super::parquet::ready;
use super::sheet::Allowed;
use super::summary::Imported;
use crate::table::record::Place;
use crate::table::{Columns, Error, Prompt, outcome};
use std::path::{Path, PathBuf};

/// Reads long tables and writes them as one, under our names; `percent`: scores are from 0 to 100.
pub fn long(
    files: &[PathBuf],
    columns: &Columns,
    percent: bool,
    out: &Path,
) -> Result<Imported, Error> {
    ready(files, out)?;
    let (allowed, scale) = Allowed::score(percent);
    let mut table = Gathered::default();
    for file in files {
        for (index, mut raw) in outcome::rows(file, columns)?.into_iter().enumerate() {
            let row = index + 1;
            if let Some(score) = raw.score {
                if !(allowed.least..=allowed.most).contains(&score) {
                    return Err(Error::Value {
                        file: file.clone(),
                        row,
                        column: columns.of("score").to_owned(),
                        found: score.to_string(),
                        expected: allowed.expected,
                    });
                }
                raw.score = Some(score / scale);
            }
            let record = raw.check(Place { file, columns, row })?;
            table.rows_read += 1;
            let prompt = table.prompt(Prompt {
                id: record.prompt_id,
                task: record.task,
                text: record.prompt,
            });
            table.add((file, row), prompt, &record.arm, record.cell)?;
        }
    }
    table.write("long", files, out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::OutcomeTable;

    fn import(text: &str, map: &str, percent: bool) -> Result<(Imported, OutcomeTable), Error> {
        let dir = tempfile::tempdir().unwrap();
        let (file, out) = (dir.path().join("in.csv"), dir.path().join("out.parquet"));
        std::fs::write(&file, text).unwrap();
        let done = long(&[file], &Columns::parse(map).unwrap(), percent, &out)?;
        let table = OutcomeTable::read(&out, &Columns::default()).unwrap();
        Ok((done, table))
    }

    #[test]
    fn columns_get_our_names_and_scores_our_scale() {
        let text = "q,m,points,usd\n1,a,50,0.25\n1,b,100,\n2,a,0,1\n2,b,,1\n";
        let map = "prompt_id=q,model=m,score=points,cost_usd=usd";
        let (done, table) = import(text, map, true).unwrap();
        assert_eq!(
            (done.rows_read, done.outcomes, done.rows_written),
            (4, 4, 3)
        );
        assert_eq!(done.left_out[0].rows, 1);
        assert_eq!((table.prompts.len(), table.dropped), (1, 1));
        let cells: Vec<_> = table
            .cells(0)
            .iter()
            .map(|c| (c.score, c.cost_usd))
            .collect();
        assert_eq!(cells, [(0.5, Some(0.25)), (1.0, None)]);
        assert_eq!(done.notes.len(), 1, "b has fewer scores than a");
    }

    #[test]
    fn a_score_beyond_the_scale_and_an_outcome_given_twice_are_refused() {
        let check = |text: &str, percent: bool, expected: &str| {
            let found = import(text, "", percent).unwrap_err().to_string();
            assert!(found.ends_with(expected), "{found}");
        };
        let head = "prompt_id,model,score\n";
        check(
            &format!("{head}1,a,50\n"),
            false,
            "row 1, column score is 50: expected a number from 0 to 1",
        );
        check(
            &format!("{head}1,a,101\n"),
            true,
            "row 1, column score is 101: expected a number from 0 to 100",
        );
        check(
            &format!("{head}1,a,1\n1,a,0\n"),
            false,
            "row 2 repeats prompt 1 with arm a: allowed once",
        );
        check(
            &format!("{head}1,a,\n"),
            false,
            "nothing is left of 1 rows to write: 1 without a score",
        );
    }
}
