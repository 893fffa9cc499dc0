//! Threads that stand behind those that serve: what they do can wait, a caller should not.

/// Lets whoever serves go first, by so much of `nice` (0 to 19), for the thread that asks. Elsewhere than on Linux a
/// thread has no such number of its own; where it is refused, nothing is lost but some of a caller's time.
pub fn stand_behind(nice: i32) {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, nice);
    #[cfg(not(target_os = "linux"))]
    let _ = nice;
}
