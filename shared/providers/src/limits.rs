//! Every limit of verification, with its unit, its reason and its source. docs/limits.md has the
//! table.

/// How far the signed timestamp of a message may lie from now, in seconds, either way and
/// inclusive. It bounds for how long a captured message can be replayed.
///
/// Source: the default of stripe-go (`DefaultTolerance`) and of the Standard Webhooks libraries.
pub const TOLERANCE_SECS: u64 = 300;

/// The same for WeChat Pay, in seconds, either way and inclusive: its SDK rejects a difference of
/// 300.
///
/// Source: wechatpay-go `core/auth/validators`.
pub const WECHAT_TOLERANCE_SECS: u64 = 299;

/// How many signatures of one version are checked against a key. A sender has no more secrets than
/// this at one time. Each check hashes the whole body, and a header has room for thousands.
///
/// Source: our own choice; neither scheme limits the number.
pub const SIGNATURES_MAX: usize = 16;

/// How many `PaymentIntent`s of one payment are read. Each one that a shop makes is one attempt of a payer,
/// and with its charge it has some 6 KB.
///
/// Source: our own choice; Stripe lists at most 100.
pub const STRIPE_INTENTS_MAX: usize = 20;

/// How many refunds of one payment are read, the newest ones.
///
/// Source: Stripe API reference, "Pagination": the longest list.
pub const STRIPE_REFUNDS_MAX: usize = 100;

/// The shortest shared secret of Standard Webhooks, in bytes: 192 bits.
///
/// Source: Standard Webhooks specification 1.0.0, "Signature scheme".
pub const STANDARD_SECRET_BYTES_MIN: usize = 24;

/// The longest shared secret of Standard Webhooks, in bytes: 512 bits.
///
/// Source: Standard Webhooks specification 1.0.0, "Signature scheme".
pub const STANDARD_SECRET_BYTES_MAX: usize = 64;

/// The shortest RSA key that verifies a signature, in bits: shorter ones are too weak. ring rounds
/// a modulus up to whole bytes.
///
/// Source: ring `RSA_PKCS1_2048_8192_SHA256`.
pub const RSA_BITS_MIN: usize = 2048;

/// The longest RSA key that verifies a signature, in bits: the time of a verification grows with
/// the square of the length.
///
/// Source: ring `RSA_PKCS1_2048_8192_SHA256`.
pub const RSA_BITS_MAX: usize = 8192;

const _: () = assert!(
    WECHAT_TOLERANCE_SECS <= TOLERANCE_SECS,
    "no provider's message can be replayed for longer than the common tolerance"
);
const _: () =
    assert!(STANDARD_SECRET_BYTES_MIN <= STANDARD_SECRET_BYTES_MAX, "a length is allowed");
const _: () = assert!(RSA_BITS_MIN <= RSA_BITS_MAX, "a key length is allowed");
