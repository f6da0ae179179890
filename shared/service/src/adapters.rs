//! The technologies behind the ports: one module, one technology, one translation.
//!
//! No business rule lives here, and no type of a technology leaves its module. Only a function's
//! `main.rs` names an adapter.

pub mod aws;
pub mod dynamodb;
pub mod https;
pub mod ids;
pub mod providers;
pub mod secrets_manager;
#[cfg(test)]
mod server;
pub mod shop;
pub mod wiring;
