//! The payments of a shop: what they are, what may happen to them, and how they are kept.
//!
//! Imports point one way: functions → [`usecases`] → [`ports`] → [`domain`]; adapters → [`ports`].
//! Without the feature `adapters` nothing here knows a runtime, a socket or a clock.

#[cfg(feature = "adapters")]
pub mod adapters;
pub mod domain;
pub mod ports;
#[cfg(feature = "testing")]
pub mod testing;
