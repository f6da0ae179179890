//! The real use cases in every interleaving, with every fault, held to the promises after each step.
//!
//! `EXPLORER_FAULTS=3` allows three faults in a schedule where two are usual, and adds scenarios with
//! more actors; `EXPLORER_ONLY=reconcile` leaves the scenarios with that in their name. A promise that
//! is broken prints the schedule that breaks it; `EXPLORER_REPLAY='<scenario>:<schedule>' cargo test
//! -p explorer replay -- --nocapture` goes through it step by step.
//!
//! The use cases run on ports that only pass on what is called and wait for an answer. The explorer
//! chooses which call is next and what befalls it, and has the fakes of `pay-core` carry it out.

// `cfg(test)` is what tells clippy that a helper here may unwrap as a test may.
#[cfg(test)]
mod actor;
#[cfg(test)]
mod bent;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod explore;
#[cfg(test)]
mod heal;
#[cfg(test)]
mod ports;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod report;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod schedule;
#[cfg(test)]
mod world;
