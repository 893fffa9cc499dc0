//! Bellwether: a self-hosted model router that learns from a team's own outcomes.

pub mod chat;
pub mod clock;
pub mod decision;
pub mod id;
pub mod signal;
pub mod unit;

pub mod bandit;
pub mod eligibility;
pub mod feature;
pub mod ope;
pub mod scorecard;

pub mod provider;
pub mod store;
#[cfg(feature = "analytics")]
pub mod table;
pub mod telemetry;

pub mod access;
pub mod complete;
pub mod learn;
#[cfg(feature = "analytics")]
pub mod replay;
pub mod route;

pub mod config;
pub mod grpc;
pub mod proto;

#[cfg(feature = "analytics")]
pub mod demo;
#[cfg(feature = "analytics")]
pub mod drive;
pub mod server;
