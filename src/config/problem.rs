//! What is wrong with a file, told so that its writer can mend it.
//!
//! Invariants: a problem never shows a secret: values of unknown fields and of hashes are left out.

use std::fmt;
use std::path::PathBuf;

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// Its line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// The field, as in `teams[0].explore_floor`, counted from 0. Empty: the whole file.
    pub path: String,
    /// What stands there. `None`: nothing, or not to be shown.
    pub value: Option<String>,
    /// What is wrong with it.
    pub problem: String,
    /// What may stand there. Empty: said by `problem`.
    pub allowed: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
        }
        f.write_str(" ")?;
        if !self.path.is_empty() {
            f.write_str(&self.path)?;
            if let Some(value) = &self.value {
                write!(f, " = {value}")?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.problem)?;
        if !self.allowed.is_empty() {
            write!(f, "; allowed {}", self.allowed)?;
        }
        Ok(())
    }
}

/// All problems, one a line, under a line that counts them.
pub fn render(problems: &[Problem]) -> String {
    let mut text = match problems.len() {
        1 => "1 problem:\n".to_owned(),
        count => format!("{count} problems:\n"),
    };
    for problem in problems {
        text.push_str(&format!("  {problem}\n"));
    }
    text
}
