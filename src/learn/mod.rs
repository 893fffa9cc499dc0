//! Learn: turns outcomes into a posterior.
