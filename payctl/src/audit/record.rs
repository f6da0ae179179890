//! A payment's record by itself.

use pay_core::domain::{
    Amount, Currency, OrderId, PaymentId, ProviderRef, ProviderTxn, Source, Status, UserId,
};
use pay_core::limits::{BACKOFF_MAX_MS, NOTIFY_GRACE_MS, SWEEP_QUEUES};

use super::attributes::Attributes;
use crate::Row;
use crate::limits::TIME_SLACK_MS;

/// From this id on an id was made by our own code: smaller ones are of the first days of 2026, or came
/// with a payment from elsewhere.
const GENERATED_MIN: u64 = 1 << 41;

/// A record, as far as it can be read.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: u64,
    pub(super) uid: Option<u64>,
    pub(super) oid: Option<u64>,
    pub(super) amount: Option<u64>,
    pub(super) currency: Option<Currency>,
    pub(super) reference: Option<ProviderRef>,
    pub(super) status: Option<Status>,
    pub(super) version: Option<u64>,
    pub(super) create_time: Option<u64>,
    pub(super) update_time: Option<u64>,
    pub(super) paid_time: Option<u64>,
    pub(super) is_due: bool,
    pub(super) is_notified: bool,
}

impl Record {
    /// Whether the order's guard must name this payment: no other may replace it.
    pub(super) const fn is_live(&self) -> bool {
        match self.status {
            Some(Status::Closed) => false,
            Some(Status::Refunded) => self.paid_time.is_some(),
            Some(Status::Pending | Status::Failed | Status::Paid) | None => true,
        }
    }
}

/// Reads a record, and says what is wrong with it.
pub(super) fn read(id: u64, row: &Row, now: u64) -> (Record, Vec<String>) {
    let mut of = Attributes::of(row, now);
    of.must_number("id", |of| of == id);
    let source = of.must_number("source", |source| Source::new(source).is_ok());
    let txn = of.text("provider_txn", |txn| ProviderTxn::new(txn).is_ok());
    let reference = source.and_then(|source| {
        let txn = txn.and_then(|txn| ProviderTxn::new(txn).ok());
        Some(ProviderRef { source: Source::new(source).ok()?, txn })
    });
    let status = of.must_number("status", |status| Status::new(status).is_ok());
    let currency = of.must_text("currency", |code| Currency::new(code).is_ok());
    let record = Record {
        id,
        uid: of.must_number("uid", |uid| UserId::new(uid).is_ok()),
        oid: of.must_number("oid", |oid| OrderId::new(oid).is_ok()),
        amount: of.must_number("amount", |amount| Amount::check_minor(amount).is_ok()),
        currency: currency.and_then(|code| Currency::new(code).ok()),
        reference,
        status: status.and_then(|status| Status::new(status).ok()),
        version: of.must_number("version", |version| version > 0),
        create_time: of.must_time("create_time"),
        update_time: of.must_time("update_time"),
        paid_time: of.time("paid_time"),
        is_due: of.has("queue"),
        is_notified: of.has("notified_time"),
    };
    let notified = of.time("notified_time");
    of.in_order(("create_time", record.create_time), ("update_time", record.update_time));
    of.in_order(("create_time", record.create_time), ("paid_time", record.paid_time));
    of.in_order(("paid_time", record.paid_time), ("update_time", record.update_time));
    of.in_order(("paid_time", record.paid_time), ("notified_time", notified));
    let generated = PaymentId::new(id).ok().filter(|id| id.get() >= GENERATED_MIN);
    if let (Some(id), Some(created)) = (generated, record.create_time) {
        of.wrong_if(id.generated_ms() != created, "create_time is not the time in its id");
    }
    by_status(&mut of, &record);
    queue(&mut of, &record, now);
    (record, of.finish())
}

/// What a record of this status has and what it cannot have.
fn by_status(of: &mut Attributes<'_>, record: &Record) {
    let paid = record.status == Some(Status::Paid);
    let was_paid = paid || record.status == Some(Status::Refunded);
    for (wrong, what) in [
        (paid && !of.has("paid_time"), "paid without paid_time"),
        (!was_paid && of.has("paid_time"), "paid_time, and never paid"),
        (of.has("notified_time") && !of.has("paid_time"), "notified_time without paid_time"),
        (
            !was_paid && record.reference.as_ref().is_some_and(|of| *of != ProviderRef::NONE),
            "a provider reference, and never paid",
        ),
        (!paid && of.has("queue"), "due, and not paid"),
        (of.has("queue") != of.has("due"), "queue without due, or due without queue"),
        (
            of.has("queue") != of.has("attempts"),
            "queue without attempts, or attempts without queue",
        ),
        (of.has("queue") && of.has("notified_time"), "due, and the order service was notified"),
    ] {
        of.wrong_if(wrong, what);
    }
}

/// The entry of the outbox: a queue that the sweep reads, and a time at which it comes.
fn queue(of: &mut Attributes<'_>, record: &Record, now: u64) {
    let attempts = of.number("attempts", |attempts| u32::try_from(attempts).is_ok());
    let due = of.number("due", |due| due > 0);
    if let Some(queue) = of.text("queue", |_any| true) {
        let number = queue.strip_prefix("sweep#").filter(|number| is_digits(number));
        of.wrong_if(number.is_none(), "in a queue that is not one of the sweep");
        let read = number
            .and_then(|number| number.parse::<u64>().ok())
            .filter(|number| *number < SWEEP_QUEUES && queue == format!("sweep#{number}"));
        let unread = number.is_some() && read.is_none();
        of.wrong_if(unread, "in a queue above those that the sweep reads");
    }
    of.in_order(("paid_time", record.paid_time), ("due", due));
    let latest = now.saturating_add(BACKOFF_MAX_MS + BACKOFF_MAX_MS / 4 + TIME_SLACK_MS);
    of.wrong_if(due.is_some_and(|due| due > latest), "due later than any attempt is put");
    if let (Some(0), Some(due), Some(paid)) = (attempts, due, record.paid_time) {
        let first = due == paid.saturating_add(NOTIFY_GRACE_MS);
        of.wrong_if(!first, "due at another time than after the move to paid, without an attempt");
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
