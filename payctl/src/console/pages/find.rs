//! One box for whatever a person has in hand.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::future::join;
use maud::{Markup, html};
use pay_core::domain::{
    CheckoutNumber, EventKey, OrderId, PaymentId, ProviderRef, RefundReference, UserId,
};
use pay_core::ports::Payments as _;
use serde::Deserialize;

use super::super::app::App;
use super::super::fault::Fault;
use super::super::page::{Page, Shown, respond};
use super::super::view::{mismatch, payment, shown, with_query};
use crate::Row;
use crate::arguments::transaction;
use crate::event::EventEntry;
use crate::limits::CONSOLE_PAGE_ROWS;

/// What somebody looks for.
#[derive(Debug, Deserialize)]
pub(in crate::console) struct Search {
    q: Option<String>,
}

/// What a text can be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Meaning {
    /// A payer.
    Payer(UserId),
    /// The id of a payment, of an order, or of both.
    Number(PaymentId),
    /// The id of an order that no payment can have.
    Order(OrderId),
    /// A refund or a checkout, whose name begins with its payment's.
    Part(PaymentId, &'static str),
    /// A notification by its whole name.
    Notification(EventKey),
    /// A provider's id of a transaction, where its form says which provider's.
    Transaction(Option<ProviderRef>),
    /// A provider's id of a message, which names no payment.
    Message,
    /// Nothing that can be looked up.
    Nothing,
}

/// What the box takes.
const FORMS: [(&str, &str); 6] = [
    ("a payment or an order", "184467440737"),
    ("a payer", "uid:7"),
    ("a provider’s transaction", "pi_3N…, 4200…, 2026…, or stripe#pi_3N…"),
    ("a refund", "184467440737_0a1b2c3d4e5f6071"),
    ("a checkout’s reference", "184467440737_2"),
    ("a message", "184467440737/stripe/evt_1N…"),
];

pub(in crate::console) async fn show(
    State(app): State<Arc<App>>,
    Query(search): Query<Search>,
) -> Response {
    let text = search.q.unwrap_or_default();
    respond(&app, "/find", Box::pin(work(&app, text.trim()))).await
}

async fn work(app: &App, text: &str) -> Result<Shown, Fault> {
    match Meaning::of(text) {
        Meaning::Payer(uid) => {
            Ok(Shown::Go(with_query("/payments", "uid", &uid.get().to_string())))
        }
        Meaning::Number(id) => number(app, text, Some(id), OrderId::new(id.get()).ok()).await,
        Meaning::Order(oid) => number(app, text, None, Some(oid)).await,
        Meaning::Part(id, what) => Ok(go(id, &format!("{what} {text}"))),
        Meaning::Notification(key) => {
            Ok(Shown::Go(with_query("/message", "name", &key.to_string())))
        }
        Meaning::Transaction(reference) => by_transaction(app, text, reference).await,
        Meaning::Message => by_message(app, text).await,
        Meaning::Nothing if text.is_empty() => Ok(choose("Find", html! { (forms()) })),
        Meaning::Nothing => {
            let what = format!("{text} is nothing that can be looked up.");
            Ok(choose("Find", html! { p.fault { (shown(&what)) } (forms()) }))
        }
    }
}

