//! Settings, from the variables of the function. Every bad one is reported at once.
//!
//! Secrets are never settings: a setting is a secret's name. An empty variable is one that is not
//! set, so that a template can pass an optional parameter on as it is.

mod read;

use std::{fmt, time::Duration};

use pay_core::domain::{Currency, Provider, TimeToLive, WebUrl};
use reqwest::Url;
use tracing::level_filters::LevelFilter;

use crate::{auth::TokenRules, limits::SECRET_OVERLAP_SECS};
use read::Why;

/// What every function needs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `TABLE_NAME`.
    pub table: String,
    /// `CURRENCY`, an ISO 4217 code: what every new payment is in.
    pub currency: Currency,
    /// `AUTH_SECRET_ID`.
    pub auth_secret_id: String,
    /// `SECRET_OVERLAP_SECONDS`, 24 h by default: how long the generation before AWSCURRENT is
    /// accepted after AWSCURRENT was made.
    pub secret_overlap: Duration,
    /// `JWT_ISSUER`, `JWT_AUDIENCE`.
    pub rules: TokenRules,
    /// `LOG_LEVEL`: `error`, `warn`, `info` (the default), `debug` or `trace`.
    pub log_level: LevelFilter,
}

/// What the functions need that call the shop.
#[derive(Clone, Debug)]
pub struct ShopSettings {
    /// `USER_INFO_URL`.
    pub user_info: Url,
    /// `ORDER_DETAIL_URL`.
    pub order_detail: Url,
    /// `ORDER_PAID_URL`.
    pub order_paid: Url,
    /// `ORDER_REFUNDED_URL`; `None` if the order service is not notified of refunds.
    pub order_refunded: Option<Url>,
    /// `UPSTREAM_CA_BUNDLE`: PEM text, or the path of a file of it.
    pub ca_bundle: Option<String>,
}

/// What create needs beside them.
#[derive(Clone, Debug)]
pub struct CreateSettings {
    /// What providers are called with; `None` if they are not, and no checkout can be made.
    pub providers: Option<ProviderSettings>,
    /// `PAYMENT_TTL_SECONDS`: how long a payment can be paid; `None` for ever.
    pub time_to_live: Option<TimeToLive>,
}

/// What callback needs beside them.
#[derive(Clone, Debug)]
pub struct CallbackSettings {
    /// `WEBHOOK_SECRET_ID`.
    pub webhook_secret_id: String,
    /// `CALLBACK_TOKENS`, `on` (the default) or `off`: whether a service's token may stand for a
    /// signature on the native route.
    pub tokens: bool,
    /// What providers are called with; `None` if they are not.
    pub providers: Option<ProviderSettings>,
    /// `PAYMENT_TTL_SECONDS`, as in [`CreateSettings`]: the sweep closes what is older.
    pub time_to_live: Option<TimeToLive>,
}

/// What a function needs to call providers.
#[derive(Clone, Debug)]
pub struct ProviderSettings {
    /// `PROVIDER_SECRET_ID`.
    pub secret_id: String,
    /// `STRIPE_URL`, `WECHAT_URL`, `ALIPAY_URL`: where a provider's API is, if not at its own URL.
    pub urls: Vec<(Provider, Url)>,
    /// Where each provider sends its notifications, below `PUBLIC_URL`; none without it.
    pub notify_urls: Vec<(Provider, WebUrl)>,
}

/// Every setting that is missing or wrong: its name, what is wrong with it and what to do. Never its
/// value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct BadSettings(pub Vec<String>);

impl fmt::Display for BadSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bad settings: {}", self.0.join("; "))
    }
}

/// Finds a variable by its name.
pub type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The settings of create.
///
/// # Errors
///
/// [`BadSettings`], with everything that is missing or wrong.
pub fn create(lookup: Lookup<'_>) -> Result<(Settings, ShopSettings, CreateSettings), BadSettings> {
    let mut reader = Reader { lookup, wrong: Vec::new() };
    let (settings, shop) = (reader.settings(), reader.shop());
    let create = reader.create();
    let read = settings.zip(shop);
    reader.finish(read.map(|(settings, shop)| (settings, shop, create)))
}

/// The settings of detail.
///
/// # Errors
///
/// As [`create`].
pub fn detail(lookup: Lookup<'_>) -> Result<Settings, BadSettings> {
    let mut reader = Reader { lookup, wrong: Vec::new() };
    let settings = reader.settings();
    reader.finish(settings)
}

/// The settings of callback.
///
/// # Errors
///
/// As [`create`].
pub fn callback(
    lookup: Lookup<'_>,
) -> Result<(Settings, ShopSettings, CallbackSettings), BadSettings> {
    let mut reader = Reader { lookup, wrong: Vec::new() };
    let (settings, shop) = (reader.settings(), reader.shop());
    let callback = reader.callback();
    let read = settings.zip(shop).zip(callback);
    reader.finish(read.map(|((settings, shop), callback)| (settings, shop, callback)))
}

