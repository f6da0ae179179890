//! What a command works on. It must be named: nothing reaches a deployment by default.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use clap::{ArgGroup, Args};
use pay_service::adapters::aws::Timeouts;
use pay_service::adapters::https::{self, Pool};
use pay_service::adapters::wiring::Aws;
use pay_service::start::environment;
use serde::Deserialize;
use serde_json::Value;

use crate::Table;
use crate::arguments::{function_name, service_url, table_name};
use crate::lambda::Lambda;
use crate::limits::{CALL_MS, LOCAL_MS, REQUEST_MS};

/// Where `cargo local` serves unless another port is chosen.
const LOCAL_API: &str = "http://127.0.0.1:8003";

/// The table of the local stack, and what another endpoint is asked for.
const TABLE: &str = "payments";

/// Which table.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).multiple(true).args(["table", "endpoint", "local"]))]
pub(crate) struct TableTarget {
    /// The table of this name in AWS, with the region and the credentials of the environment. With
    /// --endpoint, the table of this name there.
    #[arg(long, value_name = "NAME", value_parser = table_name)]
    table: Option<String>,
    /// The DynamoDB at this URL, for example an emulator's.
    #[arg(long, value_name = "URL", value_parser = service_url)]
    endpoint: Option<String>,
    /// The table of the local stack that runs on this machine, found by the URL of its API.
    #[arg(
        long, value_name = "URL", value_parser = service_url, num_args = 0..=1,
        require_equals = true, default_missing_value = LOCAL_API, conflicts_with_all = ["table", "endpoint"]
    )]
    local: Option<String>,
}

/// Which deployed functions: the local stack's, or those that a command's own options name.
#[derive(Debug, Args)]
pub(crate) struct LocalFunctions {
    /// The functions of the local stack that runs on this machine, found by the URL of its API.
    #[arg(
        long, value_name = "URL", value_parser = service_url, num_args = 0..=1,
        require_equals = true, default_missing_value = LOCAL_API
    )]
    pub(crate) local: Option<String>,
}

/// The one function that a command invokes: in AWS, or on the local stack.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).args(["function", "local"]))]
pub(crate) struct FunctionTarget {
    /// The function of this name or ARN in AWS, with the region and the credentials of the environment: of
    /// `close` the create function, else the callback function.
    #[arg(long, value_name = "NAME", value_parser = function_name)]
    function: Option<String>,
    #[command(flatten)]
    target: LocalFunctions,
}

/// A local stack that runs, as it describes itself.
#[derive(Debug, Deserialize)]
pub(crate) struct LocalStack {
    dynamodb: String,
    table: String,
    /// The variables of each function.
    pub(crate) environment: BTreeMap<String, BTreeMap<String, String>>,
}

impl TableTarget {
    /// The table.
    ///
    /// # Errors
    ///
    /// No local stack runs there; the environment lacks the region or the credentials.
    pub(crate) async fn open(&self) -> Result<Table> {
        Ok(self.open_at().await?.0)
    }

    /// The table, and the endpoint that it is at unless it is in AWS.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub(crate) async fn open_at(&self) -> Result<(Table, Option<String>)> {
        let (endpoint, name) = if let Some(api) = &self.local {
            let stack = LocalStack::find(api).await?;
            (Some(stack.dynamodb), stack.table)
        } else {
            let name = self.table.as_deref().unwrap_or(TABLE);
            (self.endpoint.clone(), name.to_owned())
        };
        Ok((Table::open(endpoint.as_deref(), &name)?, endpoint))
    }

    /// Whether it is the local stack's.
    pub(crate) const fn is_local(&self) -> bool {
        self.local.is_some()
    }

    /// The functions of the local stack, if that is the target.
    pub(crate) fn functions(&self) -> LocalFunctions {
        LocalFunctions { local: self.local.clone() }
    }
}

impl LocalStack {
    /// Asks the stack whose API is at this URL.
    ///
    /// # Errors
    ///
    /// Nothing responds there, or something else does.
    pub(crate) async fn find(api: &str) -> Result<Self> {
        let http = https::client(https::tls(None)?, Pool::Kept)?;
        let request = http.get(format!("{api}/local-stack"));
        let response = request.timeout(Duration::from_millis(LOCAL_MS)).send().await;
        let hint = "start one with `cargo local`, or name the URL of its API with --local=URL";
        let response = response.with_context(|| format!("no local stack runs at {api}: {hint}"))?;
        ensure!(response.status().is_success(), "what runs at {api} is no local stack: {hint}");
        let body = response.bytes().await?;
        serde_json::from_slice(&body)
            .with_context(|| format!("what runs at {api} is no local stack: {hint}"))
    }
}

