//! A candidate as a file; `evals/policies/` has worked ones. Each change is one line.
//!
//! | field | what (default) |
//! |---|---|
//! | `policy` | who chooses: "logged", "uniform", "fixed:arm=NAME", "linear-thompson:v=0.1", .. |
//! | `why` | what for, in the writer's words (none) |
//! | `drop` | arms that it never chooses, as `["large"]` (none) |
//! | `budget` | `{ request_usd = 0.001 }`: most that it may spend in the mean (none); of policies that weigh utilities |
//! | `scorecard` | a path: outcomes are weighed by this scorecard (the log's own) |
//! | `price` | `{ large = 0.5 }`: the arm costs half of what it cost; factors 0 to 1000 (none) |
//! | `quality_usd` | what a point is worth in USD, for `price` without a `scorecard` (none) |
//!
//! The last three change the world, for all candidates of a comparison; the first ones this candidate.
//!
//! Not here: whether a log can answer it (`replay`).

use super::fields::Fields;
use super::problem::Problem;
use super::report::Report;
use super::scorecard_file::load_scorecard;
use crate::bandit::Policy;
use crate::id::Name;
use crate::replay::{Candidate, Proposal, Worth};
use crate::scorecard::Scorecard;
use std::collections::BTreeMap;
use std::path::Path;

/// Reads the candidate at `path`, and the scorecard that it names; or everything that is wrong with them.
pub fn load_candidate(path: &Path) -> Result<Proposal, Vec<Problem>> {
    parse(path, &super::build::read_text(path)?)
}

/// A candidate as a command or an experiment writes it: a file's path, below `dir`, or a specification.
pub fn candidate(text: &str, dir: &Path) -> Result<Proposal, Vec<Problem>> {
    let path = dir.join(text);
    if text.ends_with(".toml") {
        return load_candidate(&path);
    }
    let refused = |error: crate::bandit::SpecError| {
        vec![Problem {
            file: dir.to_owned(),
            line: None,
            path: "candidates".to_owned(),
            value: Some(format!("{text:?}")),
            problem: error.to_string(),
            allowed: String::new(),
        }]
    };
    text.parse::<Candidate>()
        .map(Proposal::from)
        .map_err(refused)
}

/// Reads the candidate `text` of the file `path`.
pub(super) fn parse(path: &Path, text: &str) -> Result<Proposal, Vec<Problem>> {
    let report = Report::new(path, text);
    let mut others = Vec::new();
    let proposal = report.parse().and_then(|document| {
        let root = report.root(&document);
        let proposal = read(&root, path, &mut others);
        root.done();
        proposal
    });
    report.extend(others);
    let problems = report.problems();
    match proposal {
        Some(proposal) if problems.is_empty() => Ok(proposal),
        _ => Err(problems),
    }
}

fn read(root: &Fields<'_>, path: &Path, others: &mut Vec<Problem>) -> Option<Proposal> {
    let chooser = root.required("policy", policy);
    root.text("why");
    let drop = root.names("drop");
    let request_usd = budget(root);
    let scorecard = scorecard(root, path, others);
    let prices = prices(root);
    let quality_usd = root.number("quality_usd", "above 0", |usd| usd > 0.0);
    let chooser = chooser?;
    agree(root, &chooser, &drop);
    let name = path.file_stem().unwrap_or(path.as_os_str());
    Some(Proposal {
        name: name.to_string_lossy().into_owned(),
        chooser,
        drop,
        request_usd,
        worth: Worth {
            scorecard,
            prices,
            quality_usd,
        },
    })
}

/// A policy's specification, whose own words say what is wrong with it.
fn policy(fields: &Fields<'_>, key: &'static str) -> Option<Candidate> {
    match fields.text(key)?.parse() {
        Ok(candidate) => Some(candidate),
        Err(error) => {
            let error: crate::bandit::SpecError = error;
            fields.problem(key, &error.to_string(), "");
            None
        }
    }
}

fn budget(root: &Fields<'_>) -> Option<f64> {
    let table = root.table("budget")?;
    let usd = table.required("request_usd", |f, key| {
        f.number(key, "above 0", |usd| usd > 0.0)
    });
    table.done();
    usd
}

fn scorecard(root: &Fields<'_>, path: &Path, others: &mut Vec<Problem>) -> Option<Scorecard> {
    let named = root.text("scorecard")?;
    let dir = path.parent().unwrap_or(Path::new(""));
    match load_scorecard(&dir.join(named)) {
        Ok((scorecard, _)) => Some(scorecard),
        Err(problems) => {
            others.extend(problems);
            None
        }
    }
}

fn prices(root: &Fields<'_>) -> BTreeMap<Name, f64> {
    let Some(table) = root.table("price") else {
        return BTreeMap::new();
    };
    let mut prices = BTreeMap::new();
    for arm in table.keys() {
        let factor = table.number_at(arm, "0 to 1000, a factor on what the arm cost", |factor| {
            (0.0..=1000.0).contains(&factor)
        });
        match (Name::new(arm), factor) {
            (Ok(arm), Some(factor)) => drop(prices.insert(arm, factor)),
            (Err(_), _) => table.problem(arm, "no arm's name", "1 to 128 printable characters"),
            (Ok(_), None) => {}
        }
    }
    prices
}

