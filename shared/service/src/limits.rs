//! Every limit of the entry points and the adapters, with its unit and its reason. docs/limits.md has
//! the table; the limits of the rules are [`pay_core::limits`].

use pay_core::limits::{SHOP_CALL_MS, STORE_CALL_MS, SWEEP_LANES};

/// The longest body of a request to create and detail, in bytes.
pub const REQUEST_MAX_BYTES: usize = 64 * 1024;

/// The longest body of a notification, in bytes. Providers' have a few KB; the suites of webhook
/// libraries go up to 1 MiB.
pub const NOTIFICATION_MAX_BYTES: usize = 1024 * 1024;

/// The longest Idempotency-Key, in bytes.
pub const IDEMPOTENCY_KEY_MAX_BYTES: usize = 255;

/// The longest `PUBLIC_URL`, in bytes: with the path of a provider's route it is still shorter than the 256 that
/// WeChat Pay and Alipay take as `notify_url`.
pub const PUBLIC_URL_MAX_BYTES: usize = 200;

/// The longest token that is read, in bytes. The mall's have about 150.
pub const TOKEN_MAX_BYTES: usize = 4095;

/// The shortest key that tokens are signed with, in bytes: the hash of HS256 (RFC 7518, section 3.2).
pub const AUTH_KEY_MIN_BYTES: usize = 32;

/// How long our own tokens for the shop's services live, in seconds: longer than any call, too short to
/// be worth stealing.
pub const SERVICE_TOKEN_SECS: u64 = 60;

/// The longest life of a token with a scope of ours, in seconds: it moves payments, and nothing can
/// revoke one token. The mall's user service issues tokens of this life.
pub const PAY_TOKEN_MAX_SECS: u64 = 24 * 60 * 60;

/// How long AWSPREVIOUS is accepted after AWSCURRENT was made unless configured, in seconds: the
/// longest life of a token of the mall's user service.
pub const SECRET_OVERLAP_SECS: u64 = 24 * 60 * 60;

/// The most that a caller through the API waits for a response, in milliseconds: the API gives up after
/// 30 s, payment providers after 5 s or more. An invocation may last longer where nobody waits.
pub const API_RESPONSE_MS: u64 = 9_500;

/// How much of an invocation's time is kept for the response itself, in milliseconds.
pub const RESPONSE_RESERVE_MS: u64 = 500;

/// When a client may repeat a request that got `unavailable`, in seconds.
pub const RETRY_AFTER_SECS: &str = "1";

/// Entries of a sweep, unless the request says otherwise.
pub const SWEEP_LIMIT_DEFAULT: u64 = 200;

/// How long a TCP and TLS handshake may take, in milliseconds.
pub const HTTPS_CONNECT_MS: u64 = 1_000;

/// Idle connections kept for each host: one for each lane of the sweep, so that no lane repeats the
/// handshake. A request needs two or three.
pub const HTTPS_IDLE_MAX: usize = SWEEP_LANES;

/// How long one request to AWS and its response may take, in milliseconds. DynamoDB responds in
/// single-digit milliseconds: after a second the response is lost.
pub const AWS_ATTEMPT_MS: u64 = 1_000;

/// How long a call of AWS with the SDK's own retries may take, in milliseconds. A callback makes up to
/// three calls in sequence, and one provider wants its response within 5 seconds.
pub const AWS_CALL_MS: u64 = 2_500;

/// How often the SDK sends a read at most. It does not retry writes.
pub const AWS_READ_ATTEMPTS_MAX: u32 = 3;

/// The SDK's first delay before a retry, in milliseconds.
pub const AWS_BACKOFF_FIRST_MS: u64 = 25;

/// The SDK's longest delay before a retry, in milliseconds.
pub const AWS_BACKOFF_MAX_MS: u64 = 200;

/// The longest response of AWS that is read, in bytes: DynamoDB's own limit for a batch.
pub const AWS_RESPONSE_MAX_BYTES: usize = 16 * 1024 * 1024;

/// How often a write is sent to the store at most, and how often the unprocessed keys of a batch are
/// read.
pub const STORE_ATTEMPTS_MAX: u32 = 5;

/// The first delay before a retry of a write or of a batch's unprocessed keys, in milliseconds.
pub const STORE_BACKOFF_FIRST_MS: u64 = 25;

/// The longest delay before such a retry, in milliseconds: a conflicting transaction is over by then.
pub const STORE_BACKOFF_MAX_MS: u64 = 200;

