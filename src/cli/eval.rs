//! `eval`: experiments, run and held to what is expected of them.

use super::args::{Eval, Format};
use super::out::{self, Failure};
use bellwether::eval::{Drift, Ended, Figure, Session, Told, find};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is said of one experiment, for machines.
#[derive(Serialize)]
struct Said {
    experiment: String,
    question: String,
    /// What is absent, where it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    figures: BTreeMap<String, Figure>,
    drifts: Vec<Drift>,
}

/// Runs experiments; a drift of any figure is a failure, once all have been run.
pub(crate) async fn eval(arguments: &Eval) -> Result<(), Failure> {
    let found = find(&arguments.evals, &arguments.names)?;
    let mut session = Session::default();
    let (mut all, mut skipped, mut drifted) = (Vec::new(), 0, Vec::new());
    for one in &found {
        let told = session.run(one, arguments.bless).await;
        let told = told.map_err(|error| format!("experiment {}: {error}", one.name))?;
        if arguments.format == Format::Text {
            out::line(&text(&one.name, &told))?;
            out::line("")?;
        }
        let said = said(&one.name, told);
        skipped += usize::from(said.skipped.is_some());
        if !said.drifts.is_empty() {
            drifted.push(one.name.clone());
        }
        all.push(said);
    }
    let equal = all.len() - skipped - drifted.len();
    let summary = format!(
        "{} experiments: {equal} as expected, {skipped} skipped, {} drifted",
        all.len(),
        drifted.len()
    );
    match arguments.format {
        Format::Text => out::line(&summary)?,
        Format::Json => out::write(arguments.format, &all, "")?,
    }
    match drifted.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "not as expected: {}; where the new figures are right, --bless writes them",
            drifted.join(", ")
        )
        .into()),
    }
}

fn text(name: &str, told: &Told) -> String {
    let question = &told.question;
    match &told.ended {
        Ended::Skipped { absent } => {
            format!("{name}: {question}\n  skipped: {absent} is absent")
        }
        Ended::Run {
            data,
            figures,
            drifts,
        } => {
            let mut text = format!("{name}: {question}\n  data: {data}\n{figures}");
            if drifts.is_empty() {
                text.push_str("  as expected");
            }
            for drift in drifts {
                text.push_str(&format!("  DRIFT: {drift}\n"));
            }
            text
        }
    }
}

fn said(name: &str, told: Told) -> Said {
    let (skipped, figures, drifts) = match told.ended {
        Ended::Skipped { absent } => (Some(absent), BTreeMap::new(), Vec::new()),
        Ended::Run {
            figures, drifts, ..
        } => (None, figures.0.into_iter().collect(), drifts),
    };
    Said {
        experiment: name.to_owned(),
        question: told.question,
        skipped,
        figures,
        drifts,
    }
}
