//! The payments of a shop: what they are, what may happen to them, and how they are kept.
//!
//! Imports point one way: functions → [`usecases`] → [`ports`] → [`domain`]; adapters → [`ports`].
//! Without the feature `adapters` nothing here knows a runtime, a socket or a clock.

pub mod domain;
pub mod ports;
pub mod usecases;

#[cfg(feature = "adapters")]
pub mod adapters;
#[cfg(feature = "adapters")]
pub mod auth;
#[cfg(feature = "adapters")]
pub mod config;
#[cfg(feature = "adapters")]
pub mod http;
#[cfg(feature = "adapters")]
pub mod json;
#[cfg(feature = "adapters")]
pub mod metrics;
#[cfg(feature = "adapters")]
pub mod secret;
#[cfg(feature = "adapters")]
pub mod start;
#[cfg(feature = "adapters")]
pub mod telemetry;
#[cfg(feature = "adapters")]
pub mod usage;
#[cfg(feature = "adapters")]
pub mod webhooks;

#[cfg(feature = "testing")]
pub mod testing;
