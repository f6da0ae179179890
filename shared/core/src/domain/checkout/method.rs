//! How a payer can pay at a provider.

use crate::domain::{OutOfRange, Provider};

/// The table of methods: variant, provider, name in the API.
macro_rules! methods {
    ($($(#[$doc:meta])+ $variant:ident = $provider:ident, $name:literal;)+) => {
        /// How a payer can pay at a provider.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CheckoutMethod {
            $($(#[$doc])+ $variant,)+
        }

        impl CheckoutMethod {
            /// Every method, in the order of this table.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The provider that it belongs to.
            #[must_use]
            pub const fn provider(self) -> Provider {
                match self {
                    $(Self::$variant => Provider::$provider,)+
                }
            }

            /// The name in requests and in the table.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

methods! {
    /// A page of Stripe's: a Checkout session.
    StripeCheckout = Stripe, "checkout";
    /// A `PaymentIntent`, for a form in the shop's own page.
    StripeIntent = Stripe, "intent";
    /// A QR code that the payer scans with WeChat.
    WeChatNative = WeChat, "native";
    /// From a browser of a phone into WeChat.
    WeChatH5 = WeChat, "h5";
    /// In WeChat's own browser, or in a mini program.
    WeChatJsapi = WeChat, "jsapi";
    /// From the shop's app into WeChat.
    WeChatApp = WeChat, "app";
    /// A page of Alipay's, on a computer.
    AlipayPage = Alipay, "page";
    /// A page of Alipay's, on a phone.
    AlipayWap = Alipay, "wap";
    /// A QR code that the payer scans with Alipay.
    AlipayQr = Alipay, "qr";
    /// From the shop's app into Alipay.
    AlipayApp = Alipay, "app";
}

impl CheckoutMethod {
    /// Reads what [`Self::as_str`] gives, to the letter.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`] for a name that no method of this provider has.
    pub fn new(provider: Provider, name: &str) -> Result<Self, OutOfRange> {
        let mut of_provider = Self::ALL.iter().filter(|method| method.provider() == provider);
        let found = of_provider.find(|method| method.as_str() == name);
        found.copied().ok_or(OutOfRange::new("method"))
    }

    /// Whether the provider finds it by an id of its own alone.
    #[must_use]
    pub const fn has_provider_id(self) -> bool {
        matches!(self.provider(), Provider::Stripe)
    }

    /// Whether the payer comes back to a page of the shop, which must be named.
    #[must_use]
    pub const fn needs_return_url(self) -> bool {
        matches!(self, Self::StripeCheckout)
    }

    /// Whether the payer can come back to a page of the shop.
    #[must_use]
    pub const fn takes_return_url(self) -> bool {
        matches!(self, Self::StripeCheckout | Self::WeChatH5 | Self::AlipayPage | Self::AlipayWap)
    }

    /// Whether the payer's id in the shop's WeChat app must be named.
    #[must_use]
    pub const fn needs_openid(self) -> bool {
        matches!(self, Self::WeChatJsapi)
    }

    /// Whether the payer's address must be named.
    #[must_use]
    pub const fn needs_payer_ip(self) -> bool {
        matches!(self, Self::WeChatH5)
    }

    /// Whether the provider must be given where it sends its notifications; else that is set there.
    #[must_use]
    pub const fn needs_notify_url(self) -> bool {
        matches!(self.provider(), Provider::WeChat | Provider::Alipay)
    }

    /// How long it can be paid, in milliseconds: the least that the provider takes, and what it gets where
    /// the payment's time to live does not end before.
    ///
    /// Sources: docs.stripe.com/api/checkout/sessions/create, `expires_at`: 30 minutes to 24 hours after the
    /// session was made, so that a minute is left for the call; pay.weixin.qq.com/doc/v3, `time_expire`: a
    /// minute at least.
    #[must_use]
    pub const fn lifetime_ms(self) -> (u64, u64) {
        const MINUTE_MS: u64 = 60_000;
        if matches!(self, Self::StripeCheckout) {
            (31 * MINUTE_MS, 31 * MINUTE_MS)
        } else {
            (2 * MINUTE_MS, 30 * MINUTE_MS)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CheckoutMethod;
    use crate::domain::Provider;

    #[test]
    fn the_names_of_the_methods_stay() {
        let of = |provider| {
            let all = CheckoutMethod::ALL.iter().filter(|method| method.provider() == provider);
            all.map(|method| method.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(of(Provider::Stripe), ["checkout", "intent"]);
        assert_eq!(of(Provider::WeChat), ["native", "h5", "jsapi", "app"]);
        assert_eq!(of(Provider::Alipay), ["page", "wap", "qr", "app"]);
        for method in CheckoutMethod::ALL {
            assert_eq!(CheckoutMethod::new(method.provider(), method.as_str()), Ok(*method));
            assert!(method.takes_return_url() || !method.needs_return_url(), "{method:?}");
        }
        assert_eq!(CheckoutMethod::new(Provider::Stripe, "native").unwrap_err().what, "method");
    }
}
