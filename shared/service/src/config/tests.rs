use super::*;

const GOOD: [(&str, &str); 7] = [
    ("TABLE_NAME", "payments"),
    ("CURRENCY", "CNY"),
    ("AUTH_SECRET_ID", "auth"),
    ("USER_INFO_URL", "https://shop.example/user"),
    ("ORDER_DETAIL_URL", "https://shop.example/order"),
    ("ORDER_PAID_URL", "https://shop.example/paid"),
    ("JWT_ISSUER", ""),
];

/// The good settings with these before them.
fn with(changed: &[(&str, &str)]) -> impl Fn(&str) -> Option<String> {
    move |name: &str| {
        let all = changed.iter().chain(&GOOD);
        all.clone().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }
}

fn read(changed: &[(&str, &str)]) -> Result<(Settings, ShopSettings), BadSettings> {
    create(&with(changed)).map(|(settings, shop, _)| (settings, shop))
}

#[test]
fn good_settings_are_read_and_defaults_filled_in() {
    let (settings, shop) = read(&[]).unwrap();
    assert_eq!((settings.table.as_str(), settings.currency.code()), ("payments", "CNY"));
    assert_eq!(settings.secret_overlap.as_secs(), 86_400);
    assert_eq!(settings.rules, TokenRules::default());
    assert_eq!(settings.log_level, LevelFilter::INFO);
    assert_eq!(shop.order_paid.as_str(), "https://shop.example/paid");
    let only = ["TABLE_NAME", "CURRENCY", "AUTH_SECRET_ID"];
    assert!(detail(&|name| only.contains(&name).then(|| "CNY".to_owned())).is_ok());
}

#[test]
fn providers_are_queried_where_there_is_a_secret() {
    let webhooks = ("WEBHOOK_SECRET_ID", "webhooks");
    let urls = [
        ("ALIPAY_URL", "https://sandbox.example/gateway.do"),
        ("STRIPE_URL", "https://sandbox.example:8443"),
    ];
    let secret = ("PROVIDER_SECRET_ID", "providers");
    for (secret, queried) in
        [(None, false), (Some(("PROVIDER_SECRET_ID", "")), false), (Some(secret), true)]
    {
        let settings: Vec<_> = urls.into_iter().chain([webhooks]).chain(secret).collect();
        let (_, _, create) = create(&with(&settings)).unwrap();
        let (_, _, callback) = callback(&with(&settings)).unwrap();
        let [create, callback] = [create.providers, callback.providers].map(|found| {
            found.map(|found| {
                let urls = found.urls.into_iter();
                (found.secret_id, urls.map(|(at, url)| (at, url.to_string())).collect::<Vec<_>>())
            })
        });
        let urls = vec![
            (Provider::Stripe, "https://sandbox.example:8443/".to_owned()),
            (Provider::Alipay, "https://sandbox.example/gateway.do".to_owned()),
        ];
        let want = queried.then(|| ("providers".to_owned(), urls));
        assert_eq!((&create, &callback), (&want, &want), "{secret:?}");
    }
    // Detail does not look at what it does not use.
    assert!(detail(&with(&[("STRIPE_URL", "http://canary")])).is_ok());
}

