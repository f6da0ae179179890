//! Rows of checkouts. No secret of one is kept: neither a link nor what signs one.

use aws_sdk_dynamodb::types::AttributeValue;
use pay_core::domain::{
    Checkout, CheckoutMethod, CheckoutNumber, CheckoutParameters, CheckoutReference, CheckoutState,
    Description, MerchantAccount, OpenId, OutOfRange, PayerIp, PaymentId, Provider,
    ProviderCheckout, Timestamp, WebUrl,
};

use super::{
    event_row::word,
    expression::Expression,
    keys,
    payment_row::{check_key, time},
    row::{BadRow, Item, must_number, must_text, n, put_if_some, s, text},
};

/// It has no key of an index: its payment is what is due.
pub(super) fn checkout_item(checkout: &Checkout) -> Item {
    let CheckoutParameters { method, description, return_url, openid, payer_ip, notify_url } =
        &checkout.parameters;
    let mut item = keys::checkout(checkout.reference).into_item();
    item.extend(
        [
            ("provider", s(method.provider().as_str())),
            ("method", s(method.as_str())),
            ("account", s(checkout.account.as_str())),
            ("reference", s(checkout.reference.to_string())),
            ("description", s(description.as_str())),
            ("expires_time", n(checkout.expires_time.millis())),
            ("create_time", n(checkout.create_time.millis())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    for (name, value) in [
        ("return_url", return_url.as_ref().map(|url| s(url.as_str()))),
        ("openid", openid.as_ref().map(|openid| s(openid.as_str()))),
        ("payer_ip", payer_ip.map(|ip| s(ip.to_string()))),
        ("notify_url", notify_url.as_ref().map(|url| s(url.as_str()))),
    ]
    .into_iter()
    .chain(progress(checkout))
    .chain([("update_time", Some(n(checkout.update_time.millis())))])
    {
        put_if_some(&mut item, name, value);
    }
    item
}

/// What changes of a checkout beside `update_time`, each with its value.
fn progress(checkout: &Checkout) -> [(&'static str, Option<AttributeValue>); 4] {
    [
        ("state", Some(s(checkout.state.as_str()))),
        ("called_time", Some(n(checkout.called_time.millis()))),
        ("absent_time", checkout.absent_time.map(|at| n(at.millis()))),
        ("provider_id", checkout.provider_id.as_ref().map(|id| s(id.as_str()))),
    ]
}

/// The change of a checkout to what it is now, while it is as it was read. What it is made with stays.
pub(super) fn checkout_change(read: &Checkout, next: &Checkout) -> Expression {
    let as_read = progress(read).into_iter().fold(
        Expression::default(),
        |as_read, (name, value)| match value {
            Some(value) => as_read.when(name, value),
            None => as_read.when_absent(name),
        },
    );
    progress(next)
        .into_iter()
        .fold(as_read, |change, (name, value)| change.set_or_remove(name, value))
        .set("update_time", n(next.update_time.millis()))
}

/// The change of a checkout that is unended to an end.
pub(super) fn checkout_end(end: CheckoutState, at: Timestamp) -> Expression {
    let unended = CheckoutState::ALL.into_iter().filter(|state| state.is_unended());
    Expression::default()
        .when_one_of("state", unended.map(|state| s(state.as_str())))
        .set("state", s(end.as_str()))
        .set("update_time", n(at.millis()))
}

pub(super) fn read_checkout(item: &Item, payment: PaymentId) -> Result<Checkout, BadRow> {
    let number = must_text(item, "sk")?.strip_prefix(keys::CHECKOUT).ok_or(BadRow::WrongKey)?;
    let reference = CheckoutReference { payment, number: CheckoutNumber::parse(number)? };
    check_key(item, &keys::checkout(reference))?;
    if must_text(item, "reference")? != reference.to_string() {
        return Err(BadRow::Malformed("reference"));
    }
    let millis = |name| Ok::<_, BadRow>(Timestamp::from_millis(must_number(item, name)?)?);
    Ok(Checkout {
        reference,
        parameters: read_parameters(item)?,
        account: MerchantAccount::new(must_text(item, "account")?)?,
        expires_time: millis("expires_time")?,
        provider_id: optional(item, "provider_id", ProviderCheckout::new)?,
        state: word(item, "state", &CheckoutState::ALL, CheckoutState::as_str)?
            .ok_or(BadRow::Missing("state"))?,
        called_time: millis("called_time")?,
        absent_time: time(item, "absent_time")?,
        create_time: millis("create_time")?,
        update_time: millis("update_time")?,
    })
}

fn read_parameters(item: &Item) -> Result<CheckoutParameters, BadRow> {
    let provider = Provider::new(must_text(item, "provider")?)?;
    Ok(CheckoutParameters {
        method: CheckoutMethod::new(provider, must_text(item, "method")?)?,
        description: Description::new(must_text(item, "description")?)?,
        return_url: optional(item, "return_url", WebUrl::new)?,
        openid: optional(item, "openid", OpenId::new)?,
        payer_ip: optional(item, "payer_ip", PayerIp::new)?,
        notify_url: optional(item, "notify_url", WebUrl::new)?,
    })
}

fn optional<T>(
    item: &Item,
    name: &'static str,
    read: impl FnOnce(&str) -> Result<T, OutOfRange>,
) -> Result<Option<T>, BadRow> {
    text(item, name)?.map(|text| read(text).map_err(|_bad| BadRow::Malformed(name))).transpose()
}
