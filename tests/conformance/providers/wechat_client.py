"""wechatpayv3 with keys of its own, in place of WeChat Pay and of us."""

import json
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from wechatpayv3 import WeChatPay, WeChatPayType, core
from wechatpayv3.utils import load_private_key, rsa_sign

MCHID, SERIAL = "1900000001", "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"
PUBLIC_KEY_ID = "PUB_KEY_ID_0114232134912410000000000000"
PAYMENT, TRANSACTION = 1217752501201407, "4200000001202611231234567890"


def pair():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private, public.decode()


ours_private, _ = pair()
theirs_private, theirs_public = pair()
secret = {"wechat": {
    "mchid": MCHID, "serial": SERIAL, "private_key": ours_private,
    "public_keys": {PUBLIC_KEY_ID: theirs_public},
}}
client = WeChatPay(
    wechatpay_type=WeChatPayType.NATIVE, mchid=MCHID, private_key=ours_private,
    cert_serial_no=SERIAL, apiv3_key="0123456789abcdef0123456789abcdef", appid="wx1",
    notify_url="https://example.com/", public_key=theirs_public, public_key_id=PUBLIC_KEY_ID,
)


def signed(order, secs, nonce="2f1a"):
    """A response as WeChat Pay signs it, with or without content."""
    body = json.dumps(order, ensure_ascii=False) if order else ""
    text = f"{secs}\n{nonce}\n{body}\n"
    return {
        "status": 200 if order else 204,
        "headers": {
            "Content-Type": "application/json",
            "Wechatpay-Timestamp": str(secs),
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": PUBLIC_KEY_ID,
            "Wechatpay-Signature": rsa_sign(load_private_key(theirs_private), text),
            "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
        },
        "body": body,
    }


def theirs(response, call=client.query, **query):
    """What the client sends, and whether it accepts the response."""
    sent = {}

    def respond(url, headers, data=None, json=None, **_):
        sent.update(url=url, headers={name.lower(): value for name, value in headers.items()})
        sent.update(data=data, json=json)
        given = SimpleNamespace(status_code=response["status"], headers=response["headers"])
        given.text = response["body"]
        return given

    core.requests.get = core.requests.post = respond
    try:
        call(**query)
    except Exception as error:
        assert str(error) == "failed to verify the signature", error
        return sent, False
    return sent, True