#[test]
fn providers_send_their_notifications_to_routes_below_the_public_url() {
    let urls = |value: &str| {
        let settings = [("PROVIDER_SECRET_ID", "pay/provider"), ("PUBLIC_URL", value)];
        let (_, _, create) = create(&with(&settings)).unwrap();
        let urls = create.providers.unwrap().notify_urls.into_iter();
        urls.map(|(provider, url)| (provider, url.as_str().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(urls(""), []);
    for public in ["https://pay.example", "https://pay.example:8443/v1", "https://[::1]:8443"] {
        let want = [
            (Provider::Stripe, format!("{public}/api/pay/callback/stripe")),
            (Provider::WeChat, format!("{public}/api/pay/callback/wechat")),
            (Provider::Alipay, format!("{public}/api/pay/callback/alipay")),
        ];
        assert_eq!(urls(public), want);
    }
    let longest = format!("https://pay.example/{}", "a".repeat(180));
    assert!(urls(&longest).iter().all(|(_, url)| url.len() < 256));
    let long = format!("{longest}a");
    for (value, says) in [
        ("https://canary.example/", "ends with `/`, and a path is appended to it: remove that"),
        ("https://canary.example/v1/", "ends with `/`, and a path is appended to it: remove that"),
        (
            "https://canary.example/?a=b",
            "has a query (`?`), and requests have their own: remove it",
        ),
        ("http://canary.example", "begins with `http://`: tokens are sent there, so serve it "),
        ("https://canary.example/\"a", "has a character that no URL has: write it in its `%` form"),
        (&long, "is longer than 200 bytes: providers take no longer one"),
    ] {
        let found = why("PUBLIC_URL", value);
        assert!(found.starts_with(says), "{value}: {found}");
    }
}

#[test]
fn a_time_to_live_is_the_same_for_create_and_callback() {
    let read = |value: &str| {
        let settings = [("PAYMENT_TTL_SECONDS", value), ("WEBHOOK_SECRET_ID", "webhooks")];
        let (_, _, create) = create(&with(&settings)).unwrap();
        let (_, _, callback) = callback(&with(&settings)).unwrap();
        assert_eq!(create.time_to_live, callback.time_to_live);
        create.time_to_live
    };
    assert_eq!(read(""), None);
    for seconds in [60, 1_800, 2_592_000] {
        assert_eq!(read(&seconds.to_string()), Some(TimeToLive::new(seconds).unwrap()));
    }
}

#[test]
fn tokens_are_accepted_by_callback_unless_they_are_off() {
    let read = |word: Option<&str>| {
        let lookup = |name: &str| match name {
            "CALLBACK_TOKENS" => word.map(str::to_owned),
            "WEBHOOK_SECRET_ID" => Some("webhooks".to_owned()),
            _ => GOOD.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()),
        };
        callback(&lookup).map(|(_, _, callback)| callback.tokens)
    };
    for (word, tokens) in [(None, true), (Some(""), true), (Some("on"), true), (Some("off"), false)]
    {
        assert_eq!(read(word), Ok(tokens), "{word:?}");
    }
    // What was meant to close a way in must not leave it open.
    for wrong in ["OFF", "false", "0", "no", " off"] {
        let why = "CALLBACK_TOKENS is neither `on` nor `off`: write one of them, in lower case";
        assert_eq!(read(Some(wrong)), Err(BadSettings(vec![why.to_owned()])), "{wrong}");
    }
}

#[test]
fn every_bad_setting_is_reported_at_once_and_none_is_shown() {
    let bad = read(&[
        ("TABLE_NAME", ""),
        ("CURRENCY", "cny-canary"),
        ("SECRET_OVERLAP_SECONDS", "1h"),
        ("USER_INFO_URL", "http://shop.example/user"),
        ("UPSTREAM_CA_BUNDLE", "/canary/no/such/file"),
        ("LOG_LEVEL", "loud"),
    ])
    .unwrap_err()
    .to_string();
    for name in [
        "TABLE_NAME is missing",
        "CURRENCY is",
        "SECRET_OVERLAP_SECONDS",
        "USER_INFO_URL",
        "UPSTREAM_CA_BUNDLE",
        "LOG_LEVEL",
    ] {
        assert!(bad.contains(name), "{name}: {bad}");
    }
    assert!(!bad.contains("canary"), "{bad}");
    let callback = callback(&|_| None).unwrap_err().to_string();
    assert!(callback.contains("WEBHOOK_SECRET_ID is missing"), "{callback}");
}

/// What is wrong with one setting.
fn why(name: &str, value: &str) -> String {
    let callback_only = ["WEBHOOK_SECRET_ID", "CALLBACK_TOKENS"];
    let lookup = |wanted: &str| {
        let others = GOOD.iter().chain(&[("WEBHOOK_SECRET_ID", "webhooks")]);
        let others = others.clone().find(|(known, _)| *known == wanted);
        let other = others.map(|(_, value)| (*value).to_owned());
        if wanted == name { Some(value.to_owned()) } else { other }
    };
    let read = if callback_only.contains(&name) {
        callback(&lookup).map(drop)
    } else {
        create(&lookup).map(drop)
    };
    let BadSettings(wrong) = read.unwrap_err();
    let [wrong] = &wrong[..] else { panic!("{wrong:?}") };
    assert!(!value.is_empty() && !wrong.contains("canary"), "{wrong}");
    wrong.strip_prefix(&format!("{name} ")).unwrap().to_owned()
}

#[test]
fn each_bad_setting_says_what_is_wrong_and_what_to_do() {
    for name in [
        "TABLE_NAME",
        "AUTH_SECRET_ID",
        "JWT_ISSUER",
        "JWT_AUDIENCE",
        "WEBHOOK_SECRET_ID",
        "PROVIDER_SECRET_ID",
    ] {
        for value in [" canary", "canary\n", "\t"] {
            assert_eq!(why(name, value), "has white space around it: remove it", "{name}");
        }
    }
    for (name, value, says) in [
        ("CURRENCY", "cny", "is in lower case: write the code in upper case, as in `CNY`"),
        ("CURRENCY", "CNY ", "has white space around it: remove it"),
        ("CURRENCY", "RMB", "is no code of ISO 4217: write three letters, as in `CNY`"),
        ("CURRENCY", "156", "is no code of ISO 4217: write three letters, as in `CNY`"),
        ("SECRET_OVERLAP_SECONDS", "1h", "is no whole number of seconds: write one, as in `86400`"),
        ("SECRET_OVERLAP_SECONDS", "-1", "is no whole number of seconds: write one, as in `86400`"),
        ("PAYMENT_TTL_SECONDS", "30m", "is no whole number of seconds: write one, as in `86400`"),
        ("PAYMENT_TTL_SECONDS", "59", "is out of range: write 60 (a minute) to 2592000 (30 days)"),
        (
            "PAYMENT_TTL_SECONDS",
            "2592001",
            "is out of range: write 60 (a minute) to 2592000 (30 days)",
        ),
        ("LOG_LEVEL", "loud", "is no level: write `error`, `warn`, `info`, `debug` or `trace`"),
        ("CALLBACK_TOKENS", "no", "is neither `on` nor `off`: write one of them, in lower case"),
        (
            "UPSTREAM_CA_BUNDLE",
            "/canary/no/such/file",
            "names a file that cannot be read (entity not found): give the path of a PEM file in the \
             function's package, or the PEM text itself",
        ),
        (
            "UPSTREAM_CA_BUNDLE",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "holds no CA certificate in PEM, or a damaged one: give each whole, from `-----BEGIN \
             CERTIFICATE-----` to `-----END CERTIFICATE-----`",
        ),
    ] {
        assert_eq!(why(name, value), says, "{name}={value}");
    }
}

#[test]
fn a_bad_url_says_what_is_wrong_with_it() {
    for (value, says) in [
        ("http://canary.example/user", "begins with `http://`: tokens are sent there, so "),
        ("ftp://canary.example/user", "does not begin with `https://`: write the whole URL"),
        ("canary.example/user", "does not begin with `https://`: write the whole URL"),
        ("HTTPS://canary.example/user", "does not begin with `https://`: write the whole URL"),
        ("https:/canary.example/user", "does not begin with `https://`: write the whole URL"),
        ("https://canary@shop.example/", "has a user name or a password: remove it, "),
        ("https://canary:canary@shop.example/", "has a user name or a password: remove it, "),
        ("https://@shop.example/", "has a user name or a password: remove it, "),
        ("https://shop.example/#canary", "has a fragment (`#`), which is never sent: remove it"),
        ("https://shop.example/canary canary", "has white space in it: remove it"),
        ("https://shop.example/canary\n", "has white space in it: remove it"),
        ("https://caf\u{e9}.example/canary", "has a host name that is not ASCII: write it in its "),
        ("https://", "has no usable host (empty host): write "),
        ("https:///canary", "has no usable host (empty host): write "),
        ("https://shop.example:99999/canary", "has no usable host (invalid port number): write "),
        ("https://shop\\canary/", "has no usable host (other characters than a host name has): "),
    ] {
        let found = why("USER_INFO_URL", value);
        assert!(found.starts_with(says), "{value}: {found}");
    }
    for name in ["STRIPE_URL", "WECHAT_URL", "ALIPAY_URL"] {
        assert!(
            why(name, "http://canary.example").starts_with("begins with `http://`: tokens are ")
        );
        for query in ["https://canary.example/?a=canary", "https://canary.example?"] {
            let says = "has a query (`?`), and requests have their own: remove it";
            assert_eq!(why(name, query), says, "{query}");
        }
    }
    for good in [
        "https://shop.example",
        "https://shop.example:8443/user?a=b@c",
        "https://127.0.0.1:8443/user",
        "https://[::1]:8443/user",
        "https://xn--caf-dma.example/",
        "https://a_b.internal/%20",
    ] {
        assert!(read(&[("USER_INFO_URL", good)]).is_ok(), "{good}");
    }
}
