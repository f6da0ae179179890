//! The real use cases in every interleaving, with every fault, checked against the invariants after
//! each step.
//!
//! The use cases run on ports that record a call and wait for its response. The explorer chooses
//! which call is next and what goes wrong with it, and has the fakes of `pay-core` carry it out.
//!
//! `EXPLORER_FAULTS=3` allows three faults in a schedule instead of two, and adds scenarios with
//! more actors. `EXPLORER_ONLY=sweep` runs only the scenarios with that text in their name. A
//! broken invariant prints its schedule; `EXPLORER_REPLAY='<scenario>:<schedule>' cargo test -p
//! explorer replay -- --nocapture` replays it step by step.

// Only here does clippy let a helper unwrap, as a test may.
#![cfg(test)]

mod actor;
mod broken_variants;
mod bugs;
mod client;
mod explore;
mod invariants;
mod ports;
mod recovery;
mod report;
mod scenario;
mod scenarios;
mod schedule;
mod world;
