//! `payctl`: the operator's program.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    payctl::run().await
}
