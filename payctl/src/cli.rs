//! The command line: the commands, and how the program ends.

mod audit;
mod call;
mod check_config;
mod close;
mod console;
mod doctor;
mod history;
mod quarantine;
mod query;
mod refund;
mod sweep;

use std::io::{self, Write as _, stderr, stdout};
use std::process::ExitCode;

use anyhow::{Error, Result};
use clap::{Parser, Subcommand};

use crate::print::escaped;

/// Payments as their operators see them: what happened to one, what waits for a person, what is wrong.
///
/// What a command works on must be named: --table NAME is AWS, --local the stack of `cargo local`.
#[derive(Debug, Parser)]
#[command(name = "payctl", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done and something is wrong with what was checked.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a payment's record and its events.
    History(history::HistoryArguments),
    /// List the quarantined notifications, show one, decide on one.
    Quarantine(quarantine::QuarantineArguments),
    /// Check the invariants of a whole table.
    Audit(audit::AuditArguments),
    /// Ask the providers what became of a payment now, and apply what they report.
    Query(query::QueryArguments),
    /// Give money of a payment back at its provider, once for each key.
    Refund(refund::RefundArguments),
    /// Close a payment that nobody is to pay any more, and its checkouts at their providers.
    Close(close::CloseArguments),
    /// Do what is due, as the schedule does each minute: notify the order service, ask providers.
    Sweep(sweep::SweepArguments),
    /// Serve pages for people on this machine: find a payment, see what happened, decide.
    Console(console::ConsoleArguments),
    /// Explain why the signature of a webhook or a token is or is not valid: JSON lines in and out.
    #[command(after_long_help = doctor::EXAMPLE)]
    Doctor(doctor::DoctorArguments),
    /// Check the settings and the secrets of deployed functions. Prints no secret.
    CheckConfig(check_config::CheckConfigArguments),
}

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// All is well.
    Done,
    /// It did what it was asked, and what it checked is wrong.
    Found,
}

impl End {
    const fn of(is_well: bool) -> Self {
        if is_well { Self::Done } else { Self::Found }
    }
}

/// Reads the command line, runs the command, and returns the exit code.
pub async fn run() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(usage) => return explain(&usage),
    };
    match execute(command).await {
        Ok(End::Done) => ExitCode::SUCCESS,
        Ok(End::Found) => ExitCode::from(3),
        // Whoever read the output has read enough of it.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed: then there is nowhere to report it.
            match writeln!(stderr(), "error: {}", escaped(&format!("{error:#}"))) {
                Ok(()) | Err(_) => ExitCode::FAILURE,
            }
        }
    }
}

/// Help, the version, or what is wrong with the command line. It may quote an argument.
fn explain(usage: &clap::Error) -> ExitCode {
    let text = escaped(&usage.render().to_string());
    let written =
        if usage.use_stderr() { write!(stderr(), "{text}") } else { write!(stdout(), "{text}") };
    let code = u8::try_from(usage.exit_code()).unwrap_or(1);
    // Whoever read the output has read enough of it.
    match written {
        Ok(()) | Err(_) => ExitCode::from(code),
    }
}

async fn execute(command: Command) -> Result<End> {
    match command {
        Command::History(arguments) => history::run(arguments).await,
        Command::Quarantine(arguments) => quarantine::run(arguments).await,
        Command::Audit(arguments) => audit::run(arguments).await,
        Command::Query(arguments) => query::run(arguments).await,
        Command::Refund(arguments) => refund::run(arguments).await,
        Command::Close(arguments) => close::run(arguments).await,
        Command::Sweep(arguments) => sweep::run(arguments).await,
        Command::Console(arguments) => Box::pin(console::run(arguments)).await,
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::CheckConfig(arguments) => check_config::run(arguments).await,
    }
}

fn is_broken_pipe(error: &Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::Cli;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_that_reads_a_table_needs_exactly_one_target() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        for command in ["audit", "history 7", "quarantine list", "quarantine show 7/native/a"] {
            for target in [
                "--table pay",
                "--endpoint http://127.0.0.1:8000",
                "--endpoint http://127.0.0.1:8000 --table pay",
                "--local",
                "--local=http://127.0.0.1:9000",
            ] {
                assert!(parse(&format!("payctl {command} {target}")), "{command} {target}");
            }
            for target in ["--json", "--local --table pay", "--local --endpoint http://x"] {
                assert!(!parse(&format!("payctl {command} {target}")), "{command} {target}");
            }
        }
        assert!(parse("payctl sweep --function pay-callback"));
        for wrong in ["--local --limit 0", "--local --limit 100001", "--function a/b"] {
            assert!(!parse(&format!("payctl sweep {wrong}")), "{wrong}");
        }
        for wrong in ["--endpoint 127.0.0.1:8003", "--local=127.0.0.1:8003", "--table a/b"] {
            assert!(!parse(&format!("payctl audit {wrong}")), "{wrong}");
        }
        assert!(!parse("payctl history 0 --local"));
        assert!(parse("payctl query 7 --function pay-callback"));
        assert!(!parse("payctl query 7") && !parse("payctl query 0 --local"));
        assert!(parse("payctl refund 7 --key a --local"));
        assert!(parse("payctl refund 7 --amount 5 --reason x --key a --function pay-callback"));
        for wrong in [
            "",
            "--amount 0 --key a",
            "--amount 4294967296 --key a",
            "--key= ",
            "--key=\u{e9}",
            "--reason= --key a",
        ] {
            assert!(!parse(&format!("payctl refund 7 --local {wrong}")), "{wrong}");
        }
        assert!(!parse("payctl refund 7 --key a"));
        assert!(parse("payctl close 7 --function pay-create") && parse("payctl close 7 --local"));
        assert!(!parse("payctl close 7") && !parse("payctl close 0 --local"));
        assert!(!parse("payctl sweep"));
        assert!(!parse("payctl sweep --local --function pay-callback"));
        assert!(parse("payctl check-config --create a --callback b"));
        assert!(!parse("payctl check-config"));
        assert!(!parse("payctl check-config --local --detail a"));
        let decide = "payctl quarantine accept 7/native/a --local";
        assert!(!parse(decide), "a decision needs a note");
        assert!(parse(&format!("{decide} --note x --by ada --payment 7")));
        for wrong in ["--note=", "--note x --by=", "--note x --payment 0", "--note x --payment x"] {
            assert!(!parse(&format!("{decide} {wrong}")), "{wrong}");
        }
        assert!(!parse("payctl quarantine dismiss 7/native/a --local --note x --payment 7"));
    }
}
