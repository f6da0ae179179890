//! The JSON 1.1 entry point of the secrets.

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Secrets, Version, arn};
use crate::faults::server::{self, Service};

/// A problem: its name and its text.
type Problem = (&'static str, String);

impl Service for Secrets {
    fn arrived(&self, head: &Parts, _body: &[u8]) -> String {
        target(head).to_owned()
    }

    async fn response(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let request = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let result = match target(&head) {
            "secretsmanager:GetSecretValue" => get(self, &request),
            "secretsmanager:PutSecretValue" => put(self, &request),
            _ => Err(("UnknownOperationException", "it is not known here".to_owned())),
        };
        match result {
            Ok(body) => response(StatusCode::OK, &body),
            Err((name, text)) => {
                response(StatusCode::BAD_REQUEST, &json!({"__type": name, "Message": text}))
            }
        }
    }

    fn problem(&self, status: StatusCode) -> Response<Bytes> {
        response(status, &json!({"__type": "InternalServiceError", "Message": "an injected fault"}))
    }

    fn throttled(&self) -> Response<Bytes> {
        let body = json!({"__type": "ThrottlingException", "Message": "an injected fault"});
        response(StatusCode::BAD_REQUEST, &body)
    }
}

/// The call, as a fault rule names it.
fn target(head: &Parts) -> &'static str {
    let target = head.headers.get("x-amz-target").map_or(&[][..], |target| target.as_bytes());
    match target {
        b"secretsmanager.GetSecretValue" => "secretsmanager:GetSecretValue",
        b"secretsmanager.PutSecretValue" => "secretsmanager:PutSecretValue",
        _ => "",
    }
}

fn response(status: StatusCode, body: &Value) -> Response<Bytes> {
    server::response(status, "application/x-amz-json-1.1", body.to_string())
}

fn get(secrets: &Secrets, request: &Value) -> Result<Value, Problem> {
    let name = secret_name(text(request, "SecretId"))?;
    let secrets = secrets.lock();
    let Some(secret) = secrets.get(&name) else {
        let why = "Secrets Manager can't find the specified secret.";
        return Err(("ResourceNotFoundException", why.to_owned()));
    };
    let label = text(request, "VersionStage").unwrap_or("AWSCURRENT");
    let version = match label {
        "AWSCURRENT" => Some(&secret.current),
        "AWSPREVIOUS" => secret.previous.as_ref(),
        _ => None,
    };
    let Some(version) = version else {
        let why = "Secrets Manager can't find the specified secret value for staging label";
        return Err(("ResourceNotFoundException", format!("{why}: {label}")));
    };
    Ok(value(&name, version, label))
}

fn text<'a>(request: &'a Value, key: &str) -> Option<&'a str> {
    request.get(key).and_then(Value::as_str)
}

fn value(name: &str, version: &Version, label: &str) -> Value {
    json!({
        "ARN": arn(name),
        "Name": name,
        "VersionId": version.id,
        "SecretString": version.text,
        "VersionStages": [label],
        "CreatedDate": version.created_secs,
    })
}

/// For rotating a secret with the AWS command line.
fn put(secrets: &Secrets, request: &Value) -> Result<Value, Problem> {
    let name = secret_name(text(request, "SecretId"))?;
    get(secrets, &json!({"SecretId": name}))?;
    let Some(secret) = text(request, "SecretString") else {
        return Err(("InvalidRequestException", "SecretString is missing".to_owned()));
    };
    secrets.put(&name, secret);
    let mut response = get(secrets, &json!({"SecretId": name}))?;
    if let Some(response) = response.as_object_mut() {
        response.retain(|key, _| key != "SecretString" && key != "CreatedDate");
    }
    Ok(response)
}

/// The name in a secret's id, which is the name itself or the whole ARN.
fn secret_name(id: Option<&str>) -> Result<String, Problem> {
    let Some(id) = id else {
        return Err(("InvalidParameterException", "SecretId is missing".to_owned()));
    };
    let name = id
        .starts_with("arn:")
        .then(|| id.split_once(":secret:"))
        .flatten()
        .and_then(|(_, name)| name.rsplit_once('-'));
    Ok(name.map_or(id, |(name, _)| name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Secrets, arn, get, json};

    #[test]
    fn a_rotation_moves_current_to_previous() {
        let secrets = Secrets::default();
        secrets.put("a/b-c", "one");
        let previous = json!({"SecretId": "a/b-c", "VersionStage": "AWSPREVIOUS"});
        assert_eq!(get(&secrets, &previous).unwrap_err().0, "ResourceNotFoundException");
        secrets.put("a/b-c", "two");
        let current = get(&secrets, &json!({"SecretId": arn("a/b-c")})).unwrap();
        let previous = get(&secrets, &previous).unwrap();
        assert_eq!(current["SecretString"], "two");
        assert_eq!(previous["SecretString"], "one");
        assert_ne!(current["VersionId"], previous["VersionId"]);
        assert!(current["CreatedDate"].is_u64());
    }
}
