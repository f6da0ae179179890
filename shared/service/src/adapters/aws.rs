//! The AWS SDK, set up by hand: settings from variables, clients on the one HTTP stack.
//!
//! On Lambda, region and credentials are in the environment, so the loader crate of the SDK with
//! its profiles, metadata service and second HTTP client stays out.

mod connector;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, StalledStreamProtectionConfig};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};

pub(crate) use connector::NotSent;
use connector::OneHttpStack;

use crate::{
    limits::{
        AWS_ATTEMPT_MS, AWS_BACKOFF_FIRST_MS, AWS_BACKOFF_MAX_MS, AWS_CALL_MS,
        AWS_READ_ATTEMPTS_MAX,
    },
    usage::Service,
};

/// Variables that are missing or empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not set: {}", .0.join(", "))]
pub struct MissingVariables(pub Vec<&'static str>);

/// How long a call may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// One request and its response.
    pub attempt: Duration,
    /// A call with the SDK's own retries.
    pub operation: Duration,
}

impl Timeouts {
    /// Those of the functions.
    pub const SERVING: Self = Self {
        attempt: Duration::from_millis(AWS_ATTEMPT_MS),
        operation: Duration::from_millis(AWS_CALL_MS),
    };
}

/// Region, credentials and endpoints.
#[derive(Clone, Debug)]
pub struct AwsSettings {
    region: Region,
    credentials: Credentials,
    dynamodb_url: Option<String>,
    secrets_manager_url: Option<String>,
    timeouts: Timeouts,
}

impl AwsSettings {
    /// Reads the SDK's own variables.
    ///
    /// `AWS_REGION` or `AWS_DEFAULT_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN` (optional); and, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`,
    /// `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_SECRETS_MANAGER` with `AWS_ENDPOINT_URL`
    /// in place of either. An empty variable counts as not set.
    ///
    /// # Errors
    ///
    /// [`MissingVariables`], with every variable that is needed and not set.
    ///
    /// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
    pub fn load(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, MissingVariables> {
        let set = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let (key_id, secret) = (set("AWS_ACCESS_KEY_ID"), set("AWS_SECRET_ACCESS_KEY"));
        let (Some(region), Some(key_id), Some(secret)) = (&region, &key_id, &secret) else {
            let needed = [
                ("AWS_REGION", &region),
                ("AWS_ACCESS_KEY_ID", &key_id),
                ("AWS_SECRET_ACCESS_KEY", &secret),
            ];
            let missing = needed.into_iter().filter(|(_, value)| value.is_none());
            return Err(MissingVariables(missing.map(|(name, _)| name).collect()));
        };
        let ignored = set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let url = |service| {
            let url = set(service).or_else(|| set("AWS_ENDPOINT_URL"));
            url.filter(|_| !ignored)
        };
        let token = set("AWS_SESSION_TOKEN");
        Ok(Self {
            region: Region::new(region.clone()),
            credentials: Credentials::new(key_id, secret, token, None, "environment"),
            dynamodb_url: url("AWS_ENDPOINT_URL_DYNAMODB"),
            secrets_manager_url: url("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            timeouts: Timeouts::SERVING,
        })
    }

    /// The same with other timeouts.
    #[must_use]
    pub fn with_timeouts(self, timeouts: Timeouts) -> Self {
        Self { timeouts, ..self }
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        self.region.as_ref()
    }

    /// The credentials. They are never printed.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    fn timeout_config(&self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .read_timeout(self.timeouts.attempt)
            .operation_attempt_timeout(self.timeouts.attempt)
            .operation_timeout(self.timeouts.operation)
            .build()
    }
}

/// The settings that both clients share. A macro, because each SDK crate has its own builder type.
macro_rules! configured {
    ($builder:expr, $settings:expr, $http:expr, $service:expr) => {
        $builder
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region($settings.region.clone())
            .credentials_provider($settings.credentials.clone())
            .http_client(OneHttpStack::new($http.clone(), $service))
            // Without it no timeout is enforced.
            .sleep_impl(TokioSleep::new())
            .timeout_config($settings.timeout_config())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(AWS_READ_ATTEMPTS_MAX)
                    .with_initial_backoff(Duration::from_millis(AWS_BACKOFF_FIRST_MS))
                    .with_max_backoff(Duration::from_millis(AWS_BACKOFF_MAX_MS)),
            )
            // Bodies are read whole, under the attempt's timeout.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    };
}

/// A DynamoDB client.
#[must_use]
pub fn dynamodb(settings: &AwsSettings, http: &reqwest::Client) -> aws_sdk_dynamodb::Client {
    let mut builder = aws_sdk_dynamodb::Config::builder();
    builder.set_endpoint_url(settings.dynamodb_url.clone());
    aws_sdk_dynamodb::Client::from_conf(configured!(builder, settings, http, Service::DynamoDb))
}

/// A Secrets Manager client.
#[must_use]
pub fn secrets_manager(
    settings: &AwsSettings,
    http: &reqwest::Client,
) -> aws_sdk_secretsmanager::Client {
    let mut builder = aws_sdk_secretsmanager::Config::builder();
    builder.set_endpoint_url(settings.secrets_manager_url.clone());
    let config = configured!(builder, settings, http, Service::SecretsManager);
    aws_sdk_secretsmanager::Client::from_conf(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 3] = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "s3cr3t-canary"),
    ];

    fn load(extra: &[(&str, &str)]) -> Result<AwsSettings, MissingVariables> {
        AwsSettings::load(|name| {
            let vars = extra.iter().chain(&NEEDED);
            let found = vars.into_iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn every_missing_variable_is_named_at_once() {
        assert!(load(&[]).is_ok());
        assert_eq!(
            AwsSettings::load(|_| None).unwrap_err().to_string(),
            "not set: AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
        );
        let empty = load(&[("AWS_ACCESS_KEY_ID", "")]);
        assert_eq!(empty.unwrap_err(), MissingVariables(vec!["AWS_ACCESS_KEY_ID"]));
    }

    #[test]
    fn the_default_region_is_used_where_there_is_no_other() {
        let settings = load(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-east-2")]).unwrap();
        assert_eq!(settings.region.as_ref(), "us-east-2");
    }

    #[test]
    fn a_services_own_endpoint_comes_before_the_common_one() {
        let own = ("AWS_ENDPOINT_URL_DYNAMODB", "http://own");
        let common = ("AWS_ENDPOINT_URL", "http://common");
        let settings = load(&[own, common]).unwrap();
        assert_eq!(settings.dynamodb_url.as_deref(), Some("http://own"));
        assert_eq!(settings.secrets_manager_url.as_deref(), Some("http://common"));

        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True");
        let settings = load(&[own, common, ignored]).unwrap();
        assert_eq!((settings.dynamodb_url, settings.secrets_manager_url), (None, None));
    }

    #[test]
    fn settings_print_no_secret() {
        let settings = load(&[("AWS_SESSION_TOKEN", "t0ken-canary")]).unwrap();
        let printed = format!("{settings:?}");
        assert!(!printed.contains("canary"), "{printed}");
    }
}
