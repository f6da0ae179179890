//! Checkouts that the shop orders of Stripe, and closes: an intent, or a session.
//!
//! Sources: Stripe API reference, "Create a `PaymentIntent`", "Cancel a `PaymentIntent`", "Create a Checkout
//! Session", "Expire a Checkout Session", "Error codes".

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::super::api::{Call, Reply};
use super::super::checkouts::TradeCheckout;
use super::super::ledger::{Ledger, Trade, TradeState};
use super::super::payer::PAGE;
use super::api::{found, or_missing, whole_intent};
use super::keys::wrong;
use super::{keys, objects, transaction};

/// The way to pay by a form in the shop's own page.
const INTENT: &str = "intent";

/// The way to pay on a page of Stripe's.
pub(super) const SESSION: &str = "session";

/// How long after it was made a session can end, in seconds.
const EXPIRES_SECS: (u64, u64) = (30 * 60, 24 * 60 * 60);

const INTENT_PARAMETERS: [&str; 7] = [
    "amount",
    "automatic_payment_methods[enabled]",
    "currency",
    "description",
    "metadata[checkout]",
    "metadata[oid]",
    "metadata[payment_id]",
];

const SESSION_PARAMETERS: [&str; 14] = [
    "client_reference_id",
    "expires_at",
    "line_items[0][price_data][currency]",
    "line_items[0][price_data][product_data][name]",
    "line_items[0][price_data][unit_amount]",
    "line_items[0][quantity]",
    "metadata[checkout]",
    "metadata[oid]",
    "metadata[payment_id]",
    "mode",
    "payment_intent_data[metadata][checkout]",
    "payment_intent_data[metadata][oid]",
    "payment_intent_data[metadata][payment_id]",
    "success_url",
];

type Form = BTreeMap<String, String>;

/// Makes an intent, once for an idempotency key: with another key the same metadata is another intent.
pub(super) fn make_intent(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    keys::once(ledger, call, now_secs, |ledger, call, now_secs| {
        make(ledger, call, INTENT, now_secs)
    })
}

/// Makes a session, as [`make_intent`].
pub(super) fn make_session(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    keys::once(ledger, call, now_secs, |ledger, call, now_secs| {
        make(ledger, call, SESSION, now_secs)
    })
}

/// The response to an order, and whether it is kept: not that of one whose parameters are wrong.
fn make(ledger: &mut Ledger, call: &Call, method: &'static str, now_secs: u64) -> (Reply, bool) {
    let is_session = method == SESSION;
    let known = if is_session { &SESSION_PARAMETERS[..] } else { &INTENT_PARAMETERS };
    let order = keys::form(call, known).and_then(|form| {
        let order = if is_session { session(&form, now_secs) } else { intent(&form) };
        let (amount, currency, expires_secs) = order?;
        let (payment, number) = named(&form, "metadata")?;
        Ok(Ordered { payment, number, amount, currency, expires_secs })
    });
    let order = match order {
        Ok(order) => order,
        Err(more) => return (wrong(&more), false),
    };
    if let Some(code) = &ledger.refused_checkouts {
        return (wrong(&json!({"code": code, "message": "refused"})), true);
    }
    let trade = order.trade(ledger, method, call.body.clone(), now_secs);
    ledger.put(trade.clone());
    let content =
        if is_session { whole_session(&trade, call) } else { whole_intent(&trade, false) };
    (found(content), true)
}

/// Closes an intent, if it is there by itself.
pub(super) fn cancel(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    let id = call.path().get(2).copied().unwrap_or_default();
    let trade = ledger.by_transaction(id).filter(|trade| objects::has_intent(trade)).cloned();
    let Some(trade) = trade else { return or_missing(None, "payment_intent", id) };
    if let Err(more) = keys::form(call, &[]) {
        return wrong(&more);
    }
    if trade.method() == Some(SESSION) {
        let text = "This PaymentIntent was created by Checkout: expire the Checkout Session";
        return wrong(&json!({"message": text}));
    }
    if trade.state != TradeState::Open {
        let text = "You cannot cancel this PaymentIntent because of its status";
        return wrong(&json!({"code": "payment_intent_unexpected_state", "message": text}));
    }
    let closed = ledger.close(&trade, now_secs);
    found(whole_intent(&closed, false)).closing(&closed)
}

/// Closes a session that is open.
pub(super) fn expire(ledger: &mut Ledger, call: &Call, now_secs: u64) -> Reply {
    let id = call.path().get(3).copied().unwrap_or_default();
    let trade = of_session(ledger, id).cloned();
    let Some(trade) = trade else { return or_missing(None, "checkout.session", id) };
    if let Err(more) = keys::form(call, &[]) {
        return wrong(&more);
    }
    if trade.state != TradeState::Open {
        let text = "Only Checkout Sessions with a status in [\"open\"] can be expired.";
        return wrong(&json!({"message": text}));
    }
    let closed = ledger.close(&trade, now_secs);
    found(objects::session(&closed)).closing(&closed)
}

