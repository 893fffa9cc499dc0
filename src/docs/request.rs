//! The life of a request.
//!
//! An agent calls `Route` with what it knows. Some tens of microseconds later it holds an arm, an
//! endpoint to call, and a decision id. In between:
//!
//! 1. **The guard** ([`crate::grpc`]) gives the call an id, limits its size, catches a panic, and reads
//!    the key. [`crate::access`] turns the key into a grant: a team, scopes, perhaps a list of arms. A
//!    server without keys listens on loopback only and has one team.
//! 2. **Decoding** turns the message into a [`crate::route::Request`], or into one status that names
//!    *every* field that is wrong and what is allowed. From here on nobody knows of gRPC. (The
//!    OpenAI-compatible door, [`mod@crate::http`], does the same with a chat completion, and its callers
//!    get an error object in OpenAI's form.)
//! 3. **The idempotency key.** A `request_id` that was used before with the same body gets the same
//!    decision again; with another body it is refused; one in flight is waited for.
//! 4. **The episode's turn.** Calls of one (episode, task) stand in line. The first draws an arm, the
//!    later ones inherit it: an agent that fixes a bug in twelve calls should not change its model
//!    half-way, and an outcome of the whole episode then belongs to one arm.
//! 5. **The context** ([`crate::feature`]): 105 numbers of squared norm at most 4. Task label, tags and
//!    format, hashed; 64 columns of a static text embedding (the last user message first, then the
//!    head of the system prompt) or of the client's own; eight facts about the text's shape; and a 1.
//!    The words themselves are forgotten here unless the team asked to record them.
//! 6. **Eligibility** ([`crate::eligibility`]): arms and endpoints that the key, the constraints, the
//!    needed capabilities, the context length and the data policy leave. Every other arm is kept with
//!    the first reason against it, and the reply lists them. No arm left: `NO_ELIGIBLE_ARM`, with the
//!    same list; none left but those whose endpoints have failed just now: `ENDPOINTS_UNAVAILABLE`, or
//!    `ENDPOINTS_RATE_LIMITED` where all of them said that there were too many, with the time to wait.
//! 7. **Estimates** ([`crate::route`]): for each eligible arm what each signal would be (a ridge
//!    regression on the context), what it would cost and how long it would take; the team's scorecard
//!    makes one utility and its standard deviation of them. Limits on cost and latency exclude arms
//!    here, for only now is the prediction known.
//!    **Cost** is tokens at the prices of now: the input, the output that the arm's earlier attempts lead to
//!    expect (never more than `max_output_tokens`), and, where the caller names a `session_id`, at the price
//!    of cached input as much of the prompt as the endpoint's cache should still hold: the session's last
//!    prompt there, for five minutes ([`crate::warmth`]). So an arm that a conversation is on is cheaper by
//!    what leaving its warm cache would cost. Without `cached_input_usd_per_million` there is no such
//!    discount. Attempts that told money and no output tokens count as a multiple of the cost of 256.
//!    Where the team has a **budget**, a dollar also costs what [`crate::budget`] says it does now, an arm
//!    that pacing or what is left of the limit does not pay for is excluded, with what was expected of it
//!    on record, and no arm left means `BUDGET_EXHAUSTED` with the time until the limit is whole again.
//! 8. **The pmf and the draw** ([`crate::bandit`]): the policy turns utilities into a probability for
//!    each arm, every arm keeping a small floor. One uniform number, keyed to the decision id by the
//!    server's secret, draws. An arm with fewer than three decisions comes first, by equal chances; one
//!    that joined later than the others has a floor (15 % for all such, less where a budget says so) until
//!    it has had 20, or is shown to be worth less ([`crate::learn::Newcomer`]). A caller who says `explore = false` gets the best arm with probability 1 (the baseline
//!    while the guard holds), and a pin by an operator overrides all of
//!    it; both are marked, for no estimator may use them as if they were drawn.
//!    Where the team names a **baseline**, one episode in twenty (`holdout`) is held out for it: a hash of
//!    the episode's name under the server's secret says which, the same for all its calls and after a
//!    restart. A held-out decision gets the baseline with probability 1, so that what the router gains over
//!    it is a fair comparison and not a belief. A pin, the arm that the episode has already, and
//!    `explore = false` go before it, and where it is not eligible the router draws; the decision is counted
//!    as held out all the same, for a comparison by intention holds only if nothing that happens later moves
//!    a decision from one side to the other. If the router is shown to be worse than the baseline, in utility
//!    or in a signal that the team guards, the **guard** ([`crate::learn::Comparison`]) holds it: draws go to
//!    the baseline, but for the floors, until an operator lifts the guard.
//!    Under a hard limit the worst case of the arm drawn is held on the team's account
//!    ([`crate::account`]) from here until an attempt says what it cost, an hour has passed, or the caller goes
//!    before it hears of the decision. The worst case is of the most tokens that there can be
//!    ([`crate::chat::InputTokens::bound`], [`crate::eligibility::worst_case`]); everything above is of those to expect.
//! 9. **The journal** ([`crate::store`]): the decision with everything that the draw depended on. In
//!    mode `group` the bytes are with the operating system before the reply; in mode `sync` they are on
//!    disk. A full disk refuses new decisions with `STORE_FULL`; what was acknowledged stays.
//! 10. **The reply**: arm, endpoint, fallbacks, propensity, predictions, exclusions, and the versions of
//!     policy, scorecard and snapshot, so that the decision can be explained next year.
//!
//! `Complete` and `StreamComplete` go on from there ([`crate::complete`]): the decision's endpoint is
//! asked within the caller's deadline, and one attempt is recorded on every path: an answer, an
//! error, a deadline, a caller who hung up. What the provider had said of the tokens by then is charged, and what
//! was heard since. A stream ends with a message that says what was served and
//! what it cost; a stream without one was cut.
//!
//! An agent that called the model itself tells usage, latency and error by `ReportAttempt`, so that
//! cost and latency are learned too. Output tokens are worth most: priced anew for each request. A sum told
//! beside them is kept and settled but not learned from, for prices are the configuration's.
//!
//! # Where it would hurt
//!
//! - A server that is killed loses nothing that was acknowledged; started again, it rebuilds what it
//!   had learned from checkpoint and journal, to the same bits (`bellwether verify` shows it).
//! - The learner stands still (an error in the log says why): decisions go on with the last snapshot.
//! - No snapshot of the team yet, or an arm nobody has tried: the prior mean serves, and first pulls
//!   are by chance.
