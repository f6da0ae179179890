//! The checkouts of a payment: each by itself, against the events that requested them, and against what the
//! record says.

use pay_core::domain::{
    CheckoutMethod, CheckoutNumber, CheckoutReference, CheckoutState, Description, MerchantAccount,
    OpenId, PayerIp, Provider, ProviderCheckout, Status, Timestamp, WebUrl,
};

use super::attributes::Attributes;
use super::chain::{Findings, RECORD};
use super::event::ReadEvent;
use super::key::payment_of;
use super::record::Record;
use super::request::Requested;
use crate::Row;
use crate::limits::TIME_SLACK_MS;

/// A checkout, as far as it can be read.
#[derive(Debug, Clone)]
pub(super) struct ReadCheckout {
    pub(super) sk: String,
    number: CheckoutNumber,
    state: Option<CheckoutState>,
    create_time: Option<u64>,
}

/// Reads a checkout, and says what is wrong with it.
pub(super) fn read(number: CheckoutNumber, row: &Row, now: u64) -> (ReadCheckout, Vec<String>) {
    let mut of = Attributes::of(row, now);
    let reference =
        payment_of(row.text("pk")).map(|payment| CheckoutReference { payment, number }.to_string());
    of.must_text("reference", |text| Some(text) == reference.as_deref());
    of.must_text("account", |text| MerchantAccount::new(text).is_ok());
    of.must_text("description", |text| Description::new(text).is_ok());
    let create_time = of.must_time("create_time");
    let update_time = of.must_time("update_time");
    let called_time = of.must_time("called_time");
    let absent_time = of.time("absent_time");
    let expires = of.must_number("expires_time", |time| Timestamp::from_millis(time).is_ok());
    of.in_order(("create_time", create_time), ("update_time", update_time));
    of.in_order(("create_time", create_time), ("called_time", called_time));
    of.in_order(("create_time", create_time), ("expires_time", expires));
    of.in_order(("expires_time", expires), ("absent_time", absent_time));
    of.must_text("state", |_any| true);
    let state = of.word("state", &CheckoutState::ALL, CheckoutState::as_str);
    let method = method(&mut of);
    let named = of.text("provider_id", |text| ProviderCheckout::new(text).is_ok());
    if let Some(method) = method {
        parameters(&mut of, method);
        of.wrong_if(
            named.is_some() && !method.has_provider_id(),
            "an id of its provider's, which makes none",
        );
        let is_open = state == Some(CheckoutState::Open);
        let is_unnamed = is_open && method.has_provider_id() && named.is_none();
        of.wrong_if(is_unnamed, "open without the id that finds it");
    }
    (ReadCheckout { sk: row.text("sk").to_owned(), number, state, create_time }, of.finish())
}

fn method(of: &mut Attributes<'_>) -> Option<CheckoutMethod> {
    let provider = of.must_text("provider", |name| Provider::new(name).is_ok());
    let provider = provider.and_then(|name| Provider::new(name).ok());
    let is_one = |name: &str| provider.is_none_or(|of| CheckoutMethod::new(of, name).is_ok());
    let name = of.must_text("method", is_one)?;
    CheckoutMethod::new(provider?, name).ok()
}

/// What it is made with: all that its method needs, and nothing that it does not use.
fn parameters(of: &mut Attributes<'_>, method: CheckoutMethod) {
    of.text("return_url", |text| WebUrl::new(text).is_ok());
    of.text("openid", |text| OpenId::new(text).is_ok());
    of.text("payer_ip", |text| PayerIp::new(text).is_ok_and(|ip| ip.to_string() == text));
    of.text("notify_url", |text| WebUrl::new(text).is_ok());
    for (name, is_needed, is_used) in [
        ("return_url", method.needs_return_url(), method.takes_return_url()),
        ("openid", method.needs_openid(), method.needs_openid()),
        ("payer_ip", method.needs_payer_ip(), method.needs_payer_ip()),
        ("notify_url", method.needs_notify_url(), method.needs_notify_url()),
    ] {
        of.wrong_if(is_needed && !of.has(name), format!("{name} is missing for its method"));
        of.wrong_if(!is_used && of.has(name), format!("{name}, which its method does not use"));
    }
}

/// Checks the checkouts of a record.
pub(super) fn check(record: &Record, checkouts: &[ReadCheckout], events: &[ReadEvent]) -> Findings {
    let mut found = Findings::new();
    let mut wrong = |sk: &str, invariant: &'static str, what: &str| {
        found.push((sk.to_owned(), invariant, what.to_owned()));
    };
    let made = usize::try_from(record.checkouts).unwrap_or(usize::MAX);
    if checkouts.len() != made {
        wrong(RECORD, "I25", "checkouts is not how many there are");
    }
    for checkout in checkouts {
        if u64::from(checkout.number.get()) > record.checkouts {
            wrong(&checkout.sk, "I25", "its number is above the record's checkouts");
        }
        let requested = |event: &ReadEvent| {
            event.requested() == Some(Requested::Checkout(checkout.number))
                && event.at == checkout.create_time
        };
        if !events.iter().any(requested) {
            wrong(&checkout.sk, "I25", "no event requested it");
        }
        let is_unended = checkout.state.is_some_and(CheckoutState::is_unended);
        if is_unended && record.status == Some(Status::Closed) {
            wrong(&checkout.sk, "I24", "its payment is closed, and it can be paid");
        }
        // The one that paid its payment can be left as it was.
        let has_paid = record.paid_time.is_some() && record.checkouts == 1;
        let is_watched = record.is_due || record.status.is_none() || has_paid;
        if is_unended && !is_watched {
            wrong(&checkout.sk, "I23", "it can be paid, and its payment is not due");
        }
        if let (Some(created), Some(made)) = (record.create_time, checkout.create_time)
            && made.saturating_add(TIME_SLACK_MS) < created
        {
            wrong(&checkout.sk, "row", "create_time is before its payment was created");
        }
    }
    let is_missing =
        |number: CheckoutNumber| !checkouts.iter().any(|checkout| checkout.number == number);
    for event in events {
        if let Some(Requested::Checkout(number)) = event.requested()
            && is_missing(number)
        {
            wrong(&event.sk, "I25", "the checkout that it requested is missing");
        }
    }
    found
}
