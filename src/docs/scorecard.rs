//! How to write a scorecard.
//!
//! A scorecard is a small TOML file in which a team says what it calls good. It is the one thing that
//! Bellwether cannot guess, and the only lever that most teams need. Two worked ones are in
//! `evals/scorecards`; this is how to come to your own.
//!
//! # Start from what you already measure
//!
//! List what you find out about an answer anyway, and when. A test run, a linter, a click on "accept",
//! a ticket that comes back. Three good signals beat ten; one that always comes beats three that come
//! sometimes.
//!
//! ```
//! use bellwether::config::read_scorecard;
//! let text = r#"
//! name = "docs"
//! quality_usd = 2.0          # one full point of quality is worth two dollars
//! latency_target_ms = 20_000 # longer costs: 40 seconds lose 0.1 points
//! latency_weight = 0.1
//!
//! [[signals]]
//! name = "build_passed"
//! kind = "flag"
//! weight = 3
//! closes_after_hours = 1
//! missing = "unknown"
//!
//! [[signals]]
//! name = "edits"             # words that a person changed afterwards
//! kind = "number"
//! worst = 200
//! best = 0
//! weight = 1
//! closes_after_hours = 72
//! missing = "best"           # nobody touched it
//! "#;
//! let card = read_scorecard("docs.toml".as_ref(), text).unwrap();
//! // The build passed, 50 words changed: (3 x 1 + 1 x 0.75) / 4 = 0.9375 points of quality.
//! let scored = card.score(&[Some(1.0), Some(0.75)]);
//! assert_eq!(scored.quality, Some(0.9375));
//! // At 10 cents and 30 seconds: less 0.1 / 2.0, less 0.1 x (30 - 20) / 20.
//! assert!((0.9375 - card.price(0.10, Some(30_000.0)) - 0.8375_f64).abs() < 1e-12);
//! ```
//!
//! # The four questions about a signal
//!
//! 1. **What is it about?** `level = "decision"` for one answer, `"episode"` for the whole task.
//! 2. **How much does it count?** `weight`, relative to the others. A `gate` is no weight but a
//!    condition: below it the whole answer is worth nothing. Use gates for what nothing can make up
//!    for, and few of them: behind a failed gate nothing else is learned to matter.
//! 3. **When will I know?** `closes_after_hours`: when the last honest report would have come. Signals
//!    with the same closing time, level and meaning of silence share statistics, which is faster and
//!    tells more about their dependence; do not make three closing times where one would do.
//! 4. **What does silence mean?** The most important one.
//!    - `"unknown"`: the report got lost or was never due (a cancelled build). The value is predicted
//!      from what else is known and counts for nothing of its own.
//!    - `"best"`: only harm is reported (an escalation, a refund error).
//!    - `"worst"`: success is reported, silence is failure (nobody merged it).
//!
//!    Wrong here is wrong everywhere: harm of which only a sample is checked must be `"unknown"`, or
//!    the unchecked ones count as innocent.
//!
//! # What a point is worth
//!
//! `quality_usd` sets the exchange rate between quality and money, and so decides how dear a model may
//! be. Ask: what would we pay, an answer, to have an all-good one instead of an all-bad one? Minutes of
//! a person times their cost is a fair start. Utility is then
//! `quality - cost / quality_usd - latency_weight x (latency - target) / target` (the last only above
//! the target).
//!
//! # Try it before it counts
//!
//! `bellwether check` names every mistake at once. `bellwether scorecard try FILE --traffic EXPORT` says
//! what the new scorecard would have made of recorded traffic: the mean of every arm, and which
//! signals were seen, assumed or unknown. Changing weights or dollars re-scores everything learned at
//! once; changing signals, kinds or closing times starts their statistics anew from the journal.
