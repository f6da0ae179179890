use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pay_service::auth::TokenFault;
use ring::hmac;
use serde_json::{Value, json};

use crate::doctor::diagnose;

const NOW: u64 = 1_700_000_000;
const SECRET: &str = "canary-of-an-access-secret-of-32-bytes";

/// A token of this header and these claims, signed with a key whatever the header says.
fn signed(key: &[u8], header: &Value, claims: &str) -> String {
    let parts = [header.to_string(), claims.to_owned()].map(|part| URL_SAFE_NO_PAD.encode(part));
    let message = parts.join(".");
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn token_with(claims: &Value) -> String {
    signed(SECRET.as_bytes(), &json!({"alg": "HS256"}), &claims.to_string())
}

fn claims() -> Value {
    json!({"uid": 7, "iat": NOW - 10, "exp": NOW + 60})
}

/// The good claims with one of them set, or taken out where it is `null`.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn line(token: &str) -> Value {
    json!({"token": token, "keys": {"access_secret": SECRET}, "now": NOW})
}

fn response(line: &Value) -> Value {
    let text = serde_json::to_string(&diagnose(line.to_string().as_bytes(), 0)).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let token = line["token"].as_str().unwrap();
    let long = token.split(['.', ' ']).filter(|part| part.len() > 12);
    assert!(long.clone().all(|part| !text.contains(part)), "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks the beginning of the reason and a part of the hint.
#[track_caller]
fn rejected(line: &Value, fault: TokenFault, hint: &str) {
    let response = response(line);
    assert_eq!(response["verdict"], "reject", "{response}");
    let reason = response["reason"].as_str().unwrap();
    assert!(reason.starts_with(&format!("{}: ", fault.as_str())), "{response}");
    assert!(response["hint"].as_str().unwrap().contains(hint), "{response}");
}

#[test]
fn a_token_that_counts_says_who_it_is() {
    let good = token_with(&claims());
    for text in [good.clone(), format!("Bearer {good}"), format!("bearer {good}")] {
        let response = response(&line(&text));
        assert_eq!(response["verdict"], "accept", "{response}");
        assert_eq!(response["caller"], json!({"uid": 7}));
    }
    let mut service = line(&token_with(&with("scope", json!("pay:callback"))));
    service["scope"] = json!("pay:callback");
    assert_eq!(response(&service)["caller"], json!({"scope": "pay:callback"}));
}

#[test]
fn each_fault_has_its_reason_and_what_to_do() {
    let good = token_with(&claims());
    let of = |header: Value| line(&signed(SECRET.as_bytes(), &header, &claims().to_string()));
    let claim = |name: &str, value: Value| line(&token_with(&with(name, value)));
    let rules = |mut line: Value| {
        line["issuer"] = json!("mall");
        line["audience"] = json!("pay");
        line
    };
    let scoped = |mut line: Value| {
        line["scope"] = json!("pay:callback");
        line
    };
    let day = NOW - 10 + 86_401;
    let long = json!({"uid": 7, "scope": "pay:callback", "iat": NOW - 10, "exp": day});
    let other = signed(SECRET.as_bytes(), &json!({"alg": "HS256"}), "[]");
    let table = [
        (line(""), TokenFault::NoHeader, "send the token in the header"),
        (line(&format!("Basic {good}")), TokenFault::Scheme, "write `Bearer` and one space before"),
        (
            line(&format!("{good}.{}", "x".repeat(5000))),
            TokenFault::TooLong,
            "bytes long, and 4095",
        ),
        (line("Bearer abc"), TokenFault::Malformed, "it has 1 parts"),
        (of(json!({"alg": "RS256"})), TokenFault::Algorithm, "`alg` is `RS256`"),
        (of(json!({"alg": "HS256", "crit": []})), TokenFault::Algorithm, "`crit`"),
        (line(&signed(b"x", &json!({"alg": "HS256"}), "{}")), TokenFault::Signature, "AWSPREVIOUS"),
        (line(&other), TokenFault::Claims, "one JSON object"),
        (claim("exp", Value::Null), TokenFault::NoExpiry, "`exp` is absent"),
        (claim("exp", json!("1")), TokenFault::NoExpiry, "`exp` is a text"),
        (claim("exp", json!(NOW - 5)), TokenFault::Expired, "was 5 s ago, and it lived 5 s"),
        (claim("nbf", json!(NOW + 9)), TokenFault::NotYetValid, "`nbf` is 9 s ahead"),
        (
            rules(claim("iss", json!("Mall"))),
            TokenFault::Issuer,
            "`iss` is `Mall`, and JWT_ISSUER is",
        ),
        (rules(claim("iss", json!("mall"))), TokenFault::Audience, "`aud` is absent"),
        (claim("scope", json!(1)), TokenFault::ScopeType, "`scope` is a number"),
        (scoped(line(&token_with(&long))), TokenFault::Lifetime, "it lives 86401 s"),
        (claim("uid", Value::Null), TokenFault::NoUid, "the user's number in `uid`"),
        (claim("uid", json!("7")), TokenFault::NoUid, "`uid` is a text"),
        (claim("scope", json!("pay:callback")), TokenFault::Service, "use a payer's token"),
        (scoped(claim("scope", json!("pay:x"))), TokenFault::Scope, "`scope` is `pay:x`"),
    ];
    let mut seen = BTreeSet::new();
    for (line, fault, hint) in table {
        rejected(&line, fault, hint);
        seen.insert(fault.as_str());
    }
    assert_eq!(seen, TokenFault::ALL.iter().map(|fault| fault.as_str()).collect());
}

#[test]
fn what_happens_to_a_token_on_the_way_is_explained() {
    let good = token_with(&claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    for (token, hint) in [
        (format!("Bearer {good} "), "white space"),
        (format!("Bearer \"{good}\""), "quotes around it"),
        (format!("Bearer Bearer {good}"), "`Bearer` before it twice"),
        (format!("Bearer {good}="), "the padding `=`"),
        (format!("Bearer {good},"), "a comma or another character behind it"),
        (format!("Bearer {message}"), "its signature is missing"),
        (format!("Bearer {message}.{}", signature.split_at(20).0), "was it cut?"),
        (format!("Bearer {message}.a.b.{signature}"), "encrypted (JWE)"),
    ] {
        rejected(&line(&token), TokenFault::Malformed, hint);
    }
    for (claims, hint) in [
        (json!({"exp": NOW + 1, "userId": 7}), "it has `userId` and no `uid`"),
        (json!({"exp": NOW + 1, "sub": "canary"}), "it has `sub` and no `uid`"),
    ] {
        rejected(&line(&token_with(&claims)), TokenFault::NoUid, hint);
    }
}

#[test]
fn a_secret_that_is_used_in_another_way_is_explained() {
    let bytes: Vec<u8> = (0..40).collect();
    for (secret, key, hint) in [
        (format!("{SECRET}\n"), format!("{SECRET}\n").into_bytes(), "white space around"),
        (SECRET.to_owned(), format!("{SECRET}\n").into_bytes(), "the secret and a line break"),
        (format!("'{SECRET}'"), SECRET.as_bytes().to_vec(), "without the quotes"),
        (STANDARD.encode(&bytes), bytes.clone(), "stands for in base64"),
        (hex::encode(&bytes), bytes.clone(), "stands for in hex"),
        (SECRET.to_owned(), json!({"access_secret": SECRET}).to_string().into(), "the whole JSON"),
        (SECRET.to_owned(), Vec::new(), "an empty key"),
    ] {
        let token = signed(&key, &json!({"alg": "HS256"}), &claims().to_string());
        let mut line = line(&token);
        line["keys"]["access_secret"] = json!(secret);
        rejected(&line, TokenFault::Signature, hint);
    }
}

#[test]
fn a_line_or_a_secret_that_cannot_be_used_is_a_fault_of_the_configuration() {
    let good = token_with(&claims());
    let mut short = line(&good);
    short["keys"] = json!({"access_secret": "canary"});
    assert_eq!(response(&short)["verdict"], "config_error");
    let mut none = line(&good);
    none.as_object_mut().unwrap().remove("keys");
    let mut odd = line(&good);
    odd["issuer"] = json!(7);
    for (line, says) in [(none, "`keys` is missing"), (odd, "`issuer` is not a text")] {
        let diagnosis = diagnose(line.to_string().as_bytes(), 0);
        assert!(!diagnosis.is_readable());
        assert_eq!(response(&line)["reason"], says);
    }
}
