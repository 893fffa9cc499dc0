//! `demo`: the front door.

use super::args::Demo;
use super::out::{self, Failure};
use super::serve::Ended;
use bellwether::demo::{self, Colour, Finished, Moment, Noticed, Options, Server, Watch};
use bellwether::report::{Document, Statement};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Instant;

/// Runs the demonstration, shows it, and says what came of it.
pub(crate) async fn demo(arguments: &Demo) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let options = Options {
        seed: arguments.seed,
        fast: arguments.fast,
        out: arguments.out.clone(),
    };
    out::line(&wrapped(demo::INTRODUCTION, ""))?;
    out::line("")?;
    let mut screen = Screen::new();
    let result = demo::run(&options, folder.path(), &mut screen).await;
    screen.clear();
    let Finished {
        document,
        files,
        faults,
        server,
    } = result?;
    let shown = show(&document, &files);
    if arguments.stay && shown.is_ok() {
        stay(server).await?;
    } else {
        server.stop().await?;
    }
    shown?;
    Ok(demo::sound(faults)?)
}

/// All that came of it.
fn show(document: &Document, files: &[PathBuf]) -> Result<(), Failure> {
    verdict(document)?;
    out::line("\nWritten:")?;
    for file in files {
        out::line(&format!("  {}", file.display()))?;
    }
    Ok(())
}

/// The answers, then what they rest on.
fn verdict(document: &Document) -> Result<(), Failure> {
    out::line(&format!("\n{}", wrapped(&document.summary, "")))?;
    out::line("")?;
    for statement in &document.verdict {
        out::line(&said(statement))?;
    }
    out::line("\nTwo numbers in brackets: a range made to hold the truth 95 times in 100.")?;
    for part in &document.details {
        out::line(&format!("\nIn detail: {}", part.about))?;
        for statement in &part.statements {
            out::line(&said(statement))?;
        }
    }
    Ok(())
}

fn said(statement: &Statement) -> String {
    let indent = format!("{:13}", "");
    let text = format!("{:<12} {}", statement.finding.word(), statement.text);
    wrapped(&text, &indent)
}

/// Width that a terminal, a mail and a README all show.
const WIDTH: usize = 100;

/// `text` in lines of at most [`WIDTH`], all but the first behind `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_inclusive(' ') {
        let length = word.trim_end().chars().count();
        if width + length > WIDTH {
            lines.truncate(lines.trim_end().len());
            lines.push('\n');
            lines.push_str(indent);
            width = indent.len();
        }
        lines.push_str(word);
        width += word.chars().count();
    }
    lines
}

/// Serves on until interrupted.
async fn stay(server: Server) -> Result<(), Failure> {
    let address = server.address();
    let mut text = format!("\nthe server stays on {address}; stop it with Ctrl-C\n");
    for (team, key) in server.keys() {
        text.push_str(&format!(
            "\n  grpcurl -plaintext -H 'authorization: Bearer {key}' \\\n    -d '{{\"context\": {{\"task\": \"a new one\"}}}}' \
             {address} bellwether.v1.RouterService/Route\n  \
             bellwether control --addr http://{address} --key {key} --team {team}\n"
        ));
    }
    out::line(&text)?;
    let staying = server.let_go();
    Ended::new()?.next().await;
    Ok(staying.stop().await?)
}

/// A panel that is redrawn on a terminal; lines elsewhere.
struct Screen {
    started: Instant,
    panel: Option<ProgressBar>,
    colour: Colour,
    last: String,
    /// The simulated week that was told of.
    week: usize,
}

impl Screen {
    fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let panel = terminal.then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout());
            if let Ok(style) = ProgressStyle::with_template("{msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self {
            started: Instant::now(),
            panel,
            colour: if terminal && !plain {
                Colour::On
            } else {
                Colour::Off
            },
            last: String::new(),
            week: 0,
        }
    }

    fn clear(&self) {
        if let Some(panel) = &self.panel {
            panel.finish_and_clear();
        }
    }

    /// A line that stays. A closed pipe ends nothing: the report is still written.
    fn tell(&self, text: &str) {
        let text = format!("{:>5.1} s  {text}", self.started.elapsed().as_secs_f64());
        let text = wrapped(&text, &format!("{:9}", ""));
        match &self.panel {
            Some(panel) => panel.println(text),
            None => drop(out::line(&text)),
        }
    }
}

impl Watch for Screen {
    fn step(&mut self, name: &str) {
        self.tell(name);
    }

    fn moment(&mut self, moment: &Moment) {
        if let Some(panel) = &self.panel {
            panel.set_message(demo::panel(moment, &self.last, self.colour));
            return;
        }
        let week = (moment.day / 7.0) as usize;
        if week > self.week {
            self.week = week;
            for line in demo::lines(moment) {
                self.tell(&line);
            }
        }
    }

    fn noticed(&mut self, noticed: &Noticed) {
        let Noticed {
            name,
            requests,
            text,
            truth,
            ..
        } = noticed;
        self.last = format!("alarm at request {requests} of {name}: {text} ({truth})");
        self.tell(&self.last);
    }
}
