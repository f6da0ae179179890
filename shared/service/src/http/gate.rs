//! Authentication of requests: the pure checks of [`crate::auth`] and [`pay_providers`], with the keys
//! of the moment.

use http::{HeaderValue, header};
use pay_core::{
    domain::{Provider, Sender, Timestamp, UserId},
    ports::{Keys, NoKeys},
};
use pay_providers::{Headers, Verified, VerifyError, WebhookKeys, standard};

use super::{ApiRequest, Code, Problem};
use crate::{
    auth::{self, AuthKey, TokenError, TokenFault, TokenRules},
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
    ) -> Result<UserId, Problem> {
        let check = |token: &str, key: &AuthKey| auth::payer(Some(token), key, rules, now);
        self.token(keys, now, check).await
    }

    /// Checks that the request carries a service's token with this scope.
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
    ) -> Result<(), Problem> {
        let check = |token: &str, key: &AuthKey| auth::service(Some(token), key, rules, scope, now);
        self.token(keys, now, check).await
    }

    /// Whether the request has a header of the Standard Webhooks scheme.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        standard::is_used(&self.signed_headers())
    }

    /// The id of the message that the request is, by its Standard Webhooks signature.
    ///
    /// # Errors
    ///
    /// [`Code::BadSignature`], [`Code::Unavailable`] without usable keys.
    pub async fn standard_webhook(
        &self,
        keys: &impl Keys<WebhookKeys>,
        now: Timestamp,
    ) -> Result<String, Problem> {
        let headers = self.signed_headers();
        let check = |keys: &WebhookKeys| keys.verify_standard(&headers, self.body(), now);
        webhook(Sender::Native, keys, now, check).await
    }

    /// A payment provider's message, verified by the provider's own signature.
    ///
    /// # Errors
    ///
    /// [`Code::BadSignature`], [`Code::Unavailable`] without usable keys, and for an authentic message
    /// that no key of ours decrypts.
    pub async fn provider_webhook(
        &self,
        provider: Provider,
        keys: &impl Keys<WebhookKeys>,
        now: Timestamp,
    ) -> Result<Verified, Problem> {
        let headers = self.signed_headers();
        let check = |keys: &WebhookKeys| keys.verify(provider, &headers, self.body(), now);
        webhook(provider.into(), keys, now, check).await
    }

    /// The headers as a signature scheme reads them.
    fn signed_headers(&self) -> Headers<'_> {
        let text = |value| String::from_utf8_lossy(HeaderValue::as_bytes(value));
        Headers::new(self.headers().iter().map(|(name, value)| (name.as_str(), text(value))))
    }

    /// What a check finds out from the request's token. One that is rejected is logged and counted by
    /// its fault, which the response does not say.
    async fn token<T>(
        &self,
        keys: &impl Keys<AuthKey>,
        now: Timestamp,
        check: impl Fn(&str, &AuthKey) -> Result<T, TokenError>,
    ) -> Result<T, Problem> {
        let checked = match self.header(header::AUTHORIZATION.as_str()) {
            Err(_doubled) => Err(TokenError::Unauthenticated(TokenFault::Malformed)),
            // No keys are needed to reject it.
            Ok(None) => Err(TokenError::Unauthenticated(TokenFault::NoHeader)),
            Ok(Some(token)) => with_keys(keys, now, |key| check(token, key)).await?,
        };
        checked.map_err(rejected)
    }
}

/// Verifies a message with the webhook keys.
async fn webhook<T>(
    sender: Sender,
    keys: &impl Keys<WebhookKeys>,
    now: Timestamp,
    check: impl Fn(&WebhookKeys) -> Result<T, VerifyError>,
) -> Result<T, Problem> {
    with_keys(keys, now, check).await?.map_err(|error| {
        let sender = sender.as_str();
        tracing::warn!(sender, reason = %error, "notification rejected");
        metrics::SIGNATURES_REJECTED.count_by(&[("Sender", sender), ("Reason", error.kind())]);
        if error.is_our_fault() { Problem::unavailable(error) } else { Code::BadSignature.into() }
    })
}

/// Why a check with some keys fails.
trait KeyError: Sized {
    /// Whether other keys could pass it.
    fn is_of_unknown_key(&self) -> bool;

    /// Why it fails when it does with the previous keys too.
    fn and_previous(self, previous: Self) -> Self;
}

impl KeyError for TokenError {
    fn is_of_unknown_key(&self) -> bool {
        *self == Self::UnknownSignature
    }

    fn and_previous(self, previous: Self) -> Self {
        previous
    }
}

impl KeyError for VerifyError {
    fn is_of_unknown_key(&self) -> bool {
        Self::is_of_unknown_key(self)
    }

    fn and_previous(self, previous: Self) -> Self {
        match (self, previous) {
            // Authentic or not to be judged, whatever the previous keys say.
            (current @ (Self::Undecryptable | Self::UnusableKeys(_)), _)
            // What the previous version lacked is corrected in the current one.
            | (current, Self::NoKeys | Self::UnusableKeys(_)) => current,
            (_, previous) => previous,
        }
    }
}

/// Checks with the remembered keys; if none of them fits, once more with current keys read again.
async fn with_keys<K, T, E: KeyError>(
    keys: &impl Keys<K>,
    now: Timestamp,
    check: impl Fn(&K) -> Result<T, E>,
) -> Result<Result<T, E>, NoKeys> {
    let known = keys.current(now).await?;
    let checked = with_previous(keys, &known, now, &check).await;
    let is_open = match &checked {
        Ok(checked) => checked.as_ref().is_err_and(E::is_of_unknown_key),
        Err(NoKeys(_)) => true,
    };
    if is_open && let Some(fresh) = keys.reread(now).await {
        return with_previous(keys, &fresh, now, &check).await;
    }
    checked
}

/// Checks with the current keys; if they do not fit, with the previous ones. Without those nobody knows
/// whether the check fails.
async fn with_previous<K, T, E: KeyError>(
    keys: &impl Keys<K>,
    current: &K,
    now: Timestamp,
    check: &impl Fn(&K) -> Result<T, E>,
) -> Result<Result<T, E>, NoKeys> {
    let error = match check(current) {
        Err(error) if error.is_of_unknown_key() => error,
        checked => return Ok(checked),
    };
    Ok(match keys.previous(now).await? {
        Some(previous) => check(&previous).map_err(|older| error.and_previous(older)),
        None => Err(error),
    })
}

/// Logs and counts why a token does not count. A payer's token expires every day, which is nothing
/// unusual.
fn rejected(error: TokenError) -> Problem {
    let fault = error.fault();
    let reason = fault.as_str();
    tracing::info!(reason, says = %fault, "token rejected");
    metrics::TOKENS_REJECTED.count_by(&[("Reason", reason)]);
    match error {
        TokenError::Unauthenticated(_) | TokenError::UnknownSignature => {
            Code::Unauthenticated.into()
        }
        TokenError::Forbidden(_) => Code::Forbidden.into(),
    }
}

#[cfg(test)]
mod tests;
