//! The two calls of Lambda that this program makes.
//!
//! The SDK's client for Lambda is larger than that for DynamoDB; for two calls its signer is enough,
//! which the SDK brings already. Source: AWS Lambda API reference, `Invoke` and
//! `GetFunctionConfiguration`.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use pay_service::adapters::wiring::Aws;
use pay_service::start::clock;
use reqwest::{Method, Response};
use serde_json::Value;

use crate::limits::{INVOCATION_MS, REQUEST_MS};

/// Lambda in one region, or another implementation of its API.
#[derive(Debug)]
pub(crate) struct Lambda {
    aws: Aws,
    endpoint: String,
}

impl Lambda {
    /// Lambda of the region of these settings, or the one at `endpoint`.
    pub(crate) fn new(aws: Aws, endpoint: Option<String>) -> Self {
        let region = aws.settings.region();
        // The partition of China has a domain of its own.
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let own = || format!("https://lambda.{region}.{suffix}");
        let endpoint = endpoint.filter(|url| !url.is_empty()).unwrap_or_else(own);
        Self { aws, endpoint }
    }

    /// Invokes a function and waits for its response.
    ///
    /// # Errors
    ///
    /// Lambda rejects the call, the function fails, or there is no response.
    pub(crate) async fn invoke(&self, function: &str, payload: &Value) -> Result<Value> {
        let path = format!("{function}/invocations");
        let response = self.send(Method::POST, &path, payload.to_string(), INVOCATION_MS).await?;
        let failed = response.headers().contains_key("x-amz-function-error");
        let body = response.bytes().await?;
        ensure!(!failed, "the function {function} failed: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body)
            .with_context(|| format!("the response of the function {function} is not JSON"))
    }

    /// The variables that a function is deployed with.
    ///
    /// # Errors
    ///
    /// Lambda rejects the call, or cannot decrypt the variables.
    pub(crate) async fn environment(&self, function: &str) -> Result<Value> {
        let path = format!("{function}/configuration");
        let response = self.send(Method::GET, &path, String::new(), REQUEST_MS).await?;
        let mut configuration: Value = serde_json::from_slice(&response.bytes().await?)?;
        let environment = configuration.get_mut("Environment").map(Value::take);
        let mut environment = environment.unwrap_or_default();
        if let Some(error) = environment.pointer("/Error/Message").and_then(Value::as_str) {
            bail!("Lambda cannot show the variables of {function}: {error}");
        }
        Ok(environment.get_mut("Variables").map(Value::take).unwrap_or_default())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: String,
        deadline_ms: u64,
    ) -> Result<Response> {
        let url = format!("{}/2015-03-31/functions/{path}", self.endpoint);
        let identity = self.aws.settings.credentials().clone().into();
        let signing = SigningParams::builder()
            .identity(&identity)
            .region(self.aws.settings.region())
            .name("lambda")
            .time(time())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let bytes = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new(method.as_str(), &url, std::iter::empty(), bytes)?;
        let (signed, _signature) = sign(signable, &signing)?.into_parts();
        let (headers, _query) = signed.into_parts();
        let mut request = self.aws.http.request(method, &url).body(body);
        for header in &headers {
            request = request.header(header.name(), header.value());
        }
        let response = request.timeout(Duration::from_millis(deadline_ms)).send().await;
        let response =
            response.with_context(|| format!("Lambda does not respond at {}", self.endpoint))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let error: Value = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        let text = |name| error.get(name).and_then(Value::as_str);
        let message = text("Message").or_else(|| text("message")).unwrap_or("no reason given");
        bail!("Lambda rejects the call for {path} ({status}): {message}")
    }
}

fn time() -> SystemTime {
    let since_1970 = Duration::from_millis(clock().millis());
    SystemTime::UNIX_EPOCH.checked_add(since_1970).unwrap_or(SystemTime::UNIX_EPOCH)
}
