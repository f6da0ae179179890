//! Every limit of the rules, with its unit and its reason. docs/limits.md has the table.

/// How long the sweep leaves a new order notification to the callback that is making it, in
/// milliseconds.
pub const NOTIFY_GRACE_MS: u64 = 60_000;

/// The first delay after a failed order notification, in milliseconds: as often as the sweep runs.
pub const BACKOFF_FIRST_MS: u64 = 60_000;

/// The longest delay after a failed order notification, in milliseconds; jitter adds up to a quarter.
pub const BACKOFF_MAX_MS: u64 = 15 * 60_000;

/// How long after its creation a payment is first looked at, in milliseconds, where a provider can be
/// queried: by then most webhooks have come. The move to paid leaves a time up to this far ahead as it
/// is, which saves a write of the index.
pub const QUERY_FIRST_MS: u64 = 5 * 60_000;

/// The first delay between two queries about a payment, in milliseconds.
pub const QUERY_BACKOFF_FIRST_MS: u64 = 2 * 60_000;

/// The longest delay between two queries about a payment, in milliseconds; jitter adds up to a quarter.
pub const QUERY_BACKOFF_MAX_MS: u64 = 60 * 60_000;

/// How long after its creation a payment is no longer queried, in milliseconds, unless the provider says
/// that it is processing.
pub const QUERY_AGE_MAX_MS: u64 = 72 * 60 * 60_000;

/// How many checkouts a payment can have in all: a payer who tries so often gets a new payment.
pub const CHECKOUTS_MAX: u32 = 20;

/// How many of them can be unended at the same time: each can be paid.
pub const CHECKOUTS_UNENDED_MAX: usize = 5;

/// The least time between two calls of providers for checkouts of one payment, in milliseconds.
pub const CHECKOUT_CALL_GAP_MS: u64 = 3_000;

/// How long a checkout is sent again under its key, in milliseconds: Stripe forgets keys after a day.
pub const CHECKOUT_KEY_MS: u64 = 23 * 60 * 60_000;

/// How long after the expiry of a checkout its provider may still come to have something of it, in
/// milliseconds: a payer who is paying may finish.
pub const CHECKOUT_ABSENT_AFTER_MS: u64 = 5 * 60_000;

/// The least time between the two queries that both say that a provider has nothing of a checkout, in
/// milliseconds.
pub const CHECKOUT_ABSENT_GAP_MS: u64 = 60_000;

/// How often a payment is looked at that is not queried any more and of which a checkout is unended or which
/// is closing, in milliseconds: once a day.
pub const UNENDED_LOOK_MS: u64 = 24 * 60 * 60_000;

/// The shortest and the longest time to live of a payment that can be configured, in seconds.
pub const TIME_TO_LIVE_SECONDS: (u64, u64) = (60, 30 * 24 * 60 * 60);

/// How often a decision is made at most, after version conflicts and writes whose outcome is unknown.
pub const DECISIONS_MAX: u32 = 3;

/// How many queues the index spreads due payments over, so that no index key is hot. The number may be
/// raised at any time; lower it only when the queues above are empty.
pub const SWEEP_QUEUES: u64 = 32;

/// Sweep entries worked on at the same time: enough to drain a backlog, few enough for an order
/// service that has just come back. As many outages in a row end a run.
pub const SWEEP_LANES: usize = 16;

/// Of them, those that may wait for providers at the same time: slow providers do not hold up order
/// notifications.
pub const SWEEP_QUERY_LANES: usize = 8;

/// Sweep entries listed at a time: what a run holds of a long outbox in memory.
pub const SWEEP_PAGE: usize = 1000;

/// The most entries that a sweep can be asked for: more than a run has time for.
pub const SWEEP_LIMIT_MAX: usize = 100_000;

/// How long one store call may take in all, its retries included, in milliseconds.
pub const STORE_CALL_MS: u64 = 2_500;

/// How long one call to a service of the shop may take in all, its retry included, in milliseconds. A
/// webhook that is followed by an order notification must be responded to within 2 s, also while the
/// order service hangs.
pub const SHOP_CALL_MS: u64 = 1_500;

/// How long one query of a provider may take in all, its retry included, in milliseconds.
pub const QUERY_CALL_MS: u64 = 5_000;

/// The time that is left when a sweep starts an entry or a query, in milliseconds: for a read, an order
/// notification and a write, or for a query and what its response writes.
pub const SWEEP_ENTRY_MS: u64 = 8_000;

const _: () = assert!(
    SWEEP_ENTRY_MS >= 2 * STORE_CALL_MS + SHOP_CALL_MS,
    "a sweep entry has time for a read, an order notification and a write"
);

const _: () = assert!(
    SWEEP_ENTRY_MS >= QUERY_CALL_MS + 3_000,
    "a query that starts has time for its response to be applied"
);

const _: () = assert!(SWEEP_QUERY_LANES < SWEEP_LANES, "some lanes never wait for providers");

/// The longest note of a decision, in characters: a reason and where to look, not a report.
pub const NOTE_MAX_CHARS: usize = 1_024;

/// The longest name of somebody who decides, in characters: room for an ARN.
pub const OPERATOR_MAX_CHARS: usize = 128;

/// The most payments on a page of a list.
pub const PAGE_MAX: usize = 100;

/// Payments on a page of a list, unless the request says otherwise.
pub const PAGE_DEFAULT: usize = 20;

const _: () = assert!(PAGE_DEFAULT <= PAGE_MAX, "the default page is a page");
