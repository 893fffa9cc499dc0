//! A team's state, as `control` writes it out.

use super::noticed::{Alarm, Newcomer, Uneven};
use bellwether::proto::v1;
use serde::Serialize;
use std::collections::BTreeMap;

/// A team's state, as it is written out.
#[derive(Serialize)]
pub(super) struct Team {
    team: String,
    pinned_arm: Option<String>,
    frozen: bool,
    snapshot_version: i64,
    journal_sequence: i64,
    arms: Vec<Arm>,
    alarms: Vec<Alarm>,
    budget: Option<Budget>,
    holdout: Option<Holdout>,
    newcomers: Vec<Newcomer>,
    uneven_reports: Vec<Uneven>,
    limit_refusals: Vec<OverLimit>,
}

#[derive(Serialize)]
struct Arm {
    arm: String,
    outcome_count: i64,
    signal_means: BTreeMap<String, f64>,
}

impl Team {
    pub(super) fn of(team: String, state: v1::GetTeamResponse) -> Self {
        let control = state.control.unwrap_or_default();
        let arm = |arm: v1::ArmState| Arm {
            arm: arm.arm,
            outcome_count: arm.outcome_count,
            signal_means: arm.signal_means,
        };
        Self {
            team,
            pinned_arm: Some(control.pinned_arm).filter(|arm| !arm.is_empty()),
            frozen: control.frozen,
            snapshot_version: state.snapshot_version,
            journal_sequence: state.journal_sequence,
            arms: state.arms.into_iter().map(arm).collect(),
            alarms: state.alarms.into_iter().map(Alarm::of).collect(),
            budget: state.budget.map(Budget::of),
            holdout: state.holdout.map(Holdout::of),
            newcomers: state.newcomers.into_iter().map(Newcomer::of).collect(),
            uneven_reports: state.uneven_reports.into_iter().map(Uneven::of).collect(),
            limit_refusals: state
                .limit_refusals
                .into_iter()
                .map(OverLimit::of)
                .collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let pin = match &self.pinned_arm {
            Some(arm) => format!("pinned to {arm}"),
            None => "not pinned".to_owned(),
        };
        let learning = if self.frozen { "frozen" } else { "learning" };
        let mut text = format!(
            "team {}: {pin}, {learning}, learned up to record {} of {}\n",
            self.team, self.snapshot_version, self.journal_sequence
        );
        for arm in &self.arms {
            let mean = |(name, mean): (&String, &f64)| format!("  {name} {mean:.3}");
            let means: String = arm.signal_means.iter().map(mean).collect();
            text += &format!(
                "  {:<32} {:>8} outcomes{means}\n",
                arm.arm, arm.outcome_count
            );
        }
        for alarm in &self.alarms {
            text += &alarm.text();
        }
        for uneven in &self.uneven_reports {
            text += &uneven.text();
        }
        for refusal in &self.limit_refusals {
            text += &refusal.text();
        }
        if let Some(budget) = &self.budget {
            text += &budget.text();
        }
        if let Some(holdout) = &self.holdout {
            text += &holdout.text();
        }
        for newcomer in &self.newcomers {
            text += &newcomer.text();
        }
        text
    }
}

/// A team's budget, in USD.
#[derive(Serialize)]
struct Budget {
    request_usd: Option<f64>,
    price: f64,
    balance_usd: f64,
    limit_usd: Option<f64>,
    spent_usd: f64,
    held_usd: f64,
    reset_time: Option<String>,
    overrun_usd: f64,
    refusals: Vec<Refusal>,
    key: Option<KeyBudget>,
}

/// A request that was refused for want of money.
#[derive(Serialize)]
struct Refusal {
    time: Option<String>,
    key: String,
    task: String,
    owner: String,
    asked_usd: f64,
    left_usd: Option<f64>,
}

/// A call that was refused by a limit on requests, tokens or calls at once.
#[derive(Serialize)]
struct OverLimit {
    time: Option<String>,
    key: String,
    task: String,
    owner: String,
    limit: String,
}

impl OverLimit {
    fn of(refusal: v1::LimitRefusal) -> Self {
        Self {
            time: refusal.refuse_time.map(|time| time.to_string()),
            key: refusal.key,
            task: refusal.task,
            owner: refusal.owner,
            limit: refusal.limit,
        }
    }

