//! Every odd input gets one of our responses, and no function dies of it.

mod fields;
mod routes;
mod tokens;
mod webhooks;

use serde_json::{Value, json};

use crate::api::{self, send_event};
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

/// Events of a load balancer and of a REST API: both read a response as the HTTP API does.
#[tokio::test]
async fn an_event_of_another_gateway_gets_a_problem() {
    let stack = shared();
    let before = pids(stack);
    for event in [
        json!({"requestContext": {"elb": {}}, "httpMethod": "POST", "path": "/", "body": "{}"}),
        json!({"requestContext": {"stage": "prod"}, "resource": "/", "httpMethod": "POST"}),
        json!({"version": "1.0", "requestContext": {"stage": "prod"}, "headers": null}),
        json!({"requestContext": {}}),
        json!({"requestContext": "x"}),
    ] {
        for function in operations::functions() {
            send_event(stack, function, &event).await.problem("invalid-request");
        }
    }
    assert_unharmed(stack, &before);
}
