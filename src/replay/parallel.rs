//! Independent jobs on as many threads as there are cores.
//!
//! Invariants: results are in the order of the jobs, whatever the number of threads.

use super::error::Error;
use super::{Progress, Watch};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Runs every job, some at a time; results are in the order of the jobs. The first error stops all.
pub(super) fn in_parallel<J: Copy + Sync, T: Send>(
    jobs: &[J],
    run: impl Fn(J) -> Result<T, Error> + Sync,
    watch: &Watch<'_>,
) -> Result<Vec<T>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, done, stop) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicBool::new(false),
    );
    let results: Mutex<Vec<(usize, Result<T, Error>)>> = Mutex::new(Vec::new());
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(index) else { return };
            let result = run(*job);
            let progress = Progress {
                done: done.fetch_add(1, Ordering::Relaxed) + 1,
                total: Some(jobs.len()),
            };
            if result.is_err() || watch(progress).is_break() {
                stop.store(true, Ordering::Relaxed);
            }
            if let Ok(mut all) = results.lock() {
                all.push((index, result));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(work);
        }
    });
    let mut all = results.into_inner().unwrap_or_default();
    all.sort_by_key(|(index, _)| *index);
    let found = all.into_iter().map(|(_, result)| result);
    let found = found.collect::<Result<Vec<T>, Error>>()?;
    if found.len() < jobs.len() {
        return Err(Error::Stopped);
    }
    Ok(found)
}
