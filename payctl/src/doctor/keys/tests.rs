use serde_json::{Value, json};

use super::super::tests::{
    ALIPAY, BODY, STANDARD_SECRET, STRIPE_SECRET, case_line, hint, no_hint, response,
    standard_line, stripe_line, stripe_with, with_keys,
};

fn standard_with(secret: &str) -> Value {
    with_keys(&standard_line(BODY), json!([secret]))
}

fn assert_config_error(line: &Value, wanted: &str) {
    let response = response(line);
    assert_eq!(response["verdict"], "config_error", "{response}");
    assert!(hint(line).starts_with(wanted), "{}", hint(line));
}

#[test]
fn an_altered_secret_is_explained() {
    for (around, says) in [
        ("\"$\" ", "a key has quotes around it: without, the signature fits"),
        ("'$'", "a key has quotes around it: without, the signature fits"),
        ("$\\n", "a key has `\\n` as two characters in place of each line break: without, the"),
    ] {
        assert_config_error(&standard_with(&around.replace('$', STANDARD_SECRET)), says);
        // Another key of Stripe, whose secrets may be any text.
        let of_stripe = stripe_with(&around.replace('$', STRIPE_SECRET));
        assert_eq!(response(&of_stripe)["verdict"], "reject");
        assert!(hint(&of_stripe).starts_with(says), "{}", hint(&of_stripe));
    }
    // White space around a key is no part of it.
    for around in ["$ ", "\t$\n", "\r\n$"] {
        for line in [
            stripe_with(&around.replace('$', STRIPE_SECRET)),
            standard_with(&around.replace('$', STANDARD_SECRET)),
        ] {
            assert_eq!(response(&line)["verdict"], "accept", "{line}");
        }
    }
    assert_config_error(
        &standard_with(&format!("'whsec_{}'", "A".repeat(32))),
        "a key has quotes around it: without, it is usable",
    );
}

#[test]
fn a_key_that_lost_its_line_breaks_is_explained() {
    let line = case_line(ALIPAY, "ali-node-001");
    let pem = line["keys"]["public_keys"][0].as_str().unwrap();
    let one_line: String = pem.lines().collect();
    let says = "a key has spaces or nothing in place of its line breaks: without, ";
    for (key, says) in [
        (pem.replace('\n', " "), says),
        (one_line, says),
        (format!("\"{}\"", pem.replace('\n', "\\n")), "a key has quotes around it"),
        (format!("\"{}\"", pem.replace('\n', " ")), "a key has white space, quotes or line"),
    ] {
        assert_config_error(&with_keys(&line, json!({"public_keys": [key]})), says);
    }
    // As two characters they are read as line breaks.
    for key in [pem.replace('\n', "\\n"), pem.replace('\n', "\\r\\n"), format!(" {pem}")] {
        let line = with_keys(&line, json!({"public_keys": [key]}));
        assert_eq!(response(&line)["verdict"], "accept", "{line}");
    }
}

#[test]
fn a_text_that_is_no_key_is_explained() {
    for (secret, says) in [
        ("sk_live_1", "a Stripe API key"),
        ("rk_test_1", "a Stripe API key"),
        ("we_1", "the id of a Stripe endpoint"),
    ] {
        let line = stripe_with(secret);
        assert_eq!(response(&line)["verdict"], "reject");
        assert!(hint(&line).starts_with(says));
    }
    assert_config_error(&standard_with("whsk_AAAA"), "the private half of an ed25519 key");
    let alipay = case_line(ALIPAY, "ali-node-001");
    let pem = alipay["keys"]["public_keys"][0].as_str().unwrap();
    for (label, says) in [
        ("PRIVATE KEY", "a private key is configured"),
        ("RSA PRIVATE KEY", "a private key is configured"),
        ("RSA PUBLIC KEY", "a key is in the form `BEGIN RSA PUBLIC KEY`"),
    ] {
        let key = pem.replace("PUBLIC KEY", label);
        assert_config_error(&with_keys(&alipay, json!({"public_keys": [key]})), says);
    }
    let whole = json!({"stripe": {"secrets": [STRIPE_SECRET]}, "standard": []});
    let says = "`keys` is the whole webhook secret: only what is under `stripe` is meant";
    assert_config_error(&with_keys(&stripe_line(BODY), whole), says);
    no_hint(&stripe_with("whsec_other"));
    no_hint(&with_keys(&stripe_line(BODY), json!([])));
}

#[test]
fn the_previous_secret_is_explained() {
    let two = "it was signed with key number 2 of 3: the sender has not changed to the newest yet";
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let standard = |secrets: [&str; 3]| with_keys(&standard_line(BODY), json!(secrets));
    let stripe = |secrets: [&str; 3]| with_keys(&stripe_line(BODY), json!({"secrets": secrets}));
    let hint_of = |line: &Value| {
        let response = response(line);
        assert_eq!(response["verdict"], "accept");
        response["hint"].as_str().map(str::to_owned)
    };
    assert_eq!(hint_of(&standard([other, STANDARD_SECRET, other])).as_deref(), Some(two));
    assert_eq!(hint_of(&standard([STANDARD_SECRET, other, STANDARD_SECRET])), None);
    assert_eq!(hint_of(&stripe([other, STRIPE_SECRET, other])).as_deref(), Some(two));
    assert_eq!(hint_of(&stripe([STRIPE_SECRET, other, other])), None);
}

#[test]
fn a_message_that_fails_before_its_keys_is_rejected_for_that() {
    let mut line = stripe_with("");
    line["headers"]["stripe-signature"] = "t,v1=".into();
    assert_eq!(response(&line)["verdict"], "reject");
    line["headers"] = json!({});
    let rejected = response(&line);
    assert_eq!(rejected["reason"], "the header stripe-signature is missing or empty");
    let line = stripe_with("");
    let response = response(&line);
    assert_eq!(response["verdict"], "config_error");
    assert!(response["reason"].as_str().unwrap().starts_with("the secret is unusable: "));
}
