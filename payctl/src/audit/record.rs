//! A payment's record by itself.

use pay_core::domain::{
    Amount, CheckoutNumber, Currency, OrderId, PaymentId, ProviderRef, ProviderTxn, Refunds,
    Source, Status, UserId,
};
use pay_core::limits::{
    BACKOFF_MAX_MS, QUERY_BACKOFF_MAX_MS, QUERY_FIRST_MS, SWEEP_QUEUES, TIME_TO_LIVE_SECONDS,
    UNENDED_LOOK_MS,
};

use super::attributes::Attributes;
use crate::Row;
use crate::limits::TIME_SLACK_MS;

/// From this id on an id was made by our own code: smaller ones are of the first days of 2026, or came
/// with a payment from elsewhere.
const GENERATED_MIN: u64 = 1 << 41;

/// The longest time to live that can be configured, in milliseconds.
const TIME_TO_LIVE_MAX_MS: u64 = TIME_TO_LIVE_SECONDS.1.saturating_mul(1000);

/// When a payment is first looked at, after its creation: at the end of the shortest time to live, in
/// milliseconds.
const FIRST_LOOK_MS: u64 = TIME_TO_LIVE_SECONDS.0.saturating_mul(1000);

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
    pub(super) refunds: Refunds,
    pub(super) version: Option<u64>,
    pub(super) create_time: Option<u64>,
    pub(super) update_time: Option<u64>,
    pub(super) paid_time: Option<u64>,
    /// How many checkouts were made of it.
    pub(super) checkouts: u64,
    pub(super) closing: bool,
    pub(super) is_due: bool,
    pub(super) is_notified: bool,
}

