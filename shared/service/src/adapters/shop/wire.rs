//! The JSON of the shop's services, as in the mall's HTTP APIs.
//!
//! A response is used only if it has the requested id and can be read in one way only. go-zero's
//! envelope is understood: a 2xx object with a number `code` is an error unless that is 0 or 200, and
//! its `data`, if there is one, is the content.

use pay_core::{
    domain::{OrderId, Payment, Refund, UserId},
    json::Object,
    ports::Order,
};
use serde_json::{Value, json};

use super::client::CallError;

/// What go-zero responds where something does not exist: status 400, or 500 since version 1.3.5, with
/// this in its text.
const ABSENT_CODE: &str = "code = Code(100)";

/// What some servers write before their JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The status of an order that is still to be paid.
const UNPAID: u64 = 0;

/// The request for a user or an order.
pub(super) fn by_id(id: u64) -> String {
    json!({ "id": id }).to_string()
}

/// The order notification: which payment paid the order.
pub(super) fn paid(payment: &Payment) -> String {
    json!({
        "id": payment.oid.get(),
        "status": 1,
        "pay_id": payment.id.get(),
        "amount": payment.amount.minor(),
    })
    .to_string()
}

/// The refund notification: which refund of which payment gave how much back, and how much in all.
pub(super) fn refunded(payment: &Payment, refund: &Refund) -> String {
    json!({
        "id": payment.oid.get(),
        "pay_id": payment.id.get(),
        "refund_id": refund.id.as_str(),
        "amount": refund.amount_minor,
        "refunded": payment.refunded(),
    })
    .to_string()
}

/// Whether the text of a 400 or 500 says that the user or order does not exist.
pub(super) fn says_absent(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(ABSENT_CODE)
}

/// The content of a 2xx: the object that it is, or the `data` of its envelope.
///
/// # Errors
///
/// [`CallError::Code`], and [`CallError::Unusable`] for anything but an object.
pub(super) fn content(body: &[u8]) -> Result<Object, CallError> {
    let (object, has_data) = success(body)?;
    if has_data { object.object("data").cloned().ok_or(CallError::Unusable) } else { Ok(object) }
}

/// Checks that a 2xx acknowledges an order notification: any body does that is no error.
///
/// # Errors
///
/// [`CallError::Code`], and [`CallError::Unusable`] for a body that begins like an object and cannot be
/// read as one: it may be an error.
pub(super) fn acknowledged(body: &[u8]) -> Result<(), CallError> {
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    if text.trim_ascii_start().starts_with(b"{") {
        success(body)?;
    }
    Ok(())
}

/// A 2xx object that is no error, and whether it is an envelope with `data`.
fn success(body: &[u8]) -> Result<(Object, bool), CallError> {
    let object = Object::parse(body).ok_or(CallError::Unusable)?;
    // `Object` has one value for `null`, negative numbers and fractions.
    let members: Value = serde_json::from_slice(body).map_err(|_unreadable| CallError::Unusable)?;
    let Some(Value::Number(code)) = members.get("code") else {
        return Ok((object, false));
    };
    if !matches!(code.as_u64(), Some(0 | 200)) {
        return Err(CallError::Code(code.clone()));
    }
    Ok((object, members.get("data").is_some_and(|data| !data.is_null())))
}

/// Reads a user; `None` if the response has another id.
pub(super) fn user(user: &Object, uid: UserId) -> Option<()> {
    (user.integer("id")? == uid.get()).then_some(())
}

/// Reads an order; `None` if the response has another id, or lacks a member.
pub(super) fn order(order: &Object, oid: OrderId) -> Option<Order> {
    if order.integer("id")? != oid.get() {
        return None;
    }
    Some(Order {
        uid: UserId::new(order.integer("uid")?).ok()?,
        amount_minor: order.integer("amount")?,
        // A status that is not known here counts as paid: a rejected payment is easier to repair than
        // one that was taken twice.
        paid: order.integer("status")? != UNPAID,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_only_if_it_has_the_requested_id_and_is_complete() {
        let oid = OrderId::new(7).unwrap();
        let of = |body: &str| order(&content(body.as_bytes()).ok()?, oid);
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
            r#"{"id":7,"uid":9223372036854775808,"amount":100,"status":0}"#,
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
    fn ids_of_the_shop_are_exact_in_requests_and_responses() {
        let (uid, oid) = (UserId::new(UserId::MAX).unwrap(), OrderId::new(OrderId::MAX).unwrap());
        assert_eq!(by_id(oid.get()), r#"{"id":9223372036854775807}"#);
        let body = r#"{"id":9223372036854775807,"uid":9223372036854775807,"amount":1,"status":0}"#;
        let read = content(body.as_bytes()).unwrap();
        assert_eq!(user(&read, uid), Some(()));
        assert_eq!(order(&read, oid).map(|order| order.uid), Some(uid));
        // A response whose ids went through a double is about another user and another order.
        for body in [
            r#"{"id":9223372036854775806,"uid":9223372036854775807,"amount":1,"status":0}"#,
            r#"{"id":9223372036854775808,"uid":9223372036854775807,"amount":1,"status":0}"#,
            r#"{"id":9.223372036854775807e18,"uid":9223372036854775807,"amount":1,"status":0}"#,
        ] {
            let read = content(body.as_bytes()).unwrap();
            assert_eq!((user(&read, uid), order(&read, oid)), (None, None), "{body}");
        }
    }

    #[test]
    fn a_user_is_read_only_if_it_has_the_requested_id() {
        let uid = UserId::new(7).unwrap();
        let user = |body: &str| user(&content(body.as_bytes()).ok()?, uid);
        assert_eq!(user(r#"{"id":7,"name":"x","gender":1}"#), Some(()));
        for bad in [r#"{"id":8}"#, r#"{"id":"7"}"#, r#"{"id":7,"id":7}"#, "{}", "[]", "7", ""] {
            assert_eq!(user(bad), None, "{bad}");
        }
    }
}
