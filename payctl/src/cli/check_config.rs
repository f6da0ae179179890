//! Checks the settings and the secrets of deployed functions, with the code by which the functions read
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use clap::{ArgGroup, Args};
use pay_core::ports::{BadSecret, SecretKeys};
use pay_providers::{ProviderKeys, WebhookKeys};
use pay_service::adapters::aws::secrets_manager;
use pay_service::adapters::wiring::Aws;
use pay_service::auth::AuthKey;
use pay_service::config::{self, BadSettings};
use pay_service::start::environment;
use serde::Serialize;

use super::End;
use crate::arguments::function_name;
use crate::print::{columns, print, print_json};
use crate::table::reason;
use crate::target::{LocalFunctions, aws};

/// Arguments of `check-config`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("target").required(true).multiple(true).args(["create", "detail", "callback", "local"]))]
pub(super) struct CheckConfigArguments {
    /// The create function of this name or ARN in AWS, with the region and the credentials of the
    /// environment.
    #[arg(long, value_name = "NAME", value_parser = function_name, conflicts_with = "local")]
    create: Option<String>,
    /// The detail function.
    #[arg(long, value_name = "NAME", value_parser = function_name, conflicts_with = "local")]
    detail: Option<String>,
    /// The callback function.
    #[arg(long, value_name = "NAME", value_parser = function_name, conflicts_with = "local")]
    callback: Option<String>,
    #[command(flatten)]
    target: LocalFunctions,
    /// Print a line of JSON for each finding.
    #[arg(long)]
    json: bool,
}

/// What was found about one part of the configuration.
#[derive(Debug, Serialize)]
struct Finding {
    function: &'static str,
    checked: String,
    ok: bool,
    found: String,
}

/// A function's settings, read as it reads them: what a secret is for, and its name or ARN.
type ReadSettings = fn(config::Lookup<'_>) -> Result<Vec<(SecretUse, String)>, BadSettings>;

/// What a secret holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum SecretUse {
    Tokens,
    Webhooks,
    Providers,
}

/// The stage of the version before the current one. The functions do without it.
const PREVIOUS: &str = "AWSPREVIOUS";

/// The one setting that may name a file.
const BUNDLE: &str = "UPSTREAM_CA_BUNDLE";

const FUNCTIONS: [(&str, ReadSettings); 3] = [
    ("create", |lookup| {
        let (settings, _shop, create) = config::create(lookup)?;
        let providers = create.providers.map(|one| (SecretUse::Providers, one.secret_id));
        let tokens = (SecretUse::Tokens, settings.auth_secret_id);
        Ok([tokens].into_iter().chain(providers).collect())
    }),
    ("detail", |lookup| Ok(vec![(SecretUse::Tokens, config::detail(lookup)?.auth_secret_id)])),
    ("callback", |lookup| {
        let (settings, _shop, callback) = config::callback(lookup)?;
        let providers = callback.providers.map(|one| (SecretUse::Providers, one.secret_id));
        let always = [
            (SecretUse::Tokens, settings.auth_secret_id),
            (SecretUse::Webhooks, callback.webhook_secret_id),
        ];
        Ok(always.into_iter().chain(providers).collect())
    }),
];

pub(super) async fn run(arguments: CheckConfigArguments) -> Result<End> {
    let CheckConfigArguments { create, detail, callback, target, json } = arguments;
    let (lambda, stack) = target.open().await?;
    let mut findings = Vec::new();
    let mut read_already = BTreeSet::new();
    for ((function, read), name) in FUNCTIONS.into_iter().zip([create, detail, callback]) {
        let variables = match (&stack, name) {
            (Some(stack), _) => stack.environment.get(function).cloned().unwrap_or_default(),
            (None, Some(name)) => serde_json::from_value(lambda.environment(&name).await?)?,
            (None, None) => continue,
        };
        for (purpose, id) in settings(function, read, &variables, &mut findings) {
            // Functions share secrets: each is read once.
            if read_already.insert((purpose, id.clone())) {
                let local = |name: &str| variables.get(name).cloned();
                let aws = if stack.is_some() { aws(&local)? } else { aws(&environment)? };
                for stage in ["AWSCURRENT", PREVIOUS] {
                    findings.push(secret(&aws, function, purpose, &id, stage).await);
                }
            }
        }
    }
    let is_well = findings.iter().all(|finding| finding.ok);
    if json {
        findings.iter().try_for_each(|one| print_json(&serde_json::to_value(one)?))?;
    } else {
        let rows = findings.into_iter().map(|finding| {
            let state = if finding.ok { "ok" } else { "wrong" };
            [finding.function.to_owned(), finding.checked, state.to_owned(), finding.found]
        });
        print(&columns(["function", "checked", "state", "found"], rows))?;
    }
    Ok(End::of(is_well))
}

