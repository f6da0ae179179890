//! Who may call: each route takes those that its `security` names, and nobody else.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use pay_providers::PaymentProvider;
use serde_json::json;

use super::document::{document, members};
use super::{PROVIDER_ROUTE, path};
use crate::api;
use crate::stage::{payment, shared};

/// The ways in that a route has, each the names of its schemes.
fn ways(path: &str) -> Vec<BTreeSet<&'static str>> {
    let security = document().root["paths"][path]["post"]["security"].as_array().unwrap();
    security.iter().map(|way| members(way).keys().map(String::as_str).collect()).collect()
}

#[tokio::test]
async fn each_route_takes_whom_it_names_and_nobody_else() {
    let stack = shared();
    let payment = payment(stack).await;
    for (operation, body) in [
        ("create", payment.request()),
        ("detail", json!({"id": payment.id})),
        ("list", json!({})),
        ("callback", payment.message(1, 0)),
    ] {
        let bare = || api::post(stack, operation).json(&body);
        let signature = ["webhookId", "webhookSignature", "webhookTimestamp"];
        let named = ways(&path(operation));
        let mut taken = Vec::new();
        for (way, request) in [
            (BTreeSet::from(["payerToken"]), bare().payer(payment.uid)),
            (BTreeSet::from(["serviceToken"]), bare().service()),
            (BTreeSet::from(signature), bare().signed()),
            (BTreeSet::new(), bare()),
        ] {
            if ![401, 403].contains(&request.send().await.status) {
                taken.push(way);
            }
        }
        assert_eq!(taken, named, "{operation}");
    }
}

/// The header that a scheme is in, lower-case.
fn header(scheme: &str) -> String {
    let scheme = &document().root["components"]["securitySchemes"][scheme];
    assert_eq!(scheme["in"], "header");
    scheme["name"].as_str().map(str::to_lowercase).unwrap()
}

#[tokio::test]
async fn each_provider_is_taken_by_the_headers_that_are_named() {
    let stack = shared();
    let payment = payment(stack).await;
    let ways = ways(PROVIDER_ROUTE);
    assert_eq!(ways.len(), PaymentProvider::ALL.len());
    for (provider, way) in PaymentProvider::ALL.into_iter().zip(ways) {
        let named: Vec<String> = way.into_iter().map(header).collect();
        let message = Message::new(payment.id, payment.amount, Outcome::Paid);
        let signed = message.from(provider).unwrap();
        let kept = |name: &str| name == "content-type" || named.iter().any(|one| one == name);
        let bare = api::post(stack, &format!("callback/{}", provider.as_str()));
        let headers = signed.headers.iter().filter(|(name, _)| kept(name));
        let whole = headers.fold(bare, |request, (name, value)| request.header(name, value));
        let whole = whole.bytes(signed.body.clone());
        assert_eq!(whole.clone().send().await.status, 200, "{provider:?} {named:?}");
        for name in &named {
            let answer = whole.clone().without(name).send().await;
            assert_eq!(answer.status, 401, "{provider:?} without {name}: {}", answer.body);
        }
    }
}
