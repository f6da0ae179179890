//! What the service does, as functions over the ports: decisions visible top to bottom.
//!
//! No clock, no runtime, no wire format: time and randomness come in.

pub mod callback;
pub mod create;
pub mod detail;
pub mod list;
pub mod quarantine;
pub mod reconcile;
#[cfg(test)]
#[cfg(feature = "testing")]
mod world;

/// How often a decision is taken anew after a write that was overtaken or did not say whether it
/// happened.
const DECISIONS_MAX: u32 = 3;
