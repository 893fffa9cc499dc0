//! An experiment as a team writes it: `evals/NAME/experiment.toml`. The folder `evals` has worked ones.
//!
//! | where | fields (default) |
//! |---|---|
//! | top | `question`; `candidates`: files (ending .toml, relative to this one) or specifications, 1 to 32 |
//! | `[data]`, one of | `world` (a seed, 0 to 1000000) with `team`: traffic of our own simulated world |
//! | | `traffic`: a file that `traffic export` wrote |
//! | | `table`: an outcome table |
//! | `[settings]`, of a table | `seeds` (1 to 100; 3), `lambda` (0), `budget_usd` (none) |
//!
//! Not here: running it (`eval`), what a candidate's file may hold (`candidate_file`).

use super::candidate_file::candidate;
use super::fields::Fields;
use super::problem::Problem;
use super::report::Report;
use crate::bandit::Policy;
use crate::id::Name;
use crate::replay::{Candidate, MOST_CANDIDATES, Proposal};
use std::path::{Path, PathBuf};

/// An experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// What it asks.
    pub question: String,
    /// Whom it asks about.
    pub asked: Asked,
}

/// What an experiment is made on, and its candidates.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// The traffic of a team of the simulated world.
    World {
        /// The world's seed.
        seed: u64,
        /// The team.
        team: Name,
        /// Judged by `replay traffic`.
        proposals: Vec<Proposal>,
    },
    /// Exported traffic.
    Traffic {
        /// The file.
        file: PathBuf,
        /// Judged by `replay traffic`.
        proposals: Vec<Proposal>,
    },
    /// An outcome table.
    Table {
        /// The file.
        file: PathBuf,
        /// Played by `replay outcomes`.
        policies: Vec<Policy>,
        /// Streams of each.
        seeds: u64,
        /// What cost counts.
        lambda: f64,
        /// Most that a policy may spend, in USD a request in the mean.
        budget_usd: Option<f64>,
    },
}

/// Reads the experiment at `path` and the files that it names; or everything that is wrong with them.
pub fn load_experiment(path: &Path) -> Result<Experiment, Vec<Problem>> {
    parse(path, &super::build::read_text(path)?)
}

fn parse(path: &Path, text: &str) -> Result<Experiment, Vec<Problem>> {
    let report = Report::new(path, text);
    let mut others = Vec::new();
    let experiment = report.parse().and_then(|document| {
        let root = report.root(&document);
        let experiment = read(&root, path, &mut others);
        root.done();
        experiment
    });
    report.extend(others);
    let problems = report.problems();
    match experiment {
        Some(experiment) if problems.is_empty() => Ok(experiment),
        _ => Err(problems),
    }
}

fn read(root: &Fields<'_>, path: &Path, others: &mut Vec<Problem>) -> Option<Experiment> {
    let question = root.required("question", Fields::text);
    let dir = path.parent().unwrap_or(Path::new(""));
    let proposals = candidates(root, dir, others);
    let settings = settings(root);
    let table = root.required("data", |f, key| f.table(key));
    let on = table.and_then(|table| {
        let on = data(&table, dir);
        table.done();
        on
    });
    let asked = match on? {
        Data::World(seed, team) => Asked::World {
            seed,
            team,
            proposals,
        },
        Data::Traffic(file) => Asked::Traffic { file, proposals },
        Data::Table(file) => Asked::Table {
            file,
            policies: policies(root, proposals),
            seeds: settings.seeds,
            lambda: settings.lambda,
            budget_usd: settings.budget_usd,
        },
    };
    if root.has("settings") && !matches!(asked, Asked::Table { .. }) {
        root.secret_problem("settings", "means nothing to traffic", "beside data.table");
    }
    Some(Experiment {
        question: question?.to_owned(),
        asked,
    })
}

