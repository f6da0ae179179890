//! Who may come in: the pure checks of [`crate::auth`] and [`crate::webhooks`], with the keys of
//! the moment.

use std::sync::Arc;

use http::header;

use super::{ApiRequest, Code, Refusal};
use crate::{
    auth::{self, AuthKey, Refused, TokenRules},
    domain::{Timestamp, UserId},
    ports::{Generations, Keys, NoKeys},
    webhooks::{self, Headers, WebhookKeys},
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
        Ok(with_keys(keys, now, check, is_unknown_token).await??)
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
        Ok(with_keys(keys, now, check, is_unknown_token).await??)
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
        if !webhooks::standard::HEADERS.iter().any(|name| self.headers().contains_key(*name)) {
            return Ok(None);
        }
        let headers = Headers::from(self.headers());
        let check = |keys: &Generations<WebhookKeys>| {
            let keys = keys.accepted(now).flat_map(WebhookKeys::standard);
            webhooks::standard::verify(&headers, self.body(), keys, now)
        };
        let unknown = |error: &webhooks::WebhookError| {
            *error == webhooks::WebhookError::BadSignature
        };
        let verified = with_keys(keys, now, check, unknown).await?;
        verified.map(|verified| Some(verified.id)).map_err(|error| {
            tracing::warn!(reason = %error, "webhook refused");
            Code::BadSignature.into()
        })
    }

    fn authorization(&self) -> Result<&str, Refusal> {
        let header = self.header(header::AUTHORIZATION.as_str());
        header.ok().flatten().ok_or_else(|| Code::Unauthenticated.into())
    }
}

/// Checks with the keys at hand; if none of them fits, once more with keys read anew.
async fn with_keys<K, T, E>(
    keys: &impl Keys<K>,
    now: Timestamp,
    check: impl Fn(&Generations<K>) -> Result<T, E>,
    unknown: impl Fn(&E) -> bool,
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

const fn is_unknown_token(refused: &Refused) -> bool {
    matches!(refused, Refused::UnknownSignature)
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Unauthenticated | Refused::UnknownSignature => Code::Unauthenticated.into(),
            Refused::Forbidden => Code::Forbidden.into(),
        }
    }
}
