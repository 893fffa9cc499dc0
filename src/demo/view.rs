//! How things stand, as text: a panel that is redrawn, or a line now and then.
//!
//! Invariants: plain text but for bars; colour only where asked.
//!
//! Not here: the terminal (the command line).

use super::watch::{Moment, TeamMoment};

/// Length of a whole bar.
const BAR: usize = 24;

/// Whether the terminal is to be coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Bars and headings.
    On,
    /// Nothing.
    Off,
}

/// Colours of the arms' bars, one after the other.
const PALETTE: [&str; 6] = ["34", "33", "32", "35", "36", "31"];

impl Colour {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::On => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Self::Off => text.to_owned(),
        }
    }
}

/// All teams, one below the other; `last` is the last thing that happened.
pub fn panel(moment: &Moment, last: &str, colour: Colour) -> String {
    let mut lines = vec![format!(
        "simulated day {:>2.0} of 28   request {} of {}",
        moment.day, moment.done, moment.total
    )];
    for team in moment.teams.iter().filter(|team| team.done > 0) {
        lines.push(String::new());
        lines.extend(team_lines(team, colour));
    }
    if !last.is_empty() {
        lines.push(String::new());
        lines.push(colour.paint("1", last));
    }
    lines.join("\n")
}

fn team_lines(team: &TeamMoment, colour: Colour) -> Vec<String> {
    let heading = format!(
        "{}   {} of {} requests   ${:.2} spent   the last {}:",
        team.name, team.done, team.total, team.spent_usd, team.window
    );
    let (quality, mix) = team.quality;
    let mut right = vec![
        format!("reward   router {:.3}", team.router),
        format!(
            "         {} {:.3} (best arm so far)",
            team.best.0, team.best.1
        ),
        format!("         chance {:.3}", team.chance),
        format!("quality  router {quality:.3}"),
    ];
    if let Some(mix) = mix {
        right.push(format!("         two arms mixed at its cost {mix:.3}"));
    }
    let mut right = right.into_iter();
    let mut lines = vec![colour.paint("1", &heading)];
    for (index, (arm, share)) in team.shares.iter().enumerate() {
        let code = PALETTE.get(index % PALETTE.len()).unwrap_or(&"0");
        let beside = right.next().unwrap_or_default();
        let bar = colour.paint(code, &bar(*share));
        lines.push(format!(
            "  {arm:<8} {bar} {:>3.0} %   {beside}",
            100.0 * share
        ));
    }
    lines.extend(right.map(|beside| format!("{:width$}{beside}", "", width = BAR + 20)));
    lines
}

fn bar(share: f64) -> String {
    let full = ((share * BAR as f64).round() as usize).min(BAR);
    format!("{}{}", "#".repeat(full), ".".repeat(BAR - full))
}

/// A line for each team, for a log.
pub fn lines(moment: &Moment) -> Vec<String> {
    let line = |team: &TeamMoment| {
        let favourite = team.shares.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let (arm, share) = favourite.map_or(("", 0.0), |(arm, share)| (arm, *share));
        let (best, reward) = &team.best;
        format!(
            "day {:>2.0}, {}: mostly {arm} ({:.0} %); reward {:.3} (best arm so far, {best}: {reward:.3})",
            moment.day,
            team.name,
            100.0 * share,
            team.router,
        )
    };
    let teams = moment.teams.iter().filter(|team| team.done > 0);
    teams.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment() -> Moment {
        Moment {
            day: 14.2,
            done: 500,
            total: 1000,
            teams: vec![TeamMoment {
                name: "coding".to_owned(),
                done: 500,
                total: 1000,
                spent_usd: 3.5,
                window: 100,
                shares: vec![("atlas".to_owned(), 0.25), ("harbor".to_owned(), 0.75)],
                router: 0.71,
                chance: 0.5,
                best: ("harbor".to_owned(), 0.7),
                quality: (0.8, Some(0.79)),
            }],
        }
    }

    #[test]
    fn a_panel_has_a_bar_for_each_arm_and_every_figure() {
        let expected = "\
simulated day 14 of 28   request 500 of 1000

coding   500 of 1000 requests   $3.50 spent   the last 100:
  atlas    ######..................  25 %   reward   router 0.710
  harbor   ##################......  75 %            harbor 0.700 (best arm so far)
                                                     chance 0.500
                                            quality  router 0.800
                                                     two arms mixed at its cost 0.790

harbor got worse";
        let found = panel(&moment(), "harbor got worse", Colour::Off);
        assert_eq!(found, expected);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let mut plain = panel(&moment(), "x", Colour::On);
        while let Some(start) = plain.find('\u{1b}') {
            let end = start + plain[start..].find('m').unwrap();
            plain.replace_range(start..=end, "");
        }
        assert_eq!(plain, panel(&moment(), "x", Colour::Off));
    }

    #[test]
    fn a_line_says_the_day_and_each_team_s_favourite() {
        let expected =
            "day 14, coding: mostly harbor (75 %); reward 0.710 (best arm so far, harbor: 0.700)";
        assert_eq!(lines(&moment()), [expected]);
    }
}
