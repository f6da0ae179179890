//! Arguments that name something elsewhere: checked before anything is sent, so that an error says what is
//! wrong with the argument and not what a library made of it.

use pay_core::domain::{PaymentId, Provider, ProviderRef, ProviderTxn, Source, TimeToLive};
use pay_core::limits::TIME_TO_LIVE_SECONDS;
use reqwest::Url;

/// The URL of a service, without a slash at its end.
pub(crate) fn service_url(text: &str) -> Result<String, String> {
    if !text.contains("://") {
        return Err(format!("it has no scheme: http://{text} or https://{text}"));
    }
    let url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(format!("its scheme is {}, and http or https is needed", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "it holds a user or a password, which are never sent: leave them out".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment: leave out what begins with ? or #".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// The name or ARN of a table.
pub(crate) fn table_name(text: &str) -> Result<String, String> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    let is_name = (3..=255).contains(&text.len()) && text.bytes().all(safe);
    let is_arn =
        text.starts_with("arn:") && text.bytes().all(|byte| safe(byte) || b":/".contains(&byte));
    if is_name || is_arn {
        return Ok(text.to_owned());
    }
    Err("a table has 3 to 255 characters of A-Z, a-z, 0-9, _, . and -; or give its ARN".to_owned())
}

/// The name or ARN of a function.
pub(crate) fn function_name(text: &str) -> Result<String, String> {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-:$.".contains(&byte);
    if (1..=170).contains(&text.len()) && text.bytes().all(safe) {
        return Ok(text.to_owned());
    }
    Err("a function has 1 to 170 characters of A-Z, a-z, 0-9, _ and -; or give its ARN".to_owned())
}

/// How long a payment can be paid, in seconds.
pub(crate) fn time_to_live(text: &str) -> Result<TimeToLive, String> {
    let (least, most) = TIME_TO_LIVE_SECONDS;
    let seconds = text.parse().ok().and_then(|seconds| TimeToLive::new(seconds).ok());
    seconds.ok_or_else(|| format!("a number of seconds from {least} to {most} is needed"))
}

/// A payment's id.
pub(crate) fn payment_id(text: &str) -> Result<PaymentId, String> {
    let needed = "a payment's id is needed: a number from 1 to 9007199254740991";
    PaymentId::parse(text).map_err(|_no_id| needed.to_owned())
}

/// A provider's transaction: `<provider>#<transaction>`, with a source's number where it is no provider
/// of ours.
pub(crate) fn transaction(text: &str) -> Result<ProviderRef, String> {
    let needed = || {
        "a provider's transaction is needed: stripe#pi_3N…, wechat#4200…, alipay#2026…, or the number \
         of another source in place of the name"
            .to_owned()
    };
    let (name, txn) = text.split_once('#').ok_or_else(needed)?;
    let number = || name.parse().ok().and_then(|number| Source::new(number).ok());
    let source =
        Provider::new(name).ok().map(Provider::source).or_else(number).ok_or_else(needed)?;
    let reference = ProviderRef { source, txn: ProviderTxn::new(txn).ok() };
    // One text for each, as the index has it.
    if reference.transaction().as_deref() == Some(text) { Ok(reference) } else { Err(needed()) }
}

#[cfg(test)]
mod tests {
    use super::{function_name, payment_id, service_url, table_name, transaction};

    #[test]
    fn a_url_is_whole_or_the_error_says_what_is_wrong_with_it() {
        for (text, url) in [
            ("http://127.0.0.1:8003", "http://127.0.0.1:8003"),
            ("https://dynamodb.example/", "https://dynamodb.example"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            assert_eq!(service_url(text).as_deref(), Ok(url));
        }
        for (text, why) in [
            ("127.0.0.1:8003", "it has no scheme: http://127.0.0.1:8003"),
            ("localhost:8003", "it has no scheme: http://localhost:8003"),
            ("", "it has no scheme"),
            ("ftp://127.0.0.1", "its scheme is ftp"),
            ("http://", "it is no URL: empty host"),
            ("http://a b", "it is no URL"),
            ("http://127.0.0.1:99999", "it is no URL: invalid port number"),
            ("http://ada:secret@127.0.0.1", "it holds a user or a password"),
            ("http://127.0.0.1/?a=b", "it has a query or a fragment"),
            ("http://127.0.0.1/#a", "it has a query or a fragment"),
        ] {
            let error = service_url(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_name_is_one_that_aws_gives() {
        for name in ["pay", "payments-prod_1.2", "arn:aws:dynamodb:eu-central-1:1:table/pay"] {
            assert_eq!(table_name(name).as_deref(), Ok(name));
        }
        for name in ["", "ab", "pay prod", "pay/prod", "http://127.0.0.1:8000"] {
            assert!(table_name(name).is_err(), "{name}");
        }
        for name in ["callback", "arn:aws:lambda:eu-central-1:1:function:pay:$LATEST"] {
            assert_eq!(function_name(name).as_deref(), Ok(name));
        }
        for name in ["", "pay callback", "a/b", "a?b"] {
            assert!(function_name(name).is_err(), "{name}");
        }
        assert!(payment_id("7").is_ok());
        assert!(payment_id("0").is_err() && payment_id("7/stripe/e1").is_err());
        for text in ["stripe#pi_1", "alipay#2026", "77#a#b"] {
            assert_eq!(transaction(text).unwrap().transaction().as_deref(), Some(text));
        }
        for text in
            ["", "pi_1", "stripe", "stripe#", "paypal#a", "3#pi_1", "0#a", "256#a", "77#a b"]
        {
            assert!(transaction(text).unwrap_err().contains("stripe#pi_3N"), "{text}");
        }
    }
}
