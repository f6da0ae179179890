//! One instance of a function: a process that asks the Lambda Runtime API for work.
//!
//! Sources: AWS Lambda developer guide, "Using the Lambda runtime API"; Linux kernel, `sched-bwc.rst`
//! and `cgroup-v2.rst`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use futures_util::FutureExt as _;
use hyper::{StatusCode, http::request::Parts};
use nix::{time::ClockId, unistd::Pid};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use crate::server::{Response, Server, json};
use crate::stats::nanos;

/// A running instance that waits for work.
pub(crate) struct Instance {
    child: Child,
    pub(crate) pid: Pid,
    event: Bytes,
    output: String,
    requests: mpsc::Receiver<Request>,
    /// Its open request for work.
    next: Option<Request>,
    /// From the start of the process to its first request for work, and CPU until then.
    pub(crate) start_ns: [u64; 2],
    _api: Server,
    cage: Option<Cage>,
}

/// What the function asks for or hands in.
struct Request {
    at: Instant,
    path: String,
    body: Bytes,
    respond: oneshot::Sender<Response>,
}

/// CPU in thousandths of a core: in start-up, where none means no limit, and afterwards.
pub(crate) type Quota = (Option<u64>, u64);

impl Instance {
    /// Starts one and waits until it asks for work; what it prints goes to a file.
    pub(crate) async fn start(
        executable: &Path,
        environment: Vec<(&str, String)>,
        event: String,
        output: String,
        quota: Option<Quota>,
    ) -> Result<Self> {
        let (sender, requests) = mpsc::channel(4);
        let pass_on = move |head, body| pass_on(sender.clone(), head, body).boxed();
        let api = Server::start(Arc::new(pass_on), None).await?;
        let cage = quota.map(|_| Cage::new()).transpose()?;
        // In a cage, a shell that becomes the function as soon as it reads a line.
        let mut command =
            Command::new(if cage.is_some() { Path::new("/bin/sh") } else { executable });
        if cage.is_some() {
            command.args(["-c", r#"read -r _; exec "$0""#]).arg(executable);
        }
        let log = fs::File::create(&output)?;
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).kill_on_drop(true);
        // Nothing of the developer's environment: it could make a difference.
        command.env_clear().envs(environment);
        command.env("AWS_LAMBDA_RUNTIME_API", api.address.to_string());
        let (mut began, mut cpu_before) = (Instant::now(), 0);
        let mut child =
            command.spawn().with_context(|| format!("cannot run {}", executable.display()))?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw);
        let pid = pid.context("the process has no id")?;
        if let (Some(cage), Some(mut gate)) = (&cage, child.stdin.take()) {
            cage.put("cgroup.procs", &pid.to_string())?;
            cage.limit(quota.and_then(|(in_start, _)| in_start))?;
            (began, cpu_before) = (Instant::now(), cpu_ns(pid)?);
            gate.write_all(b"\n").await?;
        }
        let (event, next, start_ns) = (Bytes::from(event), None, [0; 2]);
        let mut instance =
            Self { child, pid, event, output, requests, next, start_ns, _api: api, cage };
        instance.wait_for_next().await?;
        instance.start_ns = [nanos(began.elapsed()), cpu_ns(pid)?.saturating_sub(cpu_before)];
        instance.cage.iter().try_for_each(|cage| cage.limit(quota.map(|(_, then)| then)))?;
        Ok(instance)
    }

