//! Who may call: each route accepts the callers that its `security` names, and no others.

use std::collections::BTreeSet;

use local::messages::{Message, Outcome};
use pay_core::domain::Provider;

use super::document::{document, members};
use super::{path, provider_path};
use crate::stage::{payment, shared};
use crate::{api, operations};

/// The alternatives in the `security` of a route, each the names of its schemes.
fn alternatives(path: &str) -> Vec<BTreeSet<&'static str>> {
    let security = document().root["paths"][path]["post"]["security"].as_array().unwrap();
    security.iter().map(|one| members(one).keys().map(String::as_str).collect()).collect()
}

#[tokio::test]
async fn each_route_accepts_the_callers_that_it_names_and_nobody_else() {
    let stack = shared();
    let payment = payment(stack).await;
    for operation in operations::on_both_entry_points() {
        let body = payment.valid(operation);
        let bare = || api::post(stack, operation).json(&body);
        let signature = ["webhookId", "webhookSignature", "webhookTimestamp"];
        let named = alternatives(&path(operation));
        let mut accepted = Vec::new();
        for (schemes, request) in [
            (BTreeSet::from(["payerToken"]), bare().payer(payment.uid)),
            (BTreeSet::from(["serviceToken"]), bare().service()),
            (BTreeSet::from(["refundToken"]), bare().refunder().header("idempotency-key", "a")),
            (BTreeSet::from(signature), bare().signed()),
            (BTreeSet::new(), bare()),
        ] {
            if ![401, 403].contains(&request.send().await.status) {
                accepted.push(schemes);
            }
        }
        assert_eq!(accepted, named, "{operation}");
    }
}

/// The header that a scheme is in, lower-case.
fn header(scheme: &str) -> String {
    let scheme = &document().root["components"]["securitySchemes"][scheme];
    assert_eq!(scheme["in"], "header");
    scheme["name"].as_str().map(str::to_lowercase).unwrap()
}

#[tokio::test]
async fn each_provider_is_authenticated_by_the_headers_that_are_named() {
    let stack = shared();
    let payment = payment(stack).await;
    let alternatives = alternatives(provider_path());
    assert_eq!(alternatives.len(), Provider::ALL.len());
    for (&provider, schemes) in Provider::ALL.iter().zip(alternatives) {
        let named: Vec<String> = schemes.into_iter().map(header).collect();
        let message = Message::new(payment.id, payment.amount, Outcome::Paid);
        let mut signed = message.from(provider).unwrap();
        let kept = |name: &str| name == "content-type" || named.iter().any(|one| one == name);
        signed.headers.retain(|(name, _)| kept(name));
        let whole = api::from_provider(stack, provider, &signed);
        assert_eq!(whole.clone().send().await.status, 200, "{provider:?} {named:?}");
        for name in &named {
            let response = whole.clone().without(name).send().await;
            assert_eq!(response.status, 401, "{provider:?} without {name}: {}", response.body);
        }
    }
}
