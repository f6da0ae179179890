//! What the three functions share: entry points, authentication, problems, settings, adapters, logs and
//! metrics.
//!
//! Imports point one way: functions → here → `pay-providers` and `pay-core`.

pub mod adapters;
pub mod auth;
pub mod config;
pub mod http;
pub mod limits;
pub mod metrics;
pub mod outcome;
pub mod start;
pub mod telemetry;
pub mod usage;
