//! Why a webhook's signature does or does not verify.

use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use local::{clock, doctor};

/// Closes the long help. Its keys are the local stack's own, which guard nothing.
pub(super) const EXAMPLE: &str = r#"A line, and a file of them is as good:
  {"provider":"stripe","headers":{"stripe-signature":"t=1700000000,v1=…"},"body_base64":"e30=",
   "keys":{"secrets":["whsec_…"]},"now":1700000000}
written without the line break. `keys` is the provider's entry of the webhook secret, `body` may
stand for `body_base64`, and without `now` it is the present. The answer is one line as well:
  {"verdict":"reject","reason":"no signature fits any key","hint":"…"}
The exit code is 2 if a line could not be read, whatever the verdicts are."#;

/// Where a line could not be read.
const UNREADABLE: u8 = 2;

/// What `doctor` takes.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The lines, each a message and its keys; `-` is standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    lines: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let path = &arguments.lines;
    let readable = if path.as_os_str() == "-" {
        answer(stdin().lock(), stdout().lock()).context("standard input")?
    } else {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("cannot read {shown}"))?;
        answer(BufReader::new(file), stdout().lock()).with_context(|| shown.to_string())?
    };
    Ok(if readable { ExitCode::SUCCESS } else { ExitCode::from(UNREADABLE) })
}

/// Answers each line as soon as it is there; says whether every line could be read.
fn answer(mut lines: impl BufRead, mut answers: impl Write) -> Result<bool> {
    let mut readable = true;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).context("cannot read the next line")? > 0 {
        if !line.trim_ascii().is_empty() {
            let diagnosis = doctor::diagnose(&line, clock::now_secs());
            readable &= diagnosis.is_readable();
            writeln!(answers, "{}", serde_json::to_string(&diagnosis)?)?;
            answers.flush()?;
        }
        line.clear();
    }
    Ok(readable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_answer_and_an_empty_one_has_none() {
        let line = r#"{"provider":"standard","headers":{},"body":"","keys":["x"]}"#;
        let mut answers = Vec::new();
        let lines = format!("\n{line}\r\n  \n{line}");
        assert!(answer(lines.as_bytes(), &mut answers).unwrap());
        assert_eq!(String::from_utf8(answers).unwrap().lines().count(), 2);
        let mut answers = Vec::new();
        assert!(!answer(format!("{line}\nx\n{line}\n").as_bytes(), &mut answers).unwrap());
        assert_eq!(String::from_utf8(answers).unwrap().lines().count(), 3);
    }
}
