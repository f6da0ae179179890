//! What a checkout is paid with goes to the payer and nowhere else.

use pay_core::domain::CheckoutMethod;
use serde_json::Value;

use super::{close, started};
use crate::stage::{own_with, payment};
use crate::sweep::sweep_all;
use crate::{payctl, table};

/// The parts of an action that nobody else may have: each text of it, in parts that another form of it would
/// keep, such as the values of a URL's query.
fn secrets(action: &Value) -> Vec<String> {
    let mut texts = Vec::new();
    let mut values = vec![action];
    while let Some(value) = values.pop() {
        match value {
            Value::String(text) => texts.push(text.clone()),
            Value::Object(members) => values.extend(members.values()),
            Value::Array(items) => values.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    let signatures = texts.iter().flat_map(|text| text.split(['?', '&', '#', '=', '/']));
    // Short ones are names, and ids that are no secret.
    let long = signatures.filter(|part| part.len() >= 24).map(str::to_owned);
    let long: Vec<_> = long.collect();
    let is_kind = |text: &String| ["redirect", "qr", "client"].contains(&text.as_str());
    texts.into_iter().filter(|text| !is_kind(text) && text.len() >= 24).chain(long).collect()
}

#[tokio::test]
async fn no_secret_of_a_checkout_is_logged_or_stored() {
    let stack = own_with(&[("LOG_LEVEL", "trace")]).await;
    let mut given = Vec::new();
    let mut payments = Vec::new();
    for &method in CheckoutMethod::ALL {
        let payment = payment(&stack).await;
        let response = started(&stack, payment, method).await;
        let found = secrets(&response["action"]);
        assert!(!found.is_empty(), "{method:?}: {response}");
        given.extend(found.into_iter().map(|secret| (method, secret)));
        payments.push(payment);
    }
    // Queried, and closed: a provider's response to either may hold the same.
    sweep_all(&stack).await;
    for payment in payments {
        close(&stack, payment).await;
    }
    sweep_all(&stack).await;
    let (logs, rows) = (stack.logs(), table::dump(&stack).await);
    let audit = payctl::ok(&stack, &["audit"]).await;
    for (method, secret) in given {
        // What is sent is stored: the checkout's own reference and its public parameters.
        for (place, text) in [("log", &logs), ("table", &rows), ("audit", &audit)] {
            assert!(!text.contains(&secret), "{method:?}: {secret} is in the {place}");
        }
    }
}
