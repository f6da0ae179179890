//! The thirty holes of the service that this one replaces: each attack is tried, and fails.
//!
//! The numbers are those of docs/holes.md.

mod callback;
mod create;
mod edge;
mod store;
