//! `cargo local`: the local stack for a person, and small tools that go with it.

mod cli;

use std::io::Write as _;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match cli::run().await {
        Ok(code) => code,
        Err(error) => {
            // Where even standard error is closed there is nobody to tell.
            match writeln!(std::io::stderr(), "error: {error:#}") {
                Ok(()) | Err(_) => ExitCode::FAILURE,
            }
        }
    }
}
