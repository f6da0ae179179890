//! Wiring that several functions share.

use std::{sync::Arc, time::Duration};

use pay_core::{
    domain::Timestamp,
    ports::{Cause, Keys, SecretKeys},
};
use pay_providers::ProviderKeys;

use super::{
    aws::{self, AwsSettings},
    dynamodb::DynamoDbPayments,
    https::{self, Clients, HttpsError, Pool},
    providers::HttpProviders,
    secrets_manager::RotatingSecret,
    shop::{HttpOrders, HttpUsers, ShopClient},
};
use crate::{
    auth::AuthKey,
    config::{ProviderSettings, ShopSettings},
};

/// The keys that tokens are signed with, from their secret.
pub type AuthKeys = RotatingSecret<AuthKey>;

/// The payment providers, called with the keys of their secret.
pub type WiredProviders = HttpProviders<RotatingSecret<ProviderKeys>>;

/// Clients of AWS, and the settings they share.
#[derive(Debug)]
pub struct Aws {
    /// Region, credentials, endpoints and timeouts.
    pub settings: AwsSettings,
    /// What every request is sent with.
    pub http: reqwest::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl Aws {
    /// Reads the SDK's own variables; `AWS_CA_BUNDLE`, the path of a PEM file, adds a private CA.
    ///
    /// # Errors
    ///
    /// [`aws::MissingVariables`]; an `AWS_CA_BUNDLE` that cannot be read, or [`HttpsError`].
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "General configuration settings".
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Cause> {
        let bundle = lookup("AWS_CA_BUNDLE").filter(|path| !path.is_empty());
        let bundle = bundle.map(std::fs::read_to_string).transpose();
        let bundle = bundle.map_err(|error| format!("AWS_CA_BUNDLE cannot be read: {error}"))?;
        let settings = AwsSettings::load(lookup)?;
        // The private CA of the shop is not trusted for AWS.
        let http = https::client(https::tls(bundle.as_deref())?, Pool::Kept)?;
        let secrets = aws::secrets_manager(&settings, &http);
        Ok(Self { settings, http, secrets })
    }

    /// The payments in a table.
    #[must_use]
    pub fn payments(&self, table: String) -> DynamoDbPayments {
        DynamoDbPayments::new(aws::dynamodb(&self.settings, &self.http), table)
    }

    /// The keys of a secret.
    #[must_use]
    pub fn keys<K: SecretKeys>(&self, id: String, overlap: Duration) -> RotatingSecret<K> {
        RotatingSecret::new(self.secrets.clone(), id, overlap)
    }

    /// The payment providers. Their secret is read by the first call of one.
    #[must_use]
    pub fn providers(
        &self,
        settings: Option<ProviderSettings>,
        overlap: Duration,
        ca_bundle: Option<String>,
    ) -> WiredProviders {
        match settings {
            Some(ProviderSettings { secret_id, urls, notify_urls }) => {
                let keys = Some(self.keys(secret_id, overlap));
                HttpProviders::new(keys, urls, ca_bundle).notified_at(notify_urls)
            }
            None => HttpProviders::new(None, Vec::new(), None),
        }
    }
}

/// Clients of the shop's two services.
///
/// # Errors
///
/// [`HttpsError`].
pub fn shop<K: Keys<AuthKey> + Send + Sync>(
    settings: ShopSettings,
    keys: &Arc<K>,
    clock: fn() -> Timestamp,
) -> Result<(HttpUsers<K>, HttpOrders<K>), HttpsError> {
    let clients = Clients::new(settings.ca_bundle.as_deref())?;
    let client = ShopClient::new(clients, Arc::clone(keys), clock);
    let users = HttpUsers::new(client.clone(), settings.user_info);
    let orders = HttpOrders::new(
        client,
        settings.order_detail,
        settings.order_paid,
        settings.order_refunded,
    );
    Ok((users, orders))
}
