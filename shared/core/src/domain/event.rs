//! The event log: what was received about a payment, and what it did.

mod key;

pub use key::EventKey;

use super::{Change, Digest, Money, OutOfRange, Outcome, PaymentId, Status, Timestamp};

/// Who sent a message, as the event log names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    /// A gateway of the shop's own, by the native route or a direct invoke.
    Native,
    /// Stripe.
    Stripe,
    /// WeChat Pay.
    WeChat,
    /// Alipay.
    Alipay,
    /// A person, who decided on a message in quarantine.
    Operator,
}

impl Provider {
    /// Every sender.
    pub const ALL: [Self; 5] =
        [Self::Native, Self::Stripe, Self::WeChat, Self::Alipay, Self::Operator];

    /// The name in keys and log lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Stripe => "stripe",
            Self::WeChat => "wechat",
            Self::Alipay => "alipay",
            Self::Operator => "operator",
        }
    }

    /// Reads what [`Self::as_str`] gives.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other name.
    pub fn new(name: &str) -> Result<Self, OutOfRange> {
        let found = Self::ALL.into_iter().find(|provider| provider.as_str() == name);
        found.ok_or(OutOfRange::new("provider"))
    }
}

/// A sender's own name for a message, made safe to be part of a key.
///
/// Holding one proves 1 to 128 characters of `[A-Za-z0-9_.-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EventId(String);

impl EventId {
    const MAX_LEN: usize = 128;

    /// Takes the sender's id if it can be part of a key, else the digest of the body.
    #[must_use]
    pub fn new(given: Option<&str>, body: Digest) -> Self {
        let usable = |id: &&str| {
            (1..=Self::MAX_LEN).contains(&id.len())
                && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        };
        Self(given.filter(usable).map_or_else(|| body.to_string(), str::to_owned))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message as it came, as far as it is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawBody {
    digest: Digest,
    len: u64,
    kept: Vec<u8>,
}

impl RawBody {
    /// How many bytes of a message are kept; its digest and length are of the whole.
    pub const KEPT_MAX: usize = 16 * 1024;

    /// Keeps the first [`Self::KEPT_MAX`] bytes of `body`, whose SHA-256 is `digest`.
    #[must_use]
    pub fn new(body: &[u8], digest: Digest) -> Self {
        let kept = body.get(..Self::KEPT_MAX).unwrap_or(body).to_vec();
        Self { digest, len: u64::try_from(body.len()).unwrap_or(u64::MAX), kept }
    }

    /// SHA-256 of the whole message.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Length of the whole message in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "not a container: an empty message is one too")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// What is kept of it.
    #[must_use]
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }
}

impl std::fmt::Debug for RawBody {
    /// Never the bytes: they hold buyers' data, and debug output ends in logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawBody({} bytes, sha256 {})", self.len, self.digest)
    }
}

/// What a message reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// What became of the money.
    Outcome(Outcome),
    /// A part of the money went back: kept, and the status stays.
    PartialRefund,
    /// Nothing that changes anything: the payment is still pending.
    Nothing,
}

/// What a message did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It moved the record.
    Applied,
    /// The record said so already.
    Repeat,
    /// The record was past it.
    Stale,
    /// Worth keeping, changes no status: a partial refund.
    Noted,
    /// Nothing we act on.
    Ignored,
    /// Genuine, and does not fit: a person must look.
    Quarantined,
}

impl Verdict {
    /// The word the event log keeps.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Repeat => "repeat",
            Self::Stale => "stale",
            Self::Noted => "noted",
            Self::Ignored => "ignored",
            Self::Quarantined => "quarantined",
        }
    }
}

/// Why a genuine message does not fit. In the order they are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misfit {
    /// It claims a user who does not exist.
    UserNotFound,
    /// It claims an order that does not exist.
    OrderNotFound,
    /// It names no payment of ours.
    PaymentNotFound,
    /// Another amount than the record's.
    AmountMismatch,
    /// Another user, order or currency than the record's, or another merchant than ours.
    RecordMismatch,
    /// Other money than the record's, or money for a payment that was replaced.
    StatusConflict,
}

