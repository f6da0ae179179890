//! Secrets Manager: the calls that the functions make, and rotation.
//!
//! Source: AWS Secrets Manager API reference, "Actions".

mod api;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{call, error_name};
use crate::clock;
use crate::defaults::{ACCOUNT, REGION};
use crate::faults::server::Server;
use crate::faults::{Fault, Faults};

/// One generation of a secret.
#[derive(Debug, Clone)]
struct Version {
    id: String,
    text: String,
    created_secs: u64,
}

impl Version {
    fn new(text: String) -> Self {
        Self { id: Uuid::new_v4().to_string(), text, created_secs: clock::now_secs() }
    }
}

/// A secret's two generations.
#[derive(Debug, Clone)]
struct Secret {
    current: Version,
    previous: Option<Version>,
}

/// The secrets, and the faults of their service. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    secrets: Arc<Mutex<BTreeMap<String, Secret>>>,
    faults: Faults,
}

impl Secrets {
    pub(crate) fn new(faults: Faults) -> Self {
        Self { secrets: Arc::default(), faults }
    }

    /// Stores a secret's text; the current one becomes `AWSPREVIOUS`, as in a rotation.
    pub fn put(&self, name: &str, text: impl Into<String>) {
        let new = Version::new(text.into());
        let mut secrets = self.lock();
        let previous = secrets.remove(name).map(|secret| secret.current);
        secrets.insert(name.to_owned(), Secret { current: new, previous });
    }

    /// Replaces the current text in place, well-formed or not; the generations stay.
    pub fn set_raw(&self, name: &str, text: impl Into<String>) {
        if let Some(secret) = self.lock().get_mut(name) {
            secret.current.text = text.into();
        }
    }

    /// Makes the current generation look as old as this.
    pub fn set_age(&self, name: &str, age_secs: u64) {
        if let Some(secret) = self.lock().get_mut(name) {
            secret.current.created_secs = clock::now_secs().saturating_sub(age_secs);
        }
    }

    /// Removes a secret.
    pub fn remove(&self, name: &str) {
        self.lock().remove(name);
    }

    /// Makes reads fail from now on, or work again.
    pub fn set_fault(&self, fault: Option<Fault>) {
        match fault {
            Some(fault) => self.faults.set("secretsmanager:GetSecretValue", fault, None),
            None => self.faults.clear_at("secretsmanager:"),
        }
    }

    /// Serves on `host` until the server is dropped.
    pub(crate) async fn serve(&self, host: IpAddr) -> Result<Server> {
        Server::start(host, self.clone(), self.faults.clone(), None).await
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn arn(name: &str) -> String {
    // The real service adds a hyphen and six random characters.
    format!("arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-000000")
}

/// Creates a secret at another endpoint unless it exists; returns its current text.
pub(crate) async fn create(
    http: &reqwest::Client,
    endpoint: &str,
    name: &str,
    text: &str,
) -> Result<String> {
    let request = json!({
        "Name": name,
        "SecretString": text,
        "ClientRequestToken": Uuid::new_v4().to_string(),
    });
    let target = "secretsmanager.CreateSecret";
    let (status, response) = call(http, endpoint, "secretsmanager", target, &request).await?;
    if status != 200 && error_name(&response) != "ResourceExistsException" {
        anyhow::bail!("cannot create the secret {name}: {status} {response}");
    }
    let target = "secretsmanager.GetSecretValue";
    let request = json!({"SecretId": name});
    let (_, response) = call(http, endpoint, "secretsmanager", target, &request).await?;
    let text = response.get("SecretString").and_then(Value::as_str);
    text.map(str::to_owned).with_context(|| format!("cannot read the secret {name}: {response}"))
}