/// No such retry starts later than this after the first attempt, in milliseconds. With the time of one
/// more attempt this is the most that a write adds to a response.
pub const STORE_RETRIES_MS: u64 = 1_500;

/// Keys in one batch of reads: DynamoDB's own limit.
pub const STORE_BATCH_MAX: usize = 100;

/// Characters kept of the currency that a notification reports. A currency has three; a few more show
/// what was sent instead.
pub const EVENT_CURRENCY_MAX_CHARS: usize = 16;

/// How long one read of a secret may take, in milliseconds, whatever the client is set to: a request
/// that has to wait for keys must still get its response.
pub const SECRET_READ_MS: u64 = 1_000;

/// Cached keys of this age are read again by the next request, in milliseconds: how long a revoked key
/// is still accepted at most.
pub const SECRET_REFRESH_MS: u64 = 5 * 60_000;

/// Cached keys of this age are dropped, in milliseconds: a secret that could not be read or used for so
/// long may have been revoked.
pub const SECRET_AGE_MAX_MS: u64 = 60 * 60_000;

/// How long a failed refresh is not repeated while there are cached keys, nor a failed read of the
/// previous version, in milliseconds.
pub const SECRET_RETRY_MS: u64 = 30_000;

/// How often unknown signatures make a secret be read again in the long run, in milliseconds for each
/// time. Anybody can send one. The same holds for calls of a provider that rejects our key.
pub const SECRET_REREAD_MS: u64 = 10_000;

/// How many unknown signatures in a row make a secret be read again, before [`SECRET_REREAD_MS`] counts:
/// a few forged ones must not have the first one signed with a new key rejected.
pub const SECRET_REREADS_BURST: u32 = 5;

/// How long to wait for the rest of a response of the shop whose status has decided already, in
/// milliseconds: the connection is only used again if the response is read to its end, which normally
/// came with the status.
pub const SHOP_DRAIN_MS: u64 = 50;

/// The longest response of a provider that is read, in bytes. A list of 100 refunds has about 100 KB.
pub const PROVIDER_RESPONSE_MAX_BYTES: usize = 256 * 1024;

/// The longest response of the shop that is read, in bytes. The mall's responses have a few hundred.
pub const SHOP_RESPONSE_MAX_BYTES: usize = 64 * 1024;

const _: () = assert!(
    SERVICE_TOKEN_SECS * 1000 > SHOP_CALL_MS,
    "a token is valid for as long as the call that carries it takes"
);

const _: () = assert!(
    SERVICE_TOKEN_SECS <= PAY_TOKEN_MAX_SECS && PAY_TOKEN_MAX_SECS <= SECRET_OVERLAP_SECS,
    "our own tokens live as long as a service's may, and a rotation rejects none"
);

const _: () = assert!(
    AWS_CALL_MS <= STORE_CALL_MS,
    "a read with the SDK's retries takes no longer than a store call may"
);

const _: () = assert!(
    STORE_RETRIES_MS + AWS_ATTEMPT_MS <= STORE_CALL_MS,
    "a write whose last attempt starts in time takes no longer than a store call may"
);

const _: () = assert!(
    AWS_ATTEMPT_MS < AWS_CALL_MS && HTTPS_CONNECT_MS <= AWS_ATTEMPT_MS,
    "a call has time for a second attempt, and an attempt for its handshake"
);

const _: () = assert!(
    HTTPS_CONNECT_MS + SHOP_DRAIN_MS < SHOP_CALL_MS,
    "a call of the shop has time left after its handshake"
);

const _: () = assert!(
    2 * SECRET_READ_MS + 3 * STORE_CALL_MS <= API_RESPONSE_MS,
    "a create without cached keys has time for both versions of the secret, the index, the guard and \
     the transaction"
);

const _: () = assert!(
    2 * SECRET_READ_MS + AWS_CALL_MS + STORE_RETRIES_MS + AWS_CALL_MS < API_RESPONSE_MS,
    "a list without cached keys has time for both versions of the secret, the index and a batch whose \
     last retry starts in time"
);

const _: () = assert!(
    SECRET_REREAD_MS < SECRET_RETRY_MS
        && SECRET_RETRY_MS < SECRET_REFRESH_MS
        && SECRET_REFRESH_MS < SECRET_AGE_MAX_MS,
    "cached keys are read again several times before they are dropped"
);

const _: () = assert!(
    AWS_BACKOFF_FIRST_MS <= AWS_BACKOFF_MAX_MS && STORE_BACKOFF_FIRST_MS <= STORE_BACKOFF_MAX_MS,
    "delays grow"
);
