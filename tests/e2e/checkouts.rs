//! Checkouts: a payer pays at a provider what we have started there, once, whatever is lost.

mod closes;
mod meanwhile;
mod paid;
mod secrets;
mod starts;

use local::faults::point_of;
use local::simulator::Account;
use local::{Stack, client, clock};
use pay_core::domain::{CheckoutMethod, Provider};
use serde_json::{Value, json};

use crate::api::{self, Reply};
use crate::stage::Payment;
use crate::table;

/// One method of each provider whose checkouts are made by a call.
pub(crate) const CALLED: [CheckoutMethod; 3] =
    [CheckoutMethod::StripeCheckout, CheckoutMethod::WeChatNative, CheckoutMethod::AlipayQr];

/// The names of the calls that make a checkout and that close one.
fn points(provider: Provider) -> (&'static str, &'static str) {
    let of = |call| point_of(provider, call).unwrap();
    (of("make-checkout"), of("close"))
}

/// A request with all that its method needs.
pub(crate) fn request(payment: Payment, method: CheckoutMethod) -> Value {
    let mut request = json!({
        "id": payment.id, "provider": method.provider().as_str(), "method": method.as_str(),
    });
    for (name, is_needed, value) in [
        ("return_url", method.takes_return_url(), "https://shop.example/paid"),
        ("openid", method.needs_openid(), "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("payer_ip", method.needs_payer_ip(), "192.0.2.1"),
    ] {
        if is_needed {
            request[name] = json!(value);
        }
    }
    request
}

/// Asks for a checkout.
pub(crate) async fn checkout(stack: &Stack, payment: Payment, request: &Value) -> Reply {
    api::post(stack, "checkout").payer(payment.uid).json(request).send().await
}

/// Asks for a checkout, which is made.
pub(crate) async fn started(stack: &Stack, payment: Payment, method: CheckoutMethod) -> Value {
    checkout(stack, payment, &request(payment, method)).await.ok()
}

/// Asks for a checkout, which is made, and whose payer opens it or scans its code: its provider has it then.
async fn begun(stack: &Stack, payment: Payment, method: CheckoutMethod) {
    let given = started(stack, payment, method).await;
    let action = &given["action"];
    let gateway = &stack.providers["ALIPAY_URL"];
    let page = match method {
        CheckoutMethod::AlipayPage | CheckoutMethod::AlipayWap => action["url"].as_str().unwrap(),
        CheckoutMethod::AlipayApp => {
            &format!("{gateway}?{}", action["parameters"]["orderStr"].as_str().unwrap())
        }
        CheckoutMethod::AlipayQr
        | CheckoutMethod::StripeCheckout
        | CheckoutMethod::StripeIntent
        | CheckoutMethod::WeChatNative
        | CheckoutMethod::WeChatH5
        | CheckoutMethod::WeChatJsapi
        | CheckoutMethod::WeChatApp => {
            let account = stack.account(method.provider()).unwrap();
            return account.open_checkout(&reference(payment, 1)).unwrap();
        }
    };
    let browser = client::client(&std::fs::read_to_string(&stack.ca_file).unwrap()).unwrap();
    assert_eq!(browser.get(page).send().await.unwrap().status().as_u16(), 200, "{method:?}");
}

/// Asks to close a payment: its status then.
pub(crate) async fn close(stack: &Stack, payment: Payment) -> Value {
    let request = api::post(stack, "close").payer(payment.uid);
    request.json(&json!({"id": payment.id})).send().await.ok()["status"].clone()
}

/// A checkout as it is kept.
async fn kept(stack: &Stack, payment: Payment, number: u32) -> Value {
    let sk = format!("checkout#{number}");
    let found = table::item(stack, &format!("pay#{}", payment.id), &sk).await;
    found.unwrap_or_else(|| panic!("no checkout {number}"))
}

/// Its reference at the provider.
pub(crate) fn reference(payment: Payment, number: u32) -> String {
    format!("{:0>6}_{number}", payment.id)
}

/// Sets a time of a checkout to so many seconds ago.
pub(crate) async fn ago(stack: &Stack, payment: Payment, number: u32, name: &str, secs: u64) {
    let then = clock::now_secs().saturating_sub(secs).saturating_mul(1000);
    let (pk, sk) = (format!("pay#{}", payment.id), format!("checkout#{number}"));
    table::set(stack, &pk, &sk, name, json!({"N": then.to_string()})).await;
}

/// Lets the time go by in which no provider is called again for a payment.
pub(crate) async fn calm(stack: &Stack, payment: Payment, checkouts: u32) {
    for number in 1..=checkouts {
        ago(stack, payment, number, "called_time", 4).await;
    }
}

/// A provider on a stack, all of whose webhooks are lost.
pub(crate) fn deaf(stack: &Stack, provider: Provider) -> &Account {
    let account = stack.account(provider).unwrap();
    account.lose_webhooks(true);
    account
}
