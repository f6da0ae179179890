//! A limit of CPU for one process, by the kernel's control groups.
//!
//! Sources: Linux kernel, `sched-bwc.rst` and `cgroup-v2.rst`.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use nix::unistd::Pid;

/// In this time a process may use its share, in microseconds; then it waits for the next.
const PERIOD_US: u64 = 20_000;

/// How the kernel here is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A group of its own for one process; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Cage {
    version: Version,
    path: PathBuf,
}

impl Cage {
    pub(crate) fn new() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let (version, root) = hierarchy(&mounts).context("no control groups are mounted")?;
        let path = root.join(format!("bench-{}", std::process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot make {}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
        let cage = Self { version, path };
        cage.limit(None).context("the group has no limit of CPU")?;
        Ok(cage)
    }

    /// Takes a process in.
    pub(crate) fn hold(&self, process: Pid) -> Result<()> {
        self.put("cgroup.procs", &process.to_string())
    }

    /// Gives it so many thousandths of a core from now on; as much as it wants with none.
    pub(crate) fn limit(&self, permille: Option<u64>) -> Result<()> {
        let quota_us = permille.map(|permille| PERIOD_US.saturating_mul(permille) / 1000);
        let quota = |no_limit: &str| quota_us.map_or(no_limit.to_owned(), |us| us.to_string());
        match self.version {
            Version::One => {
                self.put("cpu.cfs_period_us", &PERIOD_US.to_string())?;
                self.put("cpu.cfs_quota_us", &quota("-1"))
            }
            Version::Two => self.put("cpu.max", &format!("{} {PERIOD_US}", quota("max"))),
        }
    }

    fn put(&self, file: &str, text: &str) -> Result<()> {
        let path = self.path.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // One that still has a process stays; it is empty soon, and harmless.
        drop(fs::remove_dir(&self.path));
    }
}

/// Where the groups for CPU are: version 1 if it has the controller of CPU, else version 2.
fn hierarchy(mounts: &str) -> Option<(Version, PathBuf)> {
    let found = |version, kind: &str, holds: fn(&str) -> bool| {
        mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (path, mounted, options) = (fields.next()?, fields.next()?, fields.next()?);
            (mounted == kind && holds(options)).then(|| (version, PathBuf::from(path)))
        })
    };
    let is_cpu = |options: &str| options.split(',').any(|one| one == "cpu");
    found(Version::One, "cgroup", is_cpu).or_else(|| found(Version::Two, "cgroup2", |_| true))
}

#[cfg(test)]
mod tests {
    use super::{Version, hierarchy};

    #[test]
    fn the_version_is_that_which_has_the_controller() {
        let one = "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n\
                   cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n\
                   cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(hierarchy(one), Some((Version::One, "/sys/fs/cgroup/cpu,cpuacct".into())));
        let two = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
        assert_eq!(hierarchy(two), Some((Version::Two, "/sys/fs/cgroup".into())));
        assert_eq!(hierarchy("tmpfs /tmp tmpfs rw 0 0\n"), None);
    }
}
