//! What holds of every value: what is printed is read, and what is read prints the same.

use proptest::prelude::*;

use super::*;
use crate::json::Object;

const MAX_SAFE: u64 = (1 << 53) - 1;
const MAX_SIGNED: u64 = (1 << 63) - 1;

fn senders() -> impl Strategy<Value = Sender> {
    proptest::sample::select(Sender::all().collect::<Vec<_>>())
}

/// Numbers of every size, most of them near the ends of the ids' ranges.
fn numbers() -> impl Strategy<Value = u64> {
    let near = |end: u64| end.saturating_sub(2)..=end.saturating_add(2);
    prop_oneof![
        any::<u64>(),
        near(0),
        0..=MAX_SAFE,
        near(MAX_SAFE),
        near(MAX_SIGNED),
        near(u64::MAX)
    ]
}

/// An event: under a payment or none, under its own name or a suffixed one.
fn events() -> impl Strategy<Value = Event> {
    let payments = proptest::option::of(1..=MAX_SAFE);
    let suffixes = proptest::option::of("[0-9a-f]{1,64}");
    let ids = proptest::option::of(".{0,140}");
    (payments, senders(), ids, suffixes, any::<[u8; 32]>()).prop_map(
        |(payment, sender, id, suffix, digest)| Event {
            payment: payment.map(|id| PaymentId::new(id).unwrap()),
            sender,
            id: EventId::new(id.as_deref(), Digest::new(digest)),
            suffix,
            at: Timestamp::EPOCH,
            report: Report::NONE,
            status: None,
            version: None,
            verdict: Verdict::Ignored,
            mismatch: None,
            checkout: None,
            decision: None,
            body: RawBody::new(b"", Digest::new(digest)),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..<_>::default() })]

    #[test]
    fn an_id_is_in_range_and_its_text_is_read(id in numbers()) {
        let fits = (1..=MAX_SAFE).contains(&id);
        assert_eq!(PaymentId::new(id).map(PaymentId::get).ok(), fits.then_some(id));
        assert_eq!(PaymentId::parse(&id.to_string()).ok(), PaymentId::new(id).ok());
        let fits = (1..=MAX_SIGNED).contains(&id);
        assert_eq!(UserId::new(id).map(UserId::get).ok(), fits.then_some(id));
        assert_eq!(OrderId::new(id).map(OrderId::get).ok(), fits.then_some(id));
    }

    #[test]
    fn an_id_of_the_shop_is_read_from_json_to_the_last_digit(id in numbers()) {
        let document = format!(r#"{{"oid":{id}}}"#);
        let oid = Object::parse(document.as_bytes()).unwrap().integer("oid").map(OrderId::new);
        assert_eq!(oid, Some(OrderId::new(id)));
        if let Some(Ok(oid)) = oid {
            assert_eq!(format!(r#"{{"oid":{oid}}}"#), document);
        }
    }

    #[test]
    fn an_ids_text_is_the_only_one(text in "[+-]?[0-9 .e_]{0,18}") {
        if let Ok(id) = PaymentId::parse(&text) {
            assert_eq!(id.to_string(), text);
        }
    }

    #[test]
    fn a_generated_id_is_one(millis in 0..=Timestamp::MAX_MILLIS, random in any::<u64>()) {
        let id = PaymentId::generate(Timestamp::from_millis(millis).unwrap(), random);
        assert_eq!(PaymentId::new(id.get()), Ok(id));
    }

    #[test]
    fn every_entrys_key_is_read(event in events()) {
        let key = event.key();
        assert_eq!(EventKey::parse(&key.to_string()), Ok(key));
    }

    #[test]
    fn a_keys_text_is_the_only_one(
        text in prop_oneof![
            ".{0,40}",
            "(unmatched|[+-]?0{0,2}[0-9]{1,17})/(native|stripe|Stripe)/[a-z#./-]{0,5}",
        ],
    ) {
        if let Ok(key) = EventKey::parse(&text) {
            assert_eq!(key.to_string(), text);
        }
    }

    #[test]
    fn a_digest_reads_what_it_prints(bytes in any::<[u8; 32]>(), text in "[0-9a-fA-F]{62,66}") {
        let digest = Digest::new(bytes);
        assert_eq!(Digest::from_hex(&digest.to_string()), Ok(digest));
        assert_eq!(Digest::from_hex(&digest.to_string()).unwrap().bytes(), bytes);
        if let Ok(read) = Digest::from_hex(&text) {
            assert_eq!(read.to_string(), text);
        }
    }

    #[test]
    fn a_time_is_its_milliseconds(millis in any::<u64>(), more in any::<u64>()) {
        let fits = millis <= Timestamp::MAX_MILLIS;
        let time = Timestamp::from_millis(millis).map(Timestamp::millis);
        assert_eq!(time.ok(), fits.then_some(millis));
        let time = Timestamp::from_millis(millis % (Timestamp::MAX_MILLIS + 1)).unwrap();
        let later = time.plus_millis(more);
        assert!(later >= time && later.millis() <= Timestamp::MAX_MILLIS);
        assert_eq!(time.secs(), time.millis() / 1000);
    }

    #[test]
    fn numbers_of_the_api_are_what_they_were(
        number in prop_oneof![any::<u64>(), 0..300_u64, 0..=Amount::MINOR_MAX + 1],
    ) {
        let status = Status::new(number).map(|status| u64::from(status.code()));
        assert_eq!(status.ok(), (number <= 4).then_some(number));
        let source = Source::new(number).map(|source| u64::from(source.get()));
        assert_eq!(source.ok(), (number <= 255).then_some(number));
        let fits = (1..=Amount::MINOR_MAX).contains(&number);
        let amount = Amount::new(number, Currency::new("JPY").unwrap());
        assert_eq!(amount.map(Amount::minor).ok(), fits.then_some(number));
        assert_eq!(Amount::check_minor(number).ok(), fits.then_some(number));
    }

    #[test]
    fn names_are_what_they_were(
        text in prop_oneof![".{0,130}", "[A-Z]{3}", "[!-~]{0,130}"],
        sender in senders(),
    ) {
        if let Ok(currency) = Currency::new(&text) {
            assert_eq!(currency.code(), text);
        }
        if let Ok(txn) = ProviderTxn::new(&text) {
            assert_eq!(txn.as_str(), text);
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        if let Ok(named) = Sender::new(&text) {
            assert_eq!(named.as_str(), text);
        }
        assert_eq!(Sender::new(sender.as_str()), Ok(sender));
    }
}
