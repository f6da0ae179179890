//! What a checkout is made with.

use std::{fmt, net::IpAddr};

use super::CheckoutMethod;
use crate::domain::OutOfRange;

/// What a checkout is made with. Kept as it was sent first, since a provider takes a repeat with other
/// parameters for another request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CheckoutParameters {
    /// How the payer pays.
    pub method: CheckoutMethod,
    /// What the payer reads that they pay.
    pub description: Description,
    /// Where the payer comes back to.
    pub return_url: Option<WebUrl>,
    /// The payer's id in the shop's WeChat app.
    pub openid: Option<OpenId>,
    /// The payer's address.
    pub payer_ip: Option<PayerIp>,
    /// Where the provider sends its notifications, where it must be given that.
    pub notify_url: Option<WebUrl>,
}

/// The table of texts: name, what it is called in problems, most bytes, what a byte may be.
macro_rules! texts {
    ($($(#[$doc:meta])+ $name:ident = $what:literal, $most:literal, $allowed:expr;)+) => {
        $(
            $(#[$doc])+
            #[derive(Clone, Debug, PartialEq, Eq, Hash)]
            pub struct $name(String);

            impl $name {
                /// Wraps a text from outside.
                ///
                /// # Errors
                ///
                /// [`OutOfRange`] when it is empty, too long, or holds another character.
                pub fn new(text: &str) -> Result<Self, OutOfRange> {
                    let allowed: fn(char) -> bool = $allowed;
                    let fits = (1..=$most).contains(&text.len()) && text.chars().all(allowed);
                    if fits { Ok(Self(text.to_owned())) } else { Err(OutOfRange::new($what)) }
                }

                /// The text itself.
                #[must_use]
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }
        )+
    };
}

texts! {
    /// What the payer reads that they pay: 1 to 127 bytes of UTF-8 without control characters.
    ///
    /// Source: pay.weixin.qq.com/doc/v3 "native payment, order", `description`: 127 bytes, the least of the
    /// three providers.
    Description = "description", 127, |of| !of.is_control();
    /// A payer's id in the shop's WeChat app: 1 to 128 characters of `[A-Za-z0-9_-]`.
    OpenId = "openid", 128, |of| of.is_ascii_alphanumeric() || "_-".contains(of);
    /// A merchant account at a provider: 1 to 64 characters of `[A-Za-z0-9_-]`.
    MerchantAccount = "account", 64, |of| of.is_ascii_alphanumeric() || "_-".contains(of);
    /// A provider's id of a checkout: 1 to 128 characters of `[A-Za-z0-9_-]`.
    ProviderCheckout = "provider id", 128, |of| of.is_ascii_alphanumeric() || "_-".contains(of);
}

/// A page or a route of the shop's: `https://`, a host, at most 512 characters of those that a URL is made
/// of (RFC 3986), and the braces of Stripe's `{CHECKOUT_SESSION_ID}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WebUrl(String);

impl WebUrl {
    /// Wraps a text from outside.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text, also for one with a user's name before the host.
    pub fn new(text: &str) -> Result<Self, OutOfRange> {
        let bad = OutOfRange::new("return_url");
        let allowed =
            |of: u8| of.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%{}".contains(&of);
        let rest = text.strip_prefix("https://").ok_or(bad)?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let in_host = |of: u8| of.is_ascii_alphanumeric() || b"-.:[]".contains(&of);
        let has_host = host.bytes().next().is_some_and(|first| first != b':');
        let fits = text.len() <= 512 && text.bytes().all(allowed);
        if fits && has_host && host.bytes().all(in_host) {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad)
        }
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A payer's address, IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PayerIp(IpAddr);

impl PayerIp {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for any other text.
    pub fn new(text: &str) -> Result<Self, OutOfRange> {
        text.parse().map(Self).map_err(|_no_address| OutOfRange::new("payer_ip"))
    }
}

impl fmt::Display for PayerIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Description, OpenId, PayerIp, WebUrl};

    #[test]
    fn a_page_of_the_shop_is_an_https_url_with_a_host() {
        for good in [
            "https://shop.example",
            "https://shop.example:8443/paid?id=1#top",
            "https://shop.example/paid?session={CHECKOUT_SESSION_ID}",
            "https://[2001:db8::1]/",
            "https://127.0.0.1:1/",
        ] {
            assert_eq!(WebUrl::new(good).unwrap().as_str(), good);
        }
        let long = format!("https://shop.example/{}", "a".repeat(492));
        for bad in [
            "",
            "https://",
            "https:///paid",
            "https://:1/",
            "http://shop.example/",
            "HTTPS://shop.example/",
            "https://user@shop.example/",
            "https://shop.example/a b",
            "https://shop.example/\n",
            "https://shop.example/é",
            "https://shop.example\\@x/",
            "javascript:alert(1)",
            "https://shop.example/<x>",
            &long,
        ] {
            assert_eq!(WebUrl::new(bad).unwrap_err().what, "return_url", "{bad}");
        }
    }

    #[test]
    fn texts_for_the_payer_fit_every_provider() {
        assert!(Description::new("订单 1").is_ok() && Description::new(&"a".repeat(127)).is_ok());
        for bad in ["", "a\nb", "a\u{7f}", &"a".repeat(128), &"订".repeat(43)] {
            assert_eq!(Description::new(bad).unwrap_err().what, "description");
        }
        assert!(OpenId::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o").is_ok());
        assert!(OpenId::new("a b").is_err() && OpenId::new("a\"b").is_err());
        assert_eq!(PayerIp::new("2001:DB8::1").unwrap().to_string(), "2001:db8::1");
        for bad in ["", "1.2.3", "1.2.3.4:5", "shop.example"] {
            assert_eq!(PayerIp::new(bad).unwrap_err().what, "payer_ip");
        }
    }
}
