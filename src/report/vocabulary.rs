//! What the page's own words mean. A document's own terms win over these.

/// (word, meaning), longest variants apart: the page links the first place where it meets each.
pub(super) const VOCABULARY: [(&str, &str); 32] = [
    (
        "router",
        "The program being judged: for each request it picks one arm, by chance, with probabilities that \
         it learns from outcomes.",
    ),
    (
        "arm",
        "A model with its settings: one of the things that the router can choose.",
    ),
    (
        "fixed arm",
        "A policy that sends every request to the same arm, whatever the request is.",
    ),
    ("request", "One question of a team, answered by one arm."),
    (
        "task",
        "The kind of work that a request belongs to, as the team labels it.",
    ),
    (
        "quality",
        "How good the outcome was by the team's scorecard, from 0 (worst) to 1 (best), before cost and \
         latency are counted.",
    ),
    (
        "scorecard",
        "The file in which a team says what a good outcome is: which signals count and how much.",
    ),
    (
        "signal",
        "One thing that a team reports about an outcome, such as whether the tests passed.",
    ),
    (
        "reward",
        "What the router tries to make large: quality less what the team's scorecard takes off for cost \
         and latency.",
    ),
    (
        "interval",
        "Two numbers between which the true value lies in 95 of 100 such experiments. Drawn as a thin line \
         through a point.",
    ),
    (
        "hull",
        "The best quality at each cost that a static mix of two arms can give; drawn as a dashed line.",
    ),
    (
        "static mix",
        "A policy that sends a fixed share of all requests to one arm and the rest to another, without \
         looking at the request.",
    ),
    (
        "window",
        "A stretch of neighbouring requests over which a curve takes its mean.",
    ),
    ("share", "The part of requests that an arm took."),
    (
        "policy",
        "A rule that says with which probability each arm takes a request.",
    ),
    (
        "logged",
        "Written into the journal when the arm was drawn, before its outcome was known.",
    ),
    (
        "logged probability",
        "The chance that an arm had of being drawn, as written down at the moment of the draw.",
    ),
    (
        "draw",
        "The choice of an arm by chance, with the probabilities that the router had worked out.",
    ),
    (
        "log",
        "The journal: every decision with its probabilities, and every outcome that came back.",
    ),
    (
        "calibration",
        "Whether things that were given a probability of 30 % happen 30 % of the time.",
    ),
    (
        "chi-square",
        "How far counts lie from what was expected, added up over all of them. About as large as its \
         degrees of freedom if the expectation is true.",
    ),
    (
        "degrees of freedom",
        "How many of the compared counts could have come out differently.",
    ),
    (
        "p",
        "The chance of a chi-square at least this large if the logged probabilities are true. A small one \
         speaks against them.",
    ),
    (
        "doubly robust",
        "A way to judge a policy from the log of another: a model's prediction, corrected by the outcomes \
         seen, weighted by how much likelier the judged policy was to draw them. Right if either the model \
         or the probabilities are.",
    ),
    (
        "effective sample size",
        "How many outcomes drawn by the judged policy itself would say as much as this log does.",
    ),
    (
        "truth",
        "What a simulator knows and a real log cannot: the value that was to be estimated.",
    ),
    (
        "oracle",
        "A policy that knows every outcome beforehand. Nothing can do better, and nothing real can do it.",
    ),
    (
        "in hindsight",
        "Chosen with all outcomes known: nobody could have known it beforehand.",
    ),
    (
        "episode",
        "One piece of work with all requests made for it. Outcomes belong to it, and intervals count it \
         once.",
    ),
    (
        "simulated",
        "Made by a generator that knows the truth, not measured on real models.",
    ),
    (
        "taken as said",
        "The scorecard says what silence means for this signal, such as: a harm that nobody reported did \
         not happen.",
    ),
    (
        "journal",
        "The file to which the router appends every decision and outcome; the only truth from which all \
         else can be built again.",
    ),
];
