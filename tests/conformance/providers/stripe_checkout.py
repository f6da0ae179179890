"""Stripe's checkouts, judged by stripe-mock and by the OpenAPI document in it."""

import json
from urllib.parse import parse_qsl

from ours import ask, is_unusable, same
from stripe_mock import send

PAYMENT, INTENT, SESSION = 1217752501201407, "pi_1234567890aBcDeF", "cs_test_1234567890aBcDeF"
REFERENCE = f"{PAYMENT}_2"
METADATA = {"payment_id": str(PAYMENT), "checkout": "2", "oid": "7"}


def checkout(method, **more):
    return {
        "method": method, "reference": REFERENCE, "amount": 1099, "currency": "USD",
        "description": '订单 "7" & b=1/2', "expires": 1_700_001_800,
        "return_url": "https://shop.example/paid?id={CHECKOUT_SESSION_ID}&x=%2F", **more,
    }


def ours(what, status=None, body=None, **more):
    """Our request or, with a response, what that proves."""
    response = body and {"status": status, "headers": {}, "body": body}
    secret = {"stripe": {"api_key": "rk_test_conformance"}}
    return ask(
        secret=secret, provider="stripe", nonce="x", secs=1_700_000_000, checkout=what,
        response=response, **more,
    )


# It takes what we send, and neither another parameter nor another key.
CALLS = {
    "intent": (checkout("intent"), {}),
    "session": (checkout("checkout"), {}),
    "known intent": (checkout("intent", provider_id=INTENT), {}),
    "known session": (checkout("checkout", provider_id=SESSION), {}),
    "cancel": (checkout("intent", provider_id=INTENT), {"do": "close"}),
    "expire": (checkout("checkout", provider_id=SESSION), {"do": "close"}),
    "ask intent": (checkout("intent", provider_id=INTENT), {"do": "ask"}),
    "ask session": (checkout("checkout", provider_id=SESSION), {"do": "ask"}),
}
samples, forms = {}, {}
for name, (what, todo) in CALLS.items():
    request = ours(what, **todo)
    is_post = request["method"] == "POST"
    status, body = send(request)
    assert status == 200, f"{name}: {status} {body}"
    samples[name] = json.loads(body)
    found = ours(what, status, body, **todo)
    if name == "expire":
        # The sample has an id of its own.
        assert is_unusable(found), found
        found = ours(what, status, json.dumps({**samples[name], "id": SESSION}), **todo)
    if "close" in todo.values():
        same(name, found, {"closed": True})
    elif todo:
        # The sample names no payment, and has the id that was asked for.
        same(name, (found["state"], found["notifications"][0]["checkout"]), ("open", 2))
    else:
        # The sample is another checkout than was ordered.
        assert is_unusable(found), f"{name}: {found}"
    if is_post:
        forms[name] = dict(parse_qsl(request["body"], strict_parsing=bool(request["body"])))
        wrong = send(request, body="&".join(filter(None, [request["body"], "unknown=1"])))
    else:
        joint = "&" if "?" in request["target"] else "?"
        wrong = send(request, request["target"] + joint + "unknown=1")
    same(f"status of {name} with an unknown parameter", wrong[0], 400)
    wrong_key = send(request, authorization="Bearer of no key")
    same(f"status of {name} with a wrong key", wrong_key[0], 401)
    found = ours(what, *wrong_key, **todo)
    same("error", found["error"], "the provider rejects our configuration")

# A parameter of a type that Stripe does not take, or of a word that it does not have.
for name, parameter in [
    ("intent", "amount=x"),
    ("intent", "automatic_payment_methods[enabled]=x"),
    ("session", "mode=x"),
    ("session", "expires_at=x"),
    ("session", "line_items[0][quantity]=x"),
]:
    what, todo = CALLS[name]
    request = ours(what)
    wrong = send(request, body=f"{request['body']}&{parameter}")
    same(f"status with {parameter}", wrong[0], 400)
    same(f"refused {parameter}", ours(what, *wrong).get("absent"), True)

# The same objects once they are ours: what is handed out.
stored = {
    name: value for name, value in forms["intent"].items() if name.startswith("metadata")
}
same("metadata", stored, {f"metadata[{name}]": value for name, value in METADATA.items()})
intent = {**samples["intent"], "metadata": METADATA, "status": "requires_payment_method"}
session = {
    **samples["session"], "metadata": METADATA, "status": "open", "amount_total": 1099,
    "currency": "usd", "client_reference_id": forms["session"]["client_reference_id"],
    "url": "https://checkout.stripe.com/c/pay/x",
}
intent.update(amount=int(forms["intent"]["amount"]), currency=forms["intent"]["currency"])
same("intent", ours(checkout("intent"), 200, json.dumps(intent)), {
    "id": intent["id"], "action": {"client": {"client_secret": intent["client_secret"]}},
})
same("session", ours(checkout("checkout"), 200, json.dumps(session)), {
    "id": session["id"], "action": {"redirect": session["url"]},
})
for name, made, ended in [("intent", intent, "canceled"), ("checkout", session, "expired")]:
    what = checkout(name, provider_id=made["id"])
    same(name, ours(what, 200, json.dumps({**made, "status": ended})), {"ended": True})
print(f"{len(CALLS)} requests and {3 * len(CALLS) + 9} responses: stripe-mock and we agree")
