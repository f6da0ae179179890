"""Stripe's queries and refunds, judged by stripe-mock and by the OpenAPI document in it."""

import json
import sys
from urllib.parse import parse_qs, parse_qsl, urlsplit

from ours import ask, is_unusable, same
from stripe_mock import send

DOCUMENT = sys.argv[2]
PAYMENT, INTENT = 1217752501201407, "pi_1234567890aBcDeF"
REFUND = f"{PAYMENT}_0123456789abcdef"
QUERIES = {
    "search": {},
    "intent": {"txn": INTENT},
    "refunds": {"txn": INTENT, "refunds": True},
    "refund": {"txn": INTENT, "refund": REFUND},
    "object-intent": {"object": INTENT},
    "object-session": {"object": "cs_test_1234567890aBcDeF"},
    "object-charge": {"object": "ch_1234567890aBcDeF"},
    "object-refund": {"object": "re_1234567890aBcDeF"},
    "order": {
        "txn": INTENT, "refund": REFUND,
        "order": {"amount": 30, "paid": 1099, "currency": "USD", "reason": "退款 a&b=c"},
    },
}

with open(DOCUMENT) as file:
    document = json.load(file)


def ours(name, status=None, body=None):
    """Our request or, with a response, what that proves."""
    response = body and {"status": status, "headers": {}, "body": body}
    secret = {"stripe": {"api_key": "rk_test_conformance"}}
    return ask(
        secret=secret, provider="stripe", id=PAYMENT, nonce="x", secs=1_700_000_000,
        response=response, **QUERIES[name],
    )


def resolved(schema):
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def returned(path):
    """What the document says that a path returns: of the template with the fewest placeholders."""
    parts = path.split("/")

    def fits(template):
        wanted = template.split("/")
        alike = all(part == other or "{" in other for part, other in zip(parts, wanted))
        return len(parts) == len(wanted) and alike

    template = min(filter(fits, document["paths"]), key=lambda template: template.count("{"))
    response = document["paths"][template]["get"]["responses"]["200"]
    return resolved(response["content"]["application/json"]["schema"])


def expanded(target):
    """The names under `expand`, each of which can be expanded."""
    url = urlsplit(target)
    names = parse_qs(url.query).get("expand[]", [])
    for name in names:
        schema = returned(url.path)
        field = name.removeprefix("data.")
        if field != name:
            schema = resolved(schema["properties"]["data"]["items"])
        assert field in schema["x-expandableFields"], f"`{name}` of {target} cannot be expanded"
    return names


# It takes what we send, and neither another parameter nor another key. What it responds is read.
samples, expansions = {}, 0
for name in QUERIES:
    if name == "order":
        continue
    request = ours(name)
    same("version", request["headers"]["stripe-version"], document["info"]["version"])
    target = request["target"]
    status, body = send(request)
    assert status == 200, f"{target}: {status} {body}"
    expansions += len(expanded(target))
    samples[name] = json.loads(body)
    found = ours(name, status, body)
    if name in ["refunds", "refund"]:
        # Those of the sample are of another PaymentIntent.
        assert is_unusable(found), found
    else:
        same(name, found.get("state"), "absent" if name == "search" else "open")
    unknown = send(request, target + ("&" if "?" in target else "?") + "unknown=1")
    same(f"status of {target} with an unknown parameter", unknown[0], 400)
    assert is_unusable(ours(name, *unknown)), unknown
    wrong_key = send(request, authorization="Bearer of no key")
    same(f"status of {target} with a wrong key", wrong_key[0], 401)
    same("error", ours(name, *wrong_key)["error"], "the provider rejects our configuration")
same("expansions", expansions, 4)

