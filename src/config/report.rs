//! A file's text and the problems found in it.
//!
//! Invariants: a problem's line is that of the span it was reported at.
//!
//! Not here: what is asked of the document (`fields` and the sections).

use super::fields::Fields;
use super::problem::Problem;
use std::cell::RefCell;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::DeTable;

/// A file's text and the problems found in it.
#[derive(Debug)]
pub(super) struct Report<'a> {
    file: &'a Path,
    text: &'a str,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a Path, text: &'a str) -> Self {
        let problems = RefCell::new(Vec::new());
        Self {
            file,
            text,
            problems,
        }
    }

    /// The document. Where its syntax is broken, every break is reported and nothing else is.
    pub(super) fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let (document, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let problem = format!("not TOML: {}", error.message().replace('\n', ", "));
            self.add(String::new(), error.span(), None, problem, String::new());
        }
        errors.is_empty().then_some(document)
    }

    /// The root of `document`.
    pub(super) fn root(&'a self, document: &'a Spanned<DeTable<'a>>) -> Fields<'a> {
        Fields::new(self, document.get_ref(), String::new(), None)
    }

    /// Takes in the problems of another file.
    pub(super) fn extend(&self, problems: Vec<Problem>) {
        self.problems.borrow_mut().extend(problems);
    }

    /// The problems, in the order of the file's lines, other files' last.
    pub(super) fn problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| (p.file != self.file, p.line.unwrap_or(0)));
        problems
    }

    /// Adds a problem that stands at `span`.
    pub(super) fn add(
        &self,
        path: String,
        span: Option<Range<usize>>,
        value: Option<String>,
        problem: String,
        allowed: String,
    ) {
        let before = span.and_then(|span| self.text.get(..span.start));
        self.problems.borrow_mut().push(Problem {
            file: PathBuf::from(self.file),
            line: before.map(|text| text.matches('\n').count() + 1),
            path,
            value,
            problem,
            allowed,
        });
    }

    /// The source text of a value, shortened to one line.
    pub(super) fn written(&self, span: Range<usize>) -> Option<String> {
        let text = self.text.get(span)?;
        let line = text.lines().next().unwrap_or("");
        let short: String = line.chars().take(60).collect();
        let cut = short.len() < text.len();
        Some(if cut { format!("{short}..") } else { short })
    }
}
