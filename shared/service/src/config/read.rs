//! Readers of single settings. An error says what is wrong and what to do, and nothing of the value.

use std::io::ErrorKind;

use pay_core::{
    domain::{Currency, Provider, TimeToLive, WebUrl},
    limits::TIME_TO_LIVE_SECONDS,
};
use reqwest::Url;
use tracing::level_filters::LevelFilter;

use crate::{adapters::https, limits::PUBLIC_URL_MAX_BYTES};

/// What is wrong with a setting and what to do, as it follows the setting's name.
pub(super) type Why = String;

const SPACE_AROUND: &str = "has white space around it: remove it";

/// White space around a name was never meant.
pub(super) fn text(text: &str) -> Result<String, Why> {
    if text.trim() == text { Ok(text.to_owned()) } else { Err(SPACE_AROUND.to_owned()) }
}

pub(super) fn currency(code: &str) -> Result<Currency, Why> {
    let is_code = |code: &str| Currency::new(code).is_ok();
    Currency::new(code).map_err(|_no_code| {
        let why = if is_code(code.trim()) {
            SPACE_AROUND
        } else if is_code(&code.trim().to_ascii_uppercase()) {
            "is in lower case: write the code in upper case, as in `CNY`"
        } else {
            "is no code of ISO 4217: write three letters, as in `CNY`"
        };
        why.to_owned()
    })
}

pub(super) fn seconds(secs: &str) -> Result<u64, Why> {
    secs.parse()
        .map_err(|_no_number| "is no whole number of seconds: write one, as in `86400`".to_owned())
}

pub(super) fn time_to_live(secs: &str) -> Result<TimeToLive, Why> {
    let (least, most) = TIME_TO_LIVE_SECONDS;
    TimeToLive::new(seconds(secs)?).map_err(|_out_of_range| {
        format!("is out of range: write {least} (a minute) to {most} (30 days)")
    })
}

pub(super) fn log_level(level: &str) -> Result<LevelFilter, Why> {
    level.parse().map_err(|_no_level| {
        "is no level: write `error`, `warn`, `info`, `debug` or `trace`".to_owned()
    })
}

pub(super) fn on_or_off(word: &str) -> Result<bool, Why> {
    match word {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("is neither `on` nor `off`: write one of them, in lower case".to_owned()),
    }
}

/// A URL that tokens may be sent to. `template.yaml` accepts the same ones.
pub(super) fn https(text: &str) -> Result<Url, Why> {
    if text.contains(char::is_whitespace) {
        return Err("has white space in it: remove it".to_owned());
    }
    let Some(rest) = text.strip_prefix("https://") else {
        let why = if text.starts_with("http://") {
            "begins with `http://`: tokens are sent there, so serve it over TLS and write `https://`"
        } else {
            "does not begin with `https://`: write the whole URL, scheme and all, in lower case"
        };
        return Err(why.to_owned());
    };
    if text.contains('#') {
        return Err("has a fragment (`#`), which is never sent: remove it".to_owned());
    }
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    if host.contains('@') {
        return Err(
            "has a user name or a password: remove it, a token authenticates the calls".to_owned()
        );
    }
    if !host.is_ascii() {
        return Err("has a host name that is not ASCII: write it in its `xn--` form".to_owned());
    }
    let unusable = |why: &str| {
        format!(
            "has no usable host ({why}): write `https://`, the host and, if need be, `:` and its port"
        )
    };
    if host.is_empty() {
        return Err(unusable("empty host"));
    }
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    if !host.bytes().all(is_of_host) {
        return Err(unusable("other characters than a host name has"));
    }
    Url::parse(text).map_err(|error| unusable(&error.to_string()))
}

/// The same, of an API: a path and a query are appended to it.
pub(super) fn https_base(text: &str) -> Result<Url, Why> {
    if text.contains('?') {
        return Err("has a query (`?`), and requests have their own: remove it".to_owned());
    }
    https(text)
}

/// Where each provider sends its notifications, below the URL that the API has outside.
pub(super) fn notify_urls(text: &str) -> Result<Vec<(Provider, WebUrl)>, Why> {
    if text.ends_with('/') {
        return Err("ends with `/`, and a path is appended to it: remove that".to_owned());
    }
    https_base(text)?;
    if text.len() > PUBLIC_URL_MAX_BYTES {
        return Err(format!(
            "is longer than {PUBLIC_URL_MAX_BYTES} bytes: providers take no longer one"
        ));
    }
    let notified = Provider::ALL.iter().map(|provider| {
        let url = WebUrl::new(&format!("{text}/api/pay/callback/{}", provider.as_str()));
        let why = |_bad| "has a character that no URL has: write it in its `%` form".to_owned();
        Ok((*provider, url.map_err(why)?))
    });
    notified.collect()
}

/// PEM text, or a file of it, with certificates that the HTTP client can use.
pub(super) fn pem(text_or_path: &str) -> Result<String, Why> {
    let text = if text_or_path.contains("-----BEGIN") {
        text_or_path.to_owned()
    } else {
        std::fs::read_to_string(text_or_path).map_err(|error| unreadable(error.kind()))?
    };
    match https::tls(Some(&text)) {
        Ok(_usable) => Ok(text),
        Err(_unusable) => {
            Err("holds no CA certificate in PEM, or a damaged one: give each whole, from \
            `-----BEGIN CERTIFICATE-----` to `-----END CERTIFICATE-----`"
                .to_owned())
        }
    }
}

fn unreadable(why: ErrorKind) -> Why {
    format!(
        "names a file that cannot be read ({why}): give the path of a PEM file in the function's \
         package, or the PEM text itself"
    )
}
