//! What the page's own words mean, besides those of all pages.

use crate::report::model::Term;

/// (word, meaning).
const WORDS: [(&str, &str); 22] = [
    (
        "candidate",
        "A policy that is asked about: it need not have run, it is judged from what was logged.",
    ),
    (
        "incumbent",
        "The policy that candidates are held against: what serves today, unless another one was named.",
    ),
    (
        "log",
        "The recorded decisions of one team, each with the probabilities of its draw and what came of it.",
    ),
    (
        "decision",
        "One choice of an arm, with what came of it. Later requests of the same piece of work may inherit it.",
    ),
    (
        "utility",
        "What a team wants more of: quality by its scorecard, less what the scorecard takes off for cost and latency.",
    ),
    (
        "difference",
        "What the candidate would have got less what the incumbent would have got, a decision, on the same decisions. \
         Above zero the candidate has more of it.",
    ),
    (
        "condition",
        "One thing that must hold before a candidate may take the incumbent's place. All must hold; the more candidates \
         were asked about before, the stricter each is.",
    ),
    (
        "bound",
        "The end of an interval that speaks least for the candidate: even if it is no better than that, the condition \
         must hold.",
    ),
    (
        "weight",
        "How many times likelier the candidate was than the router to draw what was drawn in an episode. The log's \
         outcomes count by it.",
    ),
    (
        "mean weight",
        "The mean of the weights, 1 but for chance. Far from 1, the logged probabilities are not those that drew.",
    ),
    (
        "largest share",
        "The part of all weight that one episode has. Where it is large, one outcome decides much.",
    ),
    (
        "tail index",
        "How fast large weights become rare: below 2 a few rare episodes may decide, and intervals may be too narrow.",
    ),
    (
        "inverse propensity scoring",
        "The logged outcomes, each counted by its weight. Right without any model, and noisy.",
    ),
    (
        "self-normalised",
        "The same, divided by the sum of the weights: a little off, and less noisy.",
    ),
    (
        "stabilised",
        "Doubly robust with episodes counted by how much they can tell, in the order of the log: its interval holds \
         although the router learned on the way.",
    ),
    (
        "at every peek",
        "Bounds that hold however often and whenever somebody looks. Wider for that; the plain interval holds for one \
         look, at an end that was set beforehand.",
    ),
    (
        "peek",
        "A look at the figures before the end, with the thought of stopping if they please.",
    ),
    (
        "signal guard",
        "A signal that must not get worse by more than its margin.",
    ),
    (
        "held out",
        "Given to the team's baseline by lot, so that what the router gains can be measured.",
    ),
    (
        "pinned",
        "Sent to an arm that an operator or a caller had named: chance had no part in it.",
    ),
    (
        "standard deviations",
        "How far a count is off, measured by how far counts are off by chance. Beyond 3 either way is rare.",
    ),
    (
        "refused",
        "Not answered, because this log cannot know: a number would be a guess.",
    ),
];

pub(super) fn terms() -> Vec<Term> {
    let term = |(word, meaning): (&str, &str)| Term {
        word: word.to_owned(),
        meaning: meaning.to_owned(),
    };
    WORDS.into_iter().map(term).collect()
}