    /// Makes one call; returns how long it took until its response was there, in nanoseconds.
    pub(crate) async fn call(&mut self) -> Result<u64> {
        let next = self.next.take().context("the function does not wait for work")?;
        let (event, began) = (invocation(self.event.clone())?, Instant::now());
        // Where the function is gone, waiting for its request says so.
        drop(next.respond.send(event));
        let Request { at, path, body, respond } = self.request().await?;
        let text = String::from_utf8_lossy(&body);
        if !text.contains(r#""statusCode":200"#) {
            return self.fail(&format!("instead of a response of 200 came {path} {text}"));
        }
        drop(respond.send(json(StatusCode::ACCEPTED, r#"{"status":"OK"}"#)));
        self.wait_for_next().await?;
        Ok(nanos(at.duration_since(began)))
    }

    async fn wait_for_next(&mut self) -> Result<()> {
        let next = self.request().await?;
        if !next.path.ends_with("/next") {
            let text = String::from_utf8_lossy(&next.body);
            return self.fail(&format!("instead of asking for work it sent {text}"));
        }
        self.next = Some(next);
        Ok(())
    }

    async fn request(&mut self) -> Result<Request> {
        let ended = tokio::select! {
            biased;
            Some(request) = self.requests.recv() => return Ok(request),
            exit = self.child.wait() => format!("it ended: {exit:?}"),
            // Longer than anything here takes, throttled or not.
            () = sleep(Duration::from_mins(1)) => "it neither responds nor asks for work".to_owned(),
        };
        self.fail(&ended)
    }

    fn fail<T>(&self, why: &str) -> Result<T> {
        let output = fs::read_to_string(&self.output)?;
        let lines: Vec<_> = output.lines().rev().take(10).collect();
        bail!("{why}\n{}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
    }

    /// Memory now and at its most, in KiB.
    pub(crate) fn memory_kib(&self) -> Result<[u64; 2]> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        Ok([kib(&status, "VmRSS:")?, kib(&status, "VmHWM:")?])
    }

    pub(crate) async fn end(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// Hands a request to the instance and waits for what it responds.
async fn pass_on(sender: mpsc::Sender<Request>, head: Parts, body: Bytes) -> Response {
    let (respond, response) = oneshot::channel();
    let request = Request { at: Instant::now(), path: head.uri.path().to_owned(), body, respond };
    // Where the instance is gone, the response never comes, and the runtime ends.
    drop(sender.send(request).await);
    response.await.unwrap_or_else(|_gone| json(StatusCode::INTERNAL_SERVER_ERROR, ""))
}

/// An event, as the Runtime API hands it over.
fn invocation(event: Bytes) -> Result<Response> {
    let mut response = json(StatusCode::OK, event);
    // The template gives a function ten seconds.
    let deadline_ms = now().saturating_add(Duration::from_secs(10)).as_millis().to_string();
    for (name, value) in [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", &deadline_ms),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:000000000000:function:f"),
        ("lambda-runtime-trace-id", "Root=1-68d2b1f4-1f0c3a6e5d7b48291a3c5e7f;Sampled=0"),
    ] {
        response.headers_mut().insert(name, value.parse()?);
    }
    Ok(response)
}

pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// CPU of a whole process so far, in nanoseconds.
pub(crate) fn cpu_ns(pid: Pid) -> Result<u64> {
    Ok(nanos(ClockId::pid_cpu_clock_id(pid)?.now()?.into()))
}

fn kib(status: &str, name: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(number.with_context(|| format!("the kernel does not say {name}"))?.trim().parse()?)
}

/// A control group for one process, of either version of the kernel's; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Cage(PathBuf);

impl Cage {
    pub(crate) fn new() -> Result<Self> {
        let roots = ["/sys/fs/cgroup/cpu", "/sys/fs/cgroup"].map(Path::new);
        let root = roots.into_iter().find(|root| root.join("cgroup.procs").exists());
        let name = format!("bench-{}", std::process::id());
        let path = root.context("no control groups are mounted")?.join(name);
        // One that was left behind holds no process any more.
        let made = fs::create_dir(&path);
        ensure!(path.is_dir(), "cannot make {}: {made:?}", path.display());
        let cage = Self(path);
        cage.limit(None).context("the group has no limit of CPU")?;
        Ok(cage)
    }

    /// Gives it so many thousandths of a core from now on; as much as it wants with none.
    fn limit(&self, permille: Option<u64>) -> Result<()> {
        // In this time a process may use its share; then it waits for the next.
        let period_us: u64 = 20_000;
        let us = permille.map(|permille| period_us.saturating_mul(permille) / 1000);
        let or = |no_limit: &str| us.map_or(no_limit.to_owned(), |us| us.to_string());
        if self.0.join("cpu.max").exists() {
            return self.put("cpu.max", &format!("{} {period_us}", or("max")));
        }
        self.put("cpu.cfs_period_us", &period_us.to_string())?;
        self.put("cpu.cfs_quota_us", &or("-1"))
    }

    fn put(&self, file: &str, text: &str) -> Result<()> {
        let path = self.0.join(file);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Drop for Cage {
    fn drop(&mut self) {
        // One that still has a process stays; it is empty soon, and harmless.
        drop(fs::remove_dir(&self.0));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        let status = "VmPeak:\t  100 kB\nVmHWM:\t    2048 kB\nVmRSS:\t1024 kB\n";
        let read = ["VmHWM:", "VmRSS:", "VmSwap:"].map(|name| super::kib(status, name).ok());
        assert_eq!(read, [Some(2048), Some(1024), None]);
    }
}