/// Checks a function's settings. Returns its secrets, if the settings are well-formed.
fn settings(
    function: &'static str,
    read: ReadSettings,
    variables: &BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) -> Vec<(SecretUse, String)> {
    let mut note = |ok, checked: &str, found: String| {
        findings.push(Finding { function, checked: checked.to_owned(), ok, found });
    };
    // A file of the function's own package cannot be read from here.
    let out_of_reach = |name: &str, value: &str| {
        name == BUNDLE && value.starts_with('/') && !Path::new(value).exists()
    };
    if let Some(path) = variables.get(BUNDLE).filter(|value| out_of_reach(BUNDLE, value)) {
        note(true, BUNDLE, format!("not checked: {path} is a file of the function"));
    }
    let lookup =
        |name: &str| variables.get(name).filter(|value| !out_of_reach(name, value)).cloned();
    match read(&lookup) {
        Ok(secrets) => {
            note(true, "settings", "complete and well-formed".to_owned());
            secrets
        }
        Err(BadSettings(wrong)) => {
            for wrong in wrong {
                note(false, "settings", wrong);
            }
            Vec::new()
        }
    }
}

/// Checks one version of a secret. Prints nothing of its value.
async fn secret(
    aws: &Aws,
    function: &'static str,
    purpose: SecretUse,
    id: &str,
    stage: &str,
) -> Finding {
    let client = secrets_manager(&aws.settings, &aws.http);
    let read = client.get_secret_value().secret_id(id).version_stage(stage).send().await;
    let (ok, found) = match read {
        Ok(version) => match version.secret_string().map(|text| purpose.read(text)) {
            Some((found, wrong)) if wrong.is_empty() => (true, found),
            // Without it nothing that the previous keys signed is accepted, which is no fault for long.
            Some((found, wrong)) if stage == PREVIOUS => {
                (true, format!("{found}; ignored: {}", wrong.join("; ")))
            }
            Some((found, wrong)) => (false, format!("{found}; unusable: {}", wrong.join("; "))),
            None => (false, "the secret is not a text".to_owned()),
        },
        Err(error) => {
            let gone = error.as_service_error().is_some_and(|error| {
                error.is_resource_not_found_exception() || error.is_invalid_request_exception()
            });
            let why = reason(&error).unwrap_or_else(|| error.to_string());
            // A secret that was never rotated has no previous version.
            if gone && stage == PREVIOUS { (true, "none".to_owned()) } else { (false, why) }
        }
    };
    Finding { function, checked: format!("secret {id} {stage}"), ok, found }
}

impl SecretUse {
    /// Reads a secret as the functions do. Returns what can be used, and what is wrong with the rest.
    /// Neither has any part of a key.
    fn read(self, text: &str) -> (String, Vec<String>) {
        match self {
            Self::Tokens => match AuthKey::read(text) {
                Ok(_key) => ("signs tokens".to_owned(), Vec::new()),
                Err(BadSecret(why)) => ("no key".to_owned(), vec![why.to_owned()]),
            },
            Self::Webhooks => {
                let keys = WebhookKeys::read(text);
                entries(keys, "keys of no sender", |keys| keys.usable().collect())
            }
            Self::Providers => {
                let keys = ProviderKeys::read(text);
                entries(keys, "keys for no provider", |keys| keys.usable().collect())
            }
        }
    }
}

/// The entries of a secret that can be used, and what is wrong with the others.
fn entries<K: SecretKeys>(
    keys: Result<K, BadSecret>,
    none: &str,
    usable: impl FnOnce(&K) -> Vec<&'static str>,
) -> (String, Vec<String>) {
    match keys {
        Ok(keys) => {
            let names = usable(&keys).join(", ");
            let unusable = keys.unusable().into_iter();
            let wrong = unusable.map(|(name, BadSecret(why))| format!("{name}: {why}"));
            (if names.is_empty() { none.to_owned() } else { names }, wrong.collect())
        }
        Err(BadSecret(why)) => (none.to_owned(), vec![why.to_owned()]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_entry_is_named_beside_those_that_are_usable() {
        let stripe = r#""stripe":{"secrets":["whsec_canary"],"livemode":true}"#;
        let wechat = r#""wechat":{"api_v3_key":"canary"}"#;
        let (found, wrong) = SecretUse::Webhooks.read(&format!("{{{stripe},{wechat}}}"));
        let why = "wechat: `wechat` has no object `public_keys` of one serial or more";
        assert_eq!((found.as_str(), wrong), ("stripe", vec![why.to_owned()]));
        let none = ("keys of no sender".to_owned(), Vec::new());
        assert_eq!(SecretUse::Webhooks.read("{}"), none);
        let (found, wrong) = SecretUse::Webhooks.read("canary");
        assert_eq!(
            (found.as_str(), wrong),
            ("keys of no sender", vec!["not a JSON object".into()])
        );
        let (found, wrong) = SecretUse::Tokens.read(r#"{"access_secret":"canary"}"#);
        let why = "`access_secret` has fewer than 32 bytes";
        assert_eq!((found.as_str(), wrong), ("no key", vec![why.to_owned()]));
    }
}
