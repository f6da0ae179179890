use pay_core::domain::{CheckoutMethod, Sender};
use pay_service::http::Code;

use super::*;

const ASKER: Asker = Asker { payer: None, sender: Sender::Operator };

fn read_json(body: &Value) -> Result<CheckoutPayment, Problem> {
    let body = body.to_string();
    let fields = Fields::parse(body.as_bytes()).unwrap();
    let url = |of: &str| WebUrl::new(&format!("https://pay.example/{of}")).unwrap();
    let urls = [(Provider::Stripe, url("stripe")), (Provider::WeChat, url("wechat"))];
    read(&fields, ASKER, (&urls, None), body.as_bytes())
}

/// A request with every member that any method uses.
fn whole(method: CheckoutMethod) -> Value {
    json!({
        "id": 7,
        "provider": method.provider().as_str(),
        "method": method.as_str(),
        "description": "Tea",
        "return_url": "https://shop.example/paid",
        "openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o",
        "payer_ip": "192.0.2.1",
    })
}

#[test]
fn a_request_keeps_what_its_method_uses() {
    for method in CheckoutMethod::ALL {
        let request = read_json(&whole(*method)).unwrap();
        let asked = &request.asked;
        assert_eq!((request.id.get(), asked.method), (7, *method));
        assert_eq!(asked.description.as_ref().map(Description::as_str), Some("Tea"));
        assert_eq!(asked.return_url.is_some(), method.takes_return_url(), "{method:?}");
        assert_eq!(asked.openid.is_some(), *method == CheckoutMethod::WeChatJsapi, "{method:?}");
        assert_eq!(asked.payer_ip.is_some(), *method == CheckoutMethod::WeChatH5, "{method:?}");
        let url = request.notify_url.as_ref().map(WebUrl::as_str);
        let want = match method.provider() {
            Provider::Stripe => Some("https://pay.example/stripe"),
            Provider::WeChat => Some("https://pay.example/wechat"),
            Provider::Alipay => None,
        };
        assert_eq!(url, want, "{method:?}");
    }
}

#[test]
fn a_member_that_is_missing_or_wrong_is_named() {
    let named = |body: &Value| {
        let problem = read_json(body).unwrap_err();
        assert_eq!(problem.code, Code::InvalidRequest);
        format!("{problem:?}")
    };
    for method in CheckoutMethod::ALL {
        let needed = [
            ("id", true),
            ("provider", true),
            ("method", true),
            ("description", false),
            ("return_url", method.needs_return_url()),
            ("openid", method.needs_openid()),
            ("payer_ip", method.needs_payer_ip()),
        ];
        for (name, is_needed) in needed {
            let mut without = whole(*method);
            without[name] = Value::Null;
            if is_needed {
                assert!(named(&without).contains(&format!("`{name}` is missing")), "{method:?}");
            } else {
                assert!(read_json(&without).is_ok(), "{method:?} {name}");
            }
            // Also where the method does not use it.
            for wrong in [json!(""), json!([]), json!("a\nb"), json!(-1)] {
                let mut body = whole(*method);
                body[name] = wrong;
                assert!(named(&body).contains(&format!("`{name}` is missing")), "{method:?}");
            }
        }
    }
    // A method of another provider.
    let mut other = whole(CheckoutMethod::WeChatNative);
    other["provider"] = json!("stripe");
    assert!(named(&other).contains("`method`"));
}

#[test]
fn an_action_is_shown_by_its_kind() {
    let url = "https://provider.example/pay".to_owned();
    for (action, want) in [
        (CheckoutAction::Redirect { url: url.clone() }, json!({"type": "redirect", "url": url})),
        (
            CheckoutAction::Qr { text: "weixin://wxpay/1".to_owned() },
            json!({"type": "qr", "text": "weixin://wxpay/1"}),
        ),
        (
            CheckoutAction::Client {
                parameters: vec![("b", "2".to_owned()), ("a", "1".to_owned())],
            },
            json!({"type": "client", "parameters": {"a": "1", "b": "2"}}),
        ),
    ] {
        assert_eq!(action_body(action), want);
    }
}
