//! What the verdict rests on: every claim with its figures, team by team, then the log.
//!
//! Invariants: a statement is a claim, and its finding says whether the figures bear it out; all are
//! worked out from this run.
//!
//! Not here: the figures (`facts`), the short answers (`verdict`).

use super::facts::{Against, Change, Drawn, HELD, Held, cost, share_of};
use super::finding::{apart, better, percent, signed};
use super::rivals::Kind;
use super::section::Material;
use super::team::{Call, first, interval, last, share};
use super::verdict::false_alarms;
use crate::ope::Refusal;
use crate::replay::CandidateReport;
use crate::report::{Details, Finding, Statement};

/// All of them.
pub(super) fn details(teams: &[Material<'_>]) -> Vec<Details> {
    let of_team = |team: &Material<'_>| {
        let kinds = [Kind::Pilot, Kind::StaticMix, Kind::Hindsight];
        let mut statements: Vec<Statement> = kinds
            .into_iter()
            .filter_map(|kind| against(team, kind))
            .collect();
        let change = Change::of(team);
        statements.extend([noticed(&change), left(&change)]);
        statements.extend(specialist(team));
        statements.extend(judged(team));
        statements.extend(refused(team));
        Details {
            about: format!("team {}", team.run.name()),
            statements,
        }
    };
    let mut all: Vec<Details> = teams.iter().map(of_team).collect();
    all.push(Details {
        about: "the log".to_owned(),
        statements: vec![held(&Held::of(teams)), drawn(&Drawn::of(teams))],
    });
    all
}

fn against(team: &Material<'_>, kind: Kind) -> Option<Statement> {
    let Against {
        rival,
        what,
        difference,
        finding,
    } = Against::of(team, kind)?;
    let ours = cost(&team.run);
    let costs = match kind {
        Kind::StaticMix => format!("at the same cost of ${ours:.4}"),
        _ => {
            let theirs = team.run.mean(|call| rival.on(call, |o| o.cost_usd)).value;
            format!("at ${ours:.4} against ${theirs:.4}")
        }
    };
    let text = format!(
        "Better than {}: {what} {} a request, {costs}.",
        rival.name,
        signed(&difference)
    );
    Some(Statement { finding, text })
}

fn noticed(change: &Change<'_>) -> Statement {
    let Change { arm, at, .. } = change;
    let said = match (change.delay(), change.alarm) {
        (Some(delay), Some(alarm)) => format!("alarm {delay} requests later ({})", alarm.text),
        _ => "no alarm".to_owned(),
    };
    Statement {
        finding: change.noticed(),
        text: format!(
            "Noticed that {arm} got worse (at request {at}), and nothing else: {said}; {}.",
            false_alarms(change.false_alarms)
        ),
    }
}

fn left(change: &Change<'_>) -> Statement {
    let ([before, after], [was, is]) = (&change.shares, change.worth);
    Statement {
        finding: change.left(),
        text: format!(
            "Turned away from {}: share {} in the fifth before the change, {} in the last fifth; its true reward \
             went from {was:.3} to {is:.3}.",
            change.arm,
            percent(before),
            percent(after),
        ),
    }
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
    let early = share(first(&at_home, 5), special.arm);
    let home = share_of(last(&at_home, 5), special.arm);
    let abroad = share_of(last(&abroad, 5), special.arm);
    let text = format!(
        "Found that {} is good at {} only: share there {:.0} % in the first fifth, {} in the last; {} in the other \
         tasks.",
        run.arm_name(special.arm),
        special.task,
        100.0 * early,
        percent(&home),
        percent(&abroad),
    );
    Some(Statement {
        finding: apart(&abroad, &home),
        text,
    })
}

/// A candidate's specification in words.
fn named(candidate: &str) -> String {
    match candidate.strip_prefix("fixed:arm=") {
        Some(arm) => format!("always {arm}"),
        None if candidate == "uniform" => "uniform (all arms alike)".to_owned(),
        None if candidate == "greedy" => "greedy (what looks best)".to_owned(),
        None if candidate.starts_with("square-cb") => {
            "square-cb (an arm the more seldom the further behind it looks)".to_owned()
        }
        None if candidate.starts_with("epsilon-greedy") => {
            "epsilon-greedy (greedy, but 1 request in 5 to any arm)".to_owned()
        }
        None => candidate.to_owned(),
    }
}

/// What the log says of other policies.
fn judged(team: &Material<'_>) -> Option<Statement> {
    let one = |found: &CandidateReport| {
        let difference = interval(found.difference?);
        let words = match better(&difference) {
            Finding::Shown => "better",
            Finding::Contradicted => "worse",
            _ => "too close to call",
        };
        let (name, by) = (named(&found.candidate), signed(&difference));
        Some(format!("{name} {by}, {words}"))
    };
    let found = team.judged.report.candidates.iter().filter_map(one);
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| Statement {
        finding: Finding::Note,
        text: format!(
            "What other policies (rules of choosing) would have earned by the log alone, less what the router did: {}.",
            found.join("; ")
        ),
    })
}

/// What the log cannot know.
fn refused(team: &Material<'_>) -> Option<Statement> {
    let one = |found: &CandidateReport| {
        let name = named(&found.candidate);
        Some(match &found.refusal.as_ref()?.reason {
            Refusal::EffectiveSampleSize {
                found: size, least, ..
            } => format!("{name} ({size:.0} of {least:.0})"),
            other => format!("{name} ({other})"),
        })
    };
    let found = team.judged.report.candidates.iter().filter_map(one);
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then(|| Statement {
        finding: Finding::Refused,
        text: format!(
            "What these would have earned, for want of evidence (decisions' worth of it in the log, of those asked \
             for): {}.",
            found.join(", ")
        ),
    })
}

fn held(held: &Held<'_>) -> Statement {
    let mut text = format!(
        "Its 95 % intervals hold the simulator's truth: {} of {}, where {:.2} are expected",
        held.held(),
        held.total,
        HELD * held.total as f64,
    );
    if !held.missed.is_empty() {
        let one = |(team, found, interval, truth): &(&str, &CandidateReport, _, f64)| {
            let crate::report::Interval { lower, upper, .. } = interval;
            let name = named(&found.candidate);
            format!("{name} of {team}, [{lower:.3}, {upper:.3}] where {truth:.3} is true")
        };
        let missed: Vec<String> = held.missed.iter().map(one).collect();
        text.push_str(&format!(
            "; as many misses or more come in {:.0} of 100 such logs; missed: {}",
            100.0 * held.odds(),
            missed.join("; ")
        ));
    }
    text.push('.');
    Statement {
        finding: held.finding(),
        text,
    }
}

fn drawn(drawn: &Drawn) -> Statement {
    let Drawn {
        requests,
        inherited,
        draws,
        equal,
        p,
    } = drawn;
    Statement {
        finding: drawn.finding(),
        text: format!(
            "Its probabilities are those that drew the arms: {equal} of {draws} draws recompute to the same ({inherited} \
             of the {requests} requests took the arm of their episode, a piece of work that keeps its arm, without a \
             draw), and arms were drawn as often as logged (chi-square test, smallest p of the teams {p:.3})."
        ),
    }
}
