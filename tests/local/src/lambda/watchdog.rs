//! Ends every function with the stack, however the stack ends.
//!
//! A function that waits for an invocation ends when the Runtime API is gone; one in the middle of
//! an invocation does not. So all functions share the process group of a shell that waits for the
//! end of its input. The input ends with this process, even at `kill -9`, and the shell then kills
//! its whole group. (The kernel's own way, `PR_SET_PDEATHSIG`, needs unsafe code.)

use std::io;
use std::process::Stdio;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// The shell and its group. Dropping it kills both.
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
            // A group of its own also keeps Ctrl-C of the terminal from the functions: only the
            // stack gets it, and then stops them in order.
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
            // It may have ended already.
            Ok(()) | Err(_) => {}
        }
    }
}
