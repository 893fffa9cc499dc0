//! A team's state, as `control` writes it out.

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

/// An arm that joined later than the others.
#[derive(Serialize)]
struct Newcomer {
    arm: String,
    verdict: &'static str,
    join_time: Option<String>,
    arm_count: i64,
    other_count: i64,
    difference_lower: f64,
    difference_upper: f64,
    verdict_time: Option<String>,
    verdict_sequence: i64,
}

impl Newcomer {
    fn of(newcomer: v1::Newcomer) -> Self {
        use v1::newcomer::Verdict;
        let verdict = match newcomer.verdict() {
            Verdict::Adopted => "adopted",
            Verdict::Rejected => "rejected",
            Verdict::Undecided => "undecided",
            Verdict::Open | Verdict::Unspecified => "open",
        };
        Self {
            verdict,
            arm: newcomer.arm,
            join_time: newcomer.join_time.map(|time| time.to_string()),
            arm_count: newcomer.arm_count,
            other_count: newcomer.other_count,
            difference_lower: newcomer.difference_lower,
            difference_upper: newcomer.difference_upper,
            verdict_time: newcomer.verdict_time.map(|time| time.to_string()),
            verdict_sequence: newcomer.verdict_sequence,
        }
    }

    fn text(&self) -> String {
        let (lower, upper) = (self.difference_lower, self.difference_upper);
        let more = lower.abs().max(upper.abs());
        let said = match self.verdict {
            "adopted" => "adopted: it is worth more than the others".to_owned(),
            "rejected" => {
                "rejected: it is worth less than the others, and is not forced any more".to_owned()
            }
            "undecided" => {
                format!("undecided: no difference of more than {more:.3} is possible by now")
            }
            _ => "not decided yet".to_owned(),
        };
        let since = self.join_time.as_deref().unwrap_or("an unknown time");
        let by = match self.verdict_sequence {
            0 => String::new(),
            record => format!(" (record {record})"),
        };
        format!(
            "  newcomer: {} since {since}, {said}{by}; {lower:+.3} to {upper:+.3} on {} draws of it and {} of \
             the others\n",
            self.arm, self.arm_count, self.other_count
        )
    }
}

/// An arm that changed.
#[derive(Serialize)]
struct Alarm {
    arm: String,
    signal: String,
    direction: &'static str,
    begin_time: Option<String>,
    outcome_count: i64,
    raise_time: Option<String>,
    raise_sequence: i64,
    mean_before: f64,
    mean_after: f64,
    evidence: f64,
    threshold: f64,
    run_length: i64,
}

impl Alarm {
    fn of(alarm: v1::Alarm) -> Self {
        let direction = match alarm.direction() {
            v1::alarm::Direction::Fell => "fell",
            v1::alarm::Direction::Rose => "rose",
            v1::alarm::Direction::Unspecified => "changed",
        };
        Self {
            arm: alarm.arm,
            signal: alarm.signal,
            direction,
            begin_time: alarm.begin_time.map(|time| time.to_string()),
            outcome_count: alarm.outcome_count,
            raise_time: alarm.raise_time.map(|time| time.to_string()),
            raise_sequence: alarm.raise_sequence,
            mean_before: alarm.mean_before,
            mean_after: alarm.mean_after,
            evidence: alarm.evidence,
            threshold: alarm.threshold,
            run_length: alarm.run_length,
        }
    }

    fn text(&self) -> String {
        let since = self.begin_time.as_deref().unwrap_or("an unknown time");
        format!(
            "  alarm: {} {} {} from {:.3} to {:.3} in {} outcomes since {since} (record {}; a false one \
             comes once in {} outcomes at most)\n",
            self.arm,
            self.signal,
            self.direction,
            self.mean_before,
            self.mean_after,
            self.outcome_count,
            self.raise_sequence,
            self.run_length,
        )
    }
}

/// A signal that is reported more often of one arm than of another.
#[derive(Serialize)]
struct Uneven {
    signal: String,
    p_value: f64,
    arms: Vec<Reports>,
}

#[derive(Serialize)]
struct Reports {
    arm: String,
    closed_count: i64,
    reported_count: i64,
}

impl Uneven {
    fn of(uneven: v1::UnevenReports) -> Self {
        let arms = uneven.arms.into_iter().map(|arm| Reports {
            arm: arm.arm,
            closed_count: arm.closed_count,
            reported_count: arm.reported_count,
        });
        Self {
            signal: uneven.signal,
            p_value: uneven.p_value,
            arms: arms.collect(),
        }
    }

    fn text(&self) -> String {
        let share = |arm: &Reports| {
            let percent = 100.0 * arm.reported_count as f64 / arm.closed_count.max(1) as f64;
            format!("{} {percent:.1} % of {}", arm.arm, arm.closed_count)
        };
        let shares: Vec<String> = self.arms.iter().map(share).collect();
        format!(
            "  uneven: {} is reported of {} (chance {:.0e} if all were alike); means speak of what is \
             reported\n",
            self.signal,
            shares.join(", "),
            self.p_value,
        )
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
        };
        assert_eq!(
            Budget::of(budget).text(),
            "  pace: 0.002 USD a request, -0.250000 USD saved (-: owed), a dollar costs 12.500 points\n  \
             limit: 12.500000 of 50 USD spent and 0.020000 held, until an unknown time; 0.000000 spent \
             beyond what was held\n"
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
    fn a_newcomer_is_told_with_its_verdict() {
        use v1::newcomer::Verdict;
        let mut newcomer = v1::Newcomer {
            arm: "harbor".to_owned(),
            verdict: Verdict::Open.into(),
            difference_lower: -2.0,
            difference_upper: 2.0,
            ..Default::default()
        };
        assert_eq!(
            Newcomer::of(newcomer.clone()).text(),
            "  newcomer: harbor since an unknown time, not decided yet; -2.000 to +2.000 on 0 draws of it \
             and 0 of the others\n"
        );
        let mut check = |verdict: Verdict, lower, upper, expected: &str| {
            newcomer.verdict = verdict.into();
            (newcomer.difference_lower, newcomer.difference_upper) = (lower, upper);
            newcomer.verdict_sequence = 42;
            let text = Newcomer::of(newcomer.clone()).text();
            assert!(text.contains(expected), "{text}");
            assert!(text.contains("(record 42)"), "{text}");
        };
        check(Verdict::Adopted, 0.01, 0.2, "adopted: it is worth more");
        check(Verdict::Rejected, -0.2, -0.01, "is not forced any more");
        let none = "undecided: no difference of more than 0.200 ";
        check(Verdict::Undecided, -0.2, 0.1, none);
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
