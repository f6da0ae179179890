//! What each provider's folder implements, and the result of verifying a notification.

use std::{fmt, sync::Arc};

use pay_core::{
    domain::{
        CheckoutNumber, EventId, Mismatch, MismatchField, Notification, PaymentId, Provider,
        ProviderTxn, RawBody, Report, Timestamp,
    },
    json::{Json, Object},
    ports::{BadSecret, Query},
};

use crate::{Headers, Ignored, Querier, VerifyError, sha256};

/// What a provider's folder implements.
#[derive(Clone, Copy, Debug)]
pub struct Adapter {
    /// Reads the provider's entry of the webhook secret. Optional members may be absent;
    /// [`Verifier::complete`] requires them.
    ///
    /// # Errors
    ///
    /// [`BadSecret`] for keys that could never work: none, empty ones, undecodable ones.
    pub keys: fn(&Json) -> Result<Arc<dyn Verifier>, BadSecret>,
    /// Reads the provider's entry of the provider secret.
    ///
    /// # Errors
    ///
    /// [`BadSecret`] for keys that could never work, and for a member that is missing.
    pub querier: fn(&Json) -> Result<Arc<dyn Querier>, BadSecret>,
    /// Where its API is, unless a setting says otherwise: scheme and host, and the path where it has one
    /// URL for all.
    pub url: &'static str,
    /// The body of a success response, which has the status 200.
    pub acknowledgement: Acknowledgement,
    /// Writes the body of an error response in the provider's own JSON, with this text as its
    /// message. `None` where the provider reads only the status: it gets a problem, as other
    /// callers do.
    pub rejection: Option<fn(&str) -> String>,
}

/// The body of a success response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acknowledgement {
    /// JSON text.
    Json(&'static str),
    /// Plain text: these bytes, and nothing before or after them.
    Text(&'static str),
}

/// An authentic message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is about a payment.
    Notification(Box<Notification>),
    /// It says where to look: where the provider can be queried, the response counts; else it does.
    Hint(Box<Notification>, Query),
    /// It changes no payment.
    Ignored(Ignored),
}

/// A provider's keys, and the rules by which a message is verified with them and read.
///
/// No method has a default: whoever adds a provider says what makes its messages authentic.
pub trait Verifier: fmt::Debug + Send + Sync {
    /// Verifies that a message is authentic and recent, then reads what it reports.
    ///
    /// `body` is the request's body byte for byte. Pure: the same arguments give the same result.
    ///
    /// # Errors
    ///
    /// [`VerifyError`]; the implementation says which, in the order they are checked.
    fn verify(
        &self,
        headers: &Headers<'_>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Verified, VerifyError>;

    /// Checks that everything a running service needs is configured, also what only restricts which
    /// messages are accepted: without the merchant account, another merchant's notifications would
    /// be accepted as ours.
    ///
    /// # Errors
    ///
    /// [`BadSecret`] names what is missing or could never work.
    fn complete(&self) -> Result<(), BadSecret>;
}

/// A provider's message about a payment, before it is a [`Notification`].
#[derive(Debug)]
pub(crate) struct Message<'a> {
    /// The provider's id of the message, the same on each delivery.
    pub(crate) event_id: Option<&'a str>,
    /// The payment it names; `None` if what it names cannot be an id of ours.
    pub(crate) payment: Option<PaymentId>,
    /// The checkout of that payment, where it says which.
    pub(crate) checkout: Option<CheckoutNumber>,
    /// Set where the message is for another account than is configured.
    pub(crate) wrong_account: Option<Mismatch>,
    /// Set where a person must decide whatever the record says.
    pub(crate) review: Option<Mismatch>,
    /// Whether it may be about something of others, who share the account.
    pub(crate) is_shared: bool,
    /// What it reports; the source of its reference is set by [`Self::into_notification`].
    pub(crate) report: Report,
}

