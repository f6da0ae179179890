//! One slot of a pool: starts a process, hands it invocations, and replaces it when it ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::runtime_api::{Call, Delivery, RuntimeApi, Verdict};
use super::{FunctionError, Job, PAYLOAD_MAX, Pool};
use crate::clock;
use crate::defaults::{ACCOUNT, REGION};
use crate::template::Function;

/// A process that has not asked for an invocation by then is killed. Lambda's limit is 10 s; a
/// machine that compiles meanwhile needs more.
pub(super) const INIT_LIMIT: Duration = Duration::from_secs(30);

/// The delay between two starts of a process that ends at once.
const RESPAWN_PAUSE: Duration = Duration::from_millis(100);

/// Keeps one instance of the pool running.
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
            // As in Lambda, an invocation gets the error of a failed start, and the next one starts
            // the process again. Starting it without an invocation would only waste CPU.
            pool.next_job().await.response(Err(error));
        }
        if started.elapsed() < RESPAWN_PAUSE {
            sleep(RESPAWN_PAUSE).await;
        }
    }
}

/// How a process ended.
enum End {
    /// Before it asked for an invocation.
    BeforeReady(FunctionError),
    /// Afterwards. Its invocation, if it had one, has its response.
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
        // Dropping its handle kills the process, unless it has ended before.
        self.pool.set_running(self.pid, None);
    }
}

impl<'a> Process<'a> {
    async fn start(pool: &'a Pool) -> io::Result<Self> {
        let api = RuntimeApi::start().await?;
        let (stdout, stderr) = pool.output()?;
        let function = &pool.settings.function;
        let child = Command::new(&pool.settings.binary)
            // Without the developer's environment: a real credential must not reach a test.
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

    /// Waits until the process first asks for an invocation.
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
                        respond(verdict, Verdict::Accepted);
                    }
                    Call::Done { verdict, .. } => respond(verdict, Verdict::NoSuchRequest),
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

    /// Hands the next invocation to the process; `None` if the process ends before that.
    async fn wait_for_job(&mut self, mut next: oneshot::Sender<Delivery>) -> Option<Job> {
        loop {
            tokio::select! {
                biased;
                // First: a process that has ended must not take an invocation.
                _ = self.child.wait() => return None,
                () = next.closed() => return None,
                Some(call) = self.api.calls.recv() => match call {
                    Call::Next(again) => next = again,
                    Call::InitError(_, verdict) | Call::Done { verdict, .. } => {
                        respond(verdict, Verdict::NoSuchRequest);
                    }
                },
                job = self.pool.next_job() => {
                    let function = &self.pool.settings.function;
                    let timeout_ms = u64::try_from(function.timeout.as_millis()).unwrap_or(u64::MAX);
                    let delivery = Delivery {
                        request_id: job.request_id.clone(),
                        deadline_ms: clock::now_ms().saturating_add(timeout_ms),
                        function_arn: format!(
                            "arn:aws:lambda:{REGION}:{ACCOUNT}:function:{}",
                            function.name
                        ),
                        payload: job.payload.clone(),
                    };
                    if next.send(delivery).is_ok() {
                        return Some(job);
                    }
                    // The process ended in between: another instance takes the invocation.
                    drop(self.pool.queue.send(job));
                    return None;
                }
            }
        }
    }

    /// Waits for the response to `job`, and then until the process asks for the next invocation.
    ///
    /// `None` if the process must not be used again. `job` gets a response in any case.
    async fn run(&mut self, job: Job) -> Option<oneshot::Sender<Delivery>> {
        self.pool.set_running(self.pid, Some(true));
        let timeout = self.pool.settings.function.timeout;
        let limit = sleep(timeout);
        tokio::pin!(limit);
        let response = loop {
            tokio::select! {
                biased;
                Some(call) = self.api.calls.recv() => match call {
                    Call::Done { request_id, outcome, verdict } if request_id == job.request_id => {
                        break accept(outcome, verdict);
                    }
                    Call::Done { verdict, .. } | Call::InitError(_, verdict) => {
                        respond(verdict, Verdict::NoSuchRequest);
                    }
                    // It asks for the next invocation without a response: it is replaced.
                    Call::Next(_) => {
                        job.response(Err(FunctionError::new("Runtime.NoResponse", "No response")));
                        return None;
                    }
                },
                exit = self.child.wait() => {
                    job.response(Err(exit_error(exit)));
                    return None;
                }
                () = &mut limit => {
                    let (id, seconds) = (&job.request_id, timeout.as_secs());
                    let message = format!("{id} Task timed out after {seconds}.00 seconds");
                    job.response(Err(FunctionError::new("Sandbox.Timedout", &message)));
                    return None;
                }
            }
        };
        self.pool.set_running(self.pid, Some(false));
        job.response(response);
        // It normally asks for the next one at once; a process that does not is replaced.
        self.first_next().await.ok()
    }
}

fn accept(
    outcome: Result<Bytes, Bytes>,
    verdict: oneshot::Sender<Verdict>,
) -> Result<Bytes, FunctionError> {
    match outcome {
        Ok(body) if body.len() > PAYLOAD_MAX => {
            respond(verdict, Verdict::TooLarge);
            let message = format!(
                "Response payload size exceeded maximum allowed payload size ({PAYLOAD_MAX} bytes)."
            );
            Err(FunctionError::new("Function.ResponseSizeTooLarge", &message))
        }
        Ok(body) => {
            respond(verdict, Verdict::Accepted);
            Ok(body)
        }
        Err(payload) => {
            respond(verdict, Verdict::Accepted);
            Err(FunctionError { payload })
        }
    }
}

/// Responds to the runtime, which may have hung up.
fn respond(to: oneshot::Sender<Verdict>, verdict: Verdict) {
    match to.send(verdict) {
        Ok(()) | Err(_) => {}
    }
}

fn exit_error(exit: io::Result<std::process::ExitStatus>) -> FunctionError {
    let how = exit.map_or_else(|error| error.to_string(), |status| status.to_string());
    FunctionError::new("Runtime.ExitError", &format!("Runtime exited with error: {how}"))
}

/// The variables that Lambda sets, without the address of the Runtime API.
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
        ("AWS_LAMBDA_LOG_STREAM_NAME", Uuid::new_v4().to_string()),
        ("_HANDLER", "bootstrap".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ]
}
