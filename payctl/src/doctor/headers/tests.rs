use serde_json::{Value, json};

use super::super::tests::{
    BODY, NOW, WECHAT, case_line, hint, no_hint, response, standard_line, stripe_line,
};

fn wechat_line() -> Value {
    let mut line = case_line(WECHAT, "wx-go-001");
    let headers = line["headers"].as_object().unwrap().clone();
    let lower = headers.into_iter().map(|(name, value)| (name.to_lowercase(), value));
    line["headers"] = lower.collect();
    line
}

/// The line with its headers changed, each value by its name.
fn with(line: &Value, change: impl Fn(&str, &str) -> Value) -> Value {
    let mut line = line.clone();
    for (name, value) in line["headers"].as_object_mut().unwrap() {
        *value = change(name, value.as_str().unwrap());
    }
    line
}

fn renamed(line: &Value, change: impl Fn(&str) -> String) -> Value {
    let mut line = line.clone();
    let headers = line["headers"].as_object().unwrap().clone();
    line["headers"] = headers.into_iter().map(|(name, value)| (change(&name), value)).collect();
    line
}

#[test]
fn the_right_headers_under_other_names_are_explained() {
    // The names of Svix are the same scheme.
    let svix = renamed(&standard_line(BODY), |name| name.replace("webhook-", "svix-"));
    assert_eq!(response(&svix)["verdict"], "accept");
    for line in [standard_line(BODY), svix, stripe_line(BODY), wechat_line()] {
        let cgi = |name: &str| format!("HTTP_{}", name.to_uppercase().replace('-', "_"));
        let plain = |name: &str| name.replace('-', "_");
        let colon = |name: &str| format!("{name}:");
        for line in [renamed(&line, cgi), renamed(&line, plain), renamed(&line, colon)] {
            assert!(hint(&line).contains("the names that they are sent with"), "{}", hint(&line));
        }
    }
}

#[test]
fn another_senders_message_is_explained() {
    let line = |headers: Value, body: &str, keys: Value, provider: &str| json!({"provider": provider, "headers": headers, "body": body, "keys": keys, "now": NOW});
    let stripe = json!({"secrets": ["whsec_x"]});
    for (name, sender) in [
        ("Webhook-Signature", "Standard Webhooks"),
        ("Wechatpay-Signature", "WeChat Pay"),
        ("svix-signature", "Svix"),
    ] {
        let hint = hint(&line(json!({name: "x"}), "{}", stripe.clone(), "stripe"));
        assert!(hint.ends_with(&format!("is there: this is a message of {sender}")), "{hint}");
    }
    let form = "a=1&sign=x&sign_type=RSA2";
    assert!(hint(&line(json!({}), form, stripe.clone(), "stripe")).ends_with("of Alipay"));
    let mut alipay = line(json!({"stripe-signature": "x"}), "{}", json!({}), "alipay");
    assert!(hint(&alipay).ends_with("of Stripe"));
    // With its own signature the other one proves nothing.
    alipay["body"] = form.into();
    let keys = json!({"public_keys": []});
    alipay["keys"] = keys;
    no_hint(&alipay);
    no_hint(&line(json!({}), "{}", stripe, "stripe"));
}

#[test]
fn a_doubled_header_is_explained() {
    let says = |line: &Value, which: &str, names: &str| {
        let wanted = format!("the signature fits with the {which} value alone of `{names}`: ");
        assert!(hint(line).starts_with(&wanted), "{}", hint(line));
    };
    let all = "webhook-id`, `webhook-timestamp`, `webhook-signature";
    let standard = standard_line(BODY);
    let only = |wanted: &str, name: &str, doubled: Value, value: &str| {
        if name == wanted { doubled } else { value.into() }
    };
    let doubled = |values: [&str; 2]| {
        with(&standard, |name, value| {
            let values = values.map(|found| found.replace('$', value));
            only("webhook-id", name, json!(values), value)
        })
    };
    says(&doubled(["$", "x"]), "first", "webhook-id");
    says(&doubled(["x", "$"]), "last", "webhook-id");
    says(&doubled(["$", "$"]), "first", "webhook-id");
    for comma in [",", ", "] {
        let joined = |values: [&str; 2]| {
            with(&standard, |_, value| {
                values.map(|found| found.replace('$', value)).join(comma).into()
            })
        };
        says(&joined(["$", "$"]), "first", all);
        let stripe = with(&stripe_line(BODY), |_, value| format!("t=1,v1=ab{comma}{value}").into());
        says(&stripe, "last", "stripe-signature");
        let wechat = with(&wechat_line(), |name, value| {
            only("wechatpay-nonce", name, format!("{value}{comma}x").into(), value)
        });
        says(&wechat, "first", "wechatpay-nonce");
    }
    let stripe = with(&stripe_line(BODY), |_, value| format!("{value},{value}").into());
    says(&stripe, "first", "stripe-signature");
    no_hint(&doubled(["x", "y"]));
    // Several signatures are normal while a key is rotated.
    let two = with(&standard, |name, value| {
        only("webhook-signature", name, format!("v1,AAAA {value}").into(), value)
    });
    assert_eq!(response(&two)["verdict"], "accept");
}

#[test]
fn an_altered_value_is_explained() {
    let says = |line: &Value, name: &str, what: &str| {
        let wanted = format!("`{name}` has {what}: without, the signature fits");
        assert_eq!(hint(line), wanted);
    };
    let in_header = |line: &Value, wanted: &str, change: fn(&str) -> String| {
        with(line, |name, value| {
            if name == wanted { change(value) } else { value.to_owned() }.into()
        })
    };
    let (standard, stripe, wechat) = (standard_line(BODY), stripe_line(BODY), wechat_line());
    let around = "white space around it";
    says(&in_header(&standard, "webhook-id", |value| format!("{value} ")), "webhook-id", around);
    let timestamp = "webhook-timestamp";
    says(&in_header(&standard, timestamp, |value| format!(" {value}")), timestamp, around);
    let signature = "stripe-signature";
    says(&in_header(&stripe, signature, |value| format!(" {value}\t")), signature, around);
    says(
        &in_header(&stripe, signature, |value| format!("\"{value}\"")),
        signature,
        "quotes around it",
    );
    let inside = "white space inside it";
    says(&in_header(&stripe, signature, |value| value.replace(',', ", ")), signature, inside);
    let upper = |value: &str| value.to_uppercase().replace("T=", "t=").replace("V1=", "v1=");
    says(&in_header(&stripe, signature, upper), signature, "upper-case letters in it");
    let signature = "wechatpay-signature";
    says(
        &in_header(&wechat, signature, |value| value.replace('+', " ")),
        signature,
        "spaces in place of `+`",
    );
    let base64 = "another base64 than the standard one with its padding";
    let url = |value: &str| value.replace('+', "-").replace('/', "_").replace('=', "");
    says(&in_header(&wechat, signature, url), signature, base64);
    let unpadded = |value: &str| value.replace('=', "");
    says(&in_header(&standard, "webhook-signature", unpadded), "webhook-signature", base64);
    no_hint(&in_header(&standard, "webhook-id", |value| format!("{value}x ")));
}
