//! What providers send and respond, judged by code that is not theirs.

mod alipay;
mod caller;
mod checkouts;
mod faults;
mod orders;
mod queries;
mod stripe;
mod webhooks;
mod wechat;

use pay_core::domain::{Outcome, PaymentId, Provider, Report, Timestamp};
use pay_providers::{Headers, Verified, WebhookKeys};

use super::simulator;
use crate::defaults;
use crate::messages::Message;

#[test]
fn each_message_is_verified_and_read_as_it_was_meant() {
    let secrets = defaults::webhook_secrets().unwrap().to_string();
    let keys = WebhookKeys::from_secret(&secrets).unwrap();
    let mut made = 0;
    for provider in Provider::ALL.iter().copied() {
        for outcome in Outcome::ALL {
            let message = Message::new(42, 10_050, outcome);
            let Ok(signed) = message.from(provider) else { continue };
            made += 1;
            let headers = Headers::from_pairs(&signed.headers);
            let now = Timestamp::from_millis(message.now_secs * 1000).unwrap();
            let verified = keys.verify(provider, &headers, &signed.body, now);
            let Ok(Verified::Notification(read) | Verified::Hint(read, _)) = verified else {
                panic!("{provider:?} {outcome:?}: {verified:?}");
            };
            let named = (read.sender, read.payment, &read.wrong_account);
            assert_eq!(named, (provider.into(), PaymentId::new(42).ok(), &None));
            let id = message.event_id(provider);
            assert_eq!(read.event_id.as_str(), id, "{provider:?} {outcome:?}");
            let Report { outcome: reported, reference, amount_minor, currency, .. } = &read.report;
            assert_eq!(*reported, Some(outcome), "{provider:?}");
            assert_eq!(*amount_minor, Some(10_050), "{provider:?} {outcome:?}");
            assert_eq!(currency.as_deref(), Some("CNY"));
            assert!(reference.source == provider.source() && reference.txn.is_some());
            // A message that is kept can be signed again.
            let again = simulator(provider).sign(None, "id", message.now_secs, &signed.body);
            assert_eq!(again.unwrap().body, signed.body, "{provider:?}");
        }
    }
    assert_eq!(made, 9);
}

#[test]
fn a_secret_is_given_only_to_a_provider_that_signs_with_one() {
    for provider in Provider::ALL.iter().copied() {
        let simulator = simulator(provider);
        let own = simulator.sign(None, "id", 1000, b"a=1").unwrap();
        match (simulator.key, simulator.sign(Some("another"), "id", 1000, b"a=1")) {
            (None, Ok(signed)) => assert_ne!(signed.headers, own.headers, "{provider:?}"),
            (Some(_), Err(error)) => {
                assert!(error.to_string().contains("signs with a private key"), "{error}");
            }
            (_, signed) => panic!("{provider:?}: {signed:?}"),
        }
    }
}
