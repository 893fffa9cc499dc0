//! `demo`: the main job on built-in defaults.

use super::args::Demo;
use super::out::{self, Failure};

/// Runs the demonstration in a temporary folder and shows what was learned.
pub(crate) async fn demo(arguments: &Demo) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let bar = out::bar(0, "driving the simulated table");
    let progress = |done: usize, total: usize| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    };
    let report = bellwether::demo::run(folder.path(), arguments.seed, progress).await;
    bar.finish_and_clear();
    let report = report?;
    let text = format!(
        "A server on loopback, a simulated table driven through its gRPC, every outcome fed back.\n\n{}",
        report.text()
    );
    out::write(arguments.format, &report, &text)
}
