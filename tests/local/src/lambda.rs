//! Lambda: each function is a pool of processes that compete for its invocations.
//!
//! As in Lambda, an instance runs one invocation at a time, is killed at its timeout, and is
//! replaced when it dies. Unlike in Lambda, the number of instances is fixed: more invocations
//! wait.

mod instance;
mod runtime_api;
mod watchdog;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use uuid::Uuid;

use self::watchdog::Watchdog;
use crate::template;

/// The longest payload of an invocation or its response, in bytes: Lambda's limit for synchronous
/// calls.
pub const PAYLOAD_MAX: usize = 6 * 1024 * 1024;

/// An invocation that ended without a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// The error of the function, or of Lambda: JSON with `errorType` and `errorMessage`.
    pub payload: Bytes,
}

impl FunctionError {
    fn new(error_type: &str, error_message: &str) -> Self {
        let payload = json!({"errorType": error_type, "errorMessage": error_message});
        Self { payload: payload.to_string().into() }
    }

    /// The `errorMessage`, or the whole payload where there is none.
    #[must_use]
    pub fn message(&self) -> String {
        let message = self.text("errorMessage");
        message.unwrap_or_else(|| String::from_utf8_lossy(&self.payload).into_owned())
    }

    /// The `errorType`, if there is one.
    #[must_use]
    pub fn kind(&self) -> Option<String> {
        self.text("errorType")
    }

    fn text(&self, key: &str) -> Option<String> {
        let payload: Value = serde_json::from_slice(&self.payload).ok()?;
        payload.get(key).and_then(Value::as_str).map(str::to_owned)
    }
}

/// One running process of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The function it runs.
    pub function: String,
    /// Its process id.
    pub pid: i32,
    /// Whether it is in the middle of an invocation.
    pub busy: bool,
}

/// Where the functions' output goes.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// Appended to `<function>.log` in this directory.
    Directory(PathBuf),
    /// To standard error.
    Inherited,
}

/// Everything an instance is started with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The function, as the template has it.
    pub(crate) function: template::Function,
    /// Its executable.
    pub(crate) binary: PathBuf,
    /// Its environment, but for what Lambda itself adds.
    pub(crate) environment: BTreeMap<String, String>,
    /// Where its output goes.
    pub(crate) output: Output,
}

/// One invocation, from the queue to its response.
#[derive(Debug)]
struct Job {
    request_id: String,
    payload: Bytes,
    response: oneshot::Sender<Result<Bytes, FunctionError>>,
}

impl Job {
    fn response(self, response: Result<Bytes, FunctionError>) {
        // The gateway may have given up: then nobody waits for the response.
        if let Err(response) = self.response.send(response) {
            drop(response);
        }
    }
}

/// How the starts of a function's instances have gone so far.
#[derive(Debug, Default)]
struct Starts {
    /// How many have asked for an invocation.
    good: usize,
    /// The error of the last one that ended before that.
    failed: Option<FunctionError>,
}

/// What the instances of one function share.
#[derive(Debug)]
struct Pool {
    settings: Settings,
    /// The process group of its instances.
    group: i32,
    queue: mpsc::UnboundedSender<Job>,
    jobs: tokio::sync::Mutex<mpsc::UnboundedReceiver<Job>>,
    /// By process id, whether it is busy.
    running: Mutex<BTreeMap<i32, bool>>,
    starts: watch::Sender<Starts>,
}

impl Pool {
    /// The next invocation that waits. Dropping the future loses none.
    async fn next_job(&self) -> Job {
        loop {
            if let Some(job) = self.jobs.lock().await.recv().await {
                return job;
            }
        }
    }

    fn set_running(&self, pid: i32, busy: Option<bool>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match busy {
            Some(busy) => running.insert(pid, busy),
            None => running.remove(&pid),
        };
    }

    fn started(&self, failed: Option<FunctionError>) {
        self.starts.send_modify(|starts| match failed {
            None => starts.good = starts.good.saturating_add(1),
            Some(_) => starts.failed = failed,
        });
    }

    /// Where the function's output is kept, if it is.
    fn log(&self) -> Option<PathBuf> {
        match &self.settings.output {
            Output::Inherited => None,
            Output::Directory(directory) => {
                Some(directory.join(format!("{}.log", self.settings.function.name)))
            }
        }
    }

    fn output(&self) -> io::Result<(Stdio, Stdio)> {
        let Some(path) = self.log() else {
            return Ok((io::stderr().into(), io::stderr().into()));
        };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok((file.try_clone()?.into(), file.into()))
    }

    fn last_line(&self) -> Option<String> {
        last_line(&String::from_utf8_lossy(&std::fs::read(self.log()?).ok()?))
    }
}

/// The functions, for those who invoke them.
#[derive(Debug)]
pub(crate) struct Lambda {
    pools: BTreeMap<String, Arc<Pool>>,
    stopping: watch::Sender<bool>,
}

/// The tasks that keep the processes running. Dropping them kills the processes.
#[derive(Debug)]
pub(crate) struct Supervisors {
    lambda: Arc<Lambda>,
    tasks: JoinSet<()>,
    // Not left to the tasks: the runtime drops them some time later, and never in a program that is
    // about to end.
    _watchdog: Watchdog,
}

