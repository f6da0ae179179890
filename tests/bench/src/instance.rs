//! One instance of a function: a process that asks for work.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::time::ClockId;
use nix::unistd::Pid;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use crate::http1::Server;
use crate::plan::{Quota, Subject};
use crate::quota::Cage;
use crate::runtime_api::{Call, RuntimeApi};
use crate::services::Services;

/// Longer than anything here takes, throttled or not.
const PATIENCE: Duration = Duration::from_mins(1);

/// How much of what a function printed is shown when it fails, in bytes.
const OUTPUT_SHOWN: usize = 2_000;

/// A running instance that waits for work.
#[derive(Debug)]
pub(crate) struct Instance {
    name: String,
    event: Bytes,
    child: Child,
    pid: Pid,
    cpu: ClockId,
    calls: mpsc::Receiver<Call>,
    next: Option<oneshot::Sender<Bytes>>,
    output: PathBuf,
    /// From the start of the process to its first request for work, and its CPU until then.
    pub(crate) start: (u64, u64),
    _api: Server,
    cage: Option<Cage>,
}

impl Instance {
    /// Starts one and waits until it asks for work.
    pub(crate) async fn start(
        subject: &Subject,
        services: &Services,
        quota: Option<Quota>,
    ) -> Result<Self> {
        let (api, calls) = RuntimeApi::new(now_ms);
        let api = Server::start(api, None).await?;
        let output = services.files().join(format!("{}.log", subject.name));
        let log = File::create(&output)?;
        let cage = quota.map(|_| Cage::new()).transpose()?;
        let mut command = command(subject, services, cage.is_some());
        command.env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
        command.stdout(log.try_clone()?).stderr(log);
        let spawned = Instant::now();
        let child = command.spawn();
        let child = child.with_context(|| format!("cannot run {}", subject.binary.display()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let pid = pid.context("the process has no id")?;
        let mut instance = Self {
            name: subject.name.clone(),
            event: Bytes::from(subject.event.clone()),
            cpu: ClockId::pid_cpu_clock_id(pid)?,
            child,
            pid,
            calls,
            next: None,
            output,
            start: (0, 0),
            _api: api,
            cage,
        };
        let (began, cpu_before) = instance.let_go(quota).await?.unwrap_or((spawned, 0));
        instance.wait_for_next().await?;
        instance.start = (nanos(began.elapsed()), instance.cpu_ns()?.saturating_sub(cpu_before));
        instance.limit(quota)?;
        Ok(instance)
    }

    /// Has a caged process become the function; says when, and how much CPU it had until then.
    async fn let_go(&mut self, quota: Option<Quota>) -> Result<Option<(Instant, u64)>> {
        let Some(cage) = &self.cage else {
            return Ok(None);
        };
        cage.hold(self.pid)?;
        self.limit(quota.filter(|quota| quota.from_birth))?;
        let mut gate = self.child.stdin.take().context("the shell has no input")?;
        let begins = (Instant::now(), self.cpu_ns()?);
        gate.write_all(b"\n").await?;
        Ok(Some(begins))
    }

    fn limit(&self, quota: Option<Quota>) -> Result<()> {
        let limit = |(cage, quota): (&Cage, Quota)| cage.limit(Some(quota.permille));
        self.cage.as_ref().zip(quota).map_or(Ok(()), limit)
    }

    /// Makes one call; answers how long it took until the answer was there, in nanoseconds.
    pub(crate) async fn call(&mut self) -> Result<u64> {
        let next = self.next.take().context("the function does not wait for work")?;
        let began = Instant::now();
        if next.send(self.event.clone()).is_err() {
            return self.fail("it hung up").await;
        }
        let Some(Call::Done { at, body }) = self.heard().await? else {
            return self.fail("it asked for work before it had answered").await;
        };
        let text = String::from_utf8_lossy(&body);
        if !text.contains(r#""statusCode":200"#) {
            return self.fail(&format!("it answered {text}")).await;
        }
        self.wait_for_next().await?;
        Ok(nanos(at.duration_since(began)))
    }

    async fn wait_for_next(&mut self) -> Result<()> {
        match self.heard().await? {
            Some(Call::Next(next)) => {
                self.next = Some(next);
                Ok(())
            }
            Some(Call::Done { body, .. }) => {
                self.fail(&format!("it said {}", String::from_utf8_lossy(&body))).await
            }
            None => self.fail("it hung up").await,
        }
    }

    /// What the function asks or tells next.
    async fn heard(&mut self) -> Result<Option<Call>> {
        let heard = tokio::select! {
            biased;
            call = self.calls.recv() => Ok(call),
            exit = self.child.wait() => Err(exit),
            () = tokio::time::sleep(PATIENCE) => {
                return self.fail("it neither answers nor asks for work").await;
            }
        };
        match heard {
            Ok(call) => Ok(call),
            Err(exit) => self.fail(&format!("it ended: {exit:?}")).await,
        }
    }

    async fn fail<T>(&mut self, why: &str) -> Result<T> {
        let output = tokio::fs::read(&self.output).await.unwrap_or_default();
        let (_, tail) = output.split_at(output.len().saturating_sub(OUTPUT_SHOWN));
        bail!("{}: {why}\n{}", self.name, String::from_utf8_lossy(tail))
    }

    /// CPU of the whole process so far, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> Result<u64> {
        let cpu = self.cpu.now().context("the process has no clock of its own")?;
        Ok(nanos(Duration::from(cpu)))
    }

    /// Memory now and at its most, in KiB.
    pub(crate) fn memory_kib(&self) -> Result<(u64, u64)> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        Ok((kib(&status, "VmRSS:")?, kib(&status, "VmHWM:")?))
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> Result<u64> {
        let open = std::fs::read_dir(format!("/proc/{}/fd", self.pid))?.count();
        Ok(u64::try_from(open)?)
    }

    /// Stops the process or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(self.pid, signal)?)
    }

    /// Ends the process.
    pub(crate) async fn end(mut self) -> Result<()> {
        timeout(PATIENCE, self.child.kill()).await.context("the process does not end")??;
        Ok(())
    }
}

/// The function itself, or a shell that becomes the function as soon as it reads a line: by then it
/// is in its cage.
fn command(subject: &Subject, services: &Services, caged: bool) -> Command {
    let mut command = if caged {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#"read -r _; exec "$0""#]).arg(&subject.binary).stdin(Stdio::piped());
        shell
    } else {
        let mut function = Command::new(&subject.binary);
        function.stdin(Stdio::null());
        function
    };
    let variables = subject.environment.iter();
    // Nothing of the developer's environment: it could make a difference.
    command
        .env_clear()
        .envs(variables.map(|(name, value)| (name, services.fill(value))))
        .kill_on_drop(true);
    command
}

fn kib(status: &str, name: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let number = number.with_context(|| format!("the kernel does not say {name}"))?;
    Ok(number.trim().parse()?)
}

/// A time in nanoseconds.
pub(crate) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Unix time in milliseconds.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::kib;

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        let status = "VmPeak:\t  100 kB\nVmHWM:\t    2048 kB\nVmRSS:\t1024 kB\n";
        assert_eq!(kib(status, "VmHWM:").unwrap(), 2048);
        assert_eq!(kib(status, "VmRSS:").unwrap(), 1024);
        assert!(kib(status, "VmSwap:").is_err());
    }
}
