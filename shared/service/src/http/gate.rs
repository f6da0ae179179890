//! Who may come in: the pure checks of [`crate::auth`] and [`pay_providers`], with the keys of
//! the moment.

use std::sync::Arc;

use http::{HeaderValue, header};
use pay_core::{
    domain::{Provider, Timestamp, UserId},
    ports::{Generations, Keys, NoKeys},
};
use pay_providers::{Headers, PaymentProvider, Reading, WebhookError, WebhookKeys, standard};

use super::{ApiRequest, Code, Refusal};
use crate::{
    auth::{self, AuthKey, Refused, TokenRules},
    metrics,
};

impl ApiRequest {
    /// The user whose token the request carries.
    ///
    /// # Errors
    ///
    /// [`Code::Unauthenticated`], [`Code::Forbidden`] for a service's token,
    /// [`Code::Unavailable`] without keys.
    pub async fn payer(
        &self,
        keys: &impl Keys<AuthKey>,
        rules: &TokenRules,
        now: Timestamp,
    ) -> Result<UserId, Refusal> {
        let token = self.authorization()?;
        let check = |keys: &Generations<AuthKey>| auth::payer(Some(token), keys, rules, now);
        Ok(with_keys(keys, now, check, |refused| *refused == Refused::UnknownSignature).await??)
    }

    /// Whether the request carries a service's token with this scope.
    ///
    /// # Errors
    ///
    /// As [`Self::payer`]; [`Code::Forbidden`] is for a payer's token, and for another scope.
    pub async fn service(
        &self,
        keys: &impl Keys<AuthKey>,
        rules: &TokenRules,
        scope: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let token = self.authorization()?;
        let check =
            |keys: &Generations<AuthKey>| auth::service(Some(token), keys, rules, scope, now);
        Ok(with_keys(keys, now, check, |refused| *refused == Refused::UnknownSignature).await??)
    }

    /// The id of the message that the request is, by its Standard Webhooks signature; `None` if
    /// it has no header of that scheme.
    ///
    /// # Errors
    ///
    /// [`Code::BadSignature`], [`Code::Unavailable`] without keys.
    pub async fn standard_webhook(
        &self,
        keys: &impl Keys<WebhookKeys>,
        now: Timestamp,
    ) -> Result<Option<String>, Refusal> {
        let headers = self.signed_headers();
        if !standard::is_spoken(&headers) {
            return Ok(None);
        }
        let check =
            |keys: &WebhookKeys| standard::verify(&headers, self.body(), keys.standard(), now);
        Ok(Some(webhook(Provider::Native, keys, now, check).await?.id))
    }

    /// What a payment provider's message says, by the provider's own signature.
    ///
    /// # Errors
    ///
    /// [`Code::BadSignature`], [`Code::Unavailable`] without keys, and for a genuine message that
    /// none of ours decrypts.
    pub async fn provider_webhook(
        &self,
        provider: PaymentProvider,
        keys: &impl Keys<WebhookKeys>,
        now: Timestamp,
    ) -> Result<Reading, Refusal> {
        let headers = self.signed_headers();
        let check = |keys: &WebhookKeys| match keys.provider(provider) {
            Some(keys) => keys.verify(&headers, self.body(), now),
            None => Err(WebhookError::NoKeys),
        };
        webhook(provider.sender(), keys, now, check).await
    }

    /// The headers as a signature scheme reads them.
    fn signed_headers(&self) -> Headers<'_> {
        let text = |value| String::from_utf8_lossy(HeaderValue::as_bytes(value));
        Headers::new(self.headers().iter().map(|(name, value)| (name.as_str(), text(value))))
    }

    fn authorization(&self) -> Result<&str, Refusal> {
        let header = self.header(header::AUTHORIZATION.as_str());
        header.ok().flatten().ok_or_else(|| Code::Unauthenticated.into())
    }
}

/// Checks a message with each generation of the webhook keys, newest first.
async fn webhook<T>(
    sender: Provider,
    keys: &impl Keys<WebhookKeys>,
    now: Timestamp,
    check: impl Fn(&WebhookKeys) -> Result<T, WebhookError>,
) -> Result<T, Refusal> {
    let check = |keys: &Generations<WebhookKeys>| {
        let mut refused = WebhookError::NoKeys;
        for keys in keys.accepted(now) {
            match check(keys) {
                Ok(verified) => return Ok(verified),
                // Whatever the other generation says: it is genuine.
                Err(_) if refused == WebhookError::Undecryptable => {}
                Err(error) => refused = error,
            }
        }
        Err(refused)
    };
    with_keys(keys, now, check, WebhookError::is_of_unknown_key).await?.map_err(|error| {
        let provider = sender.as_str();
        tracing::warn!(provider, reason = %error, "webhook refused");
        metrics::SIGNATURES_REFUSED.count_by(&[("Provider", provider), ("Reason", error.kind())]);
        if error == WebhookError::Undecryptable {
            Refusal::unavailable(error)
        } else {
            Code::BadSignature.into()
        }
    })
}

/// Checks with the keys at hand; if none of them fits, once more with keys read anew.
async fn with_keys<K, T, E>(
    keys: &impl Keys<K>,
    now: Timestamp,
    check: impl Fn(&Generations<K>) -> Result<T, E>,
    unknown: impl FnOnce(&E) -> bool,
) -> Result<Result<T, E>, NoKeys> {
    let known: Arc<Generations<K>> = keys.keys(now).await?;
    let checked = check(&known);
    if checked.as_ref().is_err_and(unknown)
        && let Some(fresh) = keys.reread(now).await
    {
        return Ok(check(&fresh));
    }
    Ok(checked)
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unauthenticated | Refused::UnknownSignature => Code::Unauthenticated.into(),
            Refused::Forbidden => Code::Forbidden.into(),
        }
    }
}
