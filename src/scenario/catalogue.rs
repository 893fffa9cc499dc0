//! The truth of the simulated world: what each arm costs and what it can do, task by task.
//!
//! Every arm is fictional. Costs, times and pass rates are set within what public leaderboards have
//! measured of real models; which figure comes from where is in `datasets/quickstart/README.md`.
//! Columns are the arms in the order of [`ARMS`].
//!
//! Units: probabilities in [0, 1] for a request of middling difficulty, prices in USD for a million
//! tokens, times in milliseconds, patches in lines.

/// Number of arms.
pub(super) const COUNT: usize = 5;

/// One value for each arm: atlas, harbor, cedar, finch, pebble.
pub(super) type Row = [f64; COUNT];

/// What an arm is, whatever it is asked.
pub(super) struct Profile {
    pub(super) name: &'static str,
    pub(super) note: &'static str,
    pub(super) input_usd_per_million: f64,
    pub(super) output_usd_per_million: f64,
    pub(super) output_tokens: u32,
}

pub(super) const ARMS: [Profile; COUNT] = [
    Profile {
        name: "atlas",
        note: "dear, best nearly everywhere",
        input_usd_per_million: 15.0,
        output_usd_per_million: 75.0,
        output_tokens: 1_700,
    },
    Profile {
        name: "harbor",
        note: "mid price, nearly as good; gets worse half-way without a word",
        input_usd_per_million: 3.0,
        output_usd_per_million: 15.0,
        output_tokens: 1_900,
    },
    Profile {
        name: "cedar",
        note: "a little below harbor, cheaper, steady",
        input_usd_per_million: 0.6,
        output_usd_per_million: 3.0,
        output_tokens: 2_200,
    },
    Profile {
        name: "finch",
        note: "very cheap, good at one coding task only",
        input_usd_per_million: 0.1,
        output_usd_per_million: 0.4,
        output_tokens: 1_500,
    },
    Profile {
        name: "pebble",
        note: "cheapest, weak everywhere",
        input_usd_per_million: 0.05,
        output_usd_per_million: 0.2,
        output_tokens: 1_200,
    },
];

/// The arm that changes half-way, by position in [`ARMS`].
pub(super) const CHANGES: usize = 1;

/// The arm that is good at one task only, by position in [`ARMS`].
pub(super) const SPECIALIST: usize = 3;

/// Its task, by position in [`CODING`].
pub(super) const SPECIALTY: usize = 3;

/// How much of its success an arm loses from a middling request to the hardest.
pub(super) const SLOPE: Row = [0.12, 0.20, 0.20, 0.20, 0.16];

/// A value for each arm, and what the changing arm's becomes.
pub(super) struct Odds {
    pub(super) arms: Row,
    pub(super) changed: f64,
}

impl Odds {
    /// The value of one arm, before or after the change.
    pub(super) fn of(&self, arm: usize, after: bool) -> f64 {
        if after && arm == CHANGES {
            self.changed
        } else {
            self.arms[arm]
        }
    }
}

const fn odds(arms: Row, changed: f64) -> Odds {
    Odds { arms, changed }
}

/// A coding task.
pub(super) struct Coding {
    pub(super) name: &'static str,
    /// Share of the team's errands.
    pub(super) share: f64,
    /// Probability that the tests pass.
    pub(super) tests: Odds,
    /// Mean lines of a patch: whole numbers, at most 260 so that none of the spread of 0.5 to 1.5
    /// leaves the scorecard's range.
    pub(super) lines: Row,
}

pub(super) const CODING: [Coding; 4] = [
    Coding {
        name: "fix-test",
        share: 0.35,
        tests: odds([0.80, 0.75, 0.66, 0.34, 0.26], 0.36),
        lines: [50.0, 60.0, 70.0, 110.0, 120.0],
    },
    Coding {
        name: "add-feature",
        share: 0.20,
        tests: odds([0.72, 0.46, 0.40, 0.18, 0.12], 0.18),
        lines: [160.0, 170.0, 180.0, 220.0, 230.0],
    },
    Coding {
        name: "refactor",
        share: 0.25,
        tests: odds([0.73, 0.70, 0.62, 0.28, 0.22], 0.32),
        lines: [120.0, 130.0, 140.0, 190.0, 200.0],
    },
    Coding {
        name: "write-docs",
        share: 0.20,
        tests: odds([0.90, 0.82, 0.76, 0.90, 0.40], 0.44),
        lines: [40.0, 40.0, 50.0, 40.0, 90.0],
    },
];

/// Probability that a patch can be parsed.
pub(super) const VALID: Odds = odds([0.985, 0.985, 0.98, 0.975, 0.95], 0.95);

/// Probability of each of the linter's possible remarks (there are [`REMARKS`]).
pub(super) const REMARK: Row = [0.16, 0.18, 0.22, 0.30, 0.45];

/// Most remarks that the linter makes.
pub(super) const REMARKS: u32 = 6;

/// Probability that a patch whose tests pass is accepted by its reviewer.
pub(super) const ACCEPTED: Row = [0.85, 0.82, 0.81, 0.80, 0.72];

/// The same where they fail: reviewers and tests do not always agree.
pub(super) const ACCEPTED_ANYWAY: f64 = 0.10;

/// Mean milliseconds of a coding call.
pub(super) const CODING_MS: Row = [42_000.0, 30_000.0, 20_000.0, 12_000.0, 10_000.0];

/// A support task.
pub(super) struct Support {
    pub(super) name: &'static str,
    /// Share of the team's errands.
    pub(super) share: f64,
    /// Probability that the customer ends up with a person.
    pub(super) escalated: Odds,
    /// Probability that a refund is wrong.
    pub(super) refund_error: Odds,
}

const NO_REFUND: Odds = odds([0.0; COUNT], 0.0);

pub(super) const SUPPORT: [Support; 4] = [
    Support {
        name: "refund",
        share: 0.25,
        escalated: odds([0.20, 0.21, 0.34, 0.54, 0.62], 0.54),
        refund_error: odds([0.02, 0.03, 0.04, 0.12, 0.15], 0.10),
    },
    Support {
        name: "how-to",
        share: 0.35,
        escalated: odds([0.09, 0.10, 0.12, 0.32, 0.38], 0.40),
        refund_error: NO_REFUND,
    },
    Support {
        name: "complaint",
        share: 0.20,
        escalated: odds([0.24, 0.46, 0.55, 0.68, 0.74], 0.74),
        refund_error: NO_REFUND,
    },
    Support {
        name: "account",
        share: 0.20,
        escalated: odds([0.14, 0.15, 0.28, 0.46, 0.52], 0.50),
        refund_error: NO_REFUND,
    },
];

/// Probability that an answer breaks the policy.
pub(super) const VIOLATION: Odds = odds([0.004, 0.008, 0.010, 0.03, 0.04], 0.03);

/// Mean minutes of a person on an escalated conversation; spread by 6 either way.
pub(super) const MINUTES: Row = [14.0, 15.0, 16.0, 20.0, 21.0];

/// Mean milliseconds of a support answer.
pub(super) const SUPPORT_MS: Row = [4_200.0, 3_000.0, 2_000.0, 1_200.0, 1_000.0];
