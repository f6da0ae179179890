use aws_sdk_secretsmanager::config::{
    BehaviorVersion, Config, Credentials, Region, SharedCredentialsProvider,
    http::{HttpRequest, HttpResponse},
    retry::RetryConfig,
};
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_runtime_api::{
    client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;

use super::*;
use rotation::text_keys::TextKeys;

/// Status and body of the response to each of the two reads; `None` is no response at all.
#[derive(Clone, Copy, Debug)]
struct Canned {
    current: Option<(u16, &'static str)>,
    previous: Option<(u16, &'static str)>,
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
        assert!(body.contains(r#""SecretId":"the secret""#), "{body}");
        let response = if body.contains(r#""VersionStage":"AWSCURRENT""#) {
            self.current
        } else if body.contains(r#""VersionStage":"AWSPREVIOUS""#) {
            self.previous
        } else {
            panic!("{body}")
        };
        let Some((status, body)) = response else {
            return HttpConnectorFuture::new(std::future::pending());
        };
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(body))))
    }
}

fn secret(canned: Canned) -> RotatingSecret<TextKeys> {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKID", "SECRET", None, None, "tests",
        )))
        .retry_config(RetryConfig::disabled())
        .sleep_impl(TokioSleep::new())
        .http_client(http_client_fn(move |_, _| SharedHttpConnector::new(canned)))
        .build();
    let id = "the secret".to_owned();
    RotatingSecret::new(Client::from_conf(config), id, Duration::from_hours(1))
}

const CURRENT: (u16, &str) =
    (200, r#"{"VersionId":"1","SecretString":"key new","CreatedDate":1700000000.5}"#);
const PREVIOUS: (u16, &str) =
    (200, r#"{"VersionId":"0","SecretString":"key old","CreatedDate":1600000000}"#);
const NOT_FOUND: (u16, &str) = (400, r#"{"__type":"ResourceNotFoundException","Message":"x"}"#);
const INVALID: (u16, &str) = (400, r#"{"__type":"InvalidRequestException","Message":"x"}"#);
const DENIED: (u16, &str) = (400, r#"{"__type":"AccessDeniedException","Message":"canary"}"#);

/// The current key, and the previous one or why it is not known.
type Read = (String, Result<Option<String>, String>);

/// What is read at this time.
async fn keys_at(
    ms: u64,
    current: (u16, &'static str),
    previous: (u16, &'static str),
) -> Result<Read, String> {
    let secret = secret(Canned { current: Some(current), previous: Some(previous) });
    let now = Timestamp::from_millis(ms).unwrap();
    let why = |NoKeys(cause)| cause.to_string();
    let current = secret.current(now).await.map_err(why)?.shown();
    let previous = secret.previous(now).await.map_err(why);
    Ok((current, previous.map(|keys| keys.map(|keys| keys.shown()))))
}

async fn keys(current: (u16, &'static str), previous: (u16, &'static str)) -> Result<Read, String> {
    keys_at(1_700_000_001_000, current, previous).await
}

fn new_and(previous: Result<Option<&str>, &str>) -> Read {
    let previous = previous.map(|key| key.map(str::to_owned)).map_err(str::to_owned);
    ("key new".to_owned(), previous)
}

#[tokio::test]
async fn both_versions_are_read() {
    assert_eq!(keys(CURRENT, PREVIOUS).await, Ok(new_and(Ok(Some("key old")))));
    // The overlap begins when the current version was created.
    let end = 1_700_003_600_500;
    assert_eq!(keys_at(end - 1, CURRENT, PREVIOUS).await, Ok(new_and(Ok(Some("key old")))));
    assert_eq!(keys_at(end, CURRENT, PREVIOUS).await, Ok(new_and(Ok(None))));
}

#[tokio::test]
async fn a_previous_version_may_be_missing_or_unreadable() {
    for previous in [NOT_FOUND, INVALID] {
        assert_eq!(keys(CURRENT, previous).await, Ok(new_and(Ok(None))), "{previous:?}");
    }
    let unread = "the previous version of the secret cannot be read";
    for previous in [DENIED, (500, "{}"), (200, "{}"), (200, "junk")] {
        assert_eq!(keys(CURRENT, previous).await, Ok(new_and(Err(unread))), "{previous:?}");
    }
}

#[tokio::test]
async fn a_current_version_without_text_gives_no_key() {
    for (current, why) in [
        (NOT_FOUND, "the secret has no current version"),
        (INVALID, "the secret has no current version"),
        (DENIED, "Secrets Manager gave no value: AccessDeniedException"),
        ((503, "<html>"), "Secrets Manager gave no value: service error"),
        (
            (200, r#"{"VersionId":"1","CreatedDate":1}"#),
            "the secret's version has no text, no id or no date",
        ),
        (
            (200, r#"{"SecretString":"key new","CreatedDate":1}"#),
            "the secret's version has no text, no id or no date",
        ),
        (
            (200, r#"{"VersionId":"1","SecretString":"key new"}"#),
            "the secret's version has no text, no id or no date",
        ),
        (
            (200, r#"{"VersionId":"1","SecretBinary":"bmV3","CreatedDate":1}"#),
            "the secret's version has no text, no id or no date",
        ),
        (
            (200, r#"{"VersionId":"1","SecretString":"key new","CreatedDate":-1}"#),
            "the secret's version has no text, no id or no date",
        ),
        (
            (200, r#"{"VersionId":"1","SecretString":"bad","CreatedDate":1}"#),
            "the secret is unusable: no key",
        ),
    ] {
        assert_eq!(keys(current, PREVIOUS).await, Err(why.to_owned()), "{current:?}");
    }
}

#[tokio::test]
async fn a_read_that_hangs_ends_at_its_deadline() {
    let now = Timestamp::from_millis(1_700_000_001_000).unwrap();
    let mut secret = secret(Canned { current: None, previous: None });
    secret.stored.deadline = Duration::from_millis(1);
    let NoKeys(cause) = secret.current(now).await.unwrap_err();
    assert_eq!(cause.to_string(), "Secrets Manager did not respond in time");
    secret.warm(now).await;
}
