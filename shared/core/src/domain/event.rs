//! The event log: what was received about a payment, and what it did.

mod key;

pub use key::EventKey;

use super::{
    Change, CheckoutNumber, Decided, Digest, Mismatch, OperatorDecision, Payment, PaymentId,
    Report, Sender, Status, Timestamp,
};

/// A sender's own id of a notification, made safe to be part of a key.
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

/// The body of a notification: digest and length of the whole, and as much of it as is kept.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RawBody {
    digest: Digest,
    len: u64,
    kept: Vec<u8>,
}

impl RawBody {
    /// How many bytes of a body are kept.
    pub const KEPT_MAX: usize = 16 * 1024;

    /// Keeps the first [`Self::KEPT_MAX`] bytes of `body`, whose SHA-256 is `digest`.
    #[must_use]
    pub fn new(body: &[u8], digest: Digest) -> Self {
        let kept = body.get(..Self::KEPT_MAX).unwrap_or(body).to_vec();
        Self { digest, len: u64::try_from(body.len()).unwrap_or(u64::MAX), kept }
    }

    /// The body of what has none.
    #[must_use]
    pub const fn empty() -> Self {
        Self { digest: Digest::OF_NOTHING, len: 0, kept: Vec::new() }
    }

    /// SHA-256 of the whole body.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Length of the whole body in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "not a container: an empty body is one too")]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// The bytes that are kept.
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

/// What a notification did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It changed the status.
    Applied,
    /// The record had this status already.
    Duplicate,
    /// The record has a higher status.
    Stale,
    /// It is kept and changes no status: a refund of a part.
    Noted,
    /// It reports nothing that we act on.
    Ignored,
    /// It is authentic and does not match: a person decides.
    Quarantined,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 6] = [
        Self::Applied,
        Self::Duplicate,
        Self::Stale,
        Self::Noted,
        Self::Ignored,
        Self::Quarantined,
    ];

    /// The word in the event log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Noted => "noted",
            Self::Ignored => "ignored",
            Self::Quarantined => "quarantined",
        }
    }
}

/// A notification that was quarantined, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// What it reports.
    pub report: Report,
    /// The checkout that it is about, where it says which.
    pub checkout: Option<CheckoutNumber>,
    /// Why it did not match.
    pub mismatch: Option<Mismatch>,
    /// What a person decided on it; `None` while it waits.
    pub decided: Option<Decided>,
}

/// One entry of the event log. Append only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// The payment it is kept under; `None` for a notification that names no payment of ours.
    pub payment: Option<PaymentId>,
    /// Who sent it.
    pub sender: Sender,
    /// The sender's id of it.
    pub id: EventId,
    /// Tells it from an earlier event with the same id.
    pub suffix: Option<String>,
    /// When it was handled.
    pub at: Timestamp,
    /// What it reports.
    pub report: Report,
    /// The record's status before and after, where there is a record.
    pub status: Option<(Status, Status)>,
    /// The record's version after, where there is a record.
    pub version: Option<u64>,
    /// What it did.
    pub verdict: Verdict,
    /// The checkout that it is about, where it says which.
    pub checkout: Option<CheckoutNumber>,
    /// Why it does not match; only when quarantined, and on the decision about it.
    pub mismatch: Option<Mismatch>,
    /// Who decided, and on what; only on the event of a decision.
    pub decision: Option<OperatorDecision>,
    /// The body as it was received; of a decision, its note.
    pub body: RawBody,
}

impl Event {
    /// The event of a request of ours, which reports nothing about money: who asked, for what, and the change
    /// that it caused.
    #[must_use]
    pub fn of_request(
        (sender, body): (Sender, &RawBody),
        name: &str,
        (record, change): (&Payment, &Change),
        at: Timestamp,
    ) -> Self {
        Self {
            payment: Some(record.id),
            sender,
            id: EventId::new(Some(name), body.digest()),
            suffix: None,
            at,
            report: Report::NONE,
            status: Some((change.from, change.to)),
            version: Some(change.version()),
            verdict: Verdict::Noted,
            checkout: None,
            mismatch: None,
            decision: None,
            body: body.clone(),
        }
    }

    /// What names it.
    #[must_use]
    pub fn key(&self) -> EventKey {
        EventKey::new(self.payment, self.sender, &self.id, self.suffix.as_deref())
    }

    /// The event under a key of its own: suffixed with the version that its change reaches.
    ///
    /// Only one change can reach a version, so no other event has this suffix.
    #[must_use]
    pub fn suffixed_by_version(mut self, change: &Change) -> Self {
        self.suffix = Some(change.version().to_string());
        self
    }

    /// The event under the key of what it is quarantined for: the same notification is there once for it,
    /// whatever its body is.
    #[must_use]
    pub fn suffixed_by_mismatch(mut self) -> Self {
        self.suffix = self.mismatch.as_ref().map(|mismatch| mismatch.field.as_str().to_owned());
        self
    }

    /// The event under a key of its own: suffixed with the digest of its body.
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
        let words = ["applied", "duplicate", "stale", "noted", "ignored", "quarantined"];
        assert_eq!(Verdict::ALL.map(Verdict::as_str), words);
    }
}
