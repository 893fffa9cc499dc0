//! The handbook: longer reading than a module's own page, for those who use Bellwether and those who
//! change it.
//!
//! - [`request`]: the life of a request, from the wire to the journal and back;
//! - [`signal`]: the life of a signal, from a team's report to the next decision;
//! - [`scorecard`]: how to write down what "good" means;
//! - [`report`]: how to read a report, and what not to read into it.
//!
//! Not here: the architecture (the crate's own page), fields of the contract
//! (`proto/bellwether/v1`), fields of the configuration ([`mod@crate::config`]).

pub mod report;
pub mod request;
pub mod scorecard;
pub mod signal;