impl Lambda {
    /// Starts `instances` processes of each function.
    pub(crate) fn start(
        functions: Vec<Settings>,
        instances: usize,
    ) -> Result<(Arc<Self>, Supervisors)> {
        let watchdog = Watchdog::start().context("cannot run /bin/sh")?;
        let mut tasks = JoinSet::new();
        let mut pools = BTreeMap::new();
        for settings in functions {
            let (queue, jobs) = mpsc::unbounded_channel();
            let name = settings.function.name.clone();
            let pool = Arc::new(Pool {
                settings,
                group: watchdog.group,
                queue,
                jobs: tokio::sync::Mutex::new(jobs),
                running: Mutex::default(),
                starts: watch::Sender::default(),
            });
            for _ in 0..instances {
                tasks.spawn(instance::keep_alive(Arc::clone(&pool)));
            }
            pools.insert(name, pool);
        }
        let lambda = Arc::new(Self { pools, stopping: watch::Sender::new(false) });
        let supervisors = Supervisors { lambda: Arc::clone(&lambda), tasks, _watchdog: watchdog };
        Ok((lambda, supervisors))
    }

    /// Waits until every instance has asked for an invocation.
    pub(crate) async fn ready(&self, instances: usize) -> Result<()> {
        for (name, pool) in &self.pools {
            let mut starts = pool.starts.subscribe();
            let applied = |starts: &Starts| starts.good >= instances || starts.failed.is_some();
            let applied = tokio::time::timeout(instance::INIT_LIMIT, starts.wait_for(applied));
            let starts =
                applied.await.with_context(|| format!("the function {name} does not start"))??;
            if let Some(error) = &starts.failed {
                let last = pool.last_line().unwrap_or_else(|| "it printed nothing".to_owned());
                bail!(
                    "the function {name} cannot start: {}; its last line: {last}",
                    error.message()
                );
            }
        }
        Ok(())
    }

    /// Whether there is a function of that name.
    pub(crate) fn has(&self, function: &str) -> bool {
        self.pools.contains_key(function)
    }

    /// The environment of each function, without what Lambda itself adds.
    pub(crate) fn environments(&self) -> BTreeMap<&str, &BTreeMap<String, String>> {
        let pools = self.pools.iter();
        pools.map(|(name, pool)| (name.as_str(), &pool.settings.environment)).collect()
    }

    /// Runs a function once.
    pub(crate) async fn invoke(
        &self,
        function: &str,
        payload: Bytes,
    ) -> Result<Bytes, FunctionError> {
        let Some(pool) = self.pools.get(function) else {
            return Err(FunctionError::new("ResourceNotFoundException", "Function not found"));
        };
        let (response, responded) = oneshot::channel();
        let job = Job { request_id: Uuid::new_v4().to_string(), payload, response };
        let gone = || FunctionError::new("ServiceException", "The local stack is stopping");
        pool.queue.send(job).map_err(|_job| gone())?;
        let mut stopping = self.stopping.subscribe();
        tokio::select! {
            response = responded => response.map_err(|_dropped| gone())?,
            _ = stopping.wait_for(|stopping| *stopping) => Err(gone()),
        }
    }

    /// The processes that run now.
    pub(crate) fn instances(&self) -> Vec<Instance> {
        let mut instances = Vec::new();
        for (function, pool) in &self.pools {
            let running = pool.running.lock().unwrap_or_else(PoisonError::into_inner);
            for (&pid, &busy) in running.iter() {
                instances.push(Instance { function: function.clone(), pid, busy });
            }
        }
        instances
    }

    /// Sends a signal to one process that [`Lambda::instances`] listed.
    pub(crate) fn signal(&self, pid: i32, signal: Signal) -> Result<()> {
        if !self.instances().iter().any(|instance| instance.pid == pid) {
            bail!("{pid} is no instance");
        }
        kill(Pid::from_raw(pid), signal).with_context(|| format!("cannot send {signal} to {pid}"))
    }

    /// How long an invocation may wait and run before the gateway gives up on it.
    pub(crate) const GATEWAY_LIMIT: Duration = Duration::from_secs(30);
}

impl Supervisors {
    /// Kills every process and waits until none is left.
    pub(crate) async fn stop(mut self) {
        let pids: Vec<i32> = self.lambda.instances().iter().map(|one| one.pid).collect();
        self.lambda.stopping.send_replace(true);
        self.tasks.shutdown().await;
        // They have ended by now, and exist until the runtime has reaped them.
        let there = |pid: &i32| kill(Pid::from_raw(*pid), None).is_ok();
        for _ in 0..500 {
            if !pids.iter().any(there) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Supervisors {
    fn drop(&mut self) {
        self.lambda.stopping.send_replace(true);
    }
}

/// The last line of a log that several processes write to in pieces. What follows the last line
/// break may be the beginning of another process's line: it counts only where nothing else is
/// there.
fn last_line(log: &str) -> Option<String> {
    let ended = log.rsplit_once('\n').map_or(log, |(ended, _begun)| ended);
    ended.lines().last().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::last_line;

    #[test]
    fn the_last_line_is_one_that_has_ended() {
        let table = [
            ("", None),
            ("Error: cut", Some("Error: cut")),
            ("Error: disk\n", Some("Error: disk")),
            ("first\nError: disk\nError: ", Some("Error: disk")),
        ];
        for (log, want) in table {
            assert_eq!(last_line(log).as_deref(), want, "{log:?}");
        }
    }
}
