//! Rows of payments and guards. Stored data is input too: it goes through the domain's constructors.

use pay_core::domain::{
    Amount, Currency, Digest, Guard, Money, OrderId, Payment, PaymentId, ProviderTxn, Source,
    Status, Timestamp, UserId, Work,
};

use super::{
    keys::{self, Key},
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
            ("source", n(payment.money.source.get().into())),
            ("status", n(payment.status.code().into())),
            ("create_time", n(payment.create_time.millis())),
            ("update_time", n(payment.update_time.millis())),
            ("version", n(payment.version)),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let txn = payment.money.txn.as_ref().map(|txn| s(txn.as_str()));
    put_if_some(&mut item, "provider_txn", txn);
    let millis = |at: Option<Timestamp>| at.map(|at| n(at.millis()));
    put_if_some(&mut item, "paid_time", millis(payment.paid_time));
    put_if_some(&mut item, "told_at", millis(payment.told_at));
    if let Some(work) = payment.work {
        item.extend(
            work_attributes(payment.id, work).map(|(name, value)| (name.to_owned(), value)),
        );
    }
    item
}

/// What lists a payment's telling.
pub(super) fn work_attributes(
    id: PaymentId,
    work: Work,
) -> [(&'static str, aws_sdk_dynamodb::types::AttributeValue); 3] {
    [("work", s(keys::work(id))), ("due", n(work.due.millis())), ("tries", n(work.tries.into()))]
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
        money: Money {
            source: Source::new(must_number(item, "source")?)?,
            txn: text(item, "provider_txn")?.map(ProviderTxn::new).transpose()?,
        },
        status: Status::new(must_number(item, "status")?)?,
        create_time: Timestamp::from_millis(must_number(item, "create_time")?)?,
        update_time: Timestamp::from_millis(must_number(item, "update_time")?)?,
        version: must_number(item, "version")?,
        paid_time: time(item, "paid_time")?,
        told_at: time(item, "told_at")?,
        work: read_work(item, id)?,
    };
    Ok(payment.coherent()?)
}

fn time(item: &Item, name: &'static str) -> Result<Option<Timestamp>, BadRow> {
    Ok(number(item, name)?.map(Timestamp::from_millis).transpose()?)
}

/// All three of its attributes, or none.
fn read_work(item: &Item, id: PaymentId) -> Result<Option<Work>, BadRow> {
    let Some(list) = text(item, "work")? else {
        let rest = ["due", "tries"].into_iter().find(|name| item.contains_key(*name));
        return rest.map_or(Ok(None), |_| Err(BadRow::Missing("work")));
    };
    if list != keys::work(id) {
        return Err(BadRow::WrongType("work"));
    }
    let tries = u32::try_from(must_number(item, "tries")?);
    Ok(Some(Work {
        due: Timestamp::from_millis(must_number(item, "due")?)?,
        tries: tries.map_err(|_too_many| BadRow::WrongType("tries"))?,
    }))
}

pub(super) fn guard_item(guard: &Guard) -> Item {
    let mut item = keys::guard(guard.oid).into_item();
    item.extend(
        [
            // Not `id`: that would list the guard among its user's payments.
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

fn check_key(item: &Item, key: &Key) -> Result<(), BadRow> {
    let same = must_text(item, "pk")? == key.pk && must_text(item, "sk")? == key.sk;
    if same { Ok(()) } else { Err(BadRow::OtherKey) }
}
