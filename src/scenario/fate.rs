//! What happened with one request and one arm, how likely it was, and what will be told of it.

use super::error::Error;
use super::world::Arrival;
use crate::id::Name;
use crate::signal::Value;
use std::time::Duration;

/// One request's fate with one arm.
#[derive(Debug, Default)]
pub(super) struct Fate {
    /// Every signal as it truly was, whether or not it will be told.
    pub(super) truth: Vec<(&'static str, Value)>,
    /// Mean of every signal over the dice, given that the gates of the request hold: of a flag the
    /// probability of `true`. Of a gate, its own mean.
    pub(super) means: Vec<(&'static str, f64)>,
    /// What will be told, in order of time.
    pub(super) arrivals: Vec<Arrival>,
}

impl Fate {
    /// Notes a signal as it truly was, with its mean over the dice.
    pub(super) fn is(&mut self, signal: &'static str, value: Value, mean: f64) {
        self.truth.push((signal, value));
        self.means.push((signal, mean));
    }

    /// Notes that `evaluator` will tell `value`, so many seconds after the request.
    pub(super) fn told(
        &mut self,
        signal: &str,
        value: &Value,
        after_s: f64,
        evaluator: &'static str,
    ) -> Result<(), Error> {
        let arrival = Arrival {
            signal: name(signal)?,
            value: value.clone(),
            after: Duration::from_secs(after_s as u64),
            evaluator,
            corrects: false,
        };
        let place = self.arrivals.partition_point(|a| a.after <= arrival.after);
        self.arrivals.insert(place, arrival);
        Ok(())
    }

    /// As [`Fate::told`], taking back what the same signal said before.
    pub(super) fn corrected(
        &mut self,
        signal: &str,
        value: &Value,
        after_s: f64,
        evaluator: &'static str,
    ) -> Result<(), Error> {
        self.told(signal, value, after_s, evaluator)?;
        let late = |a: &&mut Arrival| a.signal.as_str() == signal;
        if let Some(arrival) = self.arrivals.iter_mut().rfind(late) {
            arrival.corrects = true;
        }
        Ok(())
    }
}

/// A name that stands in one of the scenario's own tables.
pub(super) fn name(text: &str) -> Result<Name, Error> {
    Name::new(text).map_err(|source| Error::Name {
        name: text.to_owned(),
        source,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What is told last of a signal, if anything is; checks the order and the corrections on the way.
    pub(in crate::scenario) fn last_told<'a>(fate: &'a Fate, signal: &str) -> Option<&'a Value> {
        assert!(fate.arrivals.is_sorted_by_key(|a| a.after));
        let own: Vec<&Arrival> = fate
            .arrivals
            .iter()
            .filter(|a| a.signal.as_str() == signal)
            .collect();
        for pair in own.windows(2) {
            assert_ne!(pair[0].value, pair[1].value, "{signal}");
        }
        assert!(own.first().is_none_or(|a| !a.corrects), "{signal}");
        own.last().map(|a| &a.value)
    }

    #[test]
    fn what_is_told_stands_in_order_of_time() {
        let mut fate = Fate::default();
        fate.told("a", &Value::Flag(true), 100.0, "x").unwrap();
        fate.told("b", &Value::Flag(true), 50.0, "x").unwrap();
        fate.corrected("a", &Value::Flag(false), 70_000.0, "y")
            .unwrap();
        let told: Vec<_> = fate
            .arrivals
            .iter()
            .map(|a| (a.signal.as_str(), a.after.as_secs(), a.corrects))
            .collect();
        let expected = [("b", 50, false), ("a", 100, false), ("a", 70_000, true)];
        assert_eq!(told, expected);
        assert_eq!(last_told(&fate, "a"), Some(&Value::Flag(false)));
    }
}
