//! One slot of a pool: starts a process, feeds it, and starts another when it is gone.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::runtime_api::{Call, Delivery, RuntimeApi, Verdict};
use super::{FunctionError, Job, PAYLOAD_MAX, Pool};
use crate::clock;
use crate::defaults::{ACCOUNT, REGION};
use crate::template::Function;

/// A process that has not asked for work by then is killed. Lambda gives 10 s; a machine that
/// compiles meanwhile needs more.
pub(super) const INIT_LIMIT: Duration = Duration::from_secs(30);

/// Between two starts of a process that ends at once.
const RESPAWN_PAUSE: Duration = Duration::from_millis(100);

/// Keeps one instance of the pool alive for ever.
pub(super) async fn keep_alive(pool: Arc<Pool>) {
    loop {
        let started = Instant::now();
        let end = match Process::start(&pool).await {
            Ok(process) => process.serve().await,
            Err(error) => {
                End::BeforeReady(FunctionError::new("Runtime.ExitError", &error.to_string()))
            }
        };
        if let End::BeforeReady(error) = end {
            pool.started(Some(error.clone()));
            // As in Lambda, an invocation is told of a failed start, and the next one tries again.
            // Restarting without being asked would only burn the processor.
            pool.next_job().await.answer(Err(error));
        }
        if started.elapsed() < RESPAWN_PAUSE {
            sleep(RESPAWN_PAUSE).await;
        }
    }
}

/// How the life of a process ended.
enum End {
    /// Before it had asked for work.
    BeforeReady(FunctionError),
    /// Afterwards; its invocation, if it had one, is answered.
    Served,
}

struct Process<'a> {
    pool: &'a Pool,
    api: RuntimeApi,
    child: Child,
    pid: i32,
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        // The process itself is killed by the drop of its handle, unless it has ended before.
        self.pool.set_running(self.pid, None);
    }
}

impl<'a> Process<'a> {
    async fn start(pool: &'a Pool) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let (stdout, stderr) = pool.output()?;
        let function = &pool.settings.function;
        let child = Command::new(&pool.settings.binary)
            // Nothing of the developer's environment: a real credential must not reach a test.
            .env_clear()
            .envs(&pool.settings.environment)
            .env("AWS_LAMBDA_RUNTIME_API", api.address.to_string())
            .envs(of_lambda(function))
            .stdin(std::process::Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(pool.group)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
        let pid = pid.ok_or_else(|| io::Error::other("the process has no id"))?;
        pool.set_running(pid, Some(false));
        Ok(Self { pool, api, child, pid })
    }

    async fn serve(mut self) -> End {
        let mut next = match self.first_next().await {
            Ok(next) => next,
            Err(error) => return End::BeforeReady(error),
        };
        self.pool.started(None);
        while let Some(job) = self.wait_for_job(next).await {
            match self.run(job).await {
                Some(following) => next = following,
                None => break,
            }
        }
        End::Served
    }

    /// Runs until the process first asks for work.
    async fn first_next(&mut self) -> Result<oneshot::Sender<Delivery>, FunctionError> {
        let limit = sleep(INIT_LIMIT);
        tokio::pin!(limit);
        let mut reported = None;
        loop {
            tokio::select! {
                biased;
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(next) => return Ok(next),
                    Call::InitError(body, verdict) => {
                        reported = Some(FunctionError { payload: body });
                        tell(verdict, Verdict::Accepted);
                    }
                    Call::Done { verdict, .. } => tell(verdict, Verdict::NoSuchRequest),
                },
                exit = self.child.wait() => {
                    return Err(reported.unwrap_or_else(|| exit_error(exit)));
                }
                () = &mut limit => {
                    return Err(FunctionError::new("Sandbox.Timedout", "The start took too long"));
                }
            }
        }
    }