    fn text(&self) -> String {
        let time = self.time.as_deref().unwrap_or("at an unknown time");
        let Self {
            key, owner, limit, ..
        } = self;
        format!("  refused {time}: a call with key {key}, by the limit of {owner} on {limit}\n")
    }
}

/// The budget of the key that asks.
#[derive(Serialize)]
struct KeyBudget {
    key: String,
    limit_usd: f64,
    spent_usd: f64,
    held_usd: f64,
    reset_time: Option<String>,
}

impl Refusal {
    fn of(refusal: v1::BudgetRefusal) -> Self {
        let usd = |nano: i64| nano as f64 * 1e-9;
        Self {
            time: refusal.refuse_time.map(|time| time.to_string()),
            key: refusal.key,
            task: refusal.task,
            owner: refusal.owner,
            asked_usd: usd(refusal.asked_nano_usd),
            left_usd: refusal.left_nano_usd.map(usd),
        }
    }

    fn text(&self) -> String {
        let time = self.time.as_deref().unwrap_or("at an unknown time");
        let task = match self.task.as_str() {
            "" => String::new(),
            task => format!(", task {task}"),
        };
        let left = self.left_usd.map(|left| format!(", {left:.6} there"));
        format!(
            "  refused {time}: key {}{task}: {} does not pay {:.6} USD{}\n",
            self.key,
            self.owner,
            self.asked_usd,
            left.unwrap_or_default()
        )
    }
}

impl KeyBudget {
    fn of(budget: v1::KeyBudget) -> Self {
        let usd = |nano: i64| nano as f64 * 1e-9;
        Self {
            key: budget.key,
            limit_usd: usd(budget.limit_nano_usd),
            spent_usd: usd(budget.spent_nano_usd),
            held_usd: usd(budget.held_nano_usd),
            reset_time: budget.reset_time.map(|time| time.to_string()),
        }
    }
}

impl Budget {
    fn of(budget: v1::Budget) -> Self {
        let usd = |nano: i64| nano as f64 * 1e-9;
        Self {
            request_usd: budget.request_usd,
            price: budget.price,
            balance_usd: budget.balance_usd,
            limit_usd: budget.limit_nano_usd.map(usd),
            spent_usd: usd(budget.spent_nano_usd),
            held_usd: usd(budget.held_nano_usd),
            reset_time: budget.reset_time.map(|time| time.to_string()),
            overrun_usd: usd(budget.overrun_nano_usd),
            refusals: budget.refusals.into_iter().map(Refusal::of).collect(),
            key: budget.key.map(KeyBudget::of),
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        if let Some(request) = self.request_usd {
            text += &format!(
                "  pace: {request} USD a request, {:+.6} USD saved (-: owed), a dollar costs {:.3} points\n",
                self.balance_usd, self.price
            );
        }
        if let Some(limit) = self.limit_usd {
            let until = self.reset_time.as_deref().unwrap_or("an unknown time");
            text += &format!(
                "  limit: {:.6} of {limit} USD spent and {:.6} held, until {until}; {:.6} spent beyond \
                 what was held\n",
                self.spent_usd, self.held_usd, self.overrun_usd
            );
        }
        if let Some(key) = &self.key {
            let until = key.reset_time.as_deref();
            let until = until.map(|until| format!(", until {until}"));
            text += &format!(
                "  key {}: {:.6} of {} USD spent and {:.6} held{}\n",
                key.key,
                key.spent_usd,
                key.limit_usd,
                key.held_usd,
                until.unwrap_or_default()
            );
        }
        for refusal in &self.refusals {
            text += &refusal.text();
        }
        text
    }
}

/// What is held out for a team's baseline, and what came of it.
#[derive(Serialize)]
struct Holdout {
    baseline_arm: String,
    share: f64,
    router_count: i64,
    holdout_count: i64,
    router_mean: Option<f64>,
    holdout_mean: Option<f64>,
    lift_lower: f64,
    lift_upper: f64,
    guarded: bool,
    trip_time: Option<String>,
    trip_sequence: i64,
    trip_signal: Option<String>,
    guard_signals: Vec<GuardSignal>,
}

/// The router compared with the baseline in one signal.
#[derive(Serialize)]
struct GuardSignal {
    signal: String,
    margin: f64,
    router_count: i64,
    holdout_count: i64,
    router_mean: Option<f64>,
    holdout_mean: Option<f64>,
    gain_lower: f64,
    gain_upper: f64,
}

impl GuardSignal {
    fn of(guard: v1::GuardSignal) -> Self {
        Self {
            signal: guard.signal,
            margin: guard.margin,
            router_count: guard.router_count,
            holdout_count: guard.holdout_count,
            router_mean: guard.router_mean,
            holdout_mean: guard.holdout_mean,
            gain_lower: guard.gain_lower,
            gain_upper: guard.gain_upper,
        }
    }

