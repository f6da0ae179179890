//! Rows of refunds, and of what a provider's id of a refund stands for.

use pay_core::domain::{
    Digest, EventKey, PaymentId, Provider, ProviderRefund, ProviderTxn, Refund, RefundId,
    RefundReason, RefundRequest, RefundState, Timestamp,
};

use super::{
    event_row::word,
    keys,
    payment_row::{check_key, due_attributes, read_due, read_reference},
    row::{BadRow, Item, must_number, must_text, n, put_if_some, s, text},
};

/// Of the keys of indexes it has only those of what is due.
pub(super) fn refund_item(refund: &Refund) -> Item {
    let mut item = keys::refund(refund.payment, &refund.id).into_item();
    item.extend(
        [
            ("amount", n(refund.amount_minor)),
            ("source", n(refund.taken_from.source.get().into())),
            ("state", s(refund.state.as_str())),
            ("create_time", n(refund.create_time.millis())),
            ("update_time", n(refund.update_time.millis())),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let texts = [
        ("provider_txn", refund.taken_from.txn.as_ref().map(ProviderTxn::as_str)),
        ("provider_refund", refund.provider_refund.as_ref().map(ProviderRefund::as_str)),
        ("reference", refund.reference.as_ref().map(ProviderRefund::as_str)),
    ];
    for (name, value) in texts {
        put_if_some(&mut item, name, value.map(s));
    }
    if let Some(RefundRequest { key, reason, quarantined }) = &refund.request {
        item.insert("key".to_owned(), s(key.to_string()));
        put_if_some(&mut item, "reason", reason.as_ref().map(|reason| s(reason.as_str())));
        put_if_some(&mut item, "quarantined", quarantined.as_ref().map(|key| s(key.to_string())));
    }
    if let Some(due) = refund.due {
        item.insert("queue".to_owned(), s(keys::queue_of(refund.payment)));
        item.extend(due_attributes(due).map(|(name, value)| (name.to_owned(), value)));
    }
    item
}

pub(super) fn read_refund(
    item: &Item,
    payment: PaymentId,
    id: &RefundId,
) -> Result<Refund, BadRow> {
    check_key(item, &keys::refund(payment, id))?;
    let provider_id =
        |name| Ok::<_, BadRow>(text(item, name)?.map(ProviderRefund::new).transpose()?);
    let state = word(item, "state", &RefundState::ALL, RefundState::as_str)?;
    Ok(Refund {
        payment,
        id: id.clone(),
        taken_from: read_reference(item)?,
        provider_refund: provider_id("provider_refund")?,
        reference: provider_id("reference")?,
        amount_minor: must_number(item, "amount")?,
        state: state.ok_or(BadRow::Missing("state"))?,
        request: read_request(item)?,
        due: read_due(item)?,
        create_time: Timestamp::from_millis(must_number(item, "create_time")?)?,
        update_time: Timestamp::from_millis(must_number(item, "update_time")?)?,
    })
}

fn read_request(item: &Item) -> Result<Option<RefundRequest>, BadRow> {
    let reason = text(item, "reason")?.map(RefundReason::new).transpose()?;
    let quarantined = text(item, "quarantined")?.map(EventKey::parse).transpose()?;
    match text(item, "key")? {
        Some(key) => Ok(Some(RefundRequest { key: Digest::from_hex(key)?, reason, quarantined })),
        None if reason.is_some() || quarantined.is_some() => Err(BadRow::Missing("key")),
        None => Ok(None),
    }
}

/// The refund that a row of [`reference_item`] names.
pub(super) fn read_refund_reference(item: &Item) -> Result<RefundId, BadRow> {
    Ok(RefundId::new(must_text(item, "refund")?)?)
}

/// The refund that a provider's id stands for, put once; `None` where no provider of ours named one.
pub(super) fn reference_item(refund: &Refund) -> Option<Item> {
    let provider = Provider::of_source(refund.taken_from.source)?;
    let named = refund.provider_refund.as_ref()?;
    let mut item = keys::refund_reference(refund.payment, provider, named).into_item();
    item.insert("refund".to_owned(), s(refund.id.as_str()));
    Some(item)
}