/// The candidates; what is wrong with one is told with it, and the rest is still read.
fn candidates(root: &Fields<'_>, dir: &Path, others: &mut Vec<Problem>) -> Vec<Proposal> {
    let allowed = "a file ending .toml, or a policy's specification";
    let texts = root.required("candidates", |f, key| {
        Some(f.list(key, allowed, |text| Some(text.to_owned())))
    });
    let Some(texts) = texts else {
        return Vec::new();
    };
    if root.is_list("candidates") && !(1..=MOST_CANDIDATES).contains(&texts.len()) {
        let problem = format!("has {} entries", texts.len());
        let allowed = format!("1 to {MOST_CANDIDATES}");
        root.secret_problem("candidates", &problem, allowed);
        return Vec::new();
    }
    let mut proposals = Vec::with_capacity(texts.len());
    for text in &texts {
        match candidate(text, dir) {
            Ok(proposal) => proposals.push(proposal),
            Err(problems) if text.ends_with(".toml") => others.extend(problems),
            Err(problems) => {
                for problem in problems {
                    root.secret_problem("candidates", &problem.problem, "");
                }
            }
        }
    }
    proposals
}

enum Data {
    World(u64, Name),
    Traffic(PathBuf),
    Table(PathBuf),
}

fn data(fields: &Fields<'_>, dir: &Path) -> Option<Data> {
    let world = fields.integer("world", 0..=1_000_000).map(u64::from);
    let team = fields.name("team");
    let file = |key| fields.text(key).map(|path| dir.join(path));
    let (traffic, table) = (file("traffic"), file("table"));
    let kinds = ["world", "traffic", "table"];
    let given: Vec<&str> = kinds.into_iter().filter(|key| fields.has(key)).collect();
    let ([kind] | [kind, ..]) = given.as_slice() else {
        fields.secret_problem("world", "no data is named", "one of world, traffic, table");
        return None;
    };
    if given.len() > 1 {
        fields.problem(
            kind,
            "beside another kind of data",
            "one of world, traffic, table",
        );
    }
    if fields.has("team") != fields.has("world") {
        let problem = "belongs to a world, and a world needs one";
        fields.problem("team", problem, "world and team together, or neither");
    }
    match *kind {
        "world" => Some(Data::World(world?, team?)),
        "traffic" => Some(Data::Traffic(traffic?)),
        _ => Some(Data::Table(table?)),
    }
}

/// Of an experiment on a table.
struct Settings {
    seeds: u64,
    lambda: f64,
    budget_usd: Option<f64>,
}

fn settings(root: &Fields<'_>) -> Settings {
    let mut settings = Settings {
        seeds: 3,
        lambda: 0.0,
        budget_usd: None,
    };
    let Some(table) = root.table("settings") else {
        return settings;
    };
    if let Some(seeds) = table.integer("seeds", 1..=100) {
        settings.seeds = u64::from(seeds);
    }
    let lambda = table.number("lambda", "0 or more", |lambda| lambda >= 0.0);
    settings.lambda = lambda.unwrap_or(0.0);
    settings.budget_usd = table.number("budget_usd", "above 0", |usd| usd > 0.0);
    if settings.budget_usd.is_some() && settings.lambda > 0.0 {
        let problem = "beside a lambda above 0";
        table.problem(
            "budget_usd",
            problem,
            "one of the two: a budget finds its own price",
        );
    }
    table.done();
    settings
}

