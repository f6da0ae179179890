//! What each function runs, and its environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::StackOptions;
use super::backing::Backing;
use super::upstreams::Upstreams;
use crate::lambda::{Output, Settings};
use crate::template::{Function, Template};
use crate::{binaries, defaults};

/// Builds the functions, unless their executables are given.
pub(super) async fn executables(
    template: &Template,
    options: &StackOptions,
) -> Result<BTreeMap<String, PathBuf>> {
    if let Some(binaries) = &options.binaries {
        return Ok(binaries.clone());
    }
    let functions = template.functions.iter();
    let names: Vec<&str> = functions.map(|function| function.name.as_str()).collect();
    binaries::functions(&names, options.release).await
}

/// Everything each function is started with.
pub(super) fn settings(
    functions: Vec<Function>,
    executables: &BTreeMap<String, PathBuf>,
    variables: &BTreeMap<&'static str, String>,
    options: &StackOptions,
    logs: &Path,
) -> Result<Vec<Settings>> {
    let settings = |function: Function| {
        let binary = executables.get(&function.name);
        let binary = binary.with_context(|| format!("no binary for {}", function.name))?;
        let output = if options.inherit_logs {
            Output::Inherited
        } else {
            Output::Directory(logs.to_owned())
        };
        let mut environment = environment(&function, variables);
        environment.extend(options.environment.clone());
        Ok(Settings { environment, binary: binary.clone(), output, function })
    };
    functions.into_iter().map(settings).collect()
}

/// Every variable that the stack has a value for.
pub(super) fn variables(
    backing: &Backing,
    upstreams: &Upstreams,
) -> BTreeMap<&'static str, String> {
    let shop = &upstreams.shop_url;
    let mut variables = BTreeMap::from([
        ("TABLE_NAME", defaults::TABLE.to_owned()),
        ("USER_INFO_URL", format!("{shop}/api/user/userinfo")),
        ("ORDER_DETAIL_URL", format!("{shop}/api/order/detail")),
        ("ORDER_PAID_URL", format!("{shop}/api/order/paid")),
        ("ORDER_REFUNDED_URL", format!("{shop}/api/order/refunded")),
        ("AUTH_SECRET_ID", defaults::AUTH_SECRET_ID.to_owned()),
        ("WEBHOOK_SECRET_ID", defaults::WEBHOOK_SECRET_ID.to_owned()),
        ("CALLBACK_TOKENS", "on".to_owned()),
        ("CURRENCY", "CNY".to_owned()),
        // Where nobody is: the simulators send their notifications to the API itself.
        ("PUBLIC_URL", "https://pay.example".to_owned()),
        ("UPSTREAM_CA_BUNDLE", upstreams.ca_file.display().to_string()),
        ("LOG_LEVEL", "info".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", backing.dynamodb.clone()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", backing.secretsmanager.clone()),
        ("AWS_REGION", defaults::REGION.to_owned()),
        ("AWS_DEFAULT_REGION", defaults::REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
    ]);
    if !backing.provider_secrets.is_null() {
        variables.insert("PROVIDER_SECRET_ID", defaults::PROVIDER_SECRET_ID.to_owned());
    }
    variables.extend(upstreams.provider_urls.clone());
    variables
}

/// The environment of one function: of our own settings only those that the template declares for
/// it, so that a missing one is found here and not after the deployment.
pub(crate) fn environment(
    function: &Function,
    variables: &BTreeMap<&'static str, String>,
) -> BTreeMap<String, String> {
    let given = |name: &str| {
        // Lambda sets the former; the latter is needed because the shop here has a private CA.
        let always = name.starts_with("AWS_") || name == "UPSTREAM_CA_BUNDLE";
        always || function.variables.contains(name)
    };
    let own = variables.iter().filter(|(name, _)| given(name));
    own.map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}
