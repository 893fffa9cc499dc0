//! What stands at the moment when metrics are read, and is counted nowhere.
//!
//! Not here: how it is written (`metrics`).

/// What is read only when metrics are written.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// Which endpoints are not to be asked, in catalogue order; empty where all may be.
    pub unavailable: Vec<bool>,
    /// Which refuse our key, account or address, in catalogue order; empty where none does.
    pub misconfigured: Vec<bool>,
    /// How often spending passed a soft budget.
    pub soft_budgets_passed: u64,
    /// The journal's newest record.
    pub journal: u64,
    /// The newest record that the published snapshot has learned.
    pub learned: u64,
}
