"""WeChat Pay's queries and refunds, judged by wechatpayv3: both directions."""

import json
import re

from wechatpayv3.utils import load_private_key, rsa_sign

from ours import ask, is_unusable, same
from wechat_client import (
    PAYMENT,
    TRANSACTION,
    client,
    ours_private,
    secret,
    signed,
    theirs,
)

REFUND = f"{PAYMENT}_0123456789abcdef"

order = {
    "mchid": "1900000001", "appid": "wx1", "out_trade_no": str(PAYMENT), "transaction_id": TRANSACTION,
    "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
    "amount": {"total": 100, "payer_total": 90, "currency": "CNY", "payer_currency": "CNY"},
}
refund = {
    "refund_id": "50000000382019052709732678859", "out_refund_no": REFUND, "channel": "ORIGINAL",
    "transaction_id": TRANSACTION, "out_trade_no": str(PAYMENT), "status": "SUCCESS",
    "amount": {"total": 100, "refund": 30, "payer_refund": 27, "currency": "CNY"},
}

# What we send is what the client sends at the same time with the same nonce.
requests = 0
by_reference = {"txn": TRANSACTION, "refund": REFUND}
for payment, asked, query in [
    (PAYMENT, {}, {"out_trade_no": str(PAYMENT)}),
    (7, {}, {"out_trade_no": "000007"}),
    (PAYMENT, {"txn": TRANSACTION}, {"transaction_id": TRANSACTION}),
    (PAYMENT, by_reference, {"call": client.query_refund, "out_refund_no": REFUND}),
]:
    sent, _ = theirs(signed(order, 0), **query)
    fields = dict(re.findall(r'(\w+)="([^"]*)"', sent["headers"]["authorization"]))
    assert len(fields) == 5, fields
    request = ask(
        secret=secret, provider="wechat", id=payment, nonce=fields["nonce_str"],
        secs=int(fields["timestamp"]), **asked,
    )
    same("URL", "https://api.mch.weixin.qq.com" + request["target"], sent["url"])
    same("method and body", (request["method"], request["body"]), ("GET", ""))
    scheme, _, authorization = request["headers"]["authorization"].partition(" ")
    same("scheme", scheme, sent["headers"]["authorization"].partition(" ")[0])
    same("Authorization", dict(re.findall(r'(\w+)="([^"]*)"', authorization)), fields)
    for name in ["accept", "wechatpay-serial"]:
        same(name, request["headers"][name], sent["headers"][name])
    requests += 1

# What WeChat Pay signs, the client and we accept; what was changed, neither does.
now = 1_700_000_000
good_refund = signed(refund, now)
of_payment = ({}, {"out_trade_no": str(PAYMENT)})
of_refund = (by_reference, {"call": client.query_refund, "out_refund_no": REFUND})
responses = 0


def read(response, asked):
    return ask(
        secret=secret, provider="wechat", id=PAYMENT, nonce="x", secs=now, response=response, **asked
    )


for (asked, query), good, other in [
    (of_payment, signed(order, now), {**order, "trade_state": "NOTPAY"}),
    (of_refund, good_refund, {**refund, "status": "PROCESSING"}),
]:
    for response, accepted in [
        (good, True),
        (signed(other, now), True),
        ({**good, "body": good["body"].replace("SUCCESS", "CLOSED")}, False),
        ({**good, "body": good["body"] + " "}, False),
        ({**good, "headers": {**good["headers"], "Wechatpay-Nonce": "2f1b"}}, False),
        ({**good, "headers": {**good["headers"], "Wechatpay-Timestamp": str(now + 1)}}, False),
        ({**good, "headers": {**good["headers"], "Wechatpay-Signature": "AAAA"}}, False),
    ]:
        _, by_client = theirs(response, **query)
        found = read(response, asked)
        same(f"accepted: {response}", ("state" in found, is_unusable(found)), (accepted, not accepted))
        same(f"accepted by the client: {response}", by_client, accepted)
        responses += 1
event = f"query.paid.{TRANSACTION}"
same("paid", read(signed(order, now), {}), {"state": "paid", "notifications": [
    {"event": event, "payment": PAYMENT, "txn": TRANSACTION, "amount": 100, "currency": "CNY"},
]})
event = f"query.succeeded.{refund['refund_id']}"
one = {"id": refund["refund_id"], "reference": REFUND, "amount": 30, "state": "succeeded"}
same("refunded", read(good_refund, by_reference), {"state": "succeeded", "notifications": [{
    "event": event, "payment": PAYMENT, "txn": TRANSACTION, "amount": 100, "currency": "CNY",
    "refund": one,
}]})

# A refund that we order: the client sends the same content, and accepts our signature over our own body,
# whose members may stand in another order.
content = {"refund": 30, "total": 100, "currency": "CNY"}
reason = '退款 "a" & b'
order_of = {
    **by_reference, "order": {"amount": 30, "paid": 100, "currency": "CNY", "reason": reason},
}
of_order = {
    "call": client.refund, "out_refund_no": REFUND, "transaction_id": TRANSACTION, "reason": reason,
    "amount": content,
}
sent, _ = theirs(signed(refund, 0), **of_order)
fields = dict(re.findall(r'(\w+)="([^"]*)"', sent["headers"]["authorization"]))
request = ask(
    secret=secret, provider="wechat", id=PAYMENT, nonce=fields["nonce_str"],
    secs=int(fields["timestamp"]), **order_of,
)
same("URL", "https://api.mch.weixin.qq.com" + request["target"], sent["url"])
same("method", request["method"], "POST")
theirs_content = sent["json"] or json.loads(sent["data"])
theirs_content.pop("notify_url", None)
same("content", json.loads(request["body"]), theirs_content)
for name in ["accept", "wechatpay-serial"]:
    same(name, request["headers"][name], sent["headers"][name])
same("content type", request["headers"]["content-type"], "application/json")
ours_fields = dict(re.findall(r'(\w+)="([^"]*)"', request["headers"]["authorization"]))
text = "\n".join([
    "POST", request["target"], fields["timestamp"], fields["nonce_str"], request["body"], "",
])
signature = ours_fields.pop("signature")
same("Authorization", ours_fields, {name: fields[name] for name in ours_fields})
same("signature", signature, rsa_sign(load_private_key(ours_private), text))
requests += 1
for response, accepted in [
    (good_refund, True),
    (signed({**refund, "status": "PROCESSING"}, now), True),
    ({**good_refund, "body": good_refund["body"].replace("SUCCESS", "CLOSED")}, False),
    ({**good_refund, "headers": {**good_refund["headers"], "Wechatpay-Signature": "AAAA"}}, False),
]:
    _, by_client = theirs(response, **of_order)
    found = read(response, order_of)
    same(f"accepted: {response}", ("state" in found, is_unusable(found)), (accepted, not accepted))
    same(f"accepted by the client: {response}", by_client, accepted)
    responses += 1
same("made", read(good_refund, order_of), read(good_refund, by_reference))
print(f"{requests} requests and {responses} responses: wechatpayv3 and we agree")
