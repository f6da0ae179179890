//! DynamoDB: an embedded engine behind HTTP, and the table of the template in it.

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use dynoxide::{Database, server};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::client::{call, error_name};
use crate::task::Task;

/// An engine that serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) url: String,
    _server: Task,
}

impl Engine {
    /// Starts an engine in memory, or on a file in `directory`.
    pub(crate) async fn start(directory: Option<&Path>) -> Result<Self> {
        let database = match directory {
            None => Database::memory(),
            Some(directory) => {
                std::fs::create_dir_all(directory)
                    .with_context(|| format!("cannot create {}", directory.display()))?;
                Database::new(&directory.join("dynamodb.sqlite").to_string_lossy())
            }
        };
        let database = database.map_err(|error| anyhow!("cannot open the database: {error}"))?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let server = Task::run(server::serve_on(listener, database));
        Ok(Self {
            url,
            _server: server,
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
