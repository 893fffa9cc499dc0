//! Names that were read lately: the same few come again in every record of the journal, and one that is shared
//! is neither made nor kept twice.
//!
//! Invariants: at most [`SLOTS`] names a thread; what is read is what [`Name::new`] makes of it.
//!
//! Not here: names that callers send, which come once.

use super::{Error, Name};
use std::cell::RefCell;
use xxhash_rust::xxh3::xxh3_64;

/// Names that a thread keeps, each in the one slot that its text leads to.
const SLOTS: usize = 256;

thread_local! {
    static RECENT: RefCell<[Option<Name>; SLOTS]> = const { RefCell::new([const { None }; SLOTS]) };
}

/// The name that this text is.
pub(super) fn read(text: &str) -> Result<Name, Error> {
    let slot = xxh3_64(text.as_bytes()) as usize % SLOTS;
    RECENT.with_borrow_mut(|recent| {
        let Some(kept) = recent.get_mut(slot) else {
            return Name::new(text);
        };
        match kept {
            Some(name) if name.as_str() == text => Ok(name.clone()),
            _ => {
                let name = Name::new(text)?;
                *kept = Some(name.clone());
                Ok(name)
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_name_that_was_read_lately_is_shared() {
        let (first, again) = (read("an arm").unwrap(), read("an arm").unwrap());
        assert!(Arc::ptr_eq(&first.0, &again.0));
    }

    #[test]
    fn names_that_lead_to_one_slot_are_told_apart_and_none_is_lost() {
        for round in 0..2 {
            for index in 0..4 * SLOTS {
                let text = format!("name {index}");
                assert_eq!(read(&text).unwrap().as_str(), text, "{round}");
            }
        }
    }

    #[test]
    fn what_is_no_name_is_refused_as_ever() {
        assert_eq!(read(""), Err(Error::Name { len: 0 }));
        assert_eq!(read(&"x".repeat(129)), Err(Error::Name { len: 129 }));
    }
}
