//! How to read a report, and what not to read into it.
//!
//! # The answers
//!
//! A report opens with a few questions, each answered by its figures: **Yes** or **No** where the whole
//! interval lies on one side, **Open** where it holds both sides, **Cannot know** where the log has too
//! little (below). An answer about several teams is that of the weakest. The claims behind the answers
//! follow, with every figure.
//!
//! # Quality against cost
//!
//! Each arm is a point: what it costs a request and how good it is. The line above the arms is the
//! **hull**: what you would get by tossing a coin between two fixed arms, with no router at all. A
//! router that lies on the line has found nothing that a coin could not. A claim of a saving that does
//! not name the hull is worth little; every report here prints it.
//!
//! # Reward
//!
//! What a policy is judged by: quality less cost and latency, by the team's scorecard. A difference of
//! 0.01 is one point of quality in a hundred, or a hundredth of `quality_usd` a request.
//!
//! # Intervals
//!
//! A 95 % interval is made so that it holds the truth in 19 of 20 cases like this one. Read the
//! interval of a *difference* where there is one: two intervals that overlap may still belong to
//! policies that differ clearly on the same requests. Requests of one episode count as one unit, for
//! they share their luck.
//!
//! The interval on recorded traffic takes the logged probabilities as given and fixed beforehand. A
//! router that learns as it logs bends that a little; look twice at an end that lies near zero.
//!
//! # Judged from the log
//!
//! What another policy would have earned is worked out from traffic that it did not choose
//! ([`crate::ope`]): each outcome is weighed by how much more often the other policy would have chosen
//! that arm. Three estimates are given. **Doubly robust** is the headline: a model of the outcome,
//! corrected by what was seen. **SNIPS** and **IPS** use no model; where they disagree strongly with
//! it, trust none.
//!
//! - **Effective sample size**: how many plain observations the weighted ones are worth. Under 100 the
//!   question is refused: the log hardly ever did what the candidate would do. Widen the exploration
//!   floor, wait, or use an outcome table.
//! - **Mean weight**: must be near 1; it is the check that the logged probabilities are true.
//! - **Unsupported**: the candidate would choose arms that were never possible. That part cannot be
//!   known from this log at all, however long it is.
//!
//! # Calibration
//!
//! The arms drawn are counted against the probabilities that were logged. A small p-value (under
//! 0.001) says that the log's probabilities are wrong, and then every other number from the log is.
//!
//! # Learning curves
//!
//! A window's mean moves by chance: at 200 requests of a yes-or-no outcome, by some three points either
//! way. Compare the router with the fixed arms *in the same window*, for requests differ in difficulty.
//!
//! # What no report says
//!
//! What an arm that nobody offered would have done; what would happen under a looser budget than the
//! one that was in force; whether your signals measure what you care about.