impl Meaning {
    fn of(text: &str) -> Self {
        let number = |text: &str| text.parse::<u64>().ok().filter(|it| it.to_string() == text);
        if let Some(uid) = text.strip_prefix("uid:") {
            let uid = number(uid.trim()).and_then(|uid| UserId::new(uid).ok());
            return uid.map_or(Self::Nothing, Self::Payer);
        }
        if let Some(it) = number(text) {
            let order = OrderId::new(it).map_or(Self::Nothing, Self::Order);
            return PaymentId::new(it).map_or(order, Self::Number);
        }
        if let Ok(key) = EventKey::parse(text) {
            return Self::Notification(key);
        }
        if let Ok(reference) = transaction(text) {
            return Self::Transaction(Some(reference));
        }
        if let Some((id, rest)) = text.split_once('_')
            && let Ok(id) = PaymentId::parse(id.trim_start_matches('0'))
        {
            return if RefundReference::parse(&format!("{id}_{rest}")).is_ok() {
                Self::Part(id, "refund")
            } else if CheckoutNumber::parse(rest).is_ok() {
                Self::Part(id, "checkout")
            } else {
                Self::Nothing
            };
        }
        let is_id = (6..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        match provider_of(text) {
            _ if !is_id => Self::Nothing,
            _ if text.starts_with("evt_") => Self::Message,
            Some(provider) => Self::Transaction(transaction(&format!("{provider}#{text}")).ok()),
            None => Self::Transaction(None),
        }
    }
}

/// Whose transaction has an id of this form.
///
/// Sources: docs.stripe.com/api, "Payment Intents", "Charges"; pay.weixin.qq.com/doc/v3, `transaction_id`;
/// opendocs.alipay.com, `trade_no`, which begins with its date.
fn provider_of(text: &str) -> Option<&'static str> {
    let is_number = text.bytes().all(|digit| digit.is_ascii_digit());
    match text {
        _ if ["pi_", "ch_", "py_"].iter().any(|prefix| text.starts_with(prefix)) => Some("stripe"),
        _ if is_number && text.starts_with("4200") => Some("wechat"),
        _ if is_number && text.starts_with("20") => Some("alipay"),
        _ => None,
    }
}

/// The payment with this id, and the newest of the order with it.
async fn number(
    app: &App,
    text: &str,
    id: Option<PaymentId>,
    oid: Option<OrderId>,
) -> Result<Shown, Fault> {
    let record = async {
        match id {
            Some(id) => app.table.item(&format!("pay#{id}"), "record").await,
            None => Ok(None),
        }
    };
    let payments = app.table.payments();
    let newest = async {
        match oid {
            Some(oid) => payments.newest_of_order(oid).await,
            None => Ok(None),
        }
    };
    let (record, newest) = join(record, newest).await;
    let newest = newest.map_err(anyhow::Error::from)?;
    match (id.filter(|_| matches!(record, Ok(Some(_)))), newest) {
        _ if record.is_err() => Err(record.map(drop).err().map_or_else(none(text), Fault::from)),
        (Some(id), None) => Ok(go(id, &format!("payment {id}"))),
        (None, Some(of_order)) => Ok(go(of_order, &format!("order {text}"))),
        (Some(id), Some(of_order)) if id == of_order => Ok(go(id, &format!("payment {id}"))),
        (Some(id), Some(of_order)) => Ok(choose(
            "Two have this number",
            html! {
                ul.plain {
                    li { "Payment " (payment(id)) }
                    li { "Order " (text) ", whose newest payment is " (payment(of_order)) }
                }
            },
        )),
        (None, None) => Err(none(text)()),
    }
}

fn none(text: &str) -> impl Fn() -> Fault {
    let what = format!("No payment and no order has the id {text}.");
    move || {
        Fault::not_found(
            what.clone(),
            "An order is found a moment after its payment was created. Is this the right table?",
        )
    }
}

/// The payment that a transaction paid, and what is in quarantine about it: money that does not fit is not of the
/// record.
async fn by_transaction(
    app: &App,
    text: &str,
    reference: Option<ProviderRef>,
) -> Result<Shown, Fault> {
    let payments = app.table.payments();
    let of_index = async {
        match &reference {
            Some(reference) => payments.of_transaction(reference).await,
            None => Ok(Vec::new()),
        }
    };
    let (paid, review) = join(of_index, app.table.review(CONSOLE_PAGE_ROWS)).await;
    let paid = paid.map_err(anyhow::Error::from)?;
    let (review, has_more) = review?;
    let bare = text.split_once('#').map_or(text, |(_, bare)| bare);
    let held: Vec<_> = review.iter().filter(|row| row.text("provider_txn") == bare).collect();
    match (&paid[..], &held[..]) {
        ([id], []) => Ok(go(*id, &format!("transaction {text}"))),
        ([], [row]) => Ok(Shown::Go(to_message(row))),
        ([], []) => {
            let whose = match &reference {
                Some(_) => "",
                None => {
                    " Its form does not say which provider's it is: write stripe#…, wechat#… or alipay#…."
                }
            };
            let oldest = if has_more { " (of which the oldest were looked through)" } else { "" };
            Err(Fault::not_found(
                format!(
                    "No payment has the transaction {text}, and nothing in quarantine{oldest} names it."
                ),
                format!(
                    "A payment is found by its transaction a moment after it was paid.{whose} If the provider \
                     has it as paid, find the payment by its order, and query the provider there."
                ),
            ))
        }
        (paid, held) => Ok(choose("Transaction", found(paid, held))),
    }
}

