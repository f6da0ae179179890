//! The JSON of the shop's services, as the mall's HTTP APIs speak it.
//!
//! An answer is believed only if it is about what was asked and can be read one way alone.

use pay_core::{
    domain::{OrderId, Payment, UserId},
    json::Object,
    ports::Order,
};
use serde_json::json;

/// How go-zero says that there is no such thing: status 400, and this somewhere in its text.
const NO_SUCH_THING: &str = "code = Code(100)";

/// An order waits for a payment as long as it has this status.
const UNPAID: u64 = 0;

/// Asks for a user or an order.
pub(super) fn by_id(id: u64) -> String {
    json!({ "id": id }).to_string()
}

/// Tells an order of its payment.
pub(super) fn paid(payment: &Payment) -> String {
    json!({
        "id": payment.oid.get(),
        "status": 1,
        "pay_id": payment.id.get(),
        "amount": payment.amount.minor(),
    })
    .to_string()
}

/// Whether the text of a 400 says that there is no such thing.
pub(super) fn says_absent(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(NO_SUCH_THING)
}

/// Reads the answer about a user; `None` if it is not about that one.
pub(super) fn user(body: &[u8], uid: UserId) -> Option<()> {
    let user = Object::parse(body)?;
    (user.integer("id")? == uid.get()).then_some(())
}

/// Reads the answer about an order; `None` if it is not about that one, or lacks something.
pub(super) fn order(body: &[u8], oid: OrderId) -> Option<Order> {
    let order = Object::parse(body)?;
    if order.integer("id")? != oid.get() {
        return None;
    }
    Some(Order {
        uid: UserId::new(order.integer("uid")?).ok()?,
        amount_minor: order.integer("amount")?,
        // One that is not known here counts as paid: refusing a payment is repaired more easily
        // than taking one twice.
        paid: order.integer("status")? != UNPAID,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_only_if_it_is_the_one_asked_for_and_complete() {
        let oid = OrderId::new(7).unwrap();
        let of = |body: &str| order(body.as_bytes(), oid);
        let found = |amount_minor, paid| {
            let uid = UserId::new(1).unwrap();
            Some(Order { uid, amount_minor, paid })
        };
        for (body, want) in [
            (r#"{"id":7,"uid":1,"pid":9,"amount":100,"status":0}"#, found(100, false)),
            (r#"{"id":7,"uid":1,"amount":0,"status":1}"#, found(0, true)),
            (r#"{"id":7,"uid":1,"amount":18446744073709551615,"status":2}"#, found(u64::MAX, true)),
        ] {
            assert_eq!(of(body), want, "{body}");
        }
        for bad in [
            r#"{"id":8,"uid":1,"amount":100,"status":0}"#,
            r#"{"uid":1,"amount":100,"status":0}"#,
            r#"{"id":7,"amount":100,"status":0}"#,
            r#"{"id":7,"uid":1,"status":0}"#,
            r#"{"id":7,"uid":1,"amount":100}"#,
            r#"{"id":7,"uid":0,"amount":100,"status":0}"#,
            r#"{"id":7,"uid":9007199254740992,"amount":100,"status":0}"#,
            r#"{"id":"7","uid":1,"amount":100,"status":0}"#,
            r#"{"id":7,"uid":1,"amount":"100","status":0}"#,
            r#"{"id":7,"uid":1,"amount":100.0,"status":0}"#,
            r#"{"id":7,"uid":1,"amount":-1,"status":0}"#,
            r#"{"id":7,"uid":1,"amount":18446744073709551616,"status":0}"#,
            r#"{"id":7,"uid":1,"amount":100,"status":0.0}"#,
            r#"{"id":7,"uid":1,"amount":100,"status":"0"}"#,
            r#"{"id":7,"uid":1,"amount":100,"status":null}"#,
            r#"{"id":7,"uid":1,"amount":1,"amount":100,"status":0}"#,
            "[7,1,100,0]",
            r#"{"data":{"id":7,"uid":1,"amount":100,"status":0}}"#,
            "",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_user_is_read_only_if_it_is_the_one_asked_for() {
        let uid = UserId::new(7).unwrap();
        assert_eq!(user(br#"{"id":7,"name":"x","gender":1}"#, uid), Some(()));
        for bad in [r#"{"id":8}"#, r#"{"id":"7"}"#, r#"{"id":7,"id":7}"#, "{}", "[]", "7", ""] {
            assert_eq!(user(bad.as_bytes(), uid), None, "{bad}");
        }
    }
}
