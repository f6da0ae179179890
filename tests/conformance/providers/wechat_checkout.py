"""WeChat Pay's checkouts, judged by wechatpayv3: both directions."""

import json
import re

from wechatpayv3 import WeChatPayType
from wechatpayv3.utils import load_private_key, rsa_sign

from ours import ask, is_unusable, same
from wechat_client import PAYMENT, client, ours_private, secret, signed, theirs

NOW, EXPIRES = 1_700_000_000, 1_700_001_800
REFERENCE, NOTIFY_URL = f"{PAYMENT}_2", "https://pay.shop.example/api/pay/callback/wechat"
DESCRIPTION = '订单 "7" & b=1/2'
secret["wechat"]["appid"] = "wx1"
scene = {"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}}


def checkout(method, **more):
    return {
        "method": method, "reference": REFERENCE, "amount": 8888, "currency": "CNY",
        "description": DESCRIPTION, "notify_url": NOTIFY_URL, "expires": EXPIRES, **more,
    }


def ours(what, secs=NOW, nonce="x", **more):
    return ask(secret=secret, provider="wechat", nonce=nonce, secs=secs, checkout=what, **more)


def parts(authorization):
    return dict(re.findall(r'(\w+)="([^"]*)"', authorization))


def order(kind, **more):
    return {
        "call": client.pay, "description": DESCRIPTION, "out_trade_no": REFERENCE,
        "amount": {"total": 8888, "currency": "CNY"}, "time_expire": "2023-11-15T06:43:20+08:00",
        "notify_url": NOTIFY_URL, "pay_type": kind, **more,
    }


# The client sends the same content, and accepts our signature over our own body, whose members may stand in
# another order.
prepay_id = "wx201410272009395522657a690389285100"
link, page = "weixin://wxpay/bizpayurl?pr=1", "https://wx.tenpay.com/pay?prepay_id=1"
CASES = [
    (checkout("native"), {}, order(WeChatPayType.NATIVE), {"code_url": link}),
    (
        checkout("jsapi", openid="oUpF8uMuAJO"), {},
        order(WeChatPayType.JSAPI, payer={"openid": "oUpF8uMuAJO"}), {"prepay_id": prepay_id},
    ),
    (
        checkout("h5", payer_ip="203.0.113.7"), {}, order(WeChatPayType.H5, scene_info=scene),
        {"h5_url": page},
    ),
    (checkout("app"), {}, order(WeChatPayType.APP), {"prepay_id": prepay_id}),
    (
        checkout("native"), {"do": "close"},
        {"call": client.close, "out_trade_no": REFERENCE}, None,
    ),
]
requests = responses = 0
for what, todo, call, content in CASES:
    sent, _ = theirs(signed(content, 0), **call)
    fields = parts(sent["headers"]["authorization"])
    at, nonce = int(fields["timestamp"]), fields["nonce_str"]
    request = ours(what, at, nonce, **todo)
    same("URL", "https://api.mch.weixin.qq.com" + request["target"], sent["url"])
    same("method", request["method"], "POST")
    same("content", json.loads(request["body"]), sent["json"] or json.loads(sent["data"]))
    for name in ["accept", "wechatpay-serial"]:
        same(name, request["headers"][name], sent["headers"][name])
    own = parts(request["headers"]["authorization"])
    signature = own.pop("signature")
    same("Authorization", own, {name: fields[name] for name in own})
    text = "\n".join(["POST", request["target"], str(at), nonce, request["body"], ""])
    same("signature", signature, rsa_sign(load_private_key(ours_private), text))
    requests += 1

    # What WeChat Pay signs, the client and we accept; what was changed, neither does.
    good = signed(content, NOW)
    bad = {**good["headers"], "Wechatpay-Signature": "AAAA"}
    for response, accepted in [
        (good, True),
        ({**good, "body": good["body"] + " "}, False),
        ({**good, "headers": bad}, False),
        ({**good, "headers": {**good["headers"], "Wechatpay-Nonce": "2f1b"}}, False),
    ]:
        _, by_client = theirs(response, **call)
        found = ours(what, response=response, **todo)
        is_accepted = "action" in found or "closed" in found
        same(f"accepted: {response}", (is_accepted, is_unusable(found)), (accepted, not accepted))
        same(f"accepted by the client: {response}", by_client, accepted)
        responses += 1

# What the payer's program gets, signed as the client signs it.
nonce = "593bec0c930bf1afeb40b4a08c8fb242"


def action(case, **more):
    what, _, _, content = CASES[case]
    found = ours({**what, **more}, nonce=nonce, response=signed(content, NOW))
    return found["action"]


same("native", action(0), {"qr": link})
back = "&redirect_url=https%3A%2F%2Fshop.example%2Fpaid%3Fa%3D1"
same("h5", action(2), {"redirect": page})
same("h5", action(2, return_url="https://shop.example/paid?a=1"), {"redirect": page + back})
package = f"prepay_id={prepay_id}"
same("jsapi", action(1), {"client": {
    "appId": "wx1", "timeStamp": str(NOW), "nonceStr": nonce, "package": package,
    "signType": "RSA", "paySign": client.sign(["wx1", str(NOW), nonce, package]),
}})
same("app", action(3), {"client": {
    "appid": "wx1", "partnerid": "1900000001", "prepayid": prepay_id, "package": "Sign=WXPay",
    "noncestr": nonce, "timestamp": str(NOW), "sign": client.sign(["wx1", str(NOW), nonce, prepay_id]),
}})
print(f"{requests} requests, {responses} responses and 2 signatures for payers: wechatpayv3 and we agree")