/// What is in quarantine under a provider's id of a message.
async fn by_message(app: &App, text: &str) -> Result<Shown, Fault> {
    let (review, has_more) = app.table.review(CONSOLE_PAGE_ROWS).await?;
    let id = format!("#{text}");
    let held: Vec<_> = review.iter().filter(|row| row.text("sk").contains(&id)).collect();
    match &held[..] {
        [row] => Ok(Shown::Go(to_message(row))),
        [] => {
            let oldest =
                if has_more { "of the oldest messages in quarantine" } else { "in quarantine" };
            Err(Fault::not_found(
                format!("Nothing {oldest} has the id {text}."),
                "A message's id alone names no payment: find the payment by its order or its transaction, and \
                 look for the message in its timeline.",
            ))
        }
        held => Ok(choose("Message", found(&[], held))),
    }
}

fn found(paid: &[PaymentId], held: &[&Row]) -> Markup {
    html! {
        ul.plain {
            @for id in paid { li { "Paid payment " (payment(id)) } }
            @for row in held {
                li { "In quarantine: " a href=(to_message(row)) { (shown(&EventEntry(row).name())) } ", " (mismatch(row)) }
            }
        }
    }
}

fn to_message(row: &Row) -> String {
    with_query("/message", "name", &EventEntry(row).name())
}

fn go(id: PaymentId, understood: &str) -> Shown {
    Shown::Go(with_query(&format!("/payment/{id}"), "found", understood))
}

fn choose(title: &str, body: Markup) -> Shown {
    Page { title: title.to_owned(), body, refresh: false }.into()
}

fn forms() -> Markup {
    html! {
        p { "The box above takes:" }
        dl.facts { @for (what, example) in FORMS { dt { (what) } dd { code { (example) } } } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_what_its_form_says() {
        let id = |id| PaymentId::new(id).unwrap();
        let of = |text: &str| Some(transaction(text).unwrap());
        for (text, meaning) in [
            ("uid:7", Meaning::Payer(UserId::new(7).unwrap())),
            ("7", Meaning::Number(id(7))),
            ("9007199254740993", Meaning::Order(OrderId::new(9_007_199_254_740_993).unwrap())),
            ("000007_2", Meaning::Part(id(7), "checkout")),
            ("7_0a1b2c3d4e5f6071", Meaning::Part(id(7), "refund")),
            ("pi_3Nabc", Meaning::Transaction(of("stripe#pi_3Nabc"))),
            ("stripe#pi_3Nabc", Meaning::Transaction(of("stripe#pi_3Nabc"))),
            (
                "4200000000000000000000000007",
                Meaning::Transaction(of("wechat#4200000000000000000000000007")),
            ),
            (
                "2026112922001400000000000007",
                Meaning::Transaction(of("alipay#2026112922001400000000000007")),
            ),
            ("abcdefgh", Meaning::Transaction(None)),
            ("evt_1N", Meaning::Message),
            ("7/stripe/e1", Meaning::Notification(EventKey::parse("7/stripe/e1").unwrap())),
            ("", Meaning::Nothing),
            ("uid:0", Meaning::Nothing),
            ("uid:x", Meaning::Nothing),
            ("<script>", Meaning::Nothing),
            ("7_21", Meaning::Nothing),
        ] {
            assert_eq!(Meaning::of(text), meaning, "{text}");
        }
    }
}
