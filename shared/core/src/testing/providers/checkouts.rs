//! The checkouts that providers hold in memory.

use std::collections::btree_map::Entry;

use super::{FakeProviders, HeldPayment, LateCheckout, ProvidersState};
use crate::{
    domain::{
        Checkout, CheckoutReference, MerchantAccount, Notification, Provider, ProviderCheckout,
        ProviderTxn, Timestamp,
    },
    ports::{
        CheckoutAction, CheckoutCallError, CheckoutOrder, NoKeys, ProviderState, QueryError,
        QueryResponse, QueryState, StartedCheckout,
    },
    testing::{Call, Fate, lock},
};

/// The account of every provider, unless it is said.
const ACCOUNT: &str = "merchant_1";

/// The end of a provider's id of the second object under a reference.
const AGAIN: &str = "_again";

impl ProvidersState {
    /// Whether the keys are of this account.
    fn has_keys_of(&self, account: &MerchantAccount) -> bool {
        self.account.as_ref().map_or(ACCOUNT, MerchantAccount::as_str) == account.as_str()
    }

    /// The object that an account finds: the one of the provider's id where that is known.
    fn found(
        &self,
        reference: CheckoutReference,
        id: Option<&ProviderCheckout>,
        account: &MerchantAccount,
    ) -> Option<&HeldPayment> {
        let holder = self.accounts.get(&reference).map_or(ACCOUNT, MerchantAccount::as_str);
        let is_again = id.is_some_and(|id| id.as_str().ends_with(AGAIN));
        let objects = if is_again { &self.again } else { &self.checkouts };
        objects.get(&reference).filter(|_| holder == account.as_str())
    }

    /// Closes a checkout that can be paid: the object of the provider's id, where that is known.
    pub(super) fn close(&mut self, reference: CheckoutReference, id: Option<&ProviderCheckout>) {
        let is_again = id.is_some_and(|id| id.as_str().ends_with(AGAIN));
        let objects = if is_again { &mut self.again } else { &mut self.checkouts };
        let held = objects.get_mut(&reference);
        if let Some(held) = held.filter(|held| held.state == ProviderState::Open) {
            held.state = ProviderState::Closed;
        }
    }

    /// The payer pays a checkout, if it can be paid: the provider holds it as paid by the transaction
    /// `pi_<reference>`.
    pub fn pay(&mut self, reference: CheckoutReference, amount_minor: u64) -> bool {
        let open = || HeldPayment::new(ProviderState::Open, None, amount_minor);
        let is_page = self.are_pages && !self.are_expired;
        let found = self.checkouts.entry(reference);
        let held = match found {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(none) if is_page => none.insert(open()),
            Entry::Vacant(_) => return false,
        };
        let can_be_paid = held.state == ProviderState::Open;
        if can_be_paid {
            held.state = ProviderState::Paid;
            held.txn = ProviderTxn::new(&format!("pi_{reference}")).ok();
        }
        can_be_paid
    }
}

impl FakeProviders {
    pub(super) async fn account_of(
        &self,
        provider: Provider,
    ) -> Result<Option<MerchantAccount>, NoKeys> {
        match self.gate.pass(Call::Account).await {
            Fate::Responded => {
                let (has_key, other) =
                    self.edit(|state| (state.keys.contains(&provider), state.account.clone()));
                let account = other.or_else(|| MerchantAccount::new(ACCOUNT).ok());
                Ok(account.filter(|_| has_key))
            }
            Fate::Before | Fate::Lost | Fate::After | Fate::Late => {
                Err(NoKeys("scripted: no keys".into()))
            }
        }
    }

    pub(super) fn query_checkout(
        &self,
        provider: Provider,
        (reference, provider_id): (CheckoutReference, Option<&ProviderCheckout>),
        account: &MerchantAccount,
    ) -> Result<QueryResponse, QueryError> {
        let providers = lock(&self.state);
        if !providers.has_keys_of(account) {
            return Err(QueryError::NoKey);
        }
        let by_id = provider == Provider::Stripe;
        if by_id && provider_id.is_none() {
            return Err(QueryError::Unusable("it is found by the provider's id alone".into()));
        }
        let absent = HeldPayment::new(ProviderState::Absent, None, 0);
        let held = match providers.found(reference, provider_id, account) {
            None if by_id => return Err(QueryError::Unusable("no such object".into())),
            None => &absent,
            Some(held) => held,
        };
        let notification = held.notification(provider, reference.payment);
        let checkout = Some(reference.number);
        Ok(QueryResponse {
            state: QueryState::Payment(held.state),
            notifications: vec![Notification { checkout, ..notification }],
            next: None,
        })
    }

