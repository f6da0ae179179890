//! Rows of payments and guards. Stored data is input too: it goes through the domain's constructors.

use aws_sdk_dynamodb::types::AttributeValue;
use pay_core::domain::{
    Amount, CheckoutNumber, Currency, Digest, Due, Guard, OrderId, Payment, PaymentId, ProviderRef,
    ProviderTxn, Refunds, Source, Status, Timestamp, UserId,
};

use super::{
    keys::{self, ItemKey},
    row::{BadRow, Item, must_number, must_text, n, number, put_if_some, s, text},
};

pub(super) fn payment_item(payment: &Payment) -> Item {
    let mut item = keys::payment(payment.id).into_item();
    item.extend(
        [
            ("id", n(payment.id.get())),
            ("uid", n(payment.uid.get())),
            ("oid", n(payment.oid.get())),
            ("amount", n(payment.amount.minor())),
            ("currency", s(payment.amount.currency().code())),
            ("source", n(payment.reference.source.get().into())),
            ("status", n(payment.status.code().into())),
            ("create_time", n(payment.create_time.millis())),
            ("update_time", n(payment.update_time.millis())),
            ("version", n(payment.version)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    for (name, value) in transaction_attributes(&payment.reference) {
        put_if_some(&mut item, name, value);
    }
    let refunds = refunds_attributes(payment.refunds).into_iter().filter(|(_, minor)| *minor > 0);
    item.extend(refunds.map(|(name, minor)| (name.to_owned(), n(minor))));
    let millis = |at: Option<Timestamp>| at.map(|at| n(at.millis()));
    put_if_some(&mut item, "paid_time", millis(payment.paid_time));
    put_if_some(&mut item, "notified_time", millis(payment.notified_time));
    let checkouts = (payment.checkouts > 0).then(|| n(payment.checkouts.into()));
    put_if_some(&mut item, "checkouts", checkouts);
    put_if_some(&mut item, "closing", payment.closing.then_some(AttributeValue::Bool(true)));
    if let Some(due) = payment.due {
        item.insert("queue".to_owned(), s(keys::queue_of(payment.id)));
        item.extend(due_attributes(due).map(|(name, value)| (name.to_owned(), value)));
    }
    item
}

/// What a provider reference is kept as beside `source`; `transaction` is the key of its index.
pub(super) fn transaction_attributes(
    reference: &ProviderRef,
) -> [(&'static str, Option<AttributeValue>); 2] {
    let txn = reference.txn.as_ref().map(|txn| s(txn.as_str()));
    [("provider_txn", txn), ("transaction", reference.transaction().map(s))]
}

/// What went back and what is reserved, in minor units. Only what is not 0 is kept.
pub(super) fn refunds_attributes(refunds: Refunds) -> [(&'static str, u64); 4] {
    let Refunds { sum, total, pending } = refunds;
    [
        ("refunds_sum", sum),
        ("refunds_total", total),
        ("refunded", refunds.refunded()),
        ("refund_pending", pending),
    ]
}

/// Everything of `due` but its queue, which is set once and stays until `due` is cleared.
pub(super) fn due_attributes(due: Due) -> [(&'static str, AttributeValue); 2] {
    [("due", n(due.at.millis())), ("attempts", n(due.attempts.into()))]
}

pub(super) fn read_payment(item: &Item) -> Result<Payment, BadRow> {
    let id = PaymentId::new(must_number(item, "id")?)?;
    check_key(item, &keys::payment(id))?;
    let currency = Currency::new(must_text(item, "currency")?)?;
    let payment = Payment {
        id,
        uid: UserId::new(must_number(item, "uid")?)?,
        oid: OrderId::new(must_number(item, "oid")?)?,
        amount: Amount::new(must_number(item, "amount")?, currency)?,
        reference: read_reference(item)?,
        refunds: read_refunds(item)?,
        status: Status::new(must_number(item, "status")?)?,
        create_time: Timestamp::from_millis(must_number(item, "create_time")?)?,
        update_time: Timestamp::from_millis(must_number(item, "update_time")?)?,
        version: must_number(item, "version")?,
        paid_time: time(item, "paid_time")?,
        notified_time: time(item, "notified_time")?,
        checkouts: read_checkouts(item)?,
        closing: read_closing(item)?,
        due: read_due(item)?,
    };
    // Another one would be found by it.
    if text(item, "transaction")? != payment.reference.transaction().as_deref() {
        return Err(BadRow::Malformed("transaction"));
    }
    Ok(payment.coherent()?)
}

pub(super) fn read_reference(item: &Item) -> Result<ProviderRef, BadRow> {
    Ok(ProviderRef {
        source: Source::new(must_number(item, "source")?)?,
        txn: text(item, "provider_txn")?.map(ProviderTxn::new).transpose()?,
    })
}

/// `refunded` is the larger of the two, whoever reads it.
fn read_refunds(item: &Item) -> Result<Refunds, BadRow> {
    let minor = |name| match number(item, name) {
        Ok(Some(0)) => Err(BadRow::Malformed(name)),
        Ok(minor) => Ok(minor.unwrap_or_default()),
        Err(bad) => Err(bad),
    };
    let refunds = Refunds {
        sum: minor("refunds_sum")?,
        total: minor("refunds_total")?,
        pending: minor("refund_pending")?,
    };
    if minor("refunded")? == refunds.refunded() {
        Ok(refunds)
    } else {
        Err(BadRow::Malformed("refunded"))
    }
}

/// How many checkouts were made; never a 0.
fn read_checkouts(item: &Item) -> Result<u32, BadRow> {
    let Some(number) = number(item, "checkouts")? else { return Ok(0) };
    let number = u32::try_from(number).map_err(|_too_many| BadRow::Malformed("checkouts"))?;
    Ok(CheckoutNumber::new(number)?.get())
}

/// Never `false`.
fn read_closing(item: &Item) -> Result<bool, BadRow> {
    match item.get("closing") {
        None => Ok(false),
        Some(AttributeValue::Bool(true)) => Ok(true),
        Some(_) => Err(BadRow::Malformed("closing")),
    }
}

pub(super) fn time(item: &Item, name: &'static str) -> Result<Option<Timestamp>, BadRow> {
    Ok(number(item, name)?.map(Timestamp::from_millis).transpose()?)
}

/// All three of its attributes, or none.
pub(super) fn read_due(item: &Item) -> Result<Option<Due>, BadRow> {
    let Some(queue) = text(item, "queue")? else {
        let rest = ["due", "attempts"].into_iter().find(|name| item.contains_key(*name));
        return rest.map_or(Ok(None), |_| Err(BadRow::Missing("queue")));
    };
    if !keys::is_sweep_queue(queue) {
        return Err(BadRow::Malformed("queue"));
    }
    let attempts = u32::try_from(must_number(item, "attempts")?);
    Ok(Some(Due {
        at: Timestamp::from_millis(must_number(item, "due")?)?,
        attempts: attempts.map_err(|_too_many| BadRow::Malformed("attempts"))?,
    }))
}

pub(super) fn guard_item(guard: &Guard) -> Item {
    let mut item = keys::guard(guard.oid).into_item();
    item.extend(
        [
            // Not `id`: that would list the guard in `uid-index` as a payment.
            ("payment", n(guard.payment.get())),
            ("uid", n(guard.uid.get())),
            ("amount", n(guard.amount_minor)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    put_if_some(&mut item, "key", guard.key.map(|key| s(key.to_string())));
    item
}

pub(super) fn read_guard(item: &Item, oid: OrderId) -> Result<Guard, BadRow> {
    check_key(item, &keys::guard(oid))?;
    Ok(Guard {
        oid,
        payment: PaymentId::new(must_number(item, "payment")?)?,
        uid: UserId::new(must_number(item, "uid")?)?,
        amount_minor: must_number(item, "amount")?,
        key: text(item, "key")?.map(Digest::from_hex).transpose()?,
    })
}

pub(super) fn check_key(item: &Item, key: &ItemKey) -> Result<(), BadRow> {
    let same = must_text(item, "pk")? == key.pk && must_text(item, "sk")? == key.sk;
    if same { Ok(()) } else { Err(BadRow::WrongKey) }
}
