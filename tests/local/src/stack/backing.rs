//! What the functions keep their data in: started here, or used where it is.

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
    pub(super) control: DynamoDb,
    pub(super) secrets: Secrets,
    pub(super) servers: Option<(dynamodb::Engine, Server)>,
}

impl Backing {
    /// Starts or finds them, and sees to it that the table and the secrets are there.
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
        let webhook_text = webhook_secrets.to_string();
        let access_text = json!({"access_secret": options.access_secret}).to_string();
        let (control, secrets) = (DynamoDb::new(faults.clone()), Secrets::new(faults.clone()));
        let Some(endpoint) = &options.aws_endpoint else {
            let data = options.data.as_deref();
            let engine = dynamodb::Engine::start(options.host, data, control.clone()).await?;
            dynamodb::create_table(&http, &engine.url, defaults::TABLE, &template.table).await?;
            secrets.put(defaults::AUTH_SECRET_ID, access_text);
            secrets.put(defaults::WEBHOOK_SECRET_ID, webhook_text);
            let server = secrets.serve(options.host).await?;
            return Ok(Self {
                dynamodb: engine.url.clone(),
                secretsmanager: format!("http://{}", server.address),
                access_secret: options.access_secret.clone(),
                webhook_secrets,
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
        // What is there already is used as it is: the tokens we print must fit it.
        let access = secrets::create(&http, endpoint, defaults::AUTH_SECRET_ID, &access_text);
        let access: Value = serde_json::from_str(&access.await?).context("the auth secret")?;
        let access = access.get("access_secret").and_then(Value::as_str);
        let access = access.context("the auth secret has no access_secret")?;
        let webhook = secrets::create(&http, endpoint, defaults::WEBHOOK_SECRET_ID, &webhook_text);
        Ok(Self {
            dynamodb: endpoint.clone(),
            secretsmanager: endpoint.clone(),
            access_secret: access.to_owned(),
            webhook_secrets: serde_json::from_str(&webhook.await?).context("the webhook secret")?,
            control,
            secrets,
            servers: None,
        })
    }
}
