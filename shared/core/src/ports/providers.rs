//! The payment providers, asked what became of a payment or of a refund.

use std::fmt;

use super::{Cause, NoKeys};
use crate::domain::{
    Amount, Checkout, CheckoutReference, MerchantAccount, Notification, OrderId, PaymentId,
    Provider, ProviderCheckout, ProviderTxn, Refund, RefundReference, RefundState, Timestamp,
    WebUrl,
};

/// What a provider is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// What became of a payment.
    Payment {
        /// Our id, which is our reference at the provider.
        id: PaymentId,
        /// The provider's transaction, where it is known.
        txn: Option<ProviderTxn>,
    },
    /// What became of one checkout of ours.
    Checkout {
        /// Our reference of it, which names its payment.
        reference: CheckoutReference,
        /// The provider's id of it, where the provider makes one.
        provider_id: Option<ProviderCheckout>,
        /// The account that it was made with: another one does not know of it.
        account: MerchantAccount,
    },
    /// The refunds of a transaction, of a provider that lists them.
    Refunds {
        /// The payment that the transaction paid, where it is known.
        payment: Option<PaymentId>,
        /// The transaction.
        txn: ProviderTxn,
    },
    /// What became of one refund of ours.
    Refund {
        /// Our reference of it, which names its payment.
        refund: RefundReference,
        /// The transaction that it is taken from.
        txn: ProviderTxn,
    },
    /// The object that a message of the provider's names without its content, by the provider's id of it.
    Object(ProviderTxn),
}

impl Query {
    /// The payment that it is about, where that is known.
    #[must_use]
    pub const fn payment(&self) -> Option<PaymentId> {
        match self {
            Self::Payment { id, .. } => Some(*id),
            Self::Checkout { reference, .. } => Some(reference.payment),
            Self::Refunds { payment, .. } => *payment,
            Self::Refund { refund, .. } => Some(refund.payment()),
            Self::Object(_) => None,
        }
    }
}

/// What a provider says that became of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProviderState {
    /// It knows of none: unpaid now, and perhaps paid later.
    Absent,
    /// Not paid yet.
    Open,
    /// The payer has paid, and the money is on its way.
    Processing,
    /// It can no longer be paid.
    Closed,
    /// Paid.
    Paid,
    /// Paid, and refunded in part or in full.
    Refunded,
}

impl ProviderState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Absent, Self::Open, Self::Processing, Self::Closed, Self::Paid, Self::Refunded];

    /// The word in event ids, in log lines and for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Open => "open",
            Self::Processing => "processing",
            Self::Closed => "closed",
            Self::Paid => "paid",
            Self::Refunded => "refunded",
        }
    }
}

/// What a provider says of what it was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryState {
    /// What became of the payment, or of the checkout; the response to every query but [`Query::Refund`].
    Payment(ProviderState),
    /// Where the refund stands. One that waits for somebody at the provider is pending.
    Refund(RefundState),
    /// The provider has no refund with our reference, and takes a request with it as the first one. That it
    /// never gets one is not said: a request may still be on its way.
    NoRefund,
}

impl QueryState {
    /// The word in event ids, in log lines and for operators.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Payment(state) => state.as_str(),
            Self::Refund(state) => state.as_str(),
            Self::NoRefund => ProviderState::Absent.as_str(),
        }
    }
}

/// A provider's response to a query: authentic, and about what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryResponse {
    /// What became of what was asked about.
    pub state: QueryState,
    /// What it reports, as if the provider had sent it; none where it lists no refund. Of a payment that is
    /// absent, open or processing, and of a refund that is not there, it has no outcome.
    pub notifications: Vec<Notification>,
    /// What is to be asked next to know all: the refunds of a transaction.
    pub next: Option<Query>,
}

/// Why a query gave no usable response. Nothing is known then.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// Down, too slow, too many requests.
    #[error("the provider is unavailable")]
    Unavailable(#[source] Cause),
    /// A response that proves nothing: not signed, about another payment, or not readable.
    #[error("the provider's response proves nothing")]
    Unusable(#[source] Cause),
    /// It does not accept our key, our account or our clock.
    #[error("the provider rejects our configuration")]
    Rejected(#[source] Cause),
    /// No key to ask it with.
    #[error("there is no key to query the provider with")]
    NoKey,
}

impl QueryError {
    /// What an operator checks first, in a word: `unavailable`, `unusable`, `rejected` or `no-key`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Unusable(_) => "unusable",
            Self::Rejected(_) => "rejected",
            Self::NoKey => "no-key",
        }
    }
}

