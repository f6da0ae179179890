"""Alipay's queries and refunds, judged by its own client: both directions."""

import calendar
import time
from urllib.parse import parse_qsl

from alipay_client import PAYMENT, TRADE, ours_public, secret, signed, theirs

from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import (
    AlipayTradeFastpayRefundQueryModel,
)
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import (
    AlipayTradeFastpayRefundQueryRequest,
)
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa

from ours import ask, is_unusable, same

REFUND = f"{PAYMENT}_0123456789abcdef"

TRADE_QUERY = (AlipayTradeQueryRequest, AlipayTradeQueryModel, "alipay_trade_query_response")
REFUND_QUERY = (
    AlipayTradeFastpayRefundQueryRequest, AlipayTradeFastpayRefundQueryModel,
    "alipay_trade_fastpay_refund_query_response",
)


MAKE_REFUND = (
    AlipayTradeRefundRequest, AlipayTradeRefundModel, "alipay_trade_refund_response",
)

value = (
    '{"code":"10000","msg":"Success","buyer_logon_id":"159****4027","out_trade_no":"%d",'
    '"send_pay_date":"2026-11-23 15:56:22","store_name":"a\\/b \\u4ea4 语雀","total_amount":"88.88",'
    '"trade_no":"%s","trade_status":"TRADE_SUCCESS"}' % (PAYMENT, TRADE)
)
refund = (
    '{"code":"10000","msg":"Success","out_request_no":"%s","out_trade_no":"%d",'
    '"refund_amount":"12.33","refund_reason":"a\\/b \\u4ea4 语雀","refund_status":"REFUND_SUCCESS",'
    '"total_amount":"88.88","trade_no":"%s"}' % (REFUND, PAYMENT, TRADE)
)

made = (
    '{"code":"10000","msg":"Success","buyer_logon_id":"159****4027","fund_change":"Y",'
    '"out_trade_no":"%d","refund_fee":"20.00","send_back_fee":"12.33",'
    '"store_name":"a\\/b \\u4ea4 语雀","total_amount":"88.88","trade_no":"%s"}' % (PAYMENT, TRADE)
)

# What we send is what the client sends at the same time.
requests = 0
of_refund = {"txn": TRADE, "refund": REFUND}
reason = '退款 "a" & b=1/2'
of_order = {
    **of_refund, "order": {"amount": 1233, "paid": 8888, "currency": "CNY", "reason": reason},
}
order = {
    "out_request_no": REFUND, "refund_amount": "12.33", "refund_reason": reason, "trade_no": TRADE,
}
for asked, method, query in [
    ({}, TRADE_QUERY, {"out_trade_no": str(PAYMENT)}),
    ({"txn": TRADE}, TRADE_QUERY, {"trade_no": TRADE}),
    (of_refund, REFUND_QUERY, {"out_request_no": REFUND, "trade_no": TRADE}),
    (of_order, MAKE_REFUND, order),
]:
    sent, _ = theirs(method, signed(method[2], value), **query)
    common = dict(parse_qsl(sent["query"], strict_parsing=True))
    at = calendar.timegm(time.strptime(common["timestamp"], "%Y-%m-%d %H:%M:%S")) - 8 * 3600
    assert abs(at - time.time()) < 60, common
    request = ask(secret=secret, provider="alipay", id=PAYMENT, nonce="x", secs=at, **asked)
    assert request["target"].startswith("?"), request["target"]
    pairs = parse_qsl(request["target"][1:], strict_parsing=True)
    ours, form = dict(pairs), dict(parse_qsl(request["body"], strict_parsing=True))
    assert len(pairs) == len(ours), pairs
    same("names in the query", sorted(ours), sorted(common))
    same("form", form, sent["params"])
    same("method", request["method"], "POST")
    same("query", ours, common)
    content_type = request["headers"]["content-type"]
    same("content type", content_type, sent["headers"]["Content-type"])
    # With our public key, as Alipay verifies it.
    sign = ours.pop("sign")
    assert verify_with_rsa(ours_public, get_sign_content({**ours, **form}).encode(), sign)
    requests += 1

# What Alipay signs, the client and we accept; what was changed, neither does.
responses = 0


def read(body, asked):
    response = {"status": 200, "headers": {}, "body": body}
    return ask(
        secret=secret, provider="alipay", id=PAYMENT, nonce="x", secs=0, response=response, **asked
    )


for asked, method, query, value, (state, other) in [
    ({}, TRADE_QUERY, {"out_trade_no": str(PAYMENT)}, value, ("TRADE_SUCCESS", "WAIT_BUYER_PAY")),
    (
        of_refund, REFUND_QUERY, {"out_request_no": REFUND, "trade_no": TRADE}, refund,
        ('"12.33"', '"12.34"'),
    ),
    (of_order, MAKE_REFUND, order, made, ('"20.00"', '"12.33"')),
]:
    member = method[2]
    good = signed(member, value)
    for body, accepted in [
        (good, True),
        (signed(member, value.replace(state, other)), True),
        (good.replace(state, other), False),
        (good.replace("\\/", "/"), False),
        (good.replace('"88.88"', '"88.89"'), False),
        ('{"%s":%s}' % (member, value), False),
        ('{"%s":%s,"sign":"AAAA"}' % (member, value), False),
    ]:
        _, by_client = theirs(method, body, **query)
        found = read(body, asked)
        same(f"accepted: {body}", ("state" in found, is_unusable(found)), (accepted, not accepted))
        same(f"accepted by the client: {body}", by_client, accepted)
        responses += 1
    common = {"payment": PAYMENT, "txn": TRADE, "amount": 8888, "currency": "CNY"}
    if method is TRADE_QUERY:
        want = ("paid", {"event": f"query.paid.{TRADE}", **common})
    elif method is MAKE_REFUND:
        one = {"id": REFUND, "reference": REFUND, "amount": 1233, "state": "succeeded"}
        same(member, read(good, asked), {"state": "succeeded", "notifications": [
            {"event": f"query.succeeded.{REFUND}", **common, "amount": None, "refund": one},
            {"event": "query.refunded.2000", **common, "refund": {"total": 2000}},
        ]})
        continue
    else:
        one = {"id": REFUND, "reference": REFUND, "amount": 1233, "state": "succeeded"}
        want = ("succeeded", {"event": f"query.succeeded.{REFUND}", **common, "refund": one})
    same(member, read(good, asked), {"state": want[0], "notifications": [want[1]]})
print(f"{requests} requests and {responses} responses: alipay-sdk-python and we agree")
