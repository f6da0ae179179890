"""Pays attention to what a generated client reads: an id, a 409 and a 422 of the local stack."""

import os

from pay_client import AuthenticatedClient
from pay_client.api.payer import create, detail
from pay_client.models import CreatedPayment, CreateRequest, DetailRequest, Payment, Problem, ProblemType, Status

client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["TOKEN"])
oid = int(os.environ["OID"])


def make(amount, key):
    body = CreateRequest(uid=1, oid=oid, amount=amount)
    return create.sync_detailed(client=client, body=body, idempotency_key=key)


made = make(100, "a")
assert made.status_code == 200 and isinstance(made.parsed, CreatedPayment), made
payment_id = made.parsed.id
assert payment_id > 1 << 32, payment_id

found = detail.sync(client=client, body=DetailRequest(id=payment_id))
assert isinstance(found, Payment), found
assert (found.id, found.uid, found.oid, found.amount) == (payment_id, 1, oid, 100), found
assert found.status == Status.VALUE_0 and found.create_time.utcoffset().total_seconds() == 0, found

exists = make(100, "b")
assert exists.status_code == 409 and isinstance(exists.parsed, Problem), exists
assert exists.parsed.type_ == ProblemType.URNPROBLEMPAYPAYMENT_EXISTS, exists
assert (exists.parsed.payment_id, exists.parsed.code) == (payment_id, 100), exists

reused = make(99, "a")
assert reused.status_code == 422 and isinstance(reused.parsed, Problem), reused
assert reused.parsed.type_ == ProblemType.URNPROBLEMPAYKEY_REUSED, reused
print(f"the client in Python read payment {payment_id}, a 409 and a 422")