/// The candidates as a table can play them.
fn policies(root: &Fields<'_>, proposals: Vec<Proposal>) -> Vec<Policy> {
    let mut policies = Vec::with_capacity(proposals.len());
    for proposal in proposals {
        let plain = proposal.is_plain();
        match proposal.chooser {
            Candidate::Policy(policy) if plain => policies.push(policy),
            _ => root.secret_problem(
                "candidates",
                &format!("{} cannot be played on a table", proposal.name),
                "policies without changes; on a table, [settings] has lambda and budget_usd",
            ),
        }
    }
    policies
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::render;

    fn check(text: &str, expected: &str) {
        let problems = parse(Path::new("evals/x/experiment.toml"), text).unwrap_err();
        assert_eq!(render(&problems), expected);
    }

    #[test]
    fn an_experiment_names_its_question_data_and_candidates() {
        let text = "question = \"Why?\"\ncandidates = [\"greedy\", \"uniform\"]\n[data]\nworld = 7\nteam = \"coding\"\n";
        let found = parse(Path::new("x.toml"), text).unwrap();
        let Asked::World {
            seed,
            team,
            proposals,
        } = found.asked
        else {
            panic!("{:?}", found.asked);
        };
        assert_eq!((seed, team.as_str(), proposals.len()), (7, "coding", 2));
        let text = "question = \"Why?\"\ncandidates = [\"greedy\"]\n[data]\ntable = \"../t.csv\"\n[settings]\nlambda = 0.1\n";
        let found = parse(Path::new("evals/x/experiment.toml"), text).unwrap();
        let Asked::Table {
            file,
            seeds,
            lambda,
            ..
        } = found.asked
        else {
            panic!("{:?}", found.asked);
        };
        assert_eq!(
            (file, seeds, lambda),
            (PathBuf::from("evals/x/../t.csv"), 3, 0.1)
        );
    }

    #[test]
    fn every_mistake_is_reported_at_once() {
        check(
            r#"candidates = ["greedee", "uniform", 3]
colour = "red"
[data]
world = -1
table = "t.csv"
[settings]
seeds = 0
lambda = 0.1
budget_usd = 1
"#,
            "\
9 problems:
  evals/x/experiment.toml: question: is required
  evals/x/experiment.toml:1: candidates[2] = 3: not understood; allowed a file ending .toml, or a policy's specification
  evals/x/experiment.toml:1: candidates: policy \"greedee\" is unknown: allowed linear-thompson, square-cb, lin-ucb, epsilon-greedy, greedy, fixed, uniform
  evals/x/experiment.toml:2: colour: is not a field; allowed question, candidates, settings, data
  evals/x/experiment.toml:3: data.team: belongs to a world, and a world needs one; allowed world and team together, or neither
  evals/x/experiment.toml:4: data.world = -1: out of range; allowed a whole number, 0 to 1000000
  evals/x/experiment.toml:4: data.world = -1: beside another kind of data; allowed one of world, traffic, table
  evals/x/experiment.toml:7: settings.seeds = 0: out of range; allowed a whole number, 1 to 100
  evals/x/experiment.toml:9: settings.budget_usd = 1: beside a lambda above 0; allowed one of the two: a budget finds its own price
",
        );
    }

    #[test]
    fn a_hundred_candidates_are_told_the_range() {
        let hundred = "\"uniform\", ".repeat(100);
        check(
            &format!(
                "question = \"?\"\ncandidates = [{hundred}]\n[data]\ntraffic = \"t.parquet\"\n"
            ),
            "1 problem:\n  evals/x/experiment.toml:2: candidates: has 100 entries; allowed 1 to 32\n",
        );
        check(
            "question = \"?\"\ncandidates = []\n[data]\n[settings]\n",
            "2 problems:\n  evals/x/experiment.toml:2: candidates: has 0 entries; allowed 1 to 32\n  \
             evals/x/experiment.toml:3: data.world: no data is named; allowed one of world, traffic, table\n",
        );
    }

    #[test]
    fn a_table_plays_no_changes_and_traffic_has_no_settings() {
        check(
            "question = \"?\"\ncandidates = [\"logged\"]\n[data]\ntable = \"t.csv\"\n",
            "1 problem:\n  evals/x/experiment.toml:2: candidates: logged cannot be played on a table; allowed policies \
             without changes; on a table, [settings] has lambda and budget_usd\n",
        );
        check(
            "question = \"?\"\ncandidates = [\"logged\"]\n[data]\ntraffic = \"t.parquet\"\n[settings]\nseeds = 2\n",
            "1 problem:\n  evals/x/experiment.toml:5: settings: means nothing to traffic; allowed beside data.table\n",
        );
    }
}
