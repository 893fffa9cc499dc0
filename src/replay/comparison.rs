//! One world for a comparison: proposals, candidates with what they change, judged on traffic in the world that they
//! agree on.
//!
//! A proposal changes the chooser ([`super::Changed`]) or the world ([`super::Worth`]). A world is everybody's in
//! its comparison: candidates that say nothing of it, and the logged policy, are judged in it too, so that a
//! difference is never one of scales. Two worlds in one comparison are refused.
//!
//! Invariants: the checks of the propensities are those of the log as it stands, whose utilities drew the arms;
//! without a change the report is [`fn@traffic`]'s, to the bit; what the log cannot know is refused, and pointed
//! at outcome tables.
//!
//! Not here: reading candidates (`config`), estimates (`traffic`).
//!
//! Source: SCIENCE 3.1.

use super::error::Error;
use super::log::Log;
use super::propensity::PropensityCheck;
use super::survey::Survey;
use super::target::{Candidate, Changed};
use super::tighten::tighten;
use super::traffic::{Question, TrafficReport, traffic};
use super::worth::Worth;
use super::{Progress, Row, Watch};
use crate::id::Name;
use crate::table;
use serde::Serialize;
use std::fmt;
use std::ops::ControlFlow;

/// A candidate as somebody proposes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What it is called.
    pub name: String,
    /// Who chooses.
    pub chooser: Candidate,
    /// Arms that it never chooses.
    pub drop: Vec<Name>,
    /// Most that it may spend, in USD a request in the mean.
    pub request_usd: Option<f64>,
    /// What outcomes are worth.
    pub worth: Worth,
}

/// What the log says of the proposals.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The world that all were judged in, where it is not the log's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// What each candidate would have spent in the mean, in USD a request, as costs were expected. Empty
    /// where no candidate changes anything.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spend_usd: Vec<Option<f64>>,
    /// What the logged policy spent, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logged_spend_usd: Option<f64>,
    /// The estimates.
    #[serde(flatten)]
    pub report: TrafficReport,
}

impl From<Candidate> for Proposal {
    fn from(chooser: Candidate) -> Self {
        Self {
            name: chooser.to_string(),
            chooser,
            drop: Vec::new(),
            request_usd: None,
            worth: Worth::default(),
        }
    }
}

impl Proposal {
    /// Whether it is a plain candidate in the log's own world.
    pub fn is_plain(&self) -> bool {
        self.drop.is_empty() && self.request_usd.is_none() && self.worth.is_plain()
    }

    /// Whether it asks anything of the log beforehand.
    fn asks(&self) -> bool {
        !self.is_plain() || !self.chooser.named().is_empty()
    }

    /// The candidate, at the price that its budget asks for.
    fn candidate(&self, survey: &Survey) -> Result<Candidate, Error> {
        if self.name == self.chooser.to_string() && self.is_plain() {
            return Ok(self.chooser.clone());
        }
        let changed = Changed {
            name: self.name.clone(),
            chooser: self.chooser.clone(),
            drop: self.drop.clone(),
            price: 0.0,
        };
        let changed = match self.request_usd {
            Some(request_usd) => tighten(changed, request_usd, survey)?,
            None => changed,
        };
        Ok(Candidate::Changed(Box::new(changed)))
    }

    /// Refuses arms that the log never offered.
    fn check(&self, survey: &Survey) -> Result<(), Error> {
        let dropped = self.drop.iter().map(|arm| ("drop", arm));
        let named = self.chooser.named().into_iter().chain(dropped);
        let priced = self.worth.prices.keys().map(|arm| ("price", arm));
        survey.check_offered(&self.name, named.chain(priced))
    }
}

