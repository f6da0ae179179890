//! A limit of CPU for one process, by the kernel's control groups.
//!
//! Sources: Linux kernel, `sched-bwc.rst` and `cgroup-v2.rst`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// In this time a process may use its share, in microseconds; then it waits for the next.
const PERIOD_US: u64 = 20_000;

/// How the kernel here is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// Where the groups for CPU are, and in which of them this process is.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    version: Version,
    root: PathBuf,
    home: PathBuf,
}

/// A group of its own for one process; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Cage {
    hierarchy: Hierarchy,
    path: PathBuf,
}

impl Cage {
    pub(crate) fn new() -> Result<Self> {
        let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let hierarchy =
            hierarchy(&mounts, &own).context("no control groups for CPU are mounted")?;
        let path = hierarchy.root.join(format!("bench-{}", std::process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("cannot make {}", path.display()));
            }
            Ok(()) | Err(_) => {}
        }
        let cage = Self { hierarchy, path };
        cage.unlimited().context("the group has no limit of CPU")?;
        Ok(cage)
    }

    /// Does `work` in the group: a process that it starts stays there. The limit is not yet on.
    pub(crate) fn inside<T>(&self, work: impl FnOnce() -> T) -> Result<T> {
        enter(&self.path)?;
        let done = work();
        enter(&self.hierarchy.home)?;
        Ok(done)
    }

    /// Thousandths of a core, from now on.
    pub(crate) fn limit(&self, permille: u64) -> Result<()> {
        self.write(Some(PERIOD_US.saturating_mul(permille) / 1000))
    }

    fn unlimited(&self) -> Result<()> {
        self.write(None)
    }

    fn write(&self, quota_us: Option<u64>) -> Result<()> {
        let put = |file: &str, text: String| {
            let path = self.path.join(file);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
        };
        let quota = |no_limit: &str| quota_us.map_or(no_limit.to_owned(), |us| us.to_string());
        match self.hierarchy.version {
            Version::One => {
                put("cpu.cfs_period_us", PERIOD_US.to_string())?;
                put("cpu.cfs_quota_us", quota("-1"))
            }
            Version::Two => put("cpu.max", format!("{} {PERIOD_US}", quota("max"))),
        }
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // One that still has a process stays; it is empty soon, and harmless.
        drop(fs::remove_dir(&self.path));
    }
}

fn enter(group: &Path) -> Result<()> {
    let file = group.join("cgroup.procs");
    fs::write(&file, std::process::id().to_string())
        .with_context(|| format!("cannot write {}", file.display()))
}

/// Version 1 if it has the controller of CPU, else version 2.
fn hierarchy(mounts: &str, own: &str) -> Option<Hierarchy> {
    let found = |version, kind: &str, holds: &dyn Fn(&str) -> bool, home: Option<&str>| {
        let root = mounts.lines().find_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (path, mounted, options) = (fields.next()?, fields.next()?, fields.next()?);
            (mounted == kind && holds(options)).then(|| PathBuf::from(path))
        })?;
        let home = root.join(home?.trim_start_matches('/'));
        Some(Hierarchy { version, root, home })
    };
    let is_cpu = |list: &str| list.split(',').any(|one| one == "cpu");
    // `ID:CONTROLLERS:PATH`; version 2 has no controllers there.
    let group = |holds: &dyn Fn(&str) -> bool| {
        own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            holds(controllers).then_some(path)
        })
    };
    let (v1, v2) = (group(&is_cpu), group(&str::is_empty));
    found(Version::One, "cgroup", &is_cpu, v1)
        .or_else(|| found(Version::Two, "cgroup2", &|_| true, v2))
}

#[cfg(test)]
mod tests {
    use super::{Hierarchy, Version, hierarchy};

    #[test]
    fn the_version_is_that_which_has_the_controller() {
        let one = "cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n\
                   cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\n\
                   cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        let own = "3:cpuset:/\n2:cpu,cpuacct:/a/b\n0::/c\n";
        let of = |version, root: &str, home: &str| {
            Some(Hierarchy { version, root: root.into(), home: home.into() })
        };
        let cpu = "/sys/fs/cgroup/cpu,cpuacct";
        assert_eq!(hierarchy(one, own), of(Version::One, cpu, &format!("{cpu}/a/b")));
        let two = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n";
        let home = "/sys/fs/cgroup/user.slice";
        assert_eq!(hierarchy(two, "0::/user.slice\n"), of(Version::Two, "/sys/fs/cgroup", home));
        assert_eq!(hierarchy("tmpfs /tmp tmpfs rw 0 0\n", own), None);
    }
}
