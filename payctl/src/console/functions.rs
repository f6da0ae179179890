//! The deployed functions that a console has act on payments.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use pay_service::adapters::aws::secrets_manager;
use pay_service::start::environment;
use serde_json::Value;

use crate::lambda::Lambda;
use crate::operation::{FunctionCall, FunctionRole};
use crate::table::reason;
use crate::target::{LocalFunctions, aws};

/// The setting that names the secret.
const SECRET: &str = "WEBHOOK_SECRET_ID";

/// The functions that are known: those of a local stack, or those that were named.
#[derive(Debug)]
pub(crate) struct Functions {
    lambda: Option<Lambda>,
    create: Option<String>,
    callback: Option<String>,
    /// The variables of the local stack's callback function.
    local: Option<BTreeMap<String, String>>,
}

impl Functions {
    /// Those of the local stack if that is the target, else those of these names.
    ///
    /// # Errors
    ///
    /// No local stack runs there; the environment lacks the region or the credentials.
    pub(crate) async fn open(
        target: &LocalFunctions,
        create: Option<String>,
        callback: Option<String>,
    ) -> Result<Self> {
        if target.local.is_none() && create.is_none() && callback.is_none() {
            return Ok(Self { lambda: None, create, callback, local: None });
        }
        let (lambda, mut stack) = target.open().await?;
        let own = stack.as_mut().map(|stack| {
            stack.environment.remove(FunctionRole::Callback.as_str()).unwrap_or_default()
        });
        let local = |role: FunctionRole| stack.as_ref().map(|_| role.as_str().to_owned());
        Ok(Self {
            lambda: Some(lambda),
            create: create.or_else(|| local(FunctionRole::Create)),
            callback: callback.or_else(|| local(FunctionRole::Callback)),
            local: own,
        })
    }

    /// Lambda and the name of a function; `None` where that is not known.
    pub(super) fn of(&self, role: FunctionRole) -> Option<(&Lambda, &str)> {
        let name = match role {
            FunctionRole::Create => &self.create,
            FunctionRole::Callback => &self.callback,
        };
        self.lambda.as_ref().zip(name.as_deref())
    }

    /// Whether the callback function is known, and with it the webhook secret.
    pub(super) const fn has_callback(&self) -> bool {
        self.callback.is_some()
    }

    /// The webhook secret of the callback function, which must not be shown.
    ///
    /// # Errors
    ///
    /// The function is not known; its variables or the secret cannot be read.
    pub(super) async fn webhook_secret(&self) -> Result<Value> {
        let role = FunctionRole::Callback;
        let (variables, aws) = if let Some(local) = &self.local {
            (local.clone(), aws(&|name: &str| local.get(name).cloned())?)
        } else {
            let (lambda, name) = self.of(role).with_context(|| unknown(role))?;
            (serde_json::from_value(lambda.environment(name).await?)?, aws(&environment)?)
        };
        let id = variables.get(SECRET).with_context(|| format!("the function has no {SECRET}"))?;
        let client = secrets_manager(&aws.settings, &aws.http);
        let read = client.get_secret_value().secret_id(id).send().await;
        let read = read.map_err(|error| {
            let why = reason(&error).map(|why| format!(": {why}")).unwrap_or_default();
            anyhow::Error::new(error).context(format!("cannot read the secret {id}{why}"))
        })?;
        let text = read.secret_string().context("the webhook secret is not a text")?;
        // What is wrong with it may have a part of it.
        let secret = serde_json::from_str(text).ok();
        secret.context("the webhook secret is not JSON: payctl check-config says what is wrong")
    }

    /// Invokes the function of a call, and waits for its response.
    ///
    /// # Errors
    ///
    /// The function is not known; those of [`Lambda::invoke`].
    pub(super) async fn call(&self, call: &FunctionCall) -> Result<Value> {
        let role = call.role();
        let (lambda, name) = self.of(role).with_context(|| unknown(role))?;
        lambda.invoke(name, &call.request()).await
    }
}

/// What to do where a function is not known.
pub(super) fn unknown(role: FunctionRole) -> String {
    let name = role.as_str();
    format!(
        "The {name} function is not known: start payctl console with --{name} NAME, the name that the stack gave it."
    )
}