# The same objects as they are once they are paid and ours: what they are read as, what is asked next, and
# the event of each.
metadata = {"payment_id": str(PAYMENT)}
intent = {"status": "succeeded", "amount_received": 1099, "metadata": metadata}
charge = {
    **samples["object-charge"],
    "captured": True, "amount_captured": 1099, "payment_intent": INTENT, "metadata": metadata,
}
session = {
    "status": "complete", "payment_status": "paid", "amount_total": 1099, "currency": "usd",
    "client_reference_id": str(PAYMENT),
}
samples["search"]["data"][0].update(intent)
samples["intent"].update(intent, latest_charge=charge)
for name in ["refunds", "refund"]:
    samples[name]["data"][0].update(payment_intent=INTENT)
same("has more", samples["refund"]["has_more"], False)
absent = ours("refund", 200, json.dumps(samples["refund"]))
same("refund that is not there", absent["state"], "absent")
samples["refund"]["data"][0].update(metadata={"refund_id": REFUND})
samples["object-intent"].update(intent, latest_charge={**charge, "amount_refunded": 100})
samples["object-session"].update(session)
samples["object-charge"] = charge
samples["object-refund"]["payment_intent"].update(intent)
first = samples["search"]["data"][0]["id"]
refund = samples["refunds"]["data"][0]["id"]
of_refund = samples["object-refund"]["payment_intent"]["id"]
for name, state, after, event, txn in [
    ("search", "paid", None, f"paid.{first}", first),
    ("intent", "paid", "refunds", f"paid.{INTENT}", INTENT),
    ("refunds", "refunded", None, f"succeeded.{refund}", INTENT),
    ("refund", "succeeded", None, f"succeeded.{refund}", INTENT),
    ("object-intent", "refunded", "refunds", f"paid.{INTENT}", INTENT),
    ("object-session", "paid", None, f"paid.{QUERIES['object-session']['object']}",
     samples["object-session"]["payment_intent"]),
    ("object-charge", "paid", "refunds", f"paid.{QUERIES['object-charge']['object']}", INTENT),
    ("object-refund", "paid", "refunds", f"paid.{of_refund}", of_refund),
]:
    one = {
        "event": f"query.{event}", "payment": PAYMENT, "txn": txn, "amount": 1099, "currency": "USD",
    }
    if name in ["refunds", "refund"]:
        one["amount"] = None
        one["refund"] = {"id": refund, "amount": 100, "state": "succeeded"}
    if name == "refund":
        one["refund"]["reference"] = REFUND
    found = ours(name, 200, json.dumps(samples.pop(name)))
    same(name, (found["state"], found.get("next")), (state, after))
    same(name, found["notifications"], [one])
same("objects that were not read", samples, {})

# It takes a refund that we order, with no other parameter and no other key; what it responds is another
# refund than was ordered until it is ours.
request = ours("order")
status, body = send(request)
assert status == 200, f"{status} {body}"
assert is_unusable(ours("order", status, body)), body
for parameter in ["unknown=1", "reason=other", "amount=x"]:
    wrong = send(request, body=f"{request['body']}&{parameter}")
    same(f"status of an order with {parameter}", wrong[0], 400)
    assert is_unusable(ours("order", *wrong)), wrong
wrong_key = send(request, authorization="Bearer of no key")
same("status of an order with a wrong key", wrong_key[0], 401)
same("error", ours("order", *wrong_key)["error"], "the provider rejects our configuration")
form = dict(parse_qsl(request["body"], strict_parsing=True))
same("idempotency key", request["headers"]["idempotency-key"], REFUND)
made = json.loads(body)
stored = {name[9:-1]: value for name, value in form.items() if name.startswith("metadata[")}
same("metadata", stored, {"payment_id": str(PAYMENT), "reason": "退款 a&b=c", "refund_id": REFUND})
made.update(payment_intent=form["payment_intent"], amount=int(form["amount"]), metadata=stored)
same("made", ours("order", 200, json.dumps(made)), {"state": "succeeded", "notifications": [{
    "event": f"query.succeeded.{made['id']}", "payment": PAYMENT, "txn": INTENT, "amount": None,
    "currency": "USD",
    "refund": {"id": made["id"], "reference": REFUND, "amount": 30, "state": "succeeded"},
}]})
print(f"{len(QUERIES)} requests and {4 * len(QUERIES) + 3} responses: stripe-mock and we agree")