    /// A fate is that of the checkout as well: `After` makes it, and its response is lost.
    pub(super) async fn make_checkout(
        &self,
        order: &CheckoutOrder<'_>,
        now: Timestamp,
    ) -> Result<StartedCheckout, CheckoutCallError> {
        let fate = self.gate.pass(Call::MakeCheckout).await;
        let lost = || QueryError::Unavailable("scripted: no response".into());
        let CheckoutOrder { checkout, amount, .. } = order;
        let (reference, method) = (checkout.reference, checkout.parameters.method);
        let mut providers = lock(&self.state);
        if !providers.has_keys_of(&checkout.account) {
            return Err(QueryError::NoKey.into());
        }
        let is_down = providers.down.contains(&method.provider());
        if fate == Fate::Late && !is_down {
            providers.late_checkouts.push(LateCheckout::Make(reference, amount.minor()));
        }
        if !matches!(fate, Fate::Responded | Fate::After) || is_down {
            return Err(lost().into());
        }
        let refused = |is_absent| {
            let code = "CHECKOUT_REFUSED".to_owned();
            CheckoutCallError::Refused { code, is_absent }
        };
        if let Some(is_absent) = providers.refuse_checkouts {
            return Err(refused(is_absent));
        }
        let is_fetched = checkout.provider_id.is_some();
        let is_page = providers.are_pages;
        // Under its key Stripe gives the response that it gave first.
        let is_keyed = method.has_provider_id() && !is_fetched;
        let is_forgotten =
            is_keyed && providers.forgets(method.provider(), &reference.to_string(), now);
        let open = || HeldPayment::new(ProviderState::Open, None, amount.minor());
        match providers.checkouts.get(&reference).map(|held| held.state) {
            Some(_) if is_forgotten => {
                providers.again.insert(reference, open());
            }
            None if is_page || is_fetched => {}
            None if providers.are_expired && !providers.is_later(now) => {
                return Err(refused(is_keyed));
            }
            None => {
                providers.checkouts.insert(reference, open());
                if checkout.account.as_str() != ACCOUNT {
                    providers.accounts.insert(reference, checkout.account.clone());
                }
            }
            Some(ProviderState::Open) => {}
            Some(_) if is_page || is_keyed => {}
            Some(_) if is_fetched => return Err(CheckoutCallError::Ended),
            Some(_) => return Err(refused(false)),
        }
        if fate == Fate::After {
            return Err(lost().into());
        }
        let again = if providers.again.contains_key(&reference) { AGAIN } else { "" };
        let id = method.has_provider_id().then(|| format!("cs_{reference}{again}"));
        let provider_id = id.and_then(|id| ProviderCheckout::new(&id).ok());
        let url = format!("https://pay.example/{reference}");
        Ok(StartedCheckout { provider_id, action: CheckoutAction::Redirect { url } })
    }

    pub(super) async fn close_checkout(&self, checkout: &Checkout) -> Result<(), QueryError> {
        let fate = self.gate.pass(Call::Close).await;
        let mut providers = lock(&self.state);
        if !providers.has_keys_of(&checkout.account) {
            return Err(QueryError::NoKey);
        }
        let is_down = providers.down.contains(&checkout.provider());
        match fate {
            Fate::Responded | Fate::After if !is_down => {
                providers.close(checkout.reference, checkout.provider_id.as_ref());
            }
            Fate::Late if !is_down => {
                providers.late_checkouts.push(LateCheckout::Close(checkout.reference));
            }
            Fate::Responded | Fate::After | Fate::Late | Fate::Before | Fate::Lost => {}
        }
        if fate == Fate::Responded && !is_down {
            Ok(())
        } else {
            Err(QueryError::Unavailable("scripted: no response".into()))
        }
    }
}