    fn text(&self) -> String {
        format!(
            "  guard on {}: the router {} on {} episodes, the baseline {} on {}, gain {:+.3} to {:+.3}; trips \
             below {:+}\n",
            self.signal,
            mean(self.router_mean),
            self.router_count,
            mean(self.holdout_mean),
            self.holdout_count,
            self.gain_lower,
            self.gain_upper,
            -self.margin,
        )
    }
}

fn mean(mean: Option<f64>) -> String {
    mean.map_or("nothing".to_owned(), |mean| format!("{mean:.3}"))
}

impl Holdout {
    fn of(holdout: v1::Holdout) -> Self {
        Self {
            baseline_arm: holdout.baseline_arm,
            share: holdout.share,
            router_count: holdout.router_count,
            holdout_count: holdout.holdout_count,
            router_mean: holdout.router_mean,
            holdout_mean: holdout.holdout_mean,
            lift_lower: holdout.lift_lower,
            lift_upper: holdout.lift_upper,
            guarded: holdout.guarded,
            trip_time: holdout.trip_time.map(|time| time.to_string()),
            trip_sequence: holdout.trip_sequence,
            trip_signal: Some(holdout.trip_signal).filter(|signal| !signal.is_empty()),
            guard_signals: holdout
                .guard_signals
                .into_iter()
                .map(GuardSignal::of)
                .collect(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "  holdout: {} % of episodes to {}; the router {} on {} episodes, the baseline {} on {}, gain \
             {:+.3} to {:+.3}\n",
            self.share * 100.0,
            self.baseline_arm,
            mean(self.router_mean),
            self.router_count,
            mean(self.holdout_mean),
            self.holdout_count,
            self.lift_lower,
            self.lift_upper,
        );
        text.extend(self.guard_signals.iter().map(GuardSignal::text));
        if self.guarded {
            let worse = match &self.trip_signal {
                Some(signal) => format!("worse in {signal}"),
                None => "worse".to_owned(),
            };
            let since = self.trip_time.as_deref().unwrap_or("an unknown time");
            text += &format!(
                "  GUARD: the router was {worse}; traffic goes to {} since {since} (record {}); --lift-guard \
                 ends it\n",
                self.baseline_arm, self.trip_sequence
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_told_in_dollars() {
        let budget = v1::Budget {
            request_usd: Some(0.002),
            price: 12.5,
            balance_usd: -0.25,
            limit_nano_usd: Some(50_000_000_000),
            spent_nano_usd: 12_500_000_000,
            held_nano_usd: 20_000_000,
            reset_time: None,
            overrun_nano_usd: 0,
            refusals: vec![v1::BudgetRefusal {
                refuse_time: None,
                key: "ci".to_owned(),
                task: "review".to_owned(),
                owner: "key ci".to_owned(),
                asked_nano_usd: 2_000_000,
                left_nano_usd: Some(1_000_000),
            }],
            key: Some(v1::KeyBudget {
                key: "ops".to_owned(),
                limit_nano_usd: 5_000_000_000,
                spent_nano_usd: 1_000_000_000,
                ..Default::default()
            }),
        };
        assert_eq!(
            Budget::of(budget).text(),
            "  pace: 0.002 USD a request, -0.250000 USD saved (-: owed), a dollar costs 12.500 points\n  \
             limit: 12.500000 of 50 USD spent and 0.020000 held, until an unknown time; 0.000000 spent \
             beyond what was held\n  \
             key ops: 1.000000 of 5 USD spent and 0.000000 held\n  \
             refused at an unknown time: key ci, task review: key ci does not pay 0.002000 USD, 0.001000 there\n"
        );
    }

    #[test]
    fn a_holdout_is_told_with_its_guard() {
        let mut holdout = v1::Holdout {
            baseline_arm: "large".to_owned(),
            share: 0.05,
            lift_lower: -2.0,
            lift_upper: 2.0,
            ..Default::default()
        };
        assert_eq!(
            Holdout::of(holdout.clone()).text(),
            "  holdout: 5 % of episodes to large; the router nothing on 0 episodes, the baseline nothing on \
             0, gain -2.000 to +2.000\n"
        );
        holdout.router_mean = Some(0.5);
        holdout.lift_upper = -0.001;
        holdout.guarded = true;
        holdout.trip_sequence = 42;
        let text = Holdout::of(holdout).text();
        assert!(text.contains("the router 0.500 on"), "{text}");
        let guard =
            "GUARD: the router was worse; traffic goes to large since an unknown time (record 42)";
        assert!(text.contains(guard), "{text}");
    }

    #[test]
    fn a_signal_that_is_reported_unevenly_is_told_with_its_shares() {
        let arm = |arm: &str, reported_count| v1::ArmReports {
            arm: arm.to_owned(),
            closed_count: 400,
            reported_count,
        };
        let state = v1::GetTeamResponse {
            uneven_reports: vec![v1::UnevenReports {
                signal: "merged".to_owned(),
                p_value: 3.2e-9,
                arms: vec![arm("harbor", 160), arm("wharf", 83)],
            }],
            ..Default::default()
        };
        let team = Team::of("coding".to_owned(), state);
        let line = "  uneven: merged is reported of harbor 40.0 % of 400, wharf 20.8 % of 400 (chance 3e-9 if \
                    all were alike); means speak of what is reported\n";
        assert!(team.text().ends_with(line), "{}", team.text());
        let json = serde_json::to_value(&team).unwrap();
        assert_eq!(json["uneven_reports"][0]["arms"][1]["reported_count"], 83);
    }

    #[test]
    fn a_guard_signal_is_told_and_that_it_tripped_the_guard() {
        let holdout = v1::Holdout {
            baseline_arm: "large".to_owned(),
            guarded: true,
            trip_sequence: 42,
            trip_signal: "tests_passed".to_owned(),
            guard_signals: vec![v1::GuardSignal {
                signal: "tests_passed".to_owned(),
                margin: 0.02,
                router_count: 900,
                router_mean: Some(0.5),
                gain_lower: -1.0,
                gain_upper: 0.5,
                ..Default::default()
            }],
            ..Default::default()
        };
        let text = Holdout::of(holdout).text();
        let line = "\n  guard on tests_passed: the router 0.500 on 900 episodes, the baseline nothing on 0, gain \
                    -1.000 to +0.500; trips below -0.02\n";
        assert!(text.contains(line), "{text}");
        assert!(
            text.contains("GUARD: the router was worse in tests_passed; traffic"),
            "{text}"
        );
    }

    #[test]
    fn an_alarm_is_told_in_one_line_and_in_json() {
        let at = |seconds| {
            Some(
                std::time::UNIX_EPOCH
                    .checked_add(std::time::Duration::from_secs(seconds))
                    .unwrap()
                    .into(),
            )
        };
        let alarm = v1::Alarm {
            arm: "harbor".to_owned(),
            signal: "tests_passed".to_owned(),
            direction: v1::alarm::Direction::Fell.into(),
            begin_time: at(1_771_059_600),
            outcome_count: 52,
            raise_time: at(1_771_146_000),
            raise_sequence: 4711,
            mean_before: 0.8571,
            mean_after: 0.5385,
            evidence: 234_567.0,
            threshold: 200_000.0,
            run_length: 100_000,
        };
        let state = v1::GetTeamResponse {
            snapshot_version: 4712,
            journal_sequence: 4720,
            alarms: vec![alarm],
            ..Default::default()
        };
        let team = Team::of("coding".to_owned(), state);
        assert_eq!(
            team.text(),
            "team coding: not pinned, learning, learned up to record 4712 of 4720\n  \
             alarm: harbor tests_passed fell from 0.857 to 0.538 in 52 outcomes since \
             2026-02-14T09:00:00Z (record 4711; a false one comes once in 100000 outcomes at most)\n"
        );
        let json = serde_json::to_value(&team).unwrap();
        assert_eq!(json["alarms"][0]["direction"], "fell");
        assert_eq!(json["alarms"][0]["raise_time"], "2026-02-15T09:00:00Z");
    }
}