impl Misfit {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::UserNotFound,
        Self::OrderNotFound,
        Self::PaymentNotFound,
        Self::AmountMismatch,
        Self::RecordMismatch,
        Self::StatusConflict,
    ];

    /// The word the event log keeps, and the slug of the problem that a native caller gets.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserNotFound => "user-not-found",
            Self::OrderNotFound => "order-not-found",
            Self::PaymentNotFound => "payment-not-found",
            Self::AmountMismatch => "amount-mismatch",
            Self::RecordMismatch => "record-mismatch",
            Self::StatusConflict => "status-conflict",
        }
    }
}

/// What a message said, as far as the event log keeps it in fields of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    /// What became of the money; `None` for what changes no status.
    pub outcome: Option<Outcome>,
    /// Whose money.
    pub money: Money,
    /// How much, in minor units.
    pub amount_minor: Option<u64>,
    /// Of which currency: the message's own text.
    pub currency: Option<String>,
}

/// A message that a person had to look at, as it was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// What it said.
    pub said: Said,
    /// Why it did not fit.
    pub reason: Option<Misfit>,
    /// Whether somebody still has to decide on it.
    pub open: bool,
}

/// One entry of the event log. Append only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The payment it is kept under; `None` for a message that names no payment of ours.
    pub payment: Option<PaymentId>,
    /// Who sent it.
    pub provider: Provider,
    /// The sender's id of it.
    pub id: EventId,
    /// Told apart from an earlier entry of the same id by this.
    pub suffix: Option<String>,
    /// When it was handled.
    pub at: Timestamp,
    /// What it said.
    pub said: Said,
    /// The record's status before and after, where there is a record.
    pub status: Option<(Status, Status)>,
    /// The record's version after, where there is a record.
    pub version: Option<u64>,
    /// What it did.
    pub verdict: Verdict,
    /// Why a person must look; only when quarantined.
    pub reason: Option<Misfit>,
    /// The message.
    pub body: RawBody,
}

impl Event {
    /// What names it.
    #[must_use]
    pub fn key(&self) -> EventKey {
        EventKey::new(self.payment, self.provider, &self.id, self.suffix.as_deref())
    }

    /// The entry of the change it caused, under a key of its own if `taken`.
    ///
    /// Only one change can reach a version, so that suffix names one entry.
    #[must_use]
    pub fn suffixed_by_version(mut self, change: &Change) -> Self {
        self.suffix = Some(change.version().to_string());
        self
    }

    /// The entry under a key of its own, told apart by its body.
    #[must_use]
    pub fn suffixed_by_body(mut self) -> Self {
        self.suffix = Some(self.body.digest().to_string());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_that_cannot_be_a_key_is_replaced_by_the_bodys_digest() {
        let digest = Digest::new([7; 32]);
        let hex = digest.to_string();
        let longest = "a".repeat(128);
        let table = [
            (Some("evt_1.a-b"), "evt_1.a-b"),
            (Some(longest.as_str()), longest.as_str()),
            (Some(""), hex.as_str()),
            (Some("a#b"), hex.as_str()),
            (Some("é"), hex.as_str()),
            (None, hex.as_str()),
        ];
        for (given, want) in table {
            assert_eq!(EventId::new(given, digest).as_str(), want);
        }
        assert_eq!(EventId::new(Some(&"a".repeat(129)), digest).as_str(), hex);
    }

    #[test]
    fn a_long_message_is_kept_in_part_and_never_printed() {
        let body = RawBody::new(&vec![b'x'; 20_000], Digest::new([1; 32]));
        assert_eq!((body.kept().len(), body.len()), (16_384, 20_000));
        let digest = Digest::new([1; 32]);
        assert_eq!(format!("{body:?}"), format!("RawBody(20000 bytes, sha256 {digest})"));
    }

    #[test]
    fn the_words_of_the_event_log_stay() {
        let verdicts = [
            (Verdict::Applied, "applied"),
            (Verdict::Repeat, "repeat"),
            (Verdict::Stale, "stale"),
            (Verdict::Noted, "noted"),
            (Verdict::Ignored, "ignored"),
            (Verdict::Quarantined, "quarantined"),
        ];
        for (verdict, word) in verdicts {
            assert_eq!(verdict.as_str(), word);
        }
        for name in ["native", "stripe", "wechat", "alipay", "operator"] {
            assert_eq!(Provider::new(name).unwrap().as_str(), name);
        }
        assert!(Provider::new("paypal").is_err());
    }
}
