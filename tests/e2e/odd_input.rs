//! Every odd input gets one of our responses, and no function dies of it.

mod fields;
mod other_gateways;
mod routes;
mod tokens;
mod webhooks;

use serde_json::{Value, json};

use crate::api;
use crate::operations;
use crate::stage::{assert_unharmed, pids, shared};

#[tokio::test]
async fn an_event_of_another_service_is_an_invalid_request() {
    let stack = shared();
    let before = pids(stack);
    let records = json!({"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": "x"}}}]});
    for event in [
        Value::Null,
        json!([]),
        json!([{"requestContext": {}}]),
        json!(1),
        json!("ping"),
        json!({}),
        json!({"source": "serverless-plugin-warmup"}),
        json!({"requestContext": null}),
        records,
    ] {
        for function in operations::functions() {
            api::rejected(stack, function, &event, "invalid-request").await;
        }
    }
    assert_unharmed(stack, &before);
}
