//! The payments of a shop: what they are, what may happen to them, and how they are kept.
//!
//! Imports point one way: functions → [`usecases`] → [`ports`] → [`domain`]; adapters → [`ports`].
//! Without the feature `adapters` nothing here knows a runtime, a socket or a clock.

#[cfg(feature = "adapters")]
pub mod adapters;
#[cfg(feature = "adapters")]
pub mod auth;
#[cfg(feature = "adapters")]
pub mod config;
pub mod domain;
#[cfg(feature = "adapters")]
pub mod http;
pub mod ports;
#[cfg(feature = "adapters")]
pub mod secret;
#[cfg(feature = "adapters")]
pub mod start;
#[cfg(feature = "adapters")]
mod strict_json;
#[cfg(feature = "adapters")]
pub mod telemetry;
pub mod usecases;
#[cfg(feature = "adapters")]
pub mod webhooks;
