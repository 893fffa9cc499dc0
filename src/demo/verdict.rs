//! The verdict: what the run showed, contradicted, left open or could not know.
//!
//! Invariants: every statement is worked out from this run; its finding follows from an interval or
//! a count by the rule beside it, and goes against the router where the figures do.
//!
//! Not here: the figures (`team`, `rivals`, `candidates`).

use super::rivals::{Kind, Rival};
use super::section::Material;
use super::team::{Call, TeamRun, last, mean, outcome, routed, share};
use crate::report::{Finding, Interval, Statement};
use statrs::distribution::{Binomial, DiscreteCDF};

/// Odds below which misses of 95 % intervals are not put down to chance.
const TOO_MANY_MISSES: f64 = 0.01;

/// P-value below which logged probabilities are called wrong.
pub(super) const WRONG_PROPENSITIES: f64 = 1e-4;

/// The statements, the most important first.
pub(super) fn verdict(teams: &[Material<'_>]) -> Vec<Statement> {
    let mut all = Vec::new();
    for kind in [Kind::Pilot, Kind::StaticMix, Kind::Hindsight] {
        all.extend(teams.iter().filter_map(|team| against(team, kind)));
    }
    for team in teams {
        all.push(noticed(team));
        all.push(moved_away(team));
    }
    all.extend(teams.iter().filter_map(specialist));
    for team in teams {
        all.extend(changes(team));
    }
    all.push(intervals_hold(teams));
    all.push(propensities(teams));
    all
}

/// By where 0 lies to the interval of a difference.
fn finding(difference: &Interval) -> Finding {
    if difference.lower > 0.0 {
        Finding::Shown
    } else if difference.upper < 0.0 {
        Finding::Contradicted
    } else {
        Finding::Undecided
    }
}

/// The router against a rival: by quality at equal cost where the rival is the static mix, else by
/// reward.
fn against(team: &Material<'_>, kind: Kind) -> Option<Statement> {
    let rival = team.rivals.iter().find(|rival| rival.kind == kind)?;
    let (run, name) = (&team.run, team.run.name());
    let (what, difference) = match kind {
        Kind::StaticMix => ("quality", rival.difference(run, |o| o.quality)),
        _ => ("reward", rival.difference(run, |o| o.reward)),
    };
    let finding = finding(&difference);
    let relation = match finding {
        Finding::Shown => "beat",
        Finding::Contradicted => "lost to",
        _ => "cannot be told from",
    };
    let text = format!(
        "{name}: the router {relation} {}: {what} {} a request{}.",
        rival.name,
        signed(&difference),
        basis(rival, run),
    );
    Some(Statement { finding, text })
}

/// What the comparison rests on.
fn basis(rival: &Rival, run: &TeamRun<'_>) -> String {
    let cost = run
        .mean(|call| routed(call).map_or(0.0, |o| o.cost_usd))
        .value;
    match rival.kind {
        Kind::StaticMix => format!(" at the same cost of ${cost:.4}"),
        _ => {
            let theirs = run.mean(|call| rival.on(call, |o| o.cost_usd)).value;
            format!(", at ${cost:.4} against ${theirs:.4}")
        }
    }
}

/// Whether the server told of the change, and only of it.
fn noticed(team: &Material<'_>) -> Statement {
    let run = &team.run;
    let arm = run.arm_name(run.world.change.arm);
    let before = run.before_change();
    let alarm = team.noticed.iter().find(|n| n.true_alarm);
    let mistaken = team.noticed.iter().filter(|n| !n.true_alarm).count();
    let (finding, said) = match alarm {
        Some(alarm) => (
            Finding::Shown,
            format!(
                "the server said so {} requests later ({})",
                alarm.requests.saturating_sub(before),
                alarm.text
            ),
        ),
        None => (Finding::Contradicted, "the server never said so".to_owned()),
    };
    let finding = if mistaken > 0 {
        Finding::Contradicted
    } else {
        finding
    };
    let mistaken = match mistaken {
        0 => "no false alarm".to_owned(),
        1 => "1 false alarm".to_owned(),
        n => format!("{n} false alarms"),
    };
    let name = run.name();
    let text = format!("{name}: {arm} silently got worse at request {before}; {said}; {mistaken}.");
    Statement { finding, text }
}

/// Whether the router left the arm that got worse: its share of the fifth before, and of the last.
fn moved_away(team: &Material<'_>) -> Statement {
    let run = &team.run;
    let arm = run.world.change.arm;
    let fifth = (run.calls.len() / 5).max(1);
    let change = run.before_change();
    let before = run.calls.get(change.saturating_sub(fifth)..change);
    let (before, after) = (before.unwrap_or_default(), last(&run.calls, 5));
    let (was, is) = (share_of(before, arm), share_of(after, arm));
    let finding = apart(&is, &was);
    let reward = |calls| {
        mean(calls, |call| {
            outcome(call, arm).map_or(0.0, |o| o.expected_reward)
        })
        .value
    };
    let text = format!(
        "{}: {}'s share went from {} in the fifth before the change to {} in the last fifth, while what \
         it was truly worth went from {:.3} to {:.3}.",
        run.name(),
        run.arm_name(arm),
        percent(&was),
        percent(&is),
        reward(before),
        reward(after),
    );
    Statement { finding, text }
}

/// Whether the arm that is good at one task is used there and not elsewhere.
fn specialist(team: &Material<'_>) -> Option<Statement> {
    let run = &team.run;
    let special = &run.world.specialist;
    if special.team != run.team {
        return None;
    }
    let (at_home, abroad): (Vec<Call<'_>>, Vec<Call<'_>>) = run
        .calls
        .iter()
        .partition(|call| call.request.task == special.task);
    let early = share(super::team::first(&at_home, 5), special.arm);
    let home = share_of(last(&at_home, 5), special.arm);
    let abroad = share_of(last(&abroad, 5), special.arm);
    let finding = apart(&abroad, &home);
    let text = format!(
        "{}: {} is good at {} only; its share there went from {:.0} % in the first fifth to {} in the last, \
         and is {} in the other tasks.",
        run.name(),
        run.arm_name(special.arm),
        special.task,
        100.0 * early,
        percent(&home),
        percent(&abroad),
    );
    Some(Statement { finding, text })
}

/// What the log says of changing the policy, gathered by what kind of news it is.
fn changes(team: &Material<'_>) -> Vec<Statement> {
    let (mut by_finding, mut refused) = ([const { Vec::new() }; 3], Vec::new());
    for found in &team.judged.report.candidates {
        let Some(difference) = found.difference.map(super::team::interval) else {
            refused.push(format!(
                "{} (effective sample size {:.0})",
                found.candidate, found.overlap.effective_sample_size
            ));
            continue;
        };
        let place = match finding(&difference) {
            Finding::Shown => 0,
            Finding::Contradicted => 1,
            _ => 2,
        };
        if let Some(list) = by_finding.get_mut(place) {
            list.push(format!("{} {}", found.candidate, signed(&difference)));
        }
    }
    let [better, worse, open] = by_finding;
    let name = team.run.name();
    let lists = [
        (Finding::Shown, "the log alone supports changing to", better),
        (Finding::Contradicted, "the log alone speaks against", worse),
        (
            Finding::Undecided,
            "the log alone cannot tell from what was done",
            open,
        ),
        (Finding::Refused, "the log cannot know", refused),
    ];
    let said = lists.into_iter().filter(|(_, _, list)| !list.is_empty());
    said.map(|(finding, words, list)| Statement {
        finding,
        text: format!("{name}: {words}: {}.", list.join("; ")),
    })
    .collect()
}

/// Whether the replay's intervals hold the simulator's truth as often as they say.
fn intervals_hold(teams: &[Material<'_>]) -> Statement {
    let (mut total, mut missed) = (0_u64, Vec::new());
    for team in teams {
        let found = team.judged.report.candidates.iter();
        for (found, truth) in found.zip(&team.judged.truths) {
            let (Some(estimate), Some(truth)) = (found.doubly_robust, truth) else {
                continue;
            };
            total += 1;
            if !(estimate.lower..=estimate.upper).contains(truth) {
                missed.push(format!(
                    "{} of {}: [{:.3}, {:.3}], truth {truth:.3}",
                    found.candidate,
                    team.run.name(),
                    estimate.lower,
                    estimate.upper,
                ));
            }
        }
    }
    let misses = missed.len() as u64;
    // Odds of as many misses, were each interval right 95 times in 100.
    let odds = Binomial::new(0.05, total).map_or(1.0, |law| match misses.checked_sub(1) {
        Some(fewer) => law.sf(fewer),
        None => 1.0,
    });
    let finding = match total {
        0 => Finding::Undecided,
        _ if odds < TOO_MANY_MISSES => Finding::Contradicted,
        _ => Finding::Shown,
    };
    let held = total - misses;
    let mut text =
        format!("{held} of {total} intervals from the log (95 %) hold the simulator's truth");
    if !missed.is_empty() {
        text.push_str(&format!("; missed: {}", missed.join("; ")));
    }
    text.push('.');
    Statement { finding, text }
}

/// Whether the logged probabilities are those that drew.
fn propensities(teams: &[Material<'_>]) -> Statement {
    let checks = || teams.iter().map(|team| &team.judged.report.propensities);
    let equal: usize = checks().map(|check| check.equal).sum();
    let draws: usize = checks().map(|check| check.calibration.draws).sum();
    let p = checks()
        .map(|check| check.calibration.p_value)
        .fold(1.0, f64::min);
    let right = equal == draws && p >= WRONG_PROPENSITIES;
    let finding = if right {
        Finding::Shown
    } else {
        Finding::Contradicted
    };
    let text = format!(
        "The logged probabilities are those that drew: {equal} of {draws} recompute to the same from the record, \
         and arms were drawn as often as logged (smallest p of the teams' chi-square tests {p:.3})."
    );
    Statement { finding, text }
}

fn share_of(calls: &[Call<'_>], arm: usize) -> Interval {
    mean(calls, |call| f64::from(u8::from(call.played.arm == arm)))
}

/// Whether `low` lies below `high`, intervals and all.
fn apart(low: &Interval, high: &Interval) -> Finding {
    if low.upper < high.lower {
        Finding::Shown
    } else if low.lower > high.upper {
        Finding::Contradicted
    } else {
        Finding::Undecided
    }
}

fn signed(interval: &Interval) -> String {
    let Interval {
        value,
        lower,
        upper,
    } = interval;
    format!("{value:+.3} [{lower:+.3}, {upper:+.3}]")
}

fn percent(interval: &Interval) -> String {
    format!(
        "{:.0} % [{:.0}, {:.0}]",
        100.0 * interval.value,
        100.0 * interval.lower.max(0.0),
        100.0 * interval.upper.min(1.0)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(lower: f64, upper: f64) -> Interval {
        let value = (lower + upper) / 2.0;
        Interval {
            value,
            lower,
            upper,
        }
    }

    #[test]
    fn a_difference_is_shown_only_where_its_whole_interval_is_on_one_side() {
        let check = |lower, upper, expected| assert_eq!(finding(&interval(lower, upper)), expected);
        check(0.01, 0.03, Finding::Shown);
        check(-0.03, -0.01, Finding::Contradicted);
        check(-0.01, 0.03, Finding::Undecided);
        check(0.0, 0.0, Finding::Undecided);
    }

    #[test]
    fn shares_are_apart_only_where_their_intervals_are() {
        let check = |low: Interval, high: Interval, expected| {
            assert_eq!(apart(&low, &high), expected);
        };
        check(interval(0.1, 0.2), interval(0.3, 0.4), Finding::Shown);
        check(
            interval(0.3, 0.4),
            interval(0.1, 0.2),
            Finding::Contradicted,
        );
        check(interval(0.1, 0.3), interval(0.2, 0.4), Finding::Undecided);
    }
}
