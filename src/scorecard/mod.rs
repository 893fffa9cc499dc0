//! Scorecards: what a team calls good.