/// A refund that a provider is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundOrder<'a> {
    /// Our reference of it: the same reference never refunds twice.
    pub reference: RefundReference,
    /// The refund.
    pub refund: &'a Refund,
    /// The transaction that it is taken from.
    pub txn: &'a ProviderTxn,
    /// Where the provider reports what becomes of it, where it must be given that and it is known.
    pub notify_url: Option<&'a WebUrl>,
    /// How much that transaction paid.
    pub paid: Amount,
}

/// Why a refund that was asked for is not known to be made.
#[derive(Debug, thiserror::Error)]
pub enum RefundCallError {
    /// The provider refuses it, by this code of its own list. A refused repeat may stand for a refund that
    /// was made.
    #[error("the provider refuses the refund: {code}")]
    Refused {
        /// Its code.
        code: String,
        /// That the refund failed, with the response as body; named by our reference, since the provider has
        /// no id of it.
        report: Box<Notification>,
    },
    /// It may have been made or not.
    #[error(transparent)]
    Unknown(#[from] QueryError),
}

/// A checkout that a provider is to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckoutOrder<'a> {
    /// The checkout: its reference makes it once.
    pub checkout: &'a Checkout,
    /// The order that is paid.
    pub oid: OrderId,
    /// The amount to pay.
    pub amount: Amount,
}

/// What a payer's program does next. Whoever has it may pay, or read what is paid: it is neither kept nor
/// logged.
#[derive(Clone, PartialEq, Eq)]
pub enum CheckoutAction {
    /// Opens this URL in the payer's browser.
    Redirect {
        /// An `https` URL.
        url: String,
    },
    /// Shows this text as a QR code.
    Qr {
        /// The text.
        text: String,
    },
    /// Gives these to the provider's own program: name and value.
    Client {
        /// Each name once.
        parameters: Vec<(&'static str, String)>,
    },
}

/// Never what it holds.
impl fmt::Debug for CheckoutAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redirect { .. } => "Redirect",
            Self::Qr { .. } => "Qr",
            Self::Client { .. } => "Client",
        })
    }
}

/// A checkout that can be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartedCheckout {
    /// The provider's id of it, where the provider makes one.
    pub provider_id: Option<ProviderCheckout>,
    /// What the payer's program does next.
    pub action: CheckoutAction,
}

/// Why a checkout that was asked for is not known to be there.
#[derive(Debug, thiserror::Error)]
pub enum CheckoutCallError {
    /// The provider refuses it, by this code of its own list.
    #[error("the provider refuses the checkout: {code}")]
    Refused {
        /// Its code.
        code: String,
        /// Whether that proves that nothing was made. Else a refused repeat may stand for a checkout that was
        /// paid or closed, and the provider is asked.
        is_absent: bool,
    },
    /// The provider has it, and it can no longer be paid: the provider is asked what became of it.
    #[error("the checkout can no longer be paid")]
    Ended,
    /// It may have been made or not.
    #[error(transparent)]
    Unknown(#[from] QueryError),
}

/// The payment providers.
pub trait Providers {
    /// The account that checkouts are made with at a provider; `None` without a key of it.
    ///
    /// # Errors
    ///
    /// [`NoKeys`] if that cannot be read.
    fn account(
        &self,
        provider: Provider,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<MerchantAccount>, NoKeys>> + Send;

    /// Asks the checkout's provider to make it, or for what it is paid with if it is there: one attempt,
    /// which a repeat with the same reference makes no second one of.
    ///
    /// # Errors
    ///
    /// [`CheckoutCallError`].
    fn checkout(
        &self,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<StartedCheckout, CheckoutCallError>> + Send;

    /// Asks the checkout's provider to close it: one attempt. Neither that the provider accepts it nor that it
    /// refuses says what became of it: it is asked again.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: it may have been closed or not.
    fn close(
        &self,
        checkout: &Checkout,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), QueryError>> + Send;

    /// The providers that can be asked what became of a payment by our own reference: those with a key.
    ///
    /// # Errors
    ///
    /// [`NoKeys`] if that cannot be read. It does not mean that there is nobody to ask.
    fn queried(&self, now: Timestamp)
    -> impl Future<Output = Result<Vec<Provider>, NoKeys>> + Send;

    /// Asks a provider. Repeating it is no error: it changes nothing there.
    ///
    /// # Errors
    ///
    /// [`QueryError`].
    fn query(
        &self,
        provider: Provider,
        query: &Query,
        now: Timestamp,
    ) -> impl Future<Output = Result<QueryResponse, QueryError>> + Send;

    /// Asks a provider to make a refund: one attempt, which a repeat with the same reference makes no second
    /// refund of. The notifications of the response report what became of it.
    ///
    /// # Errors
    ///
    /// [`RefundCallError`].
    fn refund(
        &self,
        provider: Provider,
        order: &RefundOrder<'_>,
        now: Timestamp,
    ) -> impl Future<Output = Result<QueryResponse, RefundCallError>> + Send;
}
