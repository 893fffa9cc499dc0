//! Timestamps.
//!
//! Invariants: none is before 1970 or beyond the year 9999.
//!
//! Not here: whether one can have been seen ([`Fields::seen`]), durations (`guard` reads `grpc-timeout`).

use crate::field::Fields;
use crate::unit::Timestamp;
use std::fmt::Display;

const YEAR_10000_SECONDS: i64 = 253_402_300_800;

/// Any time of this era, to the microsecond.
pub(super) fn time(
    fields: &mut Fields,
    field: impl Display,
    time: Option<prost_types::Timestamp>,
) -> Option<Timestamp> {
    let time = time?;
    let seconds = (0..YEAR_10000_SECONDS).contains(&time.seconds);
    let nanos = (0..1_000_000_000).contains(&time.nanos);
    if seconds && nanos {
        let micros = time.seconds * 1_000_000 + i64::from(time.nanos) / 1000;
        return Some(Timestamp::from_micros(micros));
    }
    let problem = "is not a time: allowed 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z";
    fields.refuse(field, problem);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::decode::testing::violations;

    const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

    fn check(seconds: i64, nanos: i32, expected: Result<i64, &str>) {
        let mut fields = Fields::default();
        let said = prost_types::Timestamp { seconds, nanos };
        let read = time(&mut fields, "observed_time", Some(said));
        let read = fields.seen("observed_time", read, NOW);
        let found = fields
            .finish(read)
            .map(Timestamp::micros)
            .map_err(violations);
        assert_eq!(found, expected.map_err(|text| vec![text.to_owned()]));
    }

    #[test]
    fn an_observation_is_of_this_era_and_not_of_the_future() {
        check(1_700_000_000, 123_456_789, Ok(1_700_000_000_123_456));
        check(1_700_000_300, 0, Ok(1_700_000_300_000_000));
        check(0, 0, Ok(0));
        let ahead = "observed_time: is 301 s ahead of the server's clock: allowed at most 300 s";
        check(1_700_000_301, 0, Err(ahead));
        let never = "observed_time: is not a time: allowed 1970-01-01T00:00:00Z to \
                     9999-12-31T23:59:59.999999999Z";
        check(-1, 0, Err(never));
        check(i64::MAX, 0, Err(never));
        check(0, -1, Err(never));
        check(0, 1_000_000_000, Err(never));
    }
}
