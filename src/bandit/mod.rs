//! The bandit: context and eligible arms to a pmf.