    /// Hands the next invocation to the process; nothing if the process ends before that.
    async fn wait_for_job(&mut self, mut next: oneshot::Sender<Delivery>) -> Option<Job> {
        loop {
            tokio::select! {
                biased;
                // Waited for first: an instance that is gone must not take an invocation.
                _ = self.child.wait() => return None,
                () = next.closed() => return None,
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(again) => next = again,
                    Call::InitError(_, verdict) | Call::Done { verdict, .. } => {
                        tell(verdict, Verdict::NoSuchRequest);
                    }
                },
                job = self.pool.next_job() => {
                    let function = &self.pool.settings.function;
                    let timeout_ms = u64::try_from(function.timeout.as_millis()).unwrap_or(u64::MAX);
                    let delivery = Delivery {
                        request_id: job.request_id.clone(),
                        deadline_ms: clock::now_ms().saturating_add(timeout_ms),
                        function_arn: format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}", function.name),
                        payload: job.payload.clone(),
                    };
                    if next.send(delivery).is_ok() {
                        return Some(job);
                    }
                    // The process went away in between: another instance takes it.
                    drop(self.pool.queue.send(job));
                    return None;
                }
            }
        }
    }

    /// Waits for the answer to `job` and for the process to ask for more.
    ///
    /// Nothing if the process is not to be used again; `job` is answered in any case.
    async fn run(&mut self, job: Job) -> Option<oneshot::Sender<Delivery>> {
        self.pool.set_running(self.pid, Some(true));
        let timeout = self.pool.settings.function.timeout;
        let limit = sleep(timeout);
        tokio::pin!(limit);
        let answer = loop {
            tokio::select! {
                biased;
                Some(call) = self.api.calls.recv() => match call {
                    Call::Done { request_id, outcome, verdict } if request_id == job.request_id => {
                        break accept(outcome, verdict);
                    }
                    Call::Done { verdict, .. } | Call::InitError(_, verdict) => {
                        tell(verdict, Verdict::NoSuchRequest);
                    }
                    // It asks for more before it has answered: it is told that it is not used again.
                    Call::Next(_) => {
                        job.answer(Err(FunctionError::new("Runtime.NoResponse", "No answer")));
                        return None;
                    }
                },
                exit = self.child.wait() => {
                    job.answer(Err(exit_error(exit)));
                    return None;
                }
                () = &mut limit => {
                    let message = format!("{} Task timed out after {}.00 seconds", job.request_id, timeout.as_secs());
                    job.answer(Err(FunctionError::new("Sandbox.Timedout", &message)));
                    return None;
                }
            }
        };
        self.pool.set_running(self.pid, Some(false));
        job.answer(answer);
        // It normally asks for more at once; one that does not is replaced.
        self.first_next().await.ok()
    }
}

fn accept(
    outcome: Result<Bytes, Bytes>,
    verdict: oneshot::Sender<Verdict>,
) -> Result<Bytes, FunctionError> {
    match outcome {
        Ok(body) if body.len() > PAYLOAD_MAX => {
            tell(verdict, Verdict::TooLarge);
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({PAYLOAD_MAX} bytes)."
            );
            Err(FunctionError::new("Function.ResponseSizeTooLarge", &message))
        }
        Ok(body) => {
            tell(verdict, Verdict::Accepted);
            Ok(body)
        }
        Err(payload) => {
            tell(verdict, Verdict::Accepted);
            Err(FunctionError { payload })
        }
    }
}

/// Answers the runtime; one that has hung up misses nothing.
fn tell(verdict: oneshot::Sender<Verdict>, answer: Verdict) {
    match verdict.send(answer) {
        Ok(()) | Err(_) => {}
    }
}

fn exit_error(exit: io::Result<std::process::ExitStatus>) -> FunctionError {
    let how = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
    FunctionError::new("Runtime.ExitError", &format!("Runtime exited with error: {how}"))
}

/// The variables that Lambda sets, but for the address of the Runtime API.
///
/// Source: AWS Lambda developer guide, "Defined runtime environment variables".
fn of_lambda(function: &Function) -> [(&'static str, String); 9] {
    let Function { name, memory_mb, .. } = function;
    [
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_mb.to_string()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", clock::uuid()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}
