//! The URLs that the template accepts.

use super::{template, text};

/// What the template accepts would else stop every function after the deployment, and what it rejects
/// could not be deployed though it works.
#[test]
fn the_template_accepts_the_urls_that_the_functions_accept() {
    let names = [
        ("UserInfoUrl", "USER_INFO_URL"),
        ("OrderDetailUrl", "ORDER_DETAIL_URL"),
        ("OrderPaidUrl", "ORDER_PAID_URL"),
        ("OrderRefundedUrl", "ORDER_REFUNDED_URL"),
    ];
    for (parameter, setting) in names {
        let pattern = text(&template()["Parameters"][parameter]["AllowedPattern"]).to_owned();
        let pattern = regex::Regex::new(&pattern).unwrap();
        for (url, is_good) in [
            ("", parameter == "OrderRefundedUrl"),
            ("https://shop.example", true),
            ("https://shop.example/", true),
            ("https://shop.example:8443/api/user?x=1@y", true),
            ("https://shop.example?x=1", true),
            ("https://127.0.0.1/user", true),
            ("https://[::1]:8443/user", true),
            ("https://a_b.internal/%20", true),
            ("http://shop.example/", false),
            ("HTTPS://shop.example/", false),
            ("https:/shop.example/", false),
            ("https://", false),
            ("https:///user", false),
            ("https://user@shop.example/", false),
            ("https://user:password@shop.example/", false),
            ("https://@shop.example/", false),
            ("https://shop.example/#part", false),
            ("https://shop.example#part", false),
            ("https://shop.example/a b", false),
            (" https://shop.example/", false),
            ("https://shop.example/\n", false),
            ("https://caf\u{e9}.example/", false),
            ("https://shop\\example/", false),
            ("https://shop.example:port/", false),
            ("https://shop.example:123456/", false),
        ] {
            let lookup = |name: &str| match name {
                "CURRENCY" => Some("CNY".to_owned()),
                "TABLE_NAME" | "AUTH_SECRET_ID" => Some("x".to_owned()),
                name if name == setting => Some(url.to_owned()),
                name if name.ends_with("_URL") => Some("https://shop.example".to_owned()),
                _ => None,
            };
            let is_accepted = pay_service::config::create(&lookup).is_ok();
            assert_eq!(is_accepted, is_good, "{setting} {url}");
            assert_eq!(pattern.is_match(url), is_good, "{parameter} {url}");
        }
    }
}

/// The same of the URL that the API has outside, and of the time to live.
#[test]
fn the_template_accepts_the_public_urls_and_the_times_to_live_that_create_accepts() {
    let template = template();
    let parameter = |name: &str| &template["Parameters"][name];
    let long = format!("https://pay.example/{}", "a".repeat(180));
    let too_long = format!("{long}a");
    for (name, setting, value, is_good) in [
        ("PublicUrl", "PUBLIC_URL", "", true),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example", true),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example:8443/v1", true),
        ("PublicUrl", "PUBLIC_URL", "https://[::1]:8443/v1/x", true),
        ("PublicUrl", "PUBLIC_URL", &long, true),
        ("PublicUrl", "PUBLIC_URL", &too_long, false),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example/", false),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example/v1/", false),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example?a=b", false),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example/#a", false),
        ("PublicUrl", "PUBLIC_URL", "https://a_b.example", false),
        ("PublicUrl", "PUBLIC_URL", "https://user@pay.example", false),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example/a b", false),
        ("PublicUrl", "PUBLIC_URL", "https://pay.example/<", false),
        ("PublicUrl", "PUBLIC_URL", "http://pay.example", false),
        ("PublicUrl", "PUBLIC_URL", "https://", false),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "60", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "99", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "1800", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "999999", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "2591999", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "2592000", true),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "2592001", false),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "59", false),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "0", false),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "3000000", false),
        ("PaymentTtlSeconds", "PAYMENT_TTL_SECONDS", "30m", false),
    ] {
        let lookup = |name: &str| match name {
            "CURRENCY" => Some("CNY".to_owned()),
            "TABLE_NAME" | "AUTH_SECRET_ID" => Some("x".to_owned()),
            name if name == setting => Some(value.to_owned()),
            "USER_INFO_URL" | "ORDER_DETAIL_URL" | "ORDER_PAID_URL" => {
                Some("https://shop.example".to_owned())
            }
            _ => None,
        };
        let is_accepted = pay_service::config::create(&lookup).is_ok();
        assert_eq!(is_accepted, is_good, "{setting} {value}");
        let pattern = regex::Regex::new(text(&parameter(name)["AllowedPattern"])).unwrap();
        let longest = parameter(name)["MaxLength"].as_u64();
        let is_short = longest.is_none_or(|most| u64::try_from(value.len()).unwrap() <= most);
        assert_eq!(pattern.is_match(value) && is_short, is_good, "{name} {value}");
    }
}

/// The same of a provider's URL, which may be left out.
#[test]
fn the_template_accepts_the_urls_of_providers_that_callback_accepts() {
    let names =
        [("StripeUrl", "STRIPE_URL"), ("WeChatUrl", "WECHAT_URL"), ("AlipayUrl", "ALIPAY_URL")];
    for (parameter, setting) in names {
        let pattern = text(&template()["Parameters"][parameter]["AllowedPattern"]).to_owned();
        let pattern = regex::Regex::new(&pattern).unwrap();
        for (url, is_good) in [
            ("", true),
            ("https://sandbox.example", true),
            ("https://sandbox.example:8443/gateway.do", true),
            ("https://127.0.0.1/stripe", true),
            ("https://[::1]:8443", true),
            ("http://sandbox.example/", false),
            ("https:///gateway.do", false),
            ("https://user:password@sandbox.example/", false),
            ("https://sandbox.example/?x=1", false),
            ("https://sandbox.example?x=1", false),
            ("https://sandbox.example/#part", false),
            ("https://sandbox.example/a b", false),
            ("https://sandbox.example:123456/", false),
        ] {
            let lookup = |name: &str| match name {
                "CURRENCY" => Some("CNY".to_owned()),
                "TABLE_NAME" | "AUTH_SECRET_ID" | "WEBHOOK_SECRET_ID" => Some("x".to_owned()),
                name if name == setting => Some(url.to_owned()),
                "USER_INFO_URL" | "ORDER_DETAIL_URL" | "ORDER_PAID_URL" => {
                    Some("https://shop.example".to_owned())
                }
                _ => None,
            };
            let is_accepted = pay_service::config::callback(&lookup).is_ok();
            assert_eq!(is_accepted, is_good, "{setting} {url}");
            assert_eq!(pattern.is_match(url), is_good, "{parameter} {url}");
        }
    }
}
