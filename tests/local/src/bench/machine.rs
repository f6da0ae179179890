//! Where and of what the figures are.

use std::fs;
use std::process::Command;

use serde::Serialize;
use time::OffsetDateTime;

use crate::binaries;

/// Crates whose versions make a difference.
const CRATES: [&str; 6] =
    ["lambda_runtime", "aws-sdk-dynamodb", "hyper", "reqwest", "rustls", "tokio"];

/// A machine and what was built on it.
#[derive(Debug, Clone, Serialize)]
pub struct Machine {
    /// The processor.
    pub cpu: String,
    /// How many of its cores.
    pub cores: usize,
    /// Operating system and kernel.
    pub kernel: String,
    /// The compiler.
    pub rustc: String,
    /// The commit, with a plus sign where the tree had changes.
    pub commit: String,
    /// The day, UTC.
    pub date: String,
    /// Versions of the crates that matter most.
    pub crates: Vec<String>,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn here() -> Self {
        let cpu = read("/proc/cpuinfo", |line| line.strip_prefix("model name")?.split_once(": "));
        let commit = run("git", &["rev-parse", "--short=9", "HEAD"]);
        let changed = !run("git", &["status", "--porcelain"]).is_empty();
        Self {
            cpu: cpu.unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            kernel: format!("{} {}", run("uname", &["-s"]), run("uname", &["-r"])),
            rustc: run("rustc", &["--version"]),
            commit: format!("{commit}{}", if changed { "+" } else { "" }),
            date: OffsetDateTime::now_utc().date().to_string(),
            crates: versions(&lock_file()),
        }
    }

    /// A sentence for the page.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { cpu, cores, kernel, rustc, commit, date, crates } = self;
        let crates = crates.join(", ");
        format!("{cpu}, {cores} cores, {kernel}; {rustc}; commit {commit}, {date}; {crates}.\n")
    }
}

fn lock_file() -> String {
    fs::read_to_string(binaries::workspace().join("Cargo.lock")).unwrap_or_default()
}

/// `name 1.2.3`, of the crates that matter.
fn versions(lock: &str) -> Vec<String> {
    let package = |package: &str| {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.map(|value| value.trim_matches('"').to_owned())
        };
        let name = value("name = ")?;
        CRATES.contains(&name.as_str()).then(|| Some(format!("{name} {}", value("version = ")?)))?
    };
    lock.split("[[package]]").filter_map(package).collect()
}

fn read(path: &str, value: fn(&str) -> Option<(&str, &str)>) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(value).map(|(_, value)| value.trim().to_owned())
}

/// What a program prints; nothing where it is not there.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(binaries::workspace()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::versions;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        let lock = "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"tokio\"\nversion = \"1.54.1\"\n";
        assert_eq!(versions(lock), ["tokio 1.54.1"]);
    }
}
