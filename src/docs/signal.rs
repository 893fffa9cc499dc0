//! The life of a signal.
//!
//! A decision is a promise; a signal says how it went: the tests passed, the customer asked for a
//! person, the review took twenty minutes. It may come at once or a month later, in any order, twice,
//! or wrong.
//!
//! 1. **Report.** `SubmitFeedback` takes a batch. Each item names exactly one decision or one episode,
//!    its signals by name, who judged, and when it was seen. Each gets a verdict of its own: accepted,
//!    duplicate, parked, late or refused, with the reason. `dry_run` judges and keeps nothing.
//! 2. **Checks** ([`crate::learn::Intake`]): the signal must be in the team's scorecard, the value of
//!    its kind, a number not absurdly far from its range (milliseconds for minutes). A decision of
//!    another team is as unknown as one that never was. Ids carry a keyed check, so that an id of ours
//!    whose decision is not visible yet is told from one that somebody made up: the first is parked
//!    and waits, the second refused.
//! 3. **The journal.** What is accepted is a record like any other; the learner reads it from there.
//! 4. **The scale** ([`crate::scorecard`]): every value becomes a number from 0 (worst) to 1 (best).
//! 5. **The regression** ([`crate::learn`]): signals of one decision that close together share one
//!    regression per arm. The row enters at the first of them; the others are filled in by the arm's
//!    own prediction, which moves nothing. Each that comes later shifts the row by the exact difference,
//!    and so does a correction; a retraction takes it out again. The order of arrival leaves no trace
//!    but rounding.
//! 6. **Silence.** At its closing time a signal that has not come takes the value that the scorecard
//!    gives to silence: `worst`, `best`, or none at all. Before that, silence says nothing. A signal
//!    after its closing time still replaces what was assumed.
//! 7. **The next decision** uses the snapshot that holds it, a few milliseconds later.
//! 8. **A week after the last closing time** a decision is settled: what comes then is kept for replay
//!    and changes no regression.
//!
//! # Credit within an episode
//!
//! A signal of level `episode` belongs to every decision drawn for the episode, whichever came first;
//! calls that inherited their arm from an earlier one are not counted again.
//!
//! # Signals that do not come
//!
//! Where absence is `unknown`, an arm's means speak of the decisions that were reported. That is right as long
//! as a good outcome is reported as readily as a bad one. `GetTeam` and `control` tell of a signal that comes more
//! often of one arm than of another (100 closed decisions an arm or more, p below 0.001 at one look), with the
//! shares: a sign to look at who reports, and when. Nothing is reweighted (`learn::silence` says why). If what
//! is not reported went well, say so in the scorecard: `missing = "best"`.
//!
//! # Outcomes known beforehand
//!
//! A team that has an outcome table (every arm's outcome for a few hundred of its prompts) can teach it before
//! the first request: `bellwether seed`, with the server stopped ([`mod@crate::seed`]). Each cell becomes a
//! journal record of its own and enters the same regressions, at a weight of the team's choice. It is no
//! decision: it counts as no draw (each arm still gets its three forced ones), no feedback can correct it,
//! and `GetTeam` counts only what the team itself reported. The same table again adds nothing. Where an
//! arm serves the team otherwise than its table says, that is a change like any other, and raises an alarm.
//!
//! Who has no table may have a leaderboard: `bellwether seed --priors board.csv --signal passed=tests_passed` takes
//! from a CSV in what share of its trials each model had a flag true, and expects that of the arm whatever it
//! is asked. It weighs as much as 20 outcomes of the team's own (`--pseudo-count`), and never more than the
//! published trials, so that some 20 outcomes outweigh a leaderboard that is wrong for the team. What it says
//! of cost or latency is not taught. An arm is taught published rates once; other ones, later, are not added
//! to the first.
//!
//! # Outcomes of other teams
//!
//! By default teams of one server know nothing of each other. With `pooling = "give"` in its `[[teams]]` a team lets
//! others start from its statistics, with `"take"` its own arms start from those of teams that give, `"both"`
//! is both, `"none"` the default. What is lent is sums over at least 20 outcomes of one arm: never a request, a
//! reward, a cost, and only between groups of signals that both scorecards have alike (names, kinds,
//! thresholds, level, closing time, meaning of silence). It is lent once, when the team draws the arm for the
//! first time, weighs as much as 50 of its own outcomes at most (less where lenders disagree), and all of it
//! is given back where a guess that knows no arm foretells the team's outcomes better. No draw and no outcome
//! is counted for it. A change of `pooling` makes the learner read the journal anew, as if it had always been so.
//!
//! # What the learner does not believe
//!
//! - Comments: kept, shown by `GetDecision`, never learned from.
//! - Two evaluators who disagree: the later value replaces the earlier one. Names and versions of both
//!   stay in the journal, where replay finds them.
//! - While an operator has frozen the team, outcomes are kept but not learned from, not even later.
