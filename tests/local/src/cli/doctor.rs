//! Why a webhook's signature does or does not verify.

use std::fs::File;
use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use local::{clock, doctor};

/// Closes the long help.
pub(super) const EXAMPLE: &str = r#"A line, of a body that something on the way has written again:
{"provider":"stripe","headers":{"stripe-signature":"t=1700000000,v1=3500e4cbdbe983dfd06e403872463b7fdd63367811622e0b0ff04bf7aa1f839f"},"body":"{\"a\": 1}","keys":{"secrets":["whsec_example"]},"now":1700000000}

`provider` is standard, stripe, wechat or alipay, and `keys` its entry of the webhook secret. A
doubled header has a list of values. `body_base64` is the body's bytes, `body` its text. Without
`now` the present is meant.

The answer is one line as well: a verdict (accept, reject, config_error), the reason, a hint where a
cause can be proven, and what an accepted message says. The exit code is 2 if a line could not be
read, whatever the verdicts are."#;

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
    fn the_example_is_what_it_says() {
        let line = EXAMPLE.lines().find(|line| line.starts_with('{')).unwrap();
        let mut answers = Vec::new();
        assert!(answer(line.as_bytes(), &mut answers).unwrap());
        let answer = String::from_utf8(answers).unwrap();
        assert!(answer.contains(r#""verdict":"reject""#), "{answer}");
        assert!(answer.contains("without white space between its parts"), "{answer}");
    }

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
