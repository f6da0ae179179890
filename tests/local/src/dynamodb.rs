//! DynamoDB: an embedded engine behind HTTP, and the table of the template in it.

mod actions;
mod front;

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, anyhow, bail};
use dynoxide::{Database, server};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::client::{call, error_name};
use crate::faults::server::Server;
use crate::faults::{Fault, Faults};
use crate::task::Task;

pub use actions::Action;

/// The calls to the embedded DynamoDB, and the faults that make them fail. Clones share their
/// state.
#[derive(Debug, Clone)]
pub struct DynamoDb {
    calls: Arc<Mutex<Vec<String>>>,
    actions: Arc<Mutex<BTreeSet<Action>>>,
    faults: Faults,
}

impl DynamoDb {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { calls: Arc::default(), actions: Arc::default(), faults }
    }

    /// Makes an operation (`TransactWriteItems`) fail: the next `times` calls, or all from now on.
    ///
    /// A query of an index has a name of its own: `Query oid-index`.
    pub fn set_fault(&self, operation: &str, fault: Fault, times: Option<usize>) {
        self.faults.set(&format!("dynamodb:{operation}"), fault, times);
    }

    /// Makes every operation work again; calls that hang stay hung.
    pub fn clear_faults(&self) {
        self.faults.clear_at("dynamodb:");
    }

    /// The operations called since the start or the last time this was asked, in order.
    #[must_use]
    pub fn take_calls(&self) -> Vec<String> {
        std::mem::take(&mut self.lock())
    }

    /// The permissions that those calls need, each once, since the last time this was asked.
    #[must_use]
    pub fn take_actions(&self) -> BTreeSet<Action> {
        std::mem::take(&mut self.actions())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn actions(&self) -> MutexGuard<'_, BTreeSet<Action>> {
        self.actions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An engine that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) url: String,
    _directory: Option<Hold>,
    _server: Task,
    _front: Server,
}

impl Engine {
    /// Starts an engine in memory, or on a file in `directory`, served on `host` with the faults of
    /// `control`.
    pub(crate) async fn start(
        host: IpAddr,
        directory: Option<&Path>,
        control: DynamoDb,
    ) -> Result<Self> {
        let held = directory.map(Hold::of).transpose()?;
        let database = match directory {
            None => Database::memory(),
            Some(directory) => Database::new(&directory.join("dynamodb.sqlite").to_string_lossy()),
        };
        let database = database.map_err(|error| anyhow!("cannot open the database: {error}"))?;
        let engine = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let faults = control.faults.clone();
        let front = front::Front::new(control, format!("http://{}", engine.local_addr()?))?;
        let front = Server::start(host, front, faults, None).await?;
        Ok(Self {
            url: format!("http://{}", front.address),
            _directory: held,
            _server: Task::run(server::serve_on(engine, database)),
            _front: front,
        })
    }
}

/// A directory that is ours until this is dropped, or this process ends in whatever way.
#[derive(Debug)]
struct Hold(File);

impl Hold {
    fn of(directory: &Path) -> Result<Self> {
        let shown = directory.display();
        std::fs::create_dir_all(directory).with_context(|| format!("cannot create {shown}"))?;
        let lock = File::create(directory.join("lock"));
        let lock = lock.with_context(|| format!("cannot write to {shown}"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self(lock)),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "{shown} is in use by another stack: stop it, or choose another directory with --data"
                )
            }
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("cannot lock {shown}"))
            }
        }
    }
}

/// Unlocks, since a child process that is just being started has the file too until its `exec`:
/// closing ours alone would leave the directory locked until then.
impl Drop for Hold {
    #[expect(clippy::print_stderr, reason = "what is dropped can report an error to nobody else")]
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            eprintln!("cannot unlock the data directory: {error}");
        }
    }
}

/// Creates the table at `endpoint` unless it is there, and waits until it can be used.
pub async fn create_table(
    http: &reqwest::Client,
    endpoint: &str,
    name: &str,
    definition: &Map<String, Value>,
) -> Result<()> {
    let mut request = definition.clone();
    request.insert("TableName".to_owned(), json!(name));
    let request = Value::Object(request);
    let create = "DynamoDB_20120810.CreateTable";
    let (status, response) = call(http, endpoint, "dynamodb", create, &request).await?;
    if status != 200 && error_name(&response) != "ResourceInUseException" {
        bail!("cannot create the table {name}: {status} {response}");
    }
    let name = json!({"TableName": name});
    for _ in 0..100 {
        let describe = "DynamoDB_20120810.DescribeTable";
        let (_, response) = call(http, endpoint, "dynamodb", describe, &name).await?;
        if response.pointer("/Table/TableStatus").and_then(Value::as_str) == Some("ACTIVE") {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    bail!("the table {name} does not become active")
}

#[cfg(test)]
mod tests {
    use super::Hold;

    #[test]
    fn a_directory_is_free_at_once_though_a_child_has_its_lock_file() {
        let directory = tempfile::tempdir().unwrap();
        let hold = Hold::of(directory.path()).unwrap();
        let _child = hold.0.try_clone().unwrap();
        Hold::of(directory.path()).unwrap_err();
        drop(hold);
        Hold::of(directory.path()).unwrap();
    }
}
