//! What the functions cost: starts the real executables against services whose responses are
//! prepared, measures them, and makes the tables of `docs/performance.md`.
//!
//! The local stack takes three things from here: [`Arguments`], to check a command line before it
//! builds what is measured, [`Authority`], and where the checkout is.

#![expect(clippy::missing_errors_doc, reason = "an error is a sentence for whoever runs it")]

mod arguments;
mod authority;
mod instance;
mod lives;
mod long;
mod operation;
mod receipt;
mod replay;
mod report;
mod server;
mod services;
mod stats;
mod tables;
mod targets;
mod workspace;

pub use arguments::Arguments;
pub use authority::Authority;
pub use report::run;
pub use workspace::root;
