//! Stands in for sending in a build without it.
//!
//! Not here: sending.

use super::{Courier, Error, Names, Sending, Settings};
use crate::clock::Clock;
use crate::telemetry::Witness;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

pub(super) fn open(
    _: &Settings,
    _: Names,
    _: Arc<dyn Courier>,
    _: Arc<dyn Clock>,
    _: &TaskTracker,
) -> Result<(Arc<dyn Witness>, Sending), Error> {
    Err(Error::NotBuilt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_it_is_told_the_field_and_how_to_build_it() {
        let told = Error::NotBuilt.to_string();
        assert!(told.starts_with("telemetry.otlp_endpoint: "), "{told}");
        assert!(told.contains("--features otlp"), "{told}");
    }
}
