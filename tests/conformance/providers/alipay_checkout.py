"""Alipay's checkouts, judged by its own client: what we send and sign, and what we accept."""

import calendar
import time
from urllib.parse import parse_qsl

from alipay_client import PAYMENT, client, ours_public, secret, signed, theirs

from alipay.aop.api.domain.AlipayTradeAppPayModel import AlipayTradeAppPayModel
from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradePagePayModel import AlipayTradePagePayModel
from alipay.aop.api.domain.AlipayTradePrecreateModel import AlipayTradePrecreateModel
from alipay.aop.api.domain.AlipayTradeWapPayModel import AlipayTradeWapPayModel
from alipay.aop.api.request.AlipayTradeAppPayRequest import AlipayTradeAppPayRequest
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradePagePayRequest import AlipayTradePagePayRequest
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeWapPayRequest import AlipayTradeWapPayRequest
from alipay.aop.api.util.SignatureUtils import get_sign_content, verify_with_rsa

from ours import ask, is_unusable, same

REFERENCE, EXPIRES = f"{PAYMENT}_2", 1_700_001_800
NOTIFY_URL = "https://pay.shop.example/api/pay/callback/alipay"
RETURN_URL = "https://shop.example/paid?order=7&x=%2F"
PRECREATE = (
    AlipayTradePrecreateRequest, AlipayTradePrecreateModel, "alipay_trade_precreate_response",
)
CLOSE = (AlipayTradeCloseRequest, AlipayTradeCloseModel, "alipay_trade_close_response")


def checkout(method, **more):
    return {
        "method": method, "reference": REFERENCE, "amount": 8888, "currency": "CNY",
        "description": '订单 "7" & b=1/2', "notify_url": NOTIFY_URL, "expires": EXPIRES, **more,
    }


def ours(what, secs=0, **more):
    return ask(secret=secret, provider="alipay", nonce="x", secs=secs, checkout=what, **more)


def pairs(query):
    found = parse_qsl(query, strict_parsing=True)
    same("names that occur twice", len(found), len(dict(found)))
    return dict(found)


def seconds(beijing):
    at = calendar.timegm(time.strptime(beijing, "%Y-%m-%d %H:%M:%S")) - 8 * 3600
    assert abs(at - time.time()) < 60, beijing
    return at


def verify(parameters):
    """With our public key, as Alipay verifies it."""
    sign = parameters.pop("sign")
    assert verify_with_rsa(ours_public, get_sign_content(parameters).encode(), sign)


# Alipay takes none of `/ = &` in a subject.
order = {
    "out_trade_no": REFERENCE, "subject": '订单 "7"   b 1 2', "total_amount": "88.88",
    "time_expire": "2023-11-15 06:43:20",
}

# What we send is what the client sends at the same time.
requests = 0
qr_code = "https:\\/\\/qr.alipay.com\\/bax1"
made = '{"code":"10000","msg":"Success","out_trade_no":"%s","qr_code":"%s"}' % (REFERENCE, qr_code)
closed = '{"code":"10000","msg":"Success","out_trade_no":"%s","trade_no":"1"}' % REFERENCE
CALLS = [
    (checkout("qr"), {}, PRECREATE, {**order, "notify_url": NOTIFY_URL}, made),
    (checkout("page"), {"do": "close"}, CLOSE, {"out_trade_no": REFERENCE}, closed),
]
for what, todo, method, query, value in CALLS:
    sent, _ = theirs(method, signed(method[2], value), **query)
    common = pairs(sent["query"])
    request = ours(what, seconds(common["timestamp"]), **todo)
    found, form = pairs(request["target"][1:]), pairs(request["body"])
    same("query", found, common)
    same("form", form, sent["params"])
    same("method", request["method"], "POST")
    verify({**found, **form})
    requests += 1

# What we sign for the payer's browser and app is what the client signs.
for method, new_request, new_model, product in [
    ("page", AlipayTradePagePayRequest, AlipayTradePagePayModel, "FAST_INSTANT_TRADE_PAY"),
    ("wap", AlipayTradeWapPayRequest, AlipayTradeWapPayModel, "QUICK_WAP_WAY"),
    ("app", AlipayTradeAppPayRequest, AlipayTradeAppPayModel, "QUICK_MSECURITY_PAY"),
]:
    model = new_model()
    for name, value in {**order, "product_code": product}.items():
        setattr(model, name, value)
    request = new_request()
    request.biz_model, request.notify_url = model, NOTIFY_URL
    if method == "app":
        signed_by_client = pairs(client.sdk_execute(request))
        found = ours(checkout(method), seconds(signed_by_client["timestamp"]))
        found = pairs(found["client"]["orderStr"])
    else:
        request.return_url = RETURN_URL
        url = client.page_execute(request, http_method="GET")
        signed_by_client = pairs(url.partition("?")[2])
        at = seconds(signed_by_client["timestamp"])
        found = ours(checkout(method, return_url=RETURN_URL), at)["query"]
        assert found.startswith("?"), found
        found = pairs(found[1:])
    same(method, found, signed_by_client)
    verify(found)
    requests += 1

# What Alipay signs, the client and we accept; what was changed, neither does.
responses = 0
for what, todo, method, query, value in CALLS:
    member = method[2]
    good = signed(member, value)
    for body, accepted in [
        (good, True),
        (good.replace("Success", "success"), False),
        (good.replace("10000", "10001"), False),
        ('{"%s":%s}' % (member, value), False),
        ('{"%s":%s,"sign":"AAAA"}' % (member, value), False),
    ]:
        _, by_client = theirs(method, body, **query)
        found = ours(what, response={"status": 200, "headers": {}, "body": body}, **todo)
        is_accepted = "action" in found or "closed" in found
        same(f"accepted: {body}", (is_accepted, is_unusable(found)), (accepted, not accepted))
        same(f"accepted by the client: {body}", by_client, accepted)
        responses += 1
found = ours(checkout("qr"), response={
    "status": 200, "headers": {}, "body": signed(PRECREATE[2], made),
})
same("qr", found, {"id": None, "action": {"qr": "https://qr.alipay.com/bax1"}})
print(f"{requests} requests and {responses} responses: alipay-sdk-python and we agree")