/// The payment of a session.
pub(super) fn of_session<'a>(ledger: &'a Ledger, id: &str) -> Option<&'a Trade> {
    let transaction = format!("pi_{}", id.strip_prefix("cs_test_")?);
    let trade = ledger.by_transaction(&transaction);
    trade.filter(|trade| trade.method() != Some(INTENT))
}

/// A session as only a call has it: an open one with its page.
pub(super) fn whole_session(trade: &Trade, call: &Call) -> Value {
    let mut content = objects::session(trade);
    if let (TradeState::Open, Some(content)) = (trade.state, content.as_object_mut()) {
        // Whoever has it may pay: it belongs into no log.
        let url = format!("{}/{PAGE}/{}", call.address(), trade.transaction);
        content.insert("url".to_owned(), json!(url));
    }
    content
}

/// What is ordered.
struct Ordered {
    payment: u64,
    number: u32,
    amount: u64,
    currency: String,
    expires_secs: Option<u64>,
}

impl Ordered {
    fn trade(
        self,
        ledger: &Ledger,
        method: &'static str,
        parameters: Bytes,
        now_secs: u64,
    ) -> Trade {
        let Self { payment, number, amount, currency, expires_secs } = self;
        let mut id = transaction(payment, number);
        // Of a key that was forgotten, another object with the same metadata.
        while ledger.by_transaction(&id).is_some() {
            id.push('x');
        }
        let checkout = TradeCheckout { number, method, parameters, expires_secs, is_begun: true };
        let trade = Trade::new(payment, id, amount, now_secs);
        Trade { checkout: Some(checkout), currency, ..trade }
    }
}

/// The amount, the currency and the last moment to pay.
type Terms = (u64, String, Option<u64>);

fn intent(form: &Form) -> Result<Terms, Value> {
    let enabled = "automatic_payment_methods[enabled]";
    if text(form, enabled)? != "true" {
        return Err(invalid(enabled));
    }
    Ok((number(form, "amount")?, currency(form, "currency")?, None))
}

fn session(form: &Form, now_secs: u64) -> Result<Terms, Value> {
    let price = |name: &str| format!("line_items[0][price_data][{name}]");
    text(form, &price("product_data][name"))?;
    if !text(form, "success_url")?.starts_with("https://") {
        return Err(invalid("success_url"));
    }
    if text(form, "mode")? != "payment" {
        return Err(invalid("mode"));
    }
    let quantity = number(form, "line_items[0][quantity]")?;
    let amount = number(form, &price("unit_amount"))?.saturating_mul(quantity);
    let expires = number(form, "expires_at")?;
    let (least, most) = EXPIRES_SECS;
    if !(least..=most).contains(&expires.saturating_sub(now_secs)) {
        return Err(invalid("expires_at"));
    }
    // The metadata of a session is not that of its intent.
    let (payment, number) = named(form, "metadata")?;
    let is_same = named(form, "payment_intent_data[metadata]")? == (payment, number)
        && text(form, "client_reference_id")? == payment.to_string();
    if !is_same {
        return Err(invalid("client_reference_id"));
    }
    Ok((amount, currency(form, &price("currency"))?, Some(expires)))
}

/// The payment and the checkout in metadata. The real one takes any; this one keeps what it makes by payment.
fn named(form: &Form, metadata: &str) -> Result<(u64, u32), Value> {
    let payment = number(form, &format!("{metadata}[payment_id]"))?;
    let checkout = number(form, &format!("{metadata}[checkout]"))?;
    let checkout = u32::try_from(checkout);
    Ok((payment, checkout.map_err(|_too_high| invalid("metadata"))?))
}

fn text<'a>(form: &'a Form, name: &str) -> Result<&'a str, Value> {
    let text = form.get(name).filter(|text| !text.is_empty()).map(String::as_str);
    text.ok_or_else(|| json!({"code": "parameter_missing", "message": name, "param": name}))
}

fn number(form: &Form, name: &str) -> Result<u64, Value> {
    let number = text(form, name)?.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| json!({"code": "parameter_invalid_integer", "param": name}))
}

/// In lower case, as Stripe wants it; returned in capitals.
fn currency(form: &Form, name: &str) -> Result<String, Value> {
    let code = text(form, name)?;
    let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_lowercase());
    fits.then(|| code.to_uppercase()).ok_or_else(|| invalid(name))
}

fn invalid(name: &str) -> Value {
    json!({"message": format!("Invalid {name}"), "param": name})
}
