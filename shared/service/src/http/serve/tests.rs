use serde_json::{Value, json};

use super::*;

const NOW_MS: u64 = 1_800_000_000_000;

fn now() -> Timestamp {
    Timestamp::from_millis(NOW_MS).unwrap()
}

fn event(payload: &Value, deadline_ms: u64) -> LambdaEvent<Box<RawValue>> {
    let payload = RawValue::from_string(payload.to_string()).unwrap();
    let mut context = Context::default();
    context.request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd".to_owned();
    context.deadline = deadline_ms;
    LambdaEvent { payload, context }
}

fn through_api() -> Value {
    json!({"version": "2.0", "requestContext": {"http": {"method": "POST"}}, "body": "{}"})
}

/// What comes out by both entry points: the status of the one, the slug of the other.
async fn both<F>(deadline_ms: u64, handle: impl Fn() -> F) -> (Value, Result<String, Code>)
where
    F: Future<Output = Result<Response, Problem>>,
{
    let api = event(&through_api(), deadline_ms);
    let reply = serve(api, now, 100, |_entry_point, _invocation| handle()).await.unwrap();
    let direct = event(&json!({}), deadline_ms);
    let direct = serve(direct, now, 100, |_entry_point, _invocation| handle()).await;
    let direct = direct.map(|reply| serde_json::to_string(&reply).unwrap());
    let api = serde_json::to_value(&reply).unwrap()["statusCode"].take();
    (api, direct.map_err(|error| error.code()))
}

fn response() -> Result<Response, Problem> {
    Response::json(&json!({"id": 1}))
}

const FAR_MS: u64 = NOW_MS + 60_000;

#[tokio::test]
async fn a_response_leaves_through_the_entry_point_of_its_request() {
    let done = both(FAR_MS, || async { response() }).await;
    assert_eq!(done, (json!(200), Ok(r#"{"id":1}"#.to_owned())));
    let rejected = both(FAR_MS, || async { Err(Code::Forbidden.into()) }).await;
    assert_eq!(rejected, (json!(403), Err(Code::Forbidden)));
}

#[tokio::test]
async fn who_comes_through_the_api_waits_no_longer_than_a_payment_provider_does() {
    for (left_ms, api_ms, direct_ms) in [(10_000, 9_500, 9_500), (60_000, 9_500, 59_500)] {
        for (payload, want_ms) in [(through_api(), api_ms), (json!({}), direct_ms)] {
            // Looked at out here: a panic in there gets a response.
            let until = std::cell::Cell::new(0);
            let event = event(&payload, NOW_MS + left_ms);
            let look = async |_entry_point, invocation: Invocation| {
                until.set(invocation.until.millis());
                response()
            };
            serve(event, now, 100, look).await.unwrap();
            assert_eq!(until.get(), NOW_MS + want_ms, "{payload}");
        }
    }
}

#[tokio::test]
async fn a_panic_gets_a_response() {
    // At once, and after a wait.
    let at_once = both(FAR_MS, || -> std::future::Ready<_> { panic!("in a dependency") }).await;
    assert_eq!(at_once, (json!(500), Err(Code::Internal)));
    let later = both(FAR_MS, || async {
        tokio::task::yield_now().await;
        panic!("in a dependency")
    })
    .await;
    assert_eq!(later, (json!(500), Err(Code::Internal)));
}

#[tokio::test]
async fn half_a_second_before_the_deadline_there_is_a_response() {
    // No time is left from the start, so that the test need not wait; nor does it where that fails.
    let at_once = Duration::from_secs(20);
    for deadline_ms in [0, NOW_MS, NOW_MS + RESPONSE_RESERVE_MS] {
        let hung = time::timeout(at_once, both(deadline_ms, std::future::pending)).await.unwrap();
        assert_eq!(hung, (json!(503), Err(Code::Unavailable)), "{deadline_ms}");
    }
}

#[tokio::test]
async fn a_bare_request_over_the_limit_is_rejected_unread() {
    let long = event(&json!({"filler": "x".repeat(100)}), FAR_MS);
    let rejected = serve(long, now, 100, |_entry_point, _invocation| async { response() }).await;
    assert_eq!(rejected.unwrap_err().code(), Code::BodyTooLarge);
}

#[tokio::test]
async fn the_trace_is_the_callers_else_the_platforms_else_our_own() {
    let callers = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let xray = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let of_xray = "00-5759e988bd862e3fe1be46a994272793-53995c3f42cd8ad8-01";
    let own = "00-8476a536e9f411e897392dfe598c3fcd-97392dfe598c3fcd-00";
    for (header, platform, want) in [
        (Some(callers), Some(xray), callers),
        (Some("nonsense"), Some(xray), of_xray),
        (None, Some("Root=1-x"), own),
        (None, None, own),
    ] {
        let mut payload = through_api();
        if let Some(header) = header {
            payload["headers"] = json!({"traceparent": header});
        }
        let mut event = event(&payload, FAR_MS);
        event.context.xray_trace_id = platform.map(str::to_owned);
        serve(event, now, 100, |_entry_point, invocation| async move {
            assert_eq!(invocation.trace.to_string(), want);
            response()
        })
        .await
        .unwrap();
    }
}
