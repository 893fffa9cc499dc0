//! Words of the report that a reader may not know.

use crate::report::Term;

/// In the order in which they are met.
pub(super) fn terms() -> Vec<Term> {
    let term = |(word, meaning): &(&str, &str)| Term {
        word: (*word).to_owned(),
        meaning: (*meaning).to_owned(),
    };
    TERMS.iter().map(term).collect()
}

const TERMS: &[(&str, &str)] = &[
    (
        "arm",
        "a model with its settings: what the router chooses between. The arms here are made up.",
    ),
    (
        "router",
        "Bellwether: for each request it works out a probability for every arm, and draws one.",
    ),
    (
        "signal",
        "what a team reports of a request's outcome, at once or days later: tests passed, customer escalated.",
    ),
    (
        "scorecard",
        "the file in which a team says which signals make its quality, and what a point of it is worth in dollars.",
    ),
    (
        "quality",
        "the weighted mean of a request's signals, from 0 (worst) to 1 (best); 0 where a gate fails.",
    ),
    ("gate", "a signal without which nothing else counts."),
    (
        "reward",
        "quality less cost and lateness, in points of quality, as the scorecard weighs them: what the router works for.",
    ),
    (
        "episode",
        "a piece of work of one or more requests, such as a pull request. One arm takes all of it, and intervals count it once.",
    ),
    (
        "interval",
        "the range in brackets: figures made this way miss the truth 5 times in 100 (95 % interval).",
    ),
    ("share", "the part of the requests that an arm took."),
    (
        "window",
        "the newest tenth of the requests at each point of a line.",
    ),
    (
        "pilot",
        "trying all arms on the first fifth of the requests, and keeping the best one for good.",
    ),
    (
        "best in hindsight",
        "the one arm that turned out best over all requests. Nobody knows it in advance.",
    ),
    (
        "static mix",
        "a coin that chooses between two arms. What a router is worth shows against the mix that costs the same.",
    ),
    (
        "hull",
        "the line of the best static mixes: the most quality that each mean cost buys without looking at the request.",
    ),
    ("chance", "every arm equally often."),
    (
        "alarm",
        "the server's own word that an arm's outcomes are no longer what they were.",
    ),
    (
        "log",
        "the server's journal: every decision with its probabilities, every outcome. Of each request it knows one arm only.",
    ),
    (
        "logged probability",
        "the chance with which an arm was drawn, written down before the answer was given. Also called propensity.",
    ),
    (
        "policy",
        "a rule that gives each arm its probability. `fixed:arm=X` always takes X; `greedy` takes what looks best; `epsilon-greedy` does so but for a share that goes to any arm; `square-cb` takes an arm the more seldom the further behind the best it looks (inverse-gap weighting).",
    ),
    (
        "candidate",
        "another policy, judged from the log alone, as if it had been in force.",
    ),
    (
        "doubly robust",
        "the way of judging: a model's prediction, corrected by what was drawn, weighed by its logged probability.",
    ),
    (
        "effective sample size",
        "how many decisions the log is worth for a candidate. Below 100 nothing is claimed.",
    ),
    (
        "exploration floor",
        "the least probability that every arm keeps, so that the log can speak of all of them.",
    ),
    (
        "truth",
        "what the simulator knows and a log never could: what every arm would have done with every request.",
    ),
    (
        "calibration",
        "whether arms were drawn as often as their logged probabilities say.",
    ),
    (
        "chi-square",
        "how far the counts of draws are from their logged probabilities, all arms together; p is the chance of being at \
         least as far, if the probabilities are true.",
    ),
    (
        "seen, assumed, unknown",
        "a signal that was reported; one whose silence the scorecard reads as good or bad; one that nobody knows.",
    ),
];