/// Reads settings by name, and remembers what is wrong with them.
struct Reader<'a> {
    lookup: Lookup<'a>,
    wrong: Vec<String>,
}

impl Reader<'_> {
    /// What every function needs; `None` if some of it is wrong.
    fn settings(&mut self) -> Option<Settings> {
        let table = self.required("TABLE_NAME", read::text);
        let currency = self.required("CURRENCY", read::currency);
        let auth_secret_id = self.required("AUTH_SECRET_ID", read::text);
        let overlap = self.optional("SECRET_OVERLAP_SECONDS", read::seconds);
        let issuer = self.optional("JWT_ISSUER", read::text);
        let audience = self.optional("JWT_AUDIENCE", read::text);
        let level = self.optional("LOG_LEVEL", read::log_level);
        Some(Settings {
            table: table?,
            currency: currency?,
            auth_secret_id: auth_secret_id?,
            secret_overlap: Duration::from_secs(overlap.unwrap_or(SECRET_OVERLAP_SECS)),
            rules: TokenRules { issuer, audience },
            log_level: level.unwrap_or(LevelFilter::INFO),
        })
    }

    /// What a function needs that calls the shop; `None` if some of it is wrong.
    fn shop(&mut self) -> Option<ShopSettings> {
        let user_info = self.required("USER_INFO_URL", read::https);
        let order_detail = self.required("ORDER_DETAIL_URL", read::https);
        let order_paid = self.required("ORDER_PAID_URL", read::https);
        let order_refunded = self.optional("ORDER_REFUNDED_URL", read::https);
        let ca_bundle = self.optional("UPSTREAM_CA_BUNDLE", read::pem);
        Some(ShopSettings {
            user_info: user_info?,
            order_detail: order_detail?,
            order_paid: order_paid?,
            order_refunded,
            ca_bundle,
        })
    }

    /// What create needs beside: none of it is required.
    fn create(&mut self) -> CreateSettings {
        CreateSettings { providers: self.providers(), time_to_live: self.time_to_live() }
    }

    /// What callback needs beside; `None` if some of it is wrong.
    fn callback(&mut self) -> Option<CallbackSettings> {
        let webhook_secret_id = self.required("WEBHOOK_SECRET_ID", read::text);
        let tokens = self.optional("CALLBACK_TOKENS", read::on_or_off);
        let (providers, time_to_live) = (self.providers(), self.time_to_live());
        Some(CallbackSettings {
            webhook_secret_id: webhook_secret_id?,
            tokens: tokens.unwrap_or(true),
            providers,
            time_to_live,
        })
    }

    /// What a function needs that calls providers.
    fn providers(&mut self) -> Option<ProviderSettings> {
        let secret_id = self.optional("PROVIDER_SECRET_ID", read::text);
        let urls = Provider::ALL.iter().filter_map(|provider| {
            let url = self.optional(url_variable(*provider), read::https_base)?;
            Some((*provider, url))
        });
        let urls = urls.collect();
        let notify_urls = self.optional("PUBLIC_URL", read::notify_urls).unwrap_or_default();
        secret_id.map(|secret_id| ProviderSettings { secret_id, urls, notify_urls })
    }

    fn time_to_live(&mut self) -> Option<TimeToLive> {
        self.optional("PAYMENT_TTL_SECONDS", read::time_to_live)
    }

    /// What was read, unless something was wrong.
    fn finish<T>(self, read: Option<T>) -> Result<T, BadSettings> {
        match read {
            Some(settings) if self.wrong.is_empty() => Ok(settings),
            Some(_) | None => Err(BadSettings(self.wrong)),
        }
    }

    fn optional<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, Why>) -> Option<T> {
        let value = (self.lookup)(name).filter(|value| !value.is_empty())?;
        read(&value).map_err(|why| self.wrong.push(format!("{name} {why}"))).ok()
    }

    fn required<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, Why>) -> Option<T> {
        let wrong = self.wrong.len();
        let value = self.optional(name, read);
        if value.is_none() && self.wrong.len() == wrong {
            self.wrong.push(format!("{name} is missing: set it, it has no default"));
        }
        value
    }
}

/// The variable that says where a provider's API is.
const fn url_variable(provider: Provider) -> &'static str {
    match provider {
        Provider::Stripe => "STRIPE_URL",
        Provider::WeChat => "WECHAT_URL",
        Provider::Alipay => "ALIPAY_URL",
    }
}

#[cfg(test)]
mod tests;
