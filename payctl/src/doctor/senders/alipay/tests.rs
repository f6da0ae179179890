use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use form_urlencoded::Serializer;
use serde_json::{Value, json};

use crate::doctor::form::{Field, LARGEST, MOST_FIELDS, fields, with_values};
use crate::doctor::tests::{ALIPAY, case_line, hint, no_hint, received, response};
use local::simulator::alipay::KEY;

fn line() -> Value {
    case_line(ALIPAY, "ali-node-001")
}

fn form() -> Vec<Field> {
    let case = crate::doctor::tests::case(&line(), 0);
    fields(&case.body).0
}

fn encoded(fields: &[Field]) -> String {
    Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn of(form: &str) -> Value {
    received(&line(), form.as_bytes())
}

fn says(body: &str, wanted: &str) {
    let hint = hint(&of(body));
    assert!(hint.starts_with(&format!("the signature fits {wanted}")), "{hint}");
}

#[test]
fn the_form_itself_needs_no_hint() {
    let response = response(&of(&encoded(&form())));
    assert_eq!((&response["verdict"], response.get("hint")), (&json!("accept"), None));
    assert_eq!(response["notification"]["outcome"], "paid");
    assert_eq!(response["notification"]["amount"], 10);
}

#[test]
fn a_form_that_was_decoded_and_not_encoded_again_is_explained() {
    let body = encoded(&form()).replace("%2B", "+");
    says(&body, "with `+` for each space in `sign`: ");
}

#[test]
fn escaped_values_are_explained() {
    let escaped = with_values(&form(), |_, value| value.replace('"', "&quot;"));
    says(&encoded(&escaped), "once `&quot;` and the like are the characters ");
}

#[test]
fn a_form_that_was_encoded_twice_is_explained() {
    let once = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let values = with_values(&form(), |_, value| once(value));
    for body in [encoded(&values), once(&encoded(&form()))] {
        says(&body, "once the form is decoded twice: ");
    }
}

#[test]
fn an_added_field_is_explained() {
    let body = encoded(&form());
    says(&format!("{body}&tenant=7"), "without the field `tenant`: ");
    says(&format!("charset=utf-8&{body}"), "without the field `charset`: ");
    says(&format!("{body}&a=&b="), "without the fields that are empty: ");
    no_hint(&of(&format!("{body}&a=1&b=2")));
    no_hint(&of(&body.replace("total_amount=0.10", "total_amount=9.10")));
}

#[test]
fn a_form_that_became_json_is_explained() {
    let object: serde_json::Map<String, Value> =
        form().into_iter().map(|(name, value)| (name, value.into())).collect();
    says(&Value::from(object).to_string(), "once the JSON is written as a form: ");
}

#[test]
fn the_changes_of_any_body_are_explained_for_a_form() {
    let body = encoded(&form());
    says(&format!("{body}\n"), "the body with no newline at its end");
    let base64 = BASE64.encode(&body);
    says(&base64, "the body once its base64 is decoded");
}

#[test]
fn a_form_of_too_many_fields_is_left_alone() {
    let body = encoded(&form());
    let more: Vec<String> = (0..MOST_FIELDS).map(|at| format!("&a{at}=1")).collect();
    no_hint(&of(&format!("{body}{}", more.concat())));
    no_hint(&of(&format!("{body}&a={}", "a".repeat(LARGEST))));
}

#[test]
fn the_previous_key_is_explained() {
    let mut line = line();
    let key = line["keys"]["public_keys"][0].clone();
    line["keys"]["public_keys"] = json!([KEY.get().unwrap().public_pem(), key]);
    let response = response(&line);
    assert_eq!(response["verdict"], "accept");
    assert!(
        response["hint"].as_str().unwrap().starts_with("it was signed with key number 2 of 2: ")
    );
}

#[test]
fn a_message_of_another_seller_says_so() {
    let mut line = line();
    line["keys"]["seller_id"] = "2088".into();
    line["keys"]["app_id"] = "2019073166072302".into();
    let response = response(&line);
    assert_eq!(response["notification"]["wrong_account"], true);
    assert_eq!(
        response["hint"],
        "it would be quarantined, as one of another account or mode than configured: expected \
         `seller_id=2088`, received `seller_id=2088531891668739`"
    );
}

#[test]
fn what_is_not_accepted_is_named() {
    let line = case_line(ALIPAY, "ali-node-014");
    assert_eq!(hint(&line), "`sign_type` is `RSA`, and only `RSA2` is accepted");
    assert_eq!(hint(&received(&line, b"sign=AAAA&sign_type=RSA")), hint(&line));
    let charset = received(&line, b"charset=GBK&sign=AAAA");
    assert!(hint(&charset).starts_with("`charset` is `GBK`: "));
    let twice = received(&line, b"b=1&a=1&b=2&sign=AAAA");
    assert_eq!(hint(&twice), "the field that is there twice is `b`");
}
