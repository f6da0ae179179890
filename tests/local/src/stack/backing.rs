//! The services that hold the functions' data: started here, or at another endpoint.

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::StackOptions;
use crate::dynamodb::{self, DynamoDb};
use crate::faults::server::Server;
use crate::faults::{Faults, Rule};
use crate::secrets::{self, Secrets};
use crate::template::Template;
use crate::{client, defaults};

/// DynamoDB and Secrets Manager: our own, or those at another endpoint.
pub(super) struct Backing {
    pub(super) dynamodb: String,
    pub(super) secretsmanager: String,
    pub(super) access_secret: String,
    pub(super) webhook_secrets: Value,
    pub(super) provider_secrets: Value,
    pub(super) control: DynamoDb,
    pub(super) secrets: Secrets,
    pub(super) servers: Option<(dynamodb::Engine, Server)>,
}

impl Backing {
    /// Starts or connects to them, and creates the table and the secrets where they are missing.
    pub(super) async fn start(
        options: &StackOptions,
        template: &Template,
        faults: &Faults,
    ) -> Result<Self> {
        let http = client::client("")?;
        let webhook_secrets = match &options.webhook_secrets {
            Some(secrets) => secrets.clone(),
            None => defaults::webhook_secrets()?,
        };
        let provider_secrets = match &options.provider_secrets {
            Some(secrets) => secrets.clone(),
            None => defaults::provider_secrets()?,
        };
        let webhook_text = webhook_secrets.to_string();
        let access_text = json!({"access_secret": options.access_secret}).to_string();
        let (control, secrets) = (DynamoDb::new(faults.clone()), Secrets::new(faults.clone()));
        let Some(endpoint) = &options.aws_endpoint else {
            let data = options.data.as_deref();
            let engine = dynamodb::Engine::start(options.host, data, control.clone()).await?;
            dynamodb::create_table(&http, &engine.url, defaults::TABLE, &template.table).await?;
            secrets.put(defaults::AUTH_SECRET_ID, access_text);
            secrets.put(defaults::WEBHOOK_SECRET_ID, webhook_text);
            if !provider_secrets.is_null() {
                secrets.put(defaults::PROVIDER_SECRET_ID, provider_secrets.to_string());
            }
            let server = secrets.serve(options.host).await?;
            return Ok(Self {
                dynamodb: engine.url.clone(),
                secretsmanager: format!("http://{}", server.address),
                access_secret: options.access_secret.clone(),
                webhook_secrets,
                provider_secrets,
                control,
                secrets,
                servers: Some((engine, server)),
            });
        };
        ensure!(options.data.is_none(), "the table of another endpoint cannot be kept here");
        let theirs = |rule: &Rule| {
            ["dynamodb:", "secretsmanager:"].iter().any(|service| rule.at.starts_with(service))
        };
        if let Some(rule) = options.faults.rules.iter().find(|rule| theirs(rule)) {
            bail!("{} is at another endpoint: it cannot be made to fail here", rule.at);
        }
        dynamodb::create_table(&http, endpoint, defaults::TABLE, &template.table).await?;
        // Existing secrets are used as they are: the tokens that we print must fit them.
        let access = secrets::create(&http, endpoint, defaults::AUTH_SECRET_ID, &access_text);
        let access: Value = serde_json::from_str(&access.await?).context("the auth secret")?;
        let access = access.get("access_secret").and_then(Value::as_str);
        let access = access.context("the auth secret has no access_secret")?;
        let webhook = secrets::create(&http, endpoint, defaults::WEBHOOK_SECRET_ID, &webhook_text);
        let webhook_secrets =
            serde_json::from_str(&webhook.await?).context("the webhook secret")?;
        let provider_secrets = if provider_secrets.is_null() {
            provider_secrets
        } else {
            let (name, text) = (defaults::PROVIDER_SECRET_ID, provider_secrets.to_string());
            let provider = secrets::create(&http, endpoint, name, &text).await?;
            serde_json::from_str(&provider).context("the provider secret")?
        };
        Ok(Self {
            dynamodb: endpoint.clone(),
            secretsmanager: endpoint.clone(),
            access_secret: access.to_owned(),
            webhook_secrets,
            provider_secrets,
            control,
            secrets,
            servers: None,
        })
    }
}
