//! What was taught of published rates, for people and machines.

use crate::id::{Name, listed};
use crate::route::FORCED_PULLS;
use serde::Serialize;
use std::fmt;

/// What was taught.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RatesDone {
    /// The team.
    pub team: Name,
    /// The file's name.
    pub source: String,
    /// Most outcomes that an arm's rates weigh as much as.
    pub pseudo_count: u32,
    /// Columns, and the signals that they are of.
    pub signals: Vec<(String, Name)>,
    /// The arms that the file has, in its order.
    pub arms: Vec<PriorDone>,
    /// Models of the file that are no arms, passed over.
    pub skipped: Vec<String>,
    /// Arms that the file has no rates of: they start as they would without it.
    pub unrated: Vec<Name>,
}

/// One arm's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PriorDone {
    /// The arm.
    pub arm: Name,
    /// The file's name of it.
    pub model: String,
    /// Its row in the file, from 1, the header not counted.
    pub row: usize,
    /// Published number of trials.
    pub trials: Option<f64>,
    /// How many outcomes its rates weigh as much as; 0 where others were taught before.
    pub weight: f64,
    /// Share of trues, in the order of the signals.
    pub rates: Vec<Option<f64>>,
    /// Rows written.
    pub rows: usize,
    /// Rows that the journal had already.
    pub known: usize,
    /// Where other rates came from that the arm was taught before, which stand.
    pub taught_before: Option<String>,
}

impl fmt::Display for RatesDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (team, source) = (&self.team, &self.source);
        let from = |(source, signal): &(String, Name)| format!("{signal} from {source}");
        let from: Vec<String> = self.signals.iter().map(from).collect();
        match self.arms.iter().filter(|arm| arm.rows > 0).count() {
            0 => writeln!(
                f,
                "nothing added: team {team} was taught published rates of these arms before"
            )?,
            1 => writeln!(
                f,
                "team {team} was taught the published rates of 1 arm by {source}"
            )?,
            arms => writeln!(
                f,
                "team {team} was taught the published rates of {arms} arms by {source}"
            )?,
        }
        let most = self.pseudo_count;
        writeln!(
            f,
            "as much as {most} outcomes at most; {}\n",
            from.join(", ")
        )?;
        self.arms(f)?;
        if !self.skipped.is_empty() {
            let names: Vec<Name> = self
                .skipped
                .iter()
                .filter_map(|m| Name::new(m).ok())
                .collect();
            let count = self.skipped.len();
            writeln!(
                f,
                "no arms of the configuration, passed over: {count}: {}",
                listed(&names)
            )?;
        }
        if !self.unrated.is_empty() {
            writeln!(
                f,
                "arms without rates, which start as before: {}",
                listed(&self.unrated)
            )?;
        }
        write!(
            f,
            "Costs and latencies are not taught. These rows cannot be corrected or taken back. Each arm still \
             gets its {FORCED_PULLS} forced draws first."
        )
    }
}

impl RatesDone {
    fn arms(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<34}{:>9}{:>9}",
            "share of trues of", "trials", "weight"
        )?;
        for (_, signal) in &self.signals {
            write!(f, "  {signal}")?;
        }
        writeln!(f)?;
        for arm in &self.arms {
            let trials = arm
                .trials
                .map_or("-".to_owned(), |trials| trials.to_string());
            write!(f, "  {:<32}{trials:>9}{:>9}", arm.arm.as_str(), arm.weight)?;
            for ((_, signal), rate) in self.signals.iter().zip(&arm.rates) {
                let width = signal.as_str().chars().count() + 2;
                let rate = rate.map_or("-".to_owned(), |rate| format!("{rate:.4}"));
                write!(f, "{rate:>width$}")?;
            }
            match &arm.taught_before {
                Some(source) => writeln!(f, "  not added: taught others before, by {source}")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f)
    }
}