/// Judges `proposals` on one team's decisions in the order they were made, which `read` gives anew each
/// time. `question` says all but the candidates. `total` is the number of decisions, if known; `watch` is told as
/// [`fn@traffic`] tells it.
pub fn compare<Rows>(
    read: &dyn Fn() -> Result<Rows, table::Error>,
    total: Option<usize>,
    proposals: &[Proposal],
    question: &Question,
    watch: &Watch<'_>,
) -> Result<Comparison, Error>
where
    Rows: Iterator<Item = Result<Row, table::Error>>,
{
    let choosers = proposals.iter().map(|proposal| proposal.chooser.clone());
    let mut question = Question {
        candidates: choosers.collect(),
        ..question.clone()
    };
    question.check()?;
    let worth = world(proposals)?;
    let plain = proposals.iter().all(Proposal::is_plain);
    // Plain candidates that name no arm ask nothing of the log beforehand: it is read once.
    let asks = proposals.iter().any(Proposal::asks);
    let survey = match asks {
        true => surveyed(read()?, worth, !plain)?,
        false => Survey::default(),
    };
    for (proposal, candidate) in proposals.iter().zip(&mut question.candidates) {
        proposal.check(&survey)?;
        *candidate = proposal.candidate(&survey)?;
    }
    let rows = read()?.map(|row| row.map(|row| worth.apply(row)));
    let mut report = traffic(rows, total, &question, watch)?;
    if !worth.is_plain() {
        report.propensities = PropensityCheck::of(&Log::gather(read()?, None, &silent)?);
    }
    let spend = |candidate: &Candidate| survey.spend_usd(candidate);
    let (spend_usd, logged_spend_usd) = match plain {
        true => (Vec::new(), None),
        false => (
            question
                .candidates
                .iter()
                .map(spend)
                .collect::<Result<_, _>>()?,
            spend(&Candidate::Logged)?,
        ),
    };
    Ok(Comparison {
        world: (!worth.is_plain()).then(|| worth.to_string()),
        spend_usd,
        logged_spend_usd,
        report,
    })
}

fn surveyed(
    rows: impl Iterator<Item = Result<Row, table::Error>>,
    worth: &Worth,
    keeps_draws: bool,
) -> Result<Survey, Error> {
    let mut survey = Survey::new(keeps_draws);
    for row in rows {
        let row = row?;
        worth.check(&row)?;
        survey.add(worth.apply(row));
    }
    Ok(survey)
}

