//! DynamoDB: an embedded engine behind HTTP, and the table of the template in it.

mod actions;
mod front;

use std::collections::BTreeSet;
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

/// What is known of the calls to the embedded DynamoDB, and the switch that makes them fail.
/// Clones are the same.
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

    /// What IAM would have been asked for those calls, each once, since this was asked.
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
    _server: Task,
    _front: Server,
}

impl Engine {
    /// Starts an engine in memory, or on a file in `directory`, served on `host` behind what `control`
    /// decides.
    pub(crate) async fn start(
        host: IpAddr,
        directory: Option<&Path>,
        control: DynamoDb,
    ) -> Result<Self> {
        let database = match directory {
            None => Database::memory(),
            Some(directory) => {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot create {}", directory.display()))?;
                Database::new(&directory.join("dynamodb.sqlite").to_string_lossy())
            }
        };
        let database = database.map_err(|error| anyhow!("cannot open the database: {error}"))?;
        let engine = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let faults = control.faults.clone();
        let front = front::Front::new(control, format!("http://{}", engine.local_addr()?))?;
        let front = Server::start(host, front, faults, None).await?;
        Ok(Self {
            url: format!("http://{}", front.address),
            _server: Task::run(server::serve_on(engine, database)),
            _front: front,
        })
    }
}

/// Creates the table at `endpoint` unless it is there, and waits until it can be used.
pub(crate) async fn create_table(
    http: &reqwest::Client,
    endpoint: &str,
    name: &str,
    definition: &Map<String, Value>,
) -> Result<()> {
    let mut request = definition.clone();
    request.insert("TableName".to_owned(), json!(name));
    let request = Value::Object(request);
    let create = "DynamoDB_20120810.CreateTable";
    let (status, answer) = call(http, endpoint, "dynamodb", create, &request).await?;
    if status != 200 && error_name(&answer) != "ResourceInUseException" {
        bail!("cannot create the table {name}: {status} {answer}");
    }
    let name = json!({"TableName": name});
    for _ in 0..100 {
        let describe = "DynamoDB_20120810.DescribeTable";
        let (_, answer) = call(http, endpoint, "dynamodb", describe, &name).await?;
        if answer.pointer("/Table/TableStatus").and_then(Value::as_str) == Some("ACTIVE") {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    bail!("the table {name} does not become active")
}