/// What the fields say of each other.
fn agree(root: &Fields<'_>, chooser: &Candidate, drop: &[Name]) {
    if root.has("quality_usd") && root.has("scorecard") {
        let allowed = "one of the two: a scorecard has its own";
        root.problem("quality_usd", "beside a scorecard", allowed);
    }
    if root.has("quality_usd") && !root.has("price") {
        root.problem(
            "quality_usd",
            "has no effect without prices",
            "with price = { ARM = FACTOR }",
        );
    }
    if root.has("drop") && drop.is_empty() {
        root.problem("drop", "drops nothing", "one arm or more");
    }
    if let Candidate::Policy(Policy::Fixed { arm }) = chooser
        && drop.contains(arm)
    {
        root.problem(
            "drop",
            "has the policy's only arm",
            format!("arms other than {arm}"),
        );
    }
    let weighs = !matches!(
        chooser,
        Candidate::Logged | Candidate::Policy(Policy::Fixed { .. } | Policy::Uniform)
    );
    if root.has("budget") && !weighs {
        let allowed = "with linear-thompson, square-cb, lin-ucb, epsilon-greedy, greedy";
        root.problem(
            "budget",
            "means nothing to a policy that does not weigh cost",
            allowed,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::render;

    fn parsed(text: &str) -> Proposal {
        parse(Path::new("evals/policies/x.toml"), text).unwrap_or_else(|p| panic!("{}", render(&p)))
    }

    #[test]
    fn each_change_is_one_line() {
        let same = parsed("policy = \"greedy\"\n");
        assert!(same.is_plain() && same.name == "x");
        assert_eq!(same.chooser, "greedy".parse().unwrap());
        let check = |line: &str, change: fn(&Proposal) -> String, expected: &str| {
            let found = parsed(&format!("policy = \"greedy\"\nwhy = \"to see\"\n{line}\n"));
            assert_eq!(change(&found), expected);
            assert!(!found.is_plain());
        };
        check(
            "drop = [\"large\"]",
            |p| format!("{:?}", p.drop),
            "[\"large\"]",
        );
        check(
            "budget = { request_usd = 0.001 }",
            |p| format!("{:?}", p.request_usd),
            "Some(0.001)",
        );
        check(
            "price = { large = 0.5, \"a/b:free\" = 0 }\nquality_usd = 2",
            |p| format!("{} {:?}", p.worth, p.worth.quality_usd),
            "a/b:free costs 0 times what it cost; large costs 0.5 times what it cost Some(2.0)",
        );
    }

    #[test]
    fn a_scorecard_is_found_beside_the_file_that_names_it() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/evals/policies/x.toml");
        let text = "policy = \"logged\"\nscorecard = \"../scorecards/coding.toml\"\n";
        let found = parse(Path::new(path), text).unwrap_or_else(|p| panic!("{}", render(&p)));
        assert_eq!(
            found.worth.to_string(),
            "outcomes weighed by scorecard coding"
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        let text = r#"policy = "fixed:arm=large"
why = 3
drop = ["large"]
price = { large = -1, small = "much" }
budget = { request_usd = 0, total = 3 }
colour = "red"
quality_usd = 0
"#;
        let problems = parse(Path::new("x.toml"), text).unwrap_err();
        assert_eq!(
            render(&problems),
            "\
9 problems:
  x.toml:2: why = 3: wrong type; allowed a text in quotes
  x.toml:3: drop = [\"large\"]: has the policy's only arm; allowed arms other than large
  x.toml:4: price.large = -1: out of range; allowed 0 to 1000, a factor on what the arm cost
  x.toml:4: price.small = \"much\": wrong type; allowed a number, 0 to 1000, a factor on what the arm cost
  x.toml:5: budget.request_usd = 0: out of range; allowed above 0
  x.toml:5: budget.total: is not a field; allowed request_usd
  x.toml:5: budget = { request_usd = 0, total = 3 }: means nothing to a policy that does not weigh cost; allowed with linear-thompson, square-cb, lin-ucb, epsilon-greedy, greedy
  x.toml:6: colour: is not a field; allowed policy, why, drop, budget, scorecard, price, quality_usd
  x.toml:7: quality_usd = 0: out of range; allowed above 0
"
        );
        let problems = parse(Path::new("x.toml"), "quality_usd = 1\ndrop = []\n").unwrap_err();
        assert_eq!(
            render(&problems),
            "1 problem:\n  x.toml: policy: is required\n"
        );
        let text = "policy = \"greedee\"\nscorecard = \"none.toml\"\n";
        let problems = render(&parse(Path::new("x.toml"), text).unwrap_err());
        assert!(
            problems.contains("x.toml:1: policy = \"greedee\": policy \"greedee\" is unknown"),
            "{problems}"
        );
        assert!(problems.contains("none.toml: cannot be read"), "{problems}");
    }
}
