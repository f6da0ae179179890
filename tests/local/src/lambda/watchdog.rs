//! Sees to it that no function outlives the stack, however the stack ends.
//!
//! Functions that wait for work notice by themselves that the Runtime API is gone; one in the middle
//! of an invocation does not. So all of them share the process group of a shell that waits for the
//! end of its input. The input ends with this process, even at `kill -9`, and the shell then kills
//! its whole group. (The kernel's own means, `PR_SET_PDEATHSIG`, takes unsafe code to ask for.)

use std::io;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// The shell and its group; dropping it kills both.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// Holds the shell's input open.
    _shell: Child,
    /// The process group for every function.
    pub(super) group: i32,
}

impl Watchdog {
    pub(super) fn start() -> io::Result<Self> {
        let shell = Command::new("/bin/sh")
            .args(["-c", "read -r _; kill -9 0"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own also keeps Ctrl-C in the terminal from the functions: it reaches
            // the stack only, which then stops them in order.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let group = shell.id().and_then(|pid| i32::try_from(pid).ok());
        let group = group.ok_or_else(|| io::Error::other("the shell has no process id"))?;
        Ok(Self { _shell: shell, group })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        match killpg(Pid::from_raw(self.group), Signal::SIGKILL) {
            // Not there any more is what was wanted.
            Ok(()) | Err(_) => {}
        }
    }
}
