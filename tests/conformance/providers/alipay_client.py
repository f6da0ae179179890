"""Alipay's own client with keys of its own, in place of Alipay and of us."""

import os
import subprocess
import time

# The client signs the wall clock, and means that of Beijing.
os.environ["TZ"] = "CST-8"
time.tzset()

from alipay.aop.api import DefaultAlipayClient as module
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.exception.Exception import ResponseException
from alipay.aop.api.util.SignatureUtils import sign_with_rsa2

APP_ID, PAYMENT, TRADE = "2019073166072302", 1217752501201407, "2026112322001468450512505578"
URL = "https://openapi.alipay.com/gateway.do"


def bare(pem):
    """As Alipay's console shows a key."""
    return "".join(line for line in pem.decode().splitlines() if not line.startswith("-"))


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def pair():
    # PKCS#1, which the client takes. The package `rsa` makes primes of unequal lengths.
    private = openssl("genrsa", "-traditional", "2048")
    return bare(private), bare(openssl("rsa", "-pubout", given=private))


ours_private, ours_public = pair()
theirs_private, theirs_public = pair()
secret = {"alipay": {
    "app_id": APP_ID, "private_key": ours_private, "public_keys": [theirs_public],
}}
config = AlipayClientConfig()
config.server_url, config.app_id = URL, APP_ID
config.app_private_key, config.alipay_public_key = ours_private, theirs_public
config.sign_type = "RSA2"
# As in the documentation; the gateway takes either.
config.format = "JSON"
client = module.DefaultAlipayClient(config)


def signed(member, value):
    """A response as Alipay signs it."""
    sign = sign_with_rsa2(theirs_private, value, "utf-8")
    return '{"%s":%s,"sign":"%s"}' % (member, value, sign)


def theirs(method, body, notify_url=None, **query):
    """What the client sends, and whether it accepts the response."""
    sent = {}

    def do_post(url, query_string, headers, params, charset, timeout):
        sent.update(url=url, query=query_string, headers=headers, params=params)
        return body.encode()

    module.do_post = do_post
    new_request, new_model, _ = method
    model = new_model()
    for name, value in query.items():
        setattr(model, name, value)
    request = new_request()
    request.biz_model = model
    if notify_url:
        request.notify_url = notify_url
    try:
        client.execute(request)
    except ResponseException:
        return sent, False
    return sent, True