fn silent(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The world that all agree on.
fn world(proposals: &[Proposal]) -> Result<&Worth, Error> {
    const PLAIN: &Worth = &Worth::PLAIN;
    let mut worlds = proposals.iter().filter(|p| !p.worth.is_plain());
    let Some(first) = worlds.next() else {
        return Ok(PLAIN);
    };
    match worlds.find(|other| other.worth != first.worth) {
        None => Ok(&first.worth),
        Some(second) => Err(Error::Worlds {
            first: first.name.clone(),
            second: second.name.clone(),
        }),
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(world) = &self.world {
            writeln!(
                f,
                "in another world, for all candidates and what was logged: {world}\n"
            )?;
        }
        self.report.fmt(f)?;
        let Some(logged) = self.logged_spend_usd else {
            return Ok(());
        };
        writeln!(f, "\nexpected spend in USD a request")?;
        writeln!(f, "  {logged:.6}  as logged")?;
        for (spent, candidate) in self.spend_usd.iter().zip(&self.report.candidates) {
            match spent {
                Some(spent) => writeln!(f, "  {spent:.6}  {}", candidate.candidate)?,
                None => writeln!(f, "  {:<8}  {}", "-", candidate.candidate)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Scratch;
    use crate::learn::sample::Maker;
    use crate::replay::survey::tests::row;
    use crate::replay::target::tests::name;
    use std::cell::Cell;

    const LOGGED: &str = "epsilon-greedy:epsilon=0.5";

    /// Arm a earns 0.6 at 0.4 USD and is drawn 29 times of 40, as its probability is; b earns 0.5 at 0.1 USD.
    fn log() -> Vec<Row> {
        let mut maker = Maker::new();
        let logged: Candidate = LOGGED.parse().unwrap();
        let one = |number: usize| {
            let mut row = row(&mut maker, &[0.6, 0.5], &[0.4, 0.1]);
            let pmf = logged.pmf(&row.drawn, &mut Scratch::default()).unwrap();
            row.drawn.pmf = pmf.unwrap();
            let chosen = usize::from(number % 40 >= 29);
            row.drawn.chosen = chosen as u32;
            row.policy = LOGGED.to_owned();
            let noise = if (number / 40).is_multiple_of(2) {
                0.05
            } else {
                -0.05
            };
            row.utility = Some([0.6, 0.5][chosen] + noise);
            row.cost_usd = Some([0.4, 0.1][chosen]);
            row
        };
        (0..800).map(one).collect()
    }

    fn plain(text: &str) -> Proposal {
        Proposal::from(text.parse::<Candidate>().unwrap())
    }

    fn priced(proposal: Proposal, factor: f64) -> Proposal {
        let worth = Worth {
            prices: [(name("a"), factor)].into(),
            quality_usd: Some(1.0),
            scorecard: None,
        };
        Proposal { worth, ..proposal }
    }

    fn judged(rows: &[Row], proposals: &[Proposal]) -> Result<(Comparison, u32), Error> {
        let reads = Cell::new(0);
        let read = || {
            reads.set(reads.get() + 1);
            let rows: Vec<_> = rows.iter().cloned().map(Ok).collect();
            Ok(rows.into_iter())
        };
        let question = Question::new(Vec::new());
        let found = compare(&read, Some(rows.len()), proposals, &question, &silent)?;
        Ok((found, reads.get()))
    }

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn without_a_change_it_is_what_traffic_says() {
        let rows = log();
        let check = |texts: &[&str], reads: u32| {
            let proposals: Vec<Proposal> = texts.iter().map(|text| plain(text)).collect();
            let (found, read) = judged(&rows, &proposals).unwrap();
            let candidates = proposals.into_iter().map(|proposal| proposal.chooser);
            let question = Question::new(candidates.collect());
            let all = rows.iter().cloned().map(Ok);
            let expected = traffic(all, Some(rows.len()), &question, &silent).unwrap();
            assert_eq!(format!("{:?}", found.report), format!("{expected:?}"));
            assert_eq!(found.to_string(), expected.to_string());
            assert_eq!(read, reads);
        };
        check(&["uniform", "greedy"], 1);
        // A named arm is looked for first.
        check(&["uniform", "fixed:arm=b"], 2);
    }

    #[test]
    fn a_world_is_everybody_s_and_leaves_the_propensities_alone() {
        // At twice the price a is worth 0.2, and greedy takes b but for its floor of 0.05.
        let proposals = [priced(plain("greedy"), 2.0), plain("uniform")];
        let (found, _) = judged(&log(), &proposals).unwrap();
        close(
            found.report.logged.unwrap().value,
            0.725 * 0.2 + 0.275 * 0.5,
        );
        let worth = |candidate: usize| found.report.candidates[candidate].ips.unwrap().value;
        close(worth(0), 0.05 * 0.2 + 0.95 * 0.5);
        close(worth(1), 0.35);
        close(found.logged_spend_usd.unwrap(), 0.725 * 0.8 + 0.275 * 0.1);
        close(found.spend_usd[0].unwrap(), 0.05 * 0.8 + 0.95 * 0.1);
        close(found.spend_usd[1].unwrap(), 0.45);
        // The changed utilities would have drawn otherwise; what was drawn by is told of.
        let check = &found.report.propensities;
        assert_eq!((check.equal, check.recomputed), (800, 800));
        let said = found.to_string();
        let world = "in another world, for all candidates and what was logged: a costs 2 times what it cost";
        assert!(said.starts_with(world), "{said}");
        assert!(said.contains("\n  0.607500  as logged\n"), "{said}");
    }

    #[test]
    fn a_candidate_changes_itself_alone() {
        let less = Proposal {
            name: "less".to_owned(),
            drop: vec![name("a")],
            ..plain("greedy")
        };
        let thrifty = Proposal {
            name: "thrifty".to_owned(),
            request_usd: Some(0.2),
            ..plain("greedy")
        };
        let (found, _) = judged(&log(), &[less, thrifty, plain("greedy")]).unwrap();
        close(
            found.report.logged.unwrap().value,
            0.725 * 0.6 + 0.275 * 0.5,
        );
        let worth = |candidate: usize| found.report.candidates[candidate].ips.unwrap().value;
        close(worth(0), 0.5);
        close(worth(1), 0.05 * 0.6 + 0.95 * 0.5);
        close(worth(2), 0.95 * 0.6 + 0.05 * 0.5);
        close(found.spend_usd[1].unwrap(), 0.05 * 0.4 + 0.95 * 0.1);
        assert_eq!(
            found.report.candidates[0].candidate,
            "less (greedy; without a)"
        );
        assert_eq!(found.world, None);
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let check = |proposals: &[Proposal], expected: &str| {
            let error = judged(&log(), proposals).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        let worlds = [priced(plain("greedy"), 2.0), priced(plain("uniform"), 3.0)];
        check(
            &worlds,
            "candidates greedy and uniform change what outcomes are worth in different ways: allowed one",
        );
        let never = "has arm c, which the log never offered: allowed a, b; what an arm would do that was never offered";
        let fixed = format!("candidate fixed:arm=c: policy {never}");
        check(&[plain("uniform"), plain("fixed:arm=c")], &fixed);
        let mut elsewhere = priced(plain("greedy"), 2.0);
        elsewhere.worth.prices = [(name("c"), 0.5)].into();
        check(&[elsewhere], &format!("candidate greedy: price {never}"));
        check(
            &vec![plain("uniform"); 33],
            "number of candidates is 33: allowed at most 32",
        );
    }
}
