//! `dataset generate`: the simulated traffic of the demonstration as files.

use super::args::Generate;
use super::out::{self, Failure};
use bellwether::scenario::{self, Size};

/// Writes an outcome table for each team.
pub(crate) fn generate(arguments: &Generate) -> Result<(), Failure> {
    let size = if arguments.fast {
        Size::Fast
    } else {
        Size::Full
    };
    let world = scenario::generate(arguments.seed, size)?;
    let written = world.write_tables(&arguments.out)?;
    let lines: Vec<String> = written
        .iter()
        .map(|table| {
            let file = table.file.display();
            format!("{file}: {} prompts, {} rows", table.prompts, table.rows)
        })
        .collect();
    let text = format!(
        "Simulated, seed {}: no model was called.\n{}",
        arguments.seed,
        lines.join("\n")
    );
    out::write(arguments.format, &written, &text)
}
