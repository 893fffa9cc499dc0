//! What a report says, before it looks like anything.
//!
//! Invariants: series that share an axis have its length; intervals hold their value.
//!
//! Units: cost in USD a request, quality and reward in points (0 to 1), shares and probabilities in
//! [0, 1], time as the number of requests that the team had made.

use serde::Serialize;

/// A whole report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Its heading.
    pub title: String,
    /// What was set out to do, for who knows none of its words.
    pub introduction: String,
    /// One sentence that says what was done.
    pub summary: String,
    /// The exact command that makes it again.
    pub command: String,
    /// The program's version.
    pub version: String,
    /// What was found, in a few plain answers, the most important first.
    pub verdict: Vec<Statement>,
    /// What the answers rest on.
    pub details: Vec<Details>,
    /// A section for each team.
    pub teams: Vec<Team>,
    /// What was noticed on the way, such as an arm that changed.
    pub events: Vec<Event>,
    /// What the numbers were made from.
    pub data: DataCard,
    /// What was done, in order.
    pub steps: Vec<Step>,
    /// Words that a reader may not know, in the order in which they are met.
    pub terms: Vec<Term>,
}

/// Claims about one thing, each with its figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Details {
    /// What they are about, such as a team.
    pub about: String,
    /// The claims.
    pub statements: Vec<Statement>,
}

/// A claim or a question, and what the figures say to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What the figures say to it.
    pub finding: Finding,
    /// In words.
    pub text: String,
}

/// What the figures say to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// The evidence is for it.
    Shown,
    /// The evidence is against it.
    Contradicted,
    /// The evidence is too thin either way.
    Undecided,
    /// The log cannot know.
    Refused,
    /// Said for the reader's sake.
    Note,
}

impl Finding {
    /// In a word, as the answer to a question.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shown => "Yes",
            Self::Contradicted => "No",
            Self::Undecided => "Open",
            Self::Refused => "Cannot know",
            Self::Note => "Note",
        }
    }
}

/// A value and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end of the 95 % interval.
    pub upper: f64,
}

/// One team.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Team {
    /// Its name.
    pub name: String,
    /// Requests made.
    pub requests: usize,
    /// How reward is made of quality, cost and latency, in words.
    pub reward: String,
    /// The router's own point.
    pub router: Point,
    /// The arms, each as if it had taken every request.
    pub arms: Vec<ArmRow>,
    /// Corners of the best static mixes of two fixed arms, as (cost, quality) by rising cost.
    pub hull: Vec<(f64, f64)>,
    /// What the router is compared with.
    pub references: Vec<Reference>,
    /// Mean reward of the last window of requests, the router's and the references'.
    pub learning: Series,
    /// Each arm's share of the last window of requests.
    pub shares: Series,
    /// The same for each task: (task, shares).
    pub task_shares: Vec<(String, Series)>,
    /// Signals seen, for each arm.
    pub signals: Vec<SignalCell>,
    /// The team's requests by task.
    pub slices: Vec<Slice>,
    /// Whether the logged probabilities are true.
    pub calibration: Calibration,
    /// Other policies, judged from the log.
    pub candidates: Vec<Candidate>,
}

/// Quality against cost.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Mean quality.
    pub quality: Interval,
    /// Mean cost in USD a request.
    pub cost_usd: Interval,
    /// Mean reward.
    pub reward: Interval,
}

/// One arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmRow {
    /// Its name.
    pub arm: String,
    /// What it is, in a few words.
    pub note: String,
    /// As if it had taken every request.
    pub point: Point,
    /// Its share of all requests.
    pub share: f64,
    /// Its share of the first fifth.
    pub first_fifth: f64,
    /// Its share of the last fifth.
    pub last_fifth: f64,
}

/// Something to compare with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// What it means and who could have had it.
    pub meaning: String,
    /// Its mean reward.
    pub reward: Interval,
    /// The router's reward less this one's, on the same requests.
    pub difference: Interval,
}

/// Lines over one axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// Requests made at each point.
    pub requests: Vec<usize>,
    /// (name, a value for each point; none where there is nothing to say).
    pub lines: Vec<(String, Vec<Option<f64>>)>,
    /// Vertical marks: (requests made, what happened).
    pub marks: Vec<(usize, String)>,
}

/// One signal of one arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalCell {
    /// The signal.
    pub signal: String,
    /// The arm.
    pub arm: String,
    /// Its mean on the scorecard's scale, 1 best, if it was ever seen.
    pub mean: Option<Interval>,
    /// Decisions it was reported of.
    pub seen: usize,
    /// Decisions where silence was taken as the scorecard says.
    pub assumed: usize,
    /// Decisions it is still not known of.
    pub unknown: usize,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slice {
    /// The task.
    pub name: String,
    /// Requests.
    pub requests: usize,
    /// The router's point.
    pub router: Point,
    /// The arm that took most of the last fifth, and its share of it.
    pub favourite: (String, f64),
    /// Best fixed arm in hindsight.
    pub best_arm: String,
    /// The router's reward less that arm's.
    pub difference: Interval,
}

/// Whether logged probabilities are true.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Decisions drawn by chance.
    pub draws: usize,
    /// Those whose probabilities were worked out again and found equal.
    pub recomputed_equal: usize,
    /// Chi-square of arm counts against their logged probabilities.
    pub chi_square: f64,
    /// Its degrees of freedom.
    pub degrees: usize,
    /// Chance of a value as large, if the probabilities are true.
    pub p_value: f64,
    /// Draws by logged probability.
    pub bins: Vec<CalibrationBin>,
}

/// Arms that were logged with about the same probability.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationBin {
    /// Mean logged probability.
    pub logged: f64,
    /// Share of them that were drawn.
    pub drawn: Interval,
    /// How many (decision, arm) pairs.
    pub count: usize,
}

/// Another policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidate {
    /// Its specification, as `replay traffic --candidate` takes it.
    pub policy: String,
    /// What it means, in words.
    pub meaning: String,
    /// What the log says of its reward.
    pub judged: Judged,
    /// What it would truly have earned, where a simulator knows.
    pub truth: Option<f64>,
}

/// What a log says of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// An answer.
    Estimated {
        /// Doubly robust, with its interval.
        reward: Interval,
        /// The same less what was logged.
        difference: Interval,
        /// Effective sample size.
        effective_sample_size: f64,
    },
    /// It cannot be known from this log.
    Refused {
        /// Why.
        reason: String,
        /// What would make it answerable.
        remedy: String,
        /// Effective sample size, as far as there is one.
        effective_sample_size: f64,
    },
}

/// Something noticed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The team.
    pub team: String,
    /// Requests of the team made when it was noticed.
    pub requests: usize,
    /// What, in one sentence.
    pub text: String,
    /// What truly happened, where a simulator knows.
    pub truth: Option<String>,
}

/// What the numbers were made from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataCard {
    /// Its name.
    pub name: String,
    /// Whether it is made up.
    pub simulated: bool,
    /// Facts, as (name, value).
    pub facts: Vec<(String, String)>,
    /// What it is fit for and what not.
    pub caveats: Vec<String>,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What.
    pub name: String,
    /// How it went.
    pub outcome: String,
    /// How long it took.
    pub seconds: f64,
}

/// A word and its meaning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Term {
    /// The word.
    pub word: String,
    /// What it means here.
    pub meaning: String,
}
