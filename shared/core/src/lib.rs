//! The payments of a shop: what they are, what may happen to them, and what that needs from outside.
//!
//! Imports point one way: [`usecases`] → [`ports`] → [`domain`]. Nothing here knows a runtime, a
//! socket, a clock or a wire format.

pub mod domain;
pub mod json;
pub mod ports;
pub mod usecases;

#[cfg(feature = "testing")]
pub mod testing;
