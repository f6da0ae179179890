//! The JSON 1.1 door of the secrets.

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::{Secrets, Version, arn};
use crate::faults::server::{self, Service};

/// A refusal: its name and its text.
type Refusal = (&'static str, String);

impl Service for Secrets {
    fn arrived(&self, head: &Parts, _body: &[u8]) -> String {
        let mut state = self.lock();
        state.reads = state.reads.saturating_add(1);
        target(head).to_owned()
    }

    async fn answer(&self, head: Parts, body: Bytes) -> Response<Bytes> {
        let request = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let result = match target(&head) {
            "secretsmanager:GetSecretValue" => get(self, &request),
            "secretsmanager:BatchGetSecretValue" => batch(self, &request),
            "secretsmanager:PutSecretValue" => put(self, &request),
            _ => {
                Err(("UnknownOperationException", "not an operation of the local stack".to_owned()))
            }
        };
        match result {
            Ok(body) => answer(StatusCode::OK, &body),
            Err((name, text)) => {
                answer(StatusCode::BAD_REQUEST, &json!({"__type": name, "Message": text}))
            }
        }
    }

    fn refusal(&self, status: StatusCode) -> Response<Bytes> {
        answer(status, &json!({"__type": "InternalServiceError", "Message": "as told to"}))
    }

    fn throttled(&self) -> Response<Bytes> {
        let body = json!({"__type": "ThrottlingException", "Message": "as told to"});
        answer(StatusCode::BAD_REQUEST, &body)
    }
}

/// What is asked for, as a rule names it.
fn target(head: &Parts) -> &'static str {
    let target = head.headers.get("x-amz-target").map_or(&[][..], |target| target.as_bytes());
    match target {
        b"secretsmanager.GetSecretValue" => "secretsmanager:GetSecretValue",
        b"secretsmanager.BatchGetSecretValue" => "secretsmanager:BatchGetSecretValue",
        b"secretsmanager.PutSecretValue" => "secretsmanager:PutSecretValue",
        _ => "",
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    server::answer(status, "application/x-amz-json-1.1", body.to_string())
}

fn get(secrets: &Secrets, request: &Value) -> Result<Value, Refusal> {
    let name = secret_name(text(request, "SecretId"))?;
    let store = secrets.lock();
    let Some(secret) = store.secrets.get(&name) else {
        let why = "Secrets Manager can't find the specified secret.";
        return Err(("ResourceNotFoundException", why.to_owned()));
    };
    let stage = text(request, "VersionStage");
    let version = match (text(request, "VersionId"), stage) {
        (None, None | Some("AWSCURRENT")) => Some((&secret.current, "AWSCURRENT")),
        (None, Some("AWSPREVIOUS")) => {
            secret.previous.as_ref().map(|version| (version, "AWSPREVIOUS"))
        }
        (None, Some(_)) => None,
        (Some(id), stage) => versions(secret)
            .into_iter()
            .find(|(version, label)| version.id == id && stage.is_none_or(|stage| stage == *label)),
    };
    let Some((version, label)) = version else {
        let label = stage.unwrap_or("AWSCURRENT");
        let why = "Secrets Manager can't find the specified secret value for staging label";
        return Err(("ResourceNotFoundException", format!("{why}: {label}")));
    };
    Ok(value(&name, version, label))
}

fn text<'a>(request: &'a Value, key: &str) -> Option<&'a str> {
    request.get(key).and_then(Value::as_str)
}

fn versions(secret: &super::Secret) -> Vec<(&Version, &'static str)> {
    let previous = secret.previous.as_ref().map(|version| (version, "AWSPREVIOUS"));
    std::iter::once((&secret.current, "AWSCURRENT")).chain(previous).collect()
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

fn batch(secrets: &Secrets, request: &Value) -> Result<Value, Refusal> {
    let Some(ids) = request.get("SecretIdList").and_then(Value::as_array) else {
        let why = "SecretIdList is missing; filters are not supported here";
        return Err(("InvalidParameterException", why.to_owned()));
    };
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for id in ids {
        match get(secrets, &json!({"SecretId": id})) {
            Ok(value) => values.push(value),
            Err((name, text)) => {
                errors.push(json!({"SecretId": id, "ErrorCode": name, "Message": text}));
            }
        }
    }
    Ok(json!({"SecretValues": values, "Errors": errors}))
}

/// So that a person can rotate a secret with the AWS command line.
fn put(secrets: &Secrets, request: &Value) -> Result<Value, Refusal> {
    let name = secret_name(text(request, "SecretId"))?;
    get(secrets, &json!({"SecretId": name}))?;
    let Some(secret) = text(request, "SecretString") else {
        return Err(("InvalidRequestException", "SecretString is missing".to_owned()));
    };
    secrets.put(&name, secret);
    let mut answer = get(secrets, &json!({"SecretId": name}))?;
    if let Some(answer) = answer.as_object_mut() {
        answer.retain(|key, _| key != "SecretString" && key != "CreatedDate");
    }
    Ok(answer)
}

/// A secret is asked for by its name or its whole ARN.
fn secret_name(id: Option<&str>) -> Result<String, Refusal> {
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
    use super::{Secrets, arn, batch, get, json};

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

    #[test]
    fn a_batch_lists_what_is_missing() {
        let secrets = Secrets::default();
        secrets.put("here", "{}");
        let answer = batch(&secrets, &json!({"SecretIdList": ["here", "gone"]})).unwrap();
        assert_eq!(answer["SecretValues"][0]["Name"], "here");
        assert_eq!(answer["Errors"][0]["SecretId"], "gone");
        assert_eq!(answer["Errors"][0]["ErrorCode"], "ResourceNotFoundException");
    }
}
