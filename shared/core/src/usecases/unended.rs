//! A checkout that is unended: what its provider says became of it, and its end there.

use super::{
    Failure,
    apply::ApplyError,
    query::{AnyQueryPorts, Observe, query_and_apply},
};
use crate::{
    domain::{Checkout, CheckoutState, Payment, Provider, Timestamp},
    limits::CHECKOUT_ABSENT_GAP_MS,
    ports::{
        CheckoutAction, CheckoutCallError, CheckoutOrder, Payments, ProviderState, Providers,
        Query, QueryError, QueryState, TraceParent,
    },
};

/// How providers are called.
#[derive(Clone, Copy)]
pub(super) struct ProviderCalls<'a, P> {
    pub(super) ports: &'a P,
    /// Is shown what each response reports, and what that did.
    pub(super) observe: Observe<'a>,
    /// Whether there is time for a call to this provider and for what its response writes.
    pub(super) may_start: &'a dyn Fn(Provider) -> bool,
    pub(super) now: Timestamp,
    pub(super) trace: &'a TraceParent,
}

/// What is to be done about a checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckoutPurpose {
    /// To know what became of it.
    Ask,
    /// To end it.
    End,
    /// To know whether a request that was refused made nothing.
    Refused,
}

/// What is known of a checkout after it was looked at.
#[derive(Debug)]
pub(super) enum Seen {
    /// It has come to an end, here as well.
    Ended,
    /// Its provider refused it and has nothing of it, and so it is kept.
    Refused,
    /// It can be paid.
    Open,
    /// The payer has paid, and the money is on its way.
    Processing,
    /// Its provider has nothing of it now.
    Absent,
    /// It is paid, and what its provider reports does not fit the payment: a person decides.
    Unfitting,
    /// Not known, and why.
    Unknown(QueryError),
    /// No call may start.
    NoTime,
}

impl Seen {
    /// Whether nobody can pay it any more.
    pub(super) const fn is_end(&self) -> bool {
        matches!(self, Self::Ended | Self::Refused)
    }
}

/// What a request to make a checkout came to.
pub(super) enum Called {
    /// It can be paid.
    Open(Box<Checkout>, CheckoutAction),
    /// Its provider refuses it by this code, and has nothing of it: it is kept as refused.
    Refused(String),
    /// Its provider refuses it by this code, which may be of a repeat.
    Unclear(String),
    /// Its provider has it, and it can no longer be paid.
    Ended,
    /// Whether it was made is not known.
    Unknown(QueryError),
    /// Somebody else has written it meanwhile.
    Overtaken,
}

/// What became of the unended checkouts of a payment.
pub(super) struct Round {
    pub(super) record: Payment,
    /// How many checkouts there were, ended ones too.
    pub(super) listed: usize,
    /// Each checkout that was looked at.
    pub(super) looked: Vec<(Checkout, Seen)>,
}

impl Round {
    /// Those that are still unended.
    pub(super) fn unended(&self) -> impl Iterator<Item = &(Checkout, Seen)> {
        self.looked.iter().filter(|(_, seen)| !seen.is_end())
    }
}

