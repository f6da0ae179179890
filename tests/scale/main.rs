//! What happens at rates that no machine of a developer's has: in numbers, from a seed, in virtual
//! time, with the real rules and the real reconcile. The tables of docs/scale.md are printed here:
//! `cargo test -p local --test scale -- --nocapture`.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow panics, and so fails the test")]

// `cfg(test)` is what tells clippy that a helper here may unwrap as a test may.
#[cfg(test)]
mod outage;
#[cfg(test)]
mod spread;
#[cfg(test)]
mod world;
