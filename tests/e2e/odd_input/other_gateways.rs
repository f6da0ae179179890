//! Requests that reach a function by another way than the routes of the template: whoever set that up
//! gets a problem that says what is expected, in the form that the way in reads.

use local::messages::{Message, Outcome};
use pay_core::domain::Provider;
use pay_service::http::Code;
use serde_json::{Value, json};

use crate::api::{self, Request, assert_problem, send_event};
use crate::operations;
use crate::stage::{assert_unharmed, payment, pids, shared};

/// What every such problem says.
const API: &str = "expected a request through an HTTP API of API Gateway in payload format 2.0";

/// Checks that a problem says what is expected of requests to this function.
#[track_caller]
fn assert_says(problem: &Value, function: &str, by_route: bool) {
    assert_problem(problem, Code::InvalidRequest.as_str());
    let all = operations::all().into_iter().filter(|one| one.function == function);
    let routes: Vec<_> = all.filter_map(|one| Some(format!("`{}`", one.route?))).collect();
    let routes =
        if by_route { format!(", by the route {}", routes.join(" or ")) } else { String::new() };
    assert_eq!(problem["detail"], format!("{API}{routes}"), "{function}");
}

/// A valid, authorized request to each function.
async fn requests() -> [(&'static str, Request<'static>); 3] {
    let payment = payment(shared()).await;
    let valid = |operation| {
        api::authorized(shared(), operation, payment.uid).json(&payment.valid(operation))
    };
    let paid = Message::new(payment.id, payment.amount, Outcome::Paid);
    let stripe = paid.from(Provider::Stripe).unwrap();
    let stripe = api::from_provider(shared(), Provider::Stripe, &stripe);
    [("create", valid("create")), ("detail", valid("detail")), ("callback", stripe)]
}

/// The event of a request that came by another route of an HTTP API, or to a function URL.
fn by_another_route(event: &Value) -> Vec<Value> {
    let path = &event["rawPath"];
    [
        json!({"routeKey": "$default"}),
        json!({"routeKey": "$default", "requestContext": {
            "domainName": "abc.lambda-url.us-east-1.on.aws", "http": {"method": "POST", "path": path}}}),
        json!({"routeKey": "ANY /{proxy+}", "pathParameters": {"proxy": "api/pay"}}),
        json!({"routeKey": "POST /{proxy+}", "pathParameters": {"provider": "stripe"}}),
        json!({"routeKey": "ANY /api/pay/create"}),
        json!({"routeKey": path}),
        json!({"routeKey": "POST /prod/api/pay/callback"}),
        json!({"routeKey": null}),
    ]
    .map(|other| {
        let mut event = event.clone();
        event.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        event
    })
    .to_vec()
}

/// A genuine webhook got 401 here, and a payer's request was taken for another operation.
#[tokio::test]
async fn a_request_by_another_route_is_told_which_routes_there_are() {
    let stack = shared();
    let before = pids(stack);
    for (function, request) in requests().await {
        for event in by_another_route(&request.event()) {
            let problem = send_event(stack, function, &event).await.problem("invalid-request");
            assert_says(&problem, function, true);
        }
    }
    // The route of another function of ours.
    let mut event = requests().await[0].1.event();
    event["routeKey"] = json!("POST /api/pay/detail");
    assert_says(
        &send_event(stack, "create", &event).await.problem("invalid-request"),
        "create",
        true,
    );
    assert_unharmed(stack, &before);
}

/// The event of a request in payload format 1.0, by a REST API or by a load balancer, and the members
/// that a response to it may have.
///
/// Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs" and
/// "Input format of a Lambda function for proxy integration"; Elastic Load Balancing, "Lambda functions
/// as targets".
fn from_another_gateway(event: &Value) -> [(Value, &'static [&'static str]); 5] {
    let (path, headers) = (&event["rawPath"], &event["headers"]);
    let body = &event["body"];
    let lists: Value = headers
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), json!([value])))
        .collect();
    let single: &[&str] = &["body", "headers", "isBase64Encoded", "statusCode"];
    let by = |more: Value| {
        let mut event = json!({"httpMethod": "POST", "path": path, "body": body,
            "isBase64Encoded": true, "queryStringParameters": null});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    let balancer = json!({"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:x"}});
    let rest = json!({"stage": "prod", "resourcePath": path, "httpMethod": "POST",
        "identity": {"sourceIp": "192.0.2.1"}, "requestId": "id"});
    [
        (
            by(json!({"version": "1.0", "resource": path, "headers": headers,
            "multiValueHeaders": lists, "requestContext": rest})),
            single,
        ),
        (
            by(json!({"resource": path, "headers": headers, "multiValueHeaders": lists,
            "requestContext": rest})),
            single,
        ),
        (
            by(json!({"resource": path, "headers": null, "multiValueHeaders": null,
            "requestContext": rest})),
            single,
        ),
        (
            by(json!({"headers": headers, "requestContext": balancer})),
            &["body", "headers", "isBase64Encoded", "statusCode", "statusDescription"],
        ),
        (
            by(json!({"multiValueHeaders": lists, "requestContext": balancer})),
            &["body", "isBase64Encoded", "multiValueHeaders", "statusCode", "statusDescription"],
        ),
    ]
}

#[tokio::test]
async fn a_request_through_another_gateway_gets_the_problem_in_the_form_that_this_one_reads() {
    let stack = shared();
    let before = pids(stack);
    for (function, request) in requests().await {
        for (event, members) in from_another_gateway(&request.event()) {
            let response = stack.invoke(function, &event).await.unwrap();
            // A REST API responds 502 to a member that it does not know.
            let named: Vec<_> = response.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(named, members, "{event}");
            let kind = json!("application/problem+json");
            if members.contains(&"headers") {
                assert_eq!(response["headers"], json!({"content-type": kind}));
            } else {
                assert_eq!(response["multiValueHeaders"], json!({"content-type": [kind]}));
            }
            if members.contains(&"statusDescription") {
                assert_eq!(response["statusDescription"], "400 Bad Request");
            }
            assert_eq!(response["statusCode"], 400);
            assert_eq!(response["isBase64Encoded"], false);
            let problem = serde_json::from_str(response["body"].as_str().unwrap()).unwrap();
            assert_says(&problem, function, false);
        }
    }
    assert_unharmed(stack, &before);
}

#[tokio::test]
async fn an_odd_event_of_another_gateway_gets_a_problem() {
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
            let problem = send_event(stack, function, &event).await.problem("invalid-request");
            assert_says(&problem, function, false);
        }
    }
    assert_unharmed(stack, &before);
}