impl<P: AnyQueryPorts> ProviderCalls<'_, P> {
    /// Looks at every unended checkout of a payment; `purpose` says what for.
    ///
    /// # Errors
    ///
    /// [`Failure`] of the store.
    pub(super) async fn look_at_all(
        &self,
        record: Payment,
        purpose: impl Fn(&Checkout) -> CheckoutPurpose,
    ) -> Result<Round, Failure> {
        let all = self.ports.store().checkouts(record.id).await?;
        let mut round = Round { record, listed: all.len(), looked: Vec::new() };
        for checkout in all.into_iter().filter(Checkout::is_unended) {
            let seen = self.look_at(&mut round.record, &checkout, purpose(&checkout)).await?;
            round.looked.push((checkout, seen));
        }
        Ok(round)
    }

    /// Asks a checkout's provider what became of it and applies that, also to `record`; ends it there where it
    /// is to be ended.
    ///
    /// # Errors
    ///
    /// [`Failure`] of the store.
    pub(super) async fn look_at(
        &self,
        record: &mut Payment,
        checkout: &Checkout,
        purpose: CheckoutPurpose,
    ) -> Result<Seen, Failure> {
        if checkout.is_forgotten(self.now) {
            let is_kept = self.end_as_read(checkout, CheckoutState::Ended).await?;
            return Ok(if is_kept { Seen::Ended } else { Seen::Open });
        }
        let named;
        let checkout = if checkout.is_unnamed() {
            match self.name(record, checkout).await? {
                Ok(found) => {
                    named = found;
                    &named
                }
                Err(seen) => return Ok(seen),
            }
        } else {
            checkout
        };
        let seen = self.ask(record, checkout, purpose).await?;
        let provider = checkout.provider();
        if !matches!(seen, Seen::Open)
            || purpose != CheckoutPurpose::End
            || !(self.may_start)(provider)
        {
            return Ok(seen);
        }
        if let Err(error) = self.ports.providers().close(checkout, self.now).await {
            return Ok(Seen::Unknown(error));
        }
        self.ask(record, checkout, purpose).await
    }

    /// Sends the request of a checkout again, to learn the provider's id of it.
    async fn name(
        &self,
        record: &Payment,
        checkout: &Checkout,
    ) -> Result<Result<Checkout, Seen>, Failure> {
        if !(self.may_start)(checkout.provider()) {
            return Ok(Err(Seen::NoTime));
        }
        let Some(leased) = self.lease(checkout).await? else { return Ok(Err(Seen::Open)) };
        Ok(match self.call(record, &leased).await? {
            Called::Open(checkout, _secret) => Ok(*checkout),
            Called::Refused(_) => Err(Seen::Ended),
            Called::Unknown(error) => Err(Seen::Unknown(error)),
            // It is looked at again.
            Called::Unclear(_) | Called::Ended | Called::Overtaken => Err(Seen::Open),
        })
    }

    /// Takes the right to call a checkout's provider to make it; `None` if somebody else has it.
    ///
    /// # Errors
    ///
    /// [`Failure`] of the store.
    pub(super) async fn lease(&self, checkout: &Checkout) -> Result<Option<Checkout>, Failure> {
        let leased = Checkout { called_time: self.now, ..checkout.clone() };
        let is_ours = self.ports.store().change_checkout(checkout, &leased).await?;
        Ok(is_ours.then_some(leased))
    }

    /// Asks a checkout's provider to make it, and writes what came of that.
    ///
    /// # Errors
    ///
    /// [`Failure`] of the store. What was made is found there by the same request.
    pub(super) async fn call(
        &self,
        record: &Payment,
        checkout: &Checkout,
    ) -> Result<Called, Failure> {
        let (store, providers, now) = (self.ports.store(), self.ports.providers(), self.now);
        let order = CheckoutOrder { checkout, oid: record.oid, amount: record.amount };
        let started = match providers.checkout(&order, now).await {
            Ok(started) => started,
            // One that was handed out may be paid, whatever a repeat of it gets.
            Err(CheckoutCallError::Refused { code, is_absent: true })
                if checkout.state == CheckoutState::Requested =>
            {
                let is_kept = self.end_as_read(checkout, CheckoutState::Refused).await?;
                return Ok(if is_kept { Called::Refused(code) } else { Called::Overtaken });
            }
            Err(CheckoutCallError::Refused { code, .. }) => {
                return Ok(Called::Unclear(code));
            }
            Err(CheckoutCallError::Ended) => return Ok(Called::Ended),
            Err(CheckoutCallError::Unknown(error)) => return Ok(Called::Unknown(error)),
        };
        if checkout.state == CheckoutState::Open {
            return Ok(Called::Open(Box::new(checkout.clone()), started.action));
        }
        let open = Checkout {
            state: CheckoutState::Open,
            provider_id: started.provider_id,
            update_time: now,
            ..checkout.clone()
        };
        if store.change_checkout(checkout, &open).await? {
            return Ok(Called::Open(Box::new(open), started.action));
        }
        let all = store.checkouts(record.id).await?;
        let found = all.iter().find(|found| found.reference == checkout.reference);
        if found.is_some_and(Checkout::is_unended) {
            return Ok(Called::Overtaken);
        }
        // It was ended while its provider made it. The provider is asked to end it, too; what is paid
        // nevertheless waits for a person.
        if (self.may_start)(checkout.provider()) {
            // Nobody has got what it is paid with.
            let _closed_or_not = providers.close(&open, now).await;
        }
        Ok(Called::Ended)
    }

    async fn ask(
        &self,
        record: &mut Payment,
        checkout: &Checkout,
        purpose: CheckoutPurpose,
    ) -> Result<Seen, Failure> {
        let query = Query::Checkout {
            reference: checkout.reference,
            provider_id: checkout.provider_id.clone(),
            account: checkout.account.clone(),
        };
        let provider = checkout.provider();
        let may_start = || (self.may_start)(provider);
        if !may_start() {
            return Ok(Seen::NoTime);
        }
        let steps =
            query_and_apply(self.ports, provider, query, &may_start, self.now, self.trace).await;
        let Some(first) = steps.first() else { return Ok(Seen::NoTime) };
        let state = first.state.as_ref().ok().copied();
        let mut unknown = None;
        for step in steps {
            for (notification, applied) in step.applied {
                (self.observe)(&notification, &applied);
                match applied {
                    Ok(applied) => *record = applied.record,
                    Err(ApplyError::Mismatch(_) | ApplyError::NotOurs) => {}
                    Err(ApplyError::Failed(failure)) => return Err(failure),
                }
            }
            unknown = unknown.or(step.state.err());
        }
        let Some(QueryState::Payment(state)) = state else {
            let unusable = || QueryError::Unusable("a response about something else".into());
            return Ok(Seen::Unknown(unknown.unwrap_or_else(unusable)));
        };
        // The code of one that was handed out can still be scanned.
        let is_refused =
            purpose == CheckoutPurpose::Refused && checkout.state == CheckoutState::Requested;
        match state {
            ProviderState::Paid | ProviderState::Refunded if record.is_open() => {
                Ok(Seen::Unfitting)
            }
            ProviderState::Paid | ProviderState::Refunded | ProviderState::Closed => {
                let (store, ended) = (self.ports.store(), CheckoutState::Ended);
                store.end_checkout(checkout.reference, ended, self.now).await?;
                Ok(Seen::Ended)
            }
            ProviderState::Open => Ok(Seen::Open),
            ProviderState::Processing => Ok(Seen::Processing),
            ProviderState::Absent if is_refused => {
                let is_kept = self.end_as_read(checkout, CheckoutState::Refused).await?;
                Ok(if is_kept { Seen::Refused } else { Seen::Open })
            }
            ProviderState::Absent if self.is_absent_for_good(checkout).await? => {
                let is_kept = self.end_as_read(checkout, CheckoutState::Ended).await?;
                Ok(if is_kept { Seen::Ended } else { Seen::Open })
            }
            ProviderState::Absent => Ok(Seen::Absent),
        }
    }

    /// Whether its provider has said twice, and late enough, that it has nothing of a checkout. The first time
    /// is kept.
    async fn is_absent_for_good(&self, checkout: &Checkout) -> Result<bool, Failure> {
        if !checkout.can_be_absent(self.now) {
            return Ok(false);
        }
        if let Some(first) = checkout.absent_time {
            return Ok(self.now >= first.plus_millis(CHECKOUT_ABSENT_GAP_MS));
        }
        let absent = Checkout { absent_time: Some(self.now), ..checkout.clone() };
        self.ports.store().change_checkout(checkout, &absent).await?;
        Ok(false)
    }

    /// Ends a checkout of which its provider has nothing, unless somebody has called the provider for it since it
    /// was read: then it may be there by now.
    async fn end_as_read(&self, checkout: &Checkout, end: CheckoutState) -> Result<bool, Failure> {
        let ended = Checkout { state: end, update_time: self.now, ..checkout.clone() };
        Ok(self.ports.store().change_checkout(checkout, &ended).await?)
    }
}