impl FunctionTarget {
    /// Invokes the function and waits for its response; `local` is its name on the local stack.
    ///
    /// # Errors
    ///
    /// Those of [`LocalFunctions::open`] and [`Lambda::invoke`].
    pub(crate) async fn invoke(&self, local: &str, request: &Value) -> Result<Value> {
        let (lambda, _) = self.target.open().await?;
        lambda.invoke(self.function.as_deref().unwrap_or(local), request).await
    }
}

impl LocalFunctions {
    /// Lambda, and the local stack if that is the target.
    ///
    /// # Errors
    ///
    /// No local stack runs there; the environment lacks the region or the credentials.
    pub(crate) async fn open(&self) -> Result<(Lambda, Option<LocalStack>)> {
        let Some(api) = &self.local else {
            let own = environment("AWS_ENDPOINT_URL_LAMBDA");
            let endpoint = own.or_else(|| environment("AWS_ENDPOINT_URL"));
            return Ok((Lambda::new(aws(&environment)?, endpoint), None));
        };
        let stack = LocalStack::find(api).await?;
        let lambda = Lambda::new(aws(&or_local(None))?, Some(api.clone()));
        Ok((lambda, Some(stack)))
    }
}

/// AWS as the variables of an environment name it, with the timeouts of this program.
///
/// # Errors
///
/// A variable is missing or unusable, or a CA bundle cannot be read.
pub(crate) fn aws(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Aws> {
    for name in ["", "_DYNAMODB", "_LAMBDA", "_SECRETS_MANAGER"] {
        let name = format!("AWS_ENDPOINT_URL{name}");
        if let Some(url) = lookup(&name).filter(|url| !url.is_empty()) {
            service_url(&url).map_err(|why| anyhow!("{name} is {url}: {why}"))?;
        }
    }
    let region = lookup("AWS_REGION").or_else(|| lookup("AWS_DEFAULT_REGION")).unwrap_or_default();
    let is_region = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    ensure!(is_region, "AWS_REGION is {region}, which is no region such as eu-central-1");
    let mut aws = Aws::load(lookup).map_err(|error| anyhow!("{error}")).context(
        "AWS needs a region and credentials in the environment: \
         `eval \"$(aws configure export-credentials --format env)\"` sets those of a profile",
    )?;
    aws.settings = aws.settings.with_timeouts(Timeouts {
        attempt: Duration::from_millis(REQUEST_MS),
        operation: Duration::from_millis(CALL_MS),
    });
    Ok(aws)
}

/// The variables of the environment. With a DynamoDB endpoint, and on the local stack, region and
/// credentials may be absent: emulators accept any.
pub(crate) fn or_local(dynamodb: Option<&str>) -> impl Fn(&str) -> Option<String> {
    let dynamodb = dynamodb.map(str::to_owned);
    move |name| match name {
        "AWS_ENDPOINT_URL_DYNAMODB" => dynamodb.clone(),
        "AWS_REGION" => environment(name).or_else(|| Some("us-east-1".to_owned())),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => {
            environment(name).or_else(|| Some("local".to_owned()))
        }
        _ => environment(name),
    }
}

#[cfg(test)]
mod tests {
    use super::aws;

    #[test]
    fn a_variable_that_cannot_be_used_is_named_with_the_reason() {
        for (name, value, why) in [
            (
                "AWS_ENDPOINT_URL",
                "127.0.0.1:8003",
                "AWS_ENDPOINT_URL is 127.0.0.1:8003: it has no scheme",
            ),
            (
                "AWS_ENDPOINT_URL_DYNAMODB",
                "ftp://x",
                "AWS_ENDPOINT_URL_DYNAMODB is ftp://x: its scheme",
            ),
            ("AWS_ENDPOINT_URL_LAMBDA", "http://a:b@c", "it holds a user or a password"),
            ("AWS_REGION", "eu central", "AWS_REGION is eu central, which is no region"),
        ] {
            let error = aws(&|of| (of == name).then(|| value.to_owned())).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
    }
}
