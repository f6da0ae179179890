//! The deployed functions that a console has act on payments.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::lambda::Lambda;
use crate::operation::{FunctionCall, FunctionRole};
use crate::target::LocalFunctions;

/// The functions that are known: those of a local stack, or those that were named.
#[derive(Debug)]
pub(crate) struct Functions {
    lambda: Option<Lambda>,
    create: Option<String>,
    callback: Option<String>,
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
            return Ok(Self { lambda: None, create, callback });
        }
        let (lambda, stack) = target.open().await?;
        let local = |role: FunctionRole| stack.as_ref().map(|_| role.as_str().to_owned());
        Ok(Self {
            lambda: Some(lambda),
            create: create.or_else(|| local(FunctionRole::Create)),
            callback: callback.or_else(|| local(FunctionRole::Callback)),
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
