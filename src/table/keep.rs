//! Which arms of an outcome table are kept, and which were left out and why.
//!
//! Invariants: an arm that is asked for by name is in the table; at least one arm is kept; an arm is
//! left out for one reason.
//!
//! Not here: which prompts are left out then: those on which a kept arm has no score (`outcome`).
//!
//! Units: coverage is the share of the table's prompts on which an arm has a score, 0 to 1.

use super::Error;
use crate::id::Name;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// Which arms of a table are kept. By default all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keep {
    /// These only; absent: every one.
    pub arms: Option<Vec<Name>>,
    /// Of these, those with a score on at least this share of the table's prompts, 0 to 1.
    pub coverage: f64,
}

/// Why an arm was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It was not asked for.
    NotNamed,
    /// It has a score on too few prompts.
    Coverage,
}

/// An arm that was left out of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// The arm.
    pub arm: Name,
    /// Share of the table's prompts on which it has a score.
    pub coverage: f64,
    /// Why it was left out.
    pub why: Why,
}

impl Keep {
    /// Parts the arms of a file, given as the number of prompts that each has a score on, into those that
    /// are kept and the others.
    pub(super) fn part(
        &self,
        scored: &BTreeMap<Name, usize>,
        prompts: usize,
        file: &Path,
    ) -> Result<(Vec<Name>, Vec<LeftOut>), Error> {
        self.check(scored, file)?;
        let (mut kept, mut left_out) = (Vec::new(), Vec::new());
        for (arm, count) in scored {
            let coverage = *count as f64 / prompts.max(1) as f64;
            let named = self.arms.as_ref().is_none_or(|arms| arms.contains(arm));
            let why = match (named, coverage >= self.coverage) {
                (true, true) => {
                    kept.push(arm.clone());
                    continue;
                }
                (true, false) => Why::Coverage,
                (false, _) => Why::NotNamed,
            };
            left_out.push(LeftOut {
                arm: arm.clone(),
                coverage,
                why,
            });
        }
        if kept.is_empty() && !scored.is_empty() {
            let named = left_out.iter().filter(|out| out.why == Why::Coverage);
            return Err(Error::Coverage {
                file: file.to_owned(),
                asked: self.coverage,
                most: named.map(|out| out.coverage).fold(0.0, f64::max),
            });
        }
        Ok((kept, left_out))
    }

    fn check(&self, scored: &BTreeMap<Name, usize>, file: &Path) -> Result<(), Error> {
        let named = self.arms.iter().flatten();
        if let Some(arm) = named.clone().find(|arm| !scored.contains_key(*arm)) {
            return Err(Error::Arm {
                file: file.to_owned(),
                arm: arm.clone(),
                allowed: scored.keys().cloned().collect(),
            });
        }
        if !(0.0..=1.0).contains(&self.coverage) {
            return Err(Error::CoverageRange(self.coverage));
        }
        Ok(())
    }
}
