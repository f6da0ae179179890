//! The pages on which payers pay, and what Alipay's programs open without a call of ours.

use super::*;
use crate::simulator::tests::caller::{Response, send};

const PAGES: [CheckoutMethod; 3] =
    [CheckoutMethod::AlipayPage, CheckoutMethod::AlipayWap, CheckoutMethod::AlipayApp];

/// What the payer opens: a page, or with their app an order string.
fn opened(served: &Served, ordered: &Ordered) -> String {
    let url = &served.url;
    match ordered.step() {
        CheckoutStep::Redirect(query) => format!("{url}{}", query.0),
        CheckoutStep::Ready(CheckoutAction::Client { parameters }) => {
            let [(name, order)] = &parameters[..] else { panic!() };
            assert_eq!(*name, "orderStr");
            format!("{url}?{order}")
        }
        other @ (CheckoutStep::Send(_) | CheckoutStep::Ready(_)) => panic!("{other:?}"),
    }
}

async fn get(served: &Served, url: &str) -> Response {
    send(served.http.get(url)).await.unwrap()
}

/// Where the page's button leads.
fn button(served: &Served, page: &Response) -> String {
    assert_eq!(page.status, 200, "{}", page.text);
    let action = page.text.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    let origin = served.url.trim_end_matches("/gateway.do");
    format!("{origin}{action}")
}

#[tokio::test]
async fn a_payer_opens_what_we_signed_and_pays() {
    for method in PAGES {
        let served = Served::start(Provider::Alipay).await;
        let ordered = Ordered::new(method, FIRST);
        let url = opened(&served, &ordered);
        // Before that Alipay knows nothing.
        assert_eq!(ordered.state(&served).await, ProviderState::Absent, "{method:?}");
        assert!(ordered.close(&served).await.unwrap().is_ok(), "{method:?}");
        assert!(served.account.trades().is_empty(), "{method:?}");
        let page = get(&served, &url).await;
        assert!(page.header("content-type").starts_with("text/html"));
        assert_eq!(ordered.state(&served).await, ProviderState::Open, "{method:?}");
        // Opened again it is the same.
        let again = get(&served, &url).await;
        assert_eq!(button(&served, &page), button(&served, &again), "{method:?}");
        let paid = send(served.http.post(button(&served, &page))).await.unwrap();
        assert_eq!(paid.status, 200, "{}", paid.text);
        assert_eq!(ordered.state(&served).await, ProviderState::Paid, "{method:?}");
        assert_eq!(webhooks(&served), [(7, Some(1), Some(Outcome::Paid))], "{method:?}");
        let twice = send(served.http.post(button(&served, &page))).await.unwrap();
        assert_eq!(twice.status, 409, "{}", twice.text);
        assert_eq!(get(&served, &url).await.status, 404, "paid");
    }
}

#[tokio::test]
async fn what_was_opened_and_closed_is_not_paid() {
    for method in PAGES {
        let served = Served::start(Provider::Alipay).await;
        let ordered = Ordered::new(method, FIRST);
        let url = opened(&served, &ordered);
        let page = get(&served, &url).await;
        assert!(ordered.close(&served).await.unwrap().is_ok(), "{method:?}");
        assert_eq!(ordered.state(&served).await, ProviderState::Closed, "{method:?}");
        assert_eq!(send(served.http.post(button(&served, &page))).await.unwrap().status, 409);
        assert_eq!(get(&served, &url).await.status, 404, "{method:?}");
        reported(&served).await;
        assert_eq!(webhooks(&served), [(7, Some(1), Some(Outcome::Closed))], "{method:?}");
    }
}

#[tokio::test]
async fn a_page_that_we_did_not_sign_is_not_opened() {
    for method in PAGES {
        let served = Served::start(Provider::Alipay).await;
        let url = opened(&served, &Ordered::new(method, FIRST));
        for (from, to) in [
            ("000007_1", "000007_2"),
            ("%221.00%22", "%220.01%22"),
            ("sign=", "sign=A"),
            ("notify_url=https", "notify_url=http"),
            ("alipay.trade.", "alipay.trade.x"),
        ] {
            assert!(url.contains(from), "{from}: {url}");
            let page = get(&served, &url.replace(from, to)).await;
            assert_eq!(page.status, 404, "{from}");
        }
        assert!(served.account.trades().is_empty(), "{method:?}");
    }
}

#[test]
fn after_its_last_moment_a_page_is_not_opened() {
    let ordered = Ordered::new(CheckoutMethod::AlipayPage, FIRST);
    let CheckoutStep::Redirect(query) = ordered.step() else { panic!() };
    let api = simulator(Provider::Alipay).api;
    let head = http::Request::builder().uri(format!("{}{}", api.url.1, query.0));
    let (head, ()) = head.body(()).unwrap().into_parts();
    let call = Call { head, body: bytes::Bytes::new() };
    let last = ordered.checkout.expires_time.secs();
    let open = |at| (api.open)(&mut Ledger::default(), &call, at).unwrap().unwrap();
    assert!(open(last - 1).is_ok());
    assert_eq!(open(last).unwrap_err(), "the last moment to pay is over");
    // What was opened in time is closed by itself.
    let mut ledger = Ledger::default();
    assert!((api.open)(&mut ledger, &call, last - 1).unwrap().unwrap().is_ok());
    assert!(api.closes_what_is_over);
    assert_eq!(ledger.close_what_is_over(last).len(), 1);
    assert_eq!(ledger.by_reference(FIRST).unwrap().state, TradeState::Closed);
}

/// Stripe's session and WeChat Pay's page on a phone lead there, and any checkout can be paid so.
#[tokio::test]
async fn every_checkout_has_a_page() {
    for method in CALLED_METHODS {
        let served = Served::start(method.provider()).await;
        let started = Ordered::new(method, FIRST).send(&served).await.unwrap().unwrap();
        let origin = served.url.trim_end_matches("/gateway.do");
        let url = match started.action {
            CheckoutAction::Redirect { url } => url,
            CheckoutAction::Qr { .. } => format!("{origin}/payer/{FIRST}"),
            CheckoutAction::Client { .. } => format!("{origin}/payer/7"),
        };
        let page = get(&served, &url).await;
        assert_eq!(send(served.http.post(button(&served, &page))).await.unwrap().status, 200);
        let state = served.account.checkout(FIRST).unwrap().state;
        assert_eq!(state, TradeState::Paid, "{method:?}");
        assert!(!get(&served, &url).await.text.contains("action"), "{method:?}");
        assert_eq!(get(&served, &format!("{origin}/payer/8")).await.status, 404);
    }
}