impl Record {
    /// Whether it was created before this time, can still be paid, and is not being closed.
    pub(super) fn is_open_since(&self, time: u64) -> bool {
        let is_open = matches!(self.status, Some(Status::Pending | Status::Failed));
        is_open && !self.closing && self.create_time.is_some_and(|created| created < time)
    }

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
    let transaction = of.text("transaction", |_any| true);
    let named = reference.as_ref().and_then(ProviderRef::transaction);
    of.wrong_if(
        transaction != named.as_deref(),
        "transaction is not that of source and provider_txn",
    );
    let currency = of.must_text("currency", |code| Currency::new(code).is_ok());
    let record = Record {
        id,
        uid: of.must_number("uid", |uid| UserId::new(uid).is_ok()),
        oid: of.must_number("oid", |oid| OrderId::new(oid).is_ok()),
        amount: of.must_number("amount", |amount| Amount::check_minor(amount).is_ok()),
        currency: currency.and_then(|code| Currency::new(code).ok()),
        reference,
        status: status.and_then(|status| Status::new(status).ok()),
        refunds: refunds(&mut of),
        version: of.must_number("version", |version| version > 0),
        create_time: of.must_time("create_time"),
        update_time: of.must_time("update_time"),
        paid_time: of.time("paid_time"),
        checkouts: checkouts(&mut of),
        closing: of.flag("closing"),
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

fn checkouts(of: &mut Attributes<'_>) -> u64 {
    let is_number = |number| u32::try_from(number).is_ok_and(|of| CheckoutNumber::new(of).is_ok());
    of.number("checkouts", is_number).unwrap_or_default()
}

/// What went back: only what is not 0 is kept, and the larger of the two beside them.
fn refunds(of: &mut Attributes<'_>) -> Refunds {
    let mut minor = |name| of.number(name, |minor| minor > 0).unwrap_or_default();
    let (sum, total) = (minor("refunds_sum"), minor("refunds_total"));
    let pending = minor("refund_pending");
    let (refunds, refunded) = (Refunds { sum, total, pending }, minor("refunded"));
    of.wrong_if(
        refunded != refunds.refunded(),
        "refunded is not the larger of refunds_sum and refunds_total",
    );
    refunds
}

/// What a record of this status has and what it cannot have.
fn by_status(of: &mut Attributes<'_>, record: &Record) {
    let paid = record.status == Some(Status::Paid);
    let was_paid = paid || record.status == Some(Status::Refunded);
    let is_final = matches!(record.status, Some(Status::Closed | Status::Refunded));
    let refunded = record.refunds.refunded();
    // Else the sweep ends its checkouts.
    let is_done = record.checkouts == 0;
    for (wrong, what) in [
        (paid && !of.has("paid_time"), "paid without paid_time"),
        (!was_paid && of.has("paid_time"), "paid_time, and never paid"),
        (of.has("notified_time") && !of.has("paid_time"), "notified_time without paid_time"),
        (
            !was_paid && record.reference.as_ref().is_some_and(|of| *of != ProviderRef::NONE),
            "a provider reference, and never paid",
        ),
        (is_final && is_done && of.has("queue"), "due, and closed or refunded"),
        (record.closing && (was_paid || is_final), "closing, and closed or paid"),
        (record.closing && !of.has("queue"), "closing, and not due"),
        (!was_paid && record.refunds.claimed() > 0, "refunds, and never paid"),
        (record.amount.is_some_and(|amount| refunded > amount), "more went back than was paid"),
        (
            was_paid && record.amount.is_some_and(|amount| paid == (refunded >= amount)),
            "its status is not what went back of it",
        ),
        (
            is_done && of.has("queue") && of.has("notified_time"),
            "due, and the order service was notified",
        ),
    ] {
        of.wrong_if(wrong, what);
    }
}

/// The entry of the outbox: a queue that the sweep reads, and a time at which it comes.
fn queue(of: &mut Attributes<'_>, record: &Record, now: u64) {
    let paid = record.paid_time;
    let has_more = record.checkouts > 0 || record.closing;
    let longest = match paid {
        _ if of.number("attempts", |_any| true) == Some(0) && paid.is_none() => TIME_TO_LIVE_MAX_MS,
        _ if has_more => UNENDED_LOOK_MS,
        Some(_) => BACKOFF_MAX_MS,
        None => QUERY_BACKOFF_MAX_MS,
    };
    let (due, attempts) = outbox(of, record.create_time, longest, now);
    let (Some(0), Some(due)) = (attempts, due) else { return };
    if let Some(paid) = paid {
        // A minute after the move to paid, which leaves a near time as it is.
        let latest = paid.saturating_add(QUERY_FIRST_MS);
        let is_late = due > latest && !record.is_notified;
        of.wrong_if(is_late, "due later than after the move to paid, without an attempt");
    } else if let Some(created) = record.create_time {
        let longest = created.saturating_add(TIME_TO_LIVE_MAX_MS);
        // After five minutes, or at the end of its time to live, which is a number of seconds.
        let is_second = due.saturating_sub(created).is_multiple_of(1_000) || has_more;
        let is_early = due < created.saturating_add(FIRST_LOOK_MS);
        of.wrong_if(
            is_early || due > longest || !is_second,
            "due at another time than after its creation, without an attempt",
        );
    }
}

/// The attributes of the outbox, of anything that was created then and is looked at again after this long at
/// most: when it is due, and how many attempts were made.
pub(super) fn outbox(
    of: &mut Attributes<'_>,
    created: Option<u64>,
    longest_ms: u64,
    now: u64,
) -> (Option<u64>, Option<u64>) {
    for (wrong, what) in [
        (of.has("queue") != of.has("due"), "queue without due, or due without queue"),
        (
            of.has("queue") != of.has("attempts"),
            "queue without attempts, or attempts without queue",
        ),
    ] {
        of.wrong_if(wrong, what);
    }
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
    of.in_order(("create_time", created), ("due", due));
    let jitter_ms = longest_ms / 4;
    let latest = [longest_ms, jitter_ms, TIME_SLACK_MS].into_iter().fold(now, u64::saturating_add);
    of.wrong_if(due.is_some_and(|due| due > latest), "due later than any attempt is put");
    (due, attempts)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