impl<'a> Message<'a> {
    /// An authentic message that cannot be read: it names no payment, so it is quarantined for
    /// review.
    pub(crate) const fn unreadable(event_id: Option<&'a str>) -> Self {
        Self {
            event_id,
            payment: None,
            checkout: None,
            wrong_account: None,
            review: None,
            is_shared: false,
            report: Report::NONE,
        }
    }

    /// An authentic message whose signed text can be read in more than one way. Nothing of it is
    /// used; it is quarantined with the reason.
    pub(crate) fn ambiguous() -> Self {
        Self::inapplicable(None, "an ambiguous signed text")
    }

    /// An authentic message that reports money and cannot be applied; the reason says what to
    /// configure. It names no payment.
    pub(crate) fn inapplicable(event_id: Option<&'a str>, reason: &str) -> Self {
        let review = Mismatch::absent(MismatchField::Payment, Some(reason));
        Self { review: Some(review), ..Self::unreadable(event_id) }
    }

    /// The notification, with the provider as source, the digest of the body and what is kept of it.
    pub(crate) fn into_notification(self, provider: Provider, body: &[u8]) -> Verified {
        Verified::Notification(Box::new(self.notification(provider, body)))
    }

    pub(crate) fn notification(self, provider: Provider, body: &[u8]) -> Notification {
        let digest = sha256(&[body]);
        let mut report = self.report;
        report.reference.source = provider.source();
        Notification {
            sender: provider.into(),
            event_id: EventId::new(self.event_id, digest),
            payment: self.payment,
            checkout: self.checkout,
            claims: None,
            wrong_account: self.wrong_account,
            review: self.review,
            queried: false,
            is_shared: self.is_shared,
            report,
            body: RawBody::new(body, digest),
        }
    }
}

/// A member of a name that we know has a type that it never has. It must not count as absent.
#[derive(Debug)]
pub(crate) struct UnknownType;

/// The value of a member that may be absent.
pub(crate) fn optional<'a, T>(
    object: &'a Object,
    name: &str,
    read: fn(&'a Json) -> Option<T>,
) -> Result<Option<T>, UnknownType> {
    object.get(name).map(|value| read(value).ok_or(UnknownType)).transpose()
}

/// The mismatch of a member whose value decides and cannot be read.
pub(crate) fn unknown(field: MismatchField, name: &str) -> Mismatch {
    Mismatch::absent(field, Some(format!("an unknown `{name}`")))
}

/// The mismatch of a refund that did not happen, though it may have been reported as one: a status
/// never falls, so a person decides. `event` is the provider's word for it.
pub(crate) fn failed_refund(event: &str) -> Mismatch {
    Mismatch::absent(MismatchField::Outcome, Some(format!("a refund that failed: {event}")))
}

/// The provider's transaction in a member, or the mismatch where it is there and can be none: an
/// unknown transaction would match every record.
pub(crate) fn transaction(
    name: &str,
    text: Result<Option<&str>, UnknownType>,
) -> (Option<ProviderTxn>, Option<Mismatch>) {
    let txn = text.ok().and_then(|text| text.map(ProviderTxn::new).transpose().ok());
    match txn {
        Some(txn) => (txn, None),
        None => (None, Some(unknown(MismatchField::Reference, name))),
    }
}

/// The mismatch in one identifier of the account, if it is configured and the message has none of
/// its values. Both sides read `<name>=<value>`; several values are joined with ` or `.
pub(crate) fn wrong_account(
    name: &str,
    expected: &[impl AsRef<str>],
    received: Option<&str>,
) -> Option<Mismatch> {
    let expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
    let fits = received.is_some_and(|received| expected.contains(&received));
    let named = |value: &str| format!("{name}={value}");
    (!expected.is_empty() && !fits).then(|| {
        let expected = Some(named(&expected.join(" or ")));
        Mismatch::new(MismatchField::Account, expected, received.map(named))
    })
}
