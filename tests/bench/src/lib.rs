//! What the functions cost: starts the real executables against services whose responses are
//! prepared, measures them, and makes the tables of `docs/performance.md`.
//!
//! The local stack takes two things from here: [`Arguments`], to check a command line before it
//! builds what is measured, and [`Authority`].

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

use std::path::PathBuf;

pub use arguments::Arguments;
pub use authority::Authority;
pub use report::run;

fn workspace(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", "..", path].iter().collect()
}
