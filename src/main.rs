//! The command line: parse, one call each.

mod cli;

use bellwether::telemetry;
use clap::Parser;
use cli::args::{Arguments, Audit, Command, Format, Report};
#[cfg(feature = "analytics")]
use cli::args::{Dataset, Replay, Scorecard, Traffic};
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let format = match arguments.log_format {
        Format::Text => telemetry::Format::Text,
        Format::Json => telemetry::Format::Json,
    };
    if let Err(error) = telemetry::init(format, arguments.level()) {
        return fail(&error);
    }
    let result = match &arguments.command {
        #[cfg(feature = "analytics")]
        Command::Demo(demo) => cli::demo::demo(demo).await,
        #[cfg(feature = "analytics")]
        Command::Drive(drive) => cli::drive::drive(drive).await,
        #[cfg(feature = "analytics")]
        Command::Seed(seed) => cli::seed::seed(seed).await,
        #[cfg(feature = "analytics")]
        Command::Traffic(Traffic::Export(export)) => cli::replay::export(export),
        #[cfg(feature = "analytics")]
        Command::Replay(Replay::Outcomes(outcomes)) => cli::replay::outcomes(outcomes),
        #[cfg(feature = "analytics")]
        Command::Replay(Replay::Traffic(exported)) => cli::replay::traffic(exported),
        #[cfg(feature = "analytics")]
        Command::Estimate(estimate) => cli::estimate::estimate(estimate),
        #[cfg(feature = "analytics")]
        Command::Eval(eval) => cli::eval::eval(eval).await,
        #[cfg(feature = "analytics")]
        Command::Import(import) => cli::import::import(import),
        #[cfg(feature = "analytics")]
        Command::Dataset(Dataset::Generate(generate)) => cli::dataset::generate(generate),
        #[cfg(feature = "analytics")]
        Command::Scorecard(Scorecard::Try(attempt)) => cli::replay::try_scorecard(attempt),
        Command::Serve(serve) => cli::serve::serve(serve).await,
        Command::Check(check) => cli::serve::check(check),
        Command::Control(control) => cli::serve::control(control).await,
        Command::Key(key) => cli::key::key(key).await,
        Command::Verify(verify) => cli::serve::verify(verify),
        Command::Audit(Audit::Verify(verify)) => cli::audit::verify(verify),
        Command::Audit(Audit::Export(export)) => cli::audit::export(export),
        Command::Report(Report::Spend(spend)) => cli::report::spend(spend),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&*error),
    }
}

fn fail(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("bellwether: {}", error.to_string().trim_end());
    ExitCode::FAILURE
}
