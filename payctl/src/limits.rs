//! Every limit of the operator's program, with its unit and its reason. docs/limits.md has the table.

use pay_core::limits::{STORE_CALL_MS, SWEEP_ENTRY_MS};

/// How long one request to AWS and its response may take, in milliseconds. A person waits and the table
/// may be large: longer than in the functions.
pub const REQUEST_MS: u64 = 10_000;

/// How long a call of AWS with its retries may take, in milliseconds.
pub const CALL_MS: u64 = 30_000;

/// How long an invocation of a function may take, in milliseconds: longer than the function itself may
/// run, which is 60 s.
pub const INVOCATION_MS: u64 = 75_000;

/// How long the local stack may take to say where its services are, in milliseconds.
pub const LOCAL_MS: u64 = 2_000;

/// How far the times that two invocations wrote may be out of order, in milliseconds: an invocation dates
/// all that it writes with its start, and lives 60 s at most; clocks differ a little.
pub const TIME_SLACK_MS: u64 = 61_000;

/// How long a refund may be requested without that its provider says what became of it, in milliseconds: by
/// then the sweep has asked several times, and a person looks.
pub const REFUND_REQUESTED_MS: u64 = 60 * 60_000;

/// The most rows of a list on one page of the console: as many items as one call reads.
pub const CONSOLE_PAGE_ROWS: i32 = 100;

/// The most reads of a payment's items for one page of the console: each gives at most 1 MB.
pub const CONSOLE_READS: u32 = 3;

/// The most events of a timeline on one page of the console.
pub const CONSOLE_EVENTS: usize = 200;

/// The most bytes of the tables on one page of the console: a page stays under 60 KB, whatever its items hold.
pub const CONSOLE_TABLE_BYTES: usize = 42_000;

/// The most bytes of checkouts, and of refunds, on the page of a payment: most of it is for the timeline.
pub const CONSOLE_PART_BYTES: usize = 12_000;

/// The most bytes of one of two ways to show a body; alone a way has as many as the tables of a page.
pub const CONSOLE_VIEW_BYTES: usize = 16_000;

/// The most characters of a text that somebody wrote, in a table of the console.
pub const CONSOLE_TEXT_CHARS: usize = 200;

/// The longest form that the console takes, in bytes: a message to diagnose, encoded as forms are, is the longest.
pub const CONSOLE_BODY_BYTES: usize = 64 * 1024;

const _: () = assert!(
    CONSOLE_PART_BYTES * 2 < CONSOLE_TABLE_BYTES && CONSOLE_VIEW_BYTES * 2 < CONSOLE_TABLE_BYTES,
    "what a page shows side by side leaves room"
);

/// How long after its time to live a payment may be neither closed nor being closed, in milliseconds: the sweep
/// begins to close it within a minute, unless it is stopped or far behind.
pub const OVERDUE_CLOSE_MS: u64 = 60 * 60_000;

const _: () = assert!(
    STORE_CALL_MS < REQUEST_MS && REQUEST_MS < CALL_MS,
    "a person waits longer than a payer, and a call has time for a second request"
);

const _: () = assert!(
    SWEEP_ENTRY_MS < INVOCATION_MS,
    "an invocation has time for the entries that a sweep has begun"
);
