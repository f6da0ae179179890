//! Why the signature of a webhook, or a token, is or is not valid.

use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use pay_service::start::clock;

use super::End;
use crate::doctor;

/// The end of the long help.
pub(super) const EXAMPLE: &str = r#"A line, with a body that was read as JSON and written again:
{"provider":"stripe","headers":{"stripe-signature":"t=1700000000,v1=3500e4cbdbe983dfd06e403872463b7fdd63367811622e0b0ff04bf7aa1f839f"},"body":"{\"a\": 1}","keys":{"secrets":["whsec_example"]},"now":1700000000}

`provider` is `standard` or the name of a payment provider, `keys` its entry of the webhook secret. A doubled
header has a list of values. `body_base64` is the body's bytes, `body` its text. `now` is the time of
the check in Unix seconds, by default the present.

A token, which must be a payer's, or with `scope` a service's that has that scope:
{"token":"eyJhbGciOiJIUzI1NiJ9.eyJ1aWQiOjF9.p9dJ3as5JdEASs_6_9nVrziq5TakEKg4YDLd925ryn8","keys":{"access_secret":"an-example-of-a-secret-of-32-bytes"},"now":1700000000}

`keys` is the access secret's value. `issuer` and `audience` are what the settings have.

The output is one line as well: a verdict (accept, reject, config_error), the reason, a hint where a
cause can be proven, and the notification in an accepted message or the caller of an accepted token. The exit code is 1 if a line could
not be read, whatever the verdicts are."#;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// The lines, each a message or a token and its keys; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    lines: PathBuf,
}

pub(super) fn run(arguments: &DoctorArguments) -> Result<End> {
    let path = &arguments.lines;
    let unreadable = if path.as_os_str() == "-" {
        explain(stdin().lock(), stdout().lock()).context("standard input")?
    } else {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
        explain(BufReader::new(file), stdout().lock()).with_context(|| shown.to_string())?
    };
    ensure!(unreadable == 0, "{unreadable} of the lines could not be read; the output says why");
    Ok(End::Done)
}

/// Writes the diagnosis of each line as soon as the line is read. Returns how many lines could not be
/// read.
fn explain(mut lines: impl BufRead, mut responses: impl Write) -> Result<u64> {
    let mut unreadable: u64 = 0;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).context("cannot read the next line")? > 0 {
        if !line.trim_ascii().is_empty() {
            let diagnosis = doctor::diagnose(&line, clock().secs());
            unreadable = unreadable.saturating_add(u64::from(!diagnosis.is_readable()));
            writeln!(responses, "{}", serde_json::to_string(&diagnosis)?)?;
            responses.flush()?;
        }
        line.clear();
    }
    Ok(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_have_the_diagnoses_that_they_name() {
        let lines: Vec<_> = EXAMPLE.lines().filter(|line| line.starts_with('{')).collect();
        let says = ["without white space between its parts", "no-expiry: "];
        assert_eq!(lines.len(), says.len());
        for (line, says) in lines.into_iter().zip(says) {
            let mut responses = Vec::new();
            assert_eq!(explain(line.as_bytes(), &mut responses).unwrap(), 0);
            let response = String::from_utf8(responses).unwrap();
            assert!(response.contains(r#""verdict":"reject""#), "{response}");
            assert!(response.contains(says), "{response}");
        }
    }
}
