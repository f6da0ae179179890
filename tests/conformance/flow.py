#!/usr/bin/env python3
"""The main job over HTTP, on whatever serves the API: create, pay, tell the shop, refuse, race.

  flow.py --api URL --shop URL --ca FILE

The API may be served by anything; the shop is that of `target/debug/local --json`, whose line
names its URL ("users") and its authority ("ca_file"). Orders are made in the shop, new ones each
run. Tokens and signatures come from `cargo local`: nothing is signed by code of its own. Prints a
line for each check; the first that does not hold ends it with exit code 1.
"""

import argparse
import concurrent.futures
import json
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

PENDING, PAID, STRIPE = 0, 1, 3
# Seconds: whatever serves may have to start a function first.
TIMEOUT = 60


class Failed(Exception):
    """A check that does not hold."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode(errors="replace")
        self.json = json.loads(body) if headers.get_content_subtype().endswith("json") else {}

    def __str__(self):
        return f"{self.status} {self.text}"

    def is_problem(self, status, slug):
        problem = self.headers.get_content_type() == "application/problem+json"
        return problem and (self.status, self.json["type"]) == (status, f"urn:problem:pay:{slug}")


class Flow:
    def __init__(self, options):
        self.options = options
        self.trust = ssl.create_default_context(cafile=options.ca)

    def local(self, *arguments, stdin=b""):
        """What the project's own tool prints."""
        command = [self.options.local, *arguments]
        return subprocess.check_output(command, input=stdin).decode()

    def token(self, *arguments):
        """The header that names a payer or a service."""
        secret = given("--access-secret", self.options.access_secret)
        return {"authorization": f"Bearer {self.local('token', *arguments, *secret).strip()}"}

    def signature(self, body):
        """The headers that sign a body as our own gateway does."""
        secret = given("--secret", self.options.webhook_secret)
        signed = self.local("sign", "--provider", "standard", *secret, stdin=body)
        return dict(line.split(": ", 1) for line in signed.splitlines())

    def post(self, url, body, headers=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=self.trust) as got:
                return Answer(got.status, got.headers, got.read())
        except urllib.error.HTTPError as got:
            with got:
                return Answer(got.code, got.headers, got.read())

    def pay(self, route, body, headers=None):
        return self.post(f"{self.options.api}/api/pay/{route}", body, headers)

    def shop(self, route, body):
        service = self.token("--scope", "pay:service")
        answer = self.post(f"{self.options.shop}/api/order/{route}", body, service)
        if answer.status != 200:
            raise Failed(f"the shop does not answer {route}: {answer}")
        return answer.json

    def wanted(self):
        """What pays a new order, and who does."""
        order = {"uid": self.options.uid, "amount": self.options.amount}
        oid = self.shop("create", {**order, "pid": 1, "status": 0})["id"]
        return {**order, "oid": oid}, self.token("--uid", str(self.options.uid))

    def main_job(self):
        wanted, payer = self.wanted()
        oid = wanted["oid"]
        answer = self.pay("create", wanted)
        refused(answer, 401, "unauthenticated", "create without a token is refused")
        for odd in (b"oid=1", {"oid": oid}, {**wanted, "amount": "100"}):
            answer = self.pay("create", odd, payer)
            refused(answer, 400, "invalid-request", f"create of {odd} is refused")

        answer = self.pay("create", wanted, payer)
        check(answer.status == 200, f"create makes a payment of order {oid}", answer)
        payment = answer.json["id"]
        pending = {"id": payment, **wanted, "source": 0, "status": PENDING}
        self.shown(payer, pending, "detail shows it pending")
        told = self.shop("detail", {"id": oid})
        check(told["status"] == 0, "the shop has been told nothing yet", told)
        answer = self.pay("list", {"limit": 1}, payer)
        first = answer.status == 200 and answer.json["payments"][0]
        check(first and first["id"] == payment, "list shows it first", answer)

        paid = {"id": payment, **wanted, "source": STRIPE, "status": PAID}
        body = json.dumps(paid).encode()
        signature = self.signature(body)
        answer = self.pay("callback", body + b" ", signature)
        refused(answer, 401, "bad-signature", "a signature of other bytes is refused")
        answer = self.pay("callback", body)
        refused(answer, 401, "unauthenticated", "a callback without a signature is refused")
        answer = self.pay("callback/nobody", body, signature)
        refused(answer, 404, "provider-not-found", "an unknown provider is refused")
        self.shown(payer, pending, "detail still shows it pending")

        for what in ("the signed callback", "its repeat"):
            answer = self.pay("callback", body, signature)
            check((answer.status, answer.json) == (200, {}), f"{what} is taken", answer)
            self.shown(payer, paid, "detail shows it paid")
        told = self.shop("detail", {"id": oid})
        check((told["status"], told["times_paid"]) == (1, 1), "the shop was told once", told)
        answer = self.pay("create", wanted, payer)
        refused(answer, 409, "payment-exists", "a paid order takes no other payment")
        check(answer.json["payment_id"] == payment, "its refusal names the one it has", answer)

    def shown(self, payer, wanted, what):
        answer = self.pay("detail", {"id": wanted["id"]}, payer)
        check(answer.status == 200 and wanted.items() <= answer.json.items(), what, answer)

    def parallel_creates(self):
        """However many ask at once, an order has one payment, and all are told which."""
        wanted, payer = self.wanted()
        count = self.options.parallel
        start, repeated = threading.Barrier(count), []

        def create(number):
            start.wait()
            for _ in range(10):
                answer = self.pay("create", wanted, payer)
                if not answer.is_problem(503, "unavailable"):
                    break
                # It is safe to repeat, and the answer says when.
                repeated.append(number)
                time.sleep(float(answer.headers.get("retry-after", 1)))
            return answer

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(create, range(count)))
        made = [answer.json["id"] for answer in answers if answer.status == 200]
        met = [answer for answer in answers if answer.is_problem(409, "payment-exists")]
        odd = [str(answer) for answer in answers if answer.status != 200 and answer not in met]
        check(not odd, f"{count} creates at once are each answered 200 or payment-exists", odd)
        # One whose first answer was no answer may have made the payment all the same.
        check(len(made) == 1 or (repeated and not made), "one of them made the payment", made)
        ids = set(made) | {answer.json["payment_id"] for answer in met}
        check(len(ids) == 1, "all the others name it", ids)
        shown = self.pay("detail", {"oid": wanted["oid"]}, payer)
        check(shown.status == 200 and {shown.json["id"]} == ids, "it is the order's", shown)


def check(holds, what, got):
    if not holds:
        raise Failed(f"not so: {what}; there is {got}")
    print(f"  ok: {what}", flush=True)


def refused(answer, status, slug, what):
    check(answer.is_problem(status, slug), what, answer)


def given(flag, value):
    return [flag, value] if value else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--api", required=True, help="what /api/pay/... is appended to")
    parser.add_argument("--shop", required=True, help="what /api/order/... is appended to")
    parser.add_argument("--ca", help="PEM file of the authority that the shop is signed by")
    parser.add_argument("--local", default="target/debug/local", help="the project's own tool")
    parser.add_argument("--access-secret", help="signs tokens, where it is not the well-known one")
    parser.add_argument("--webhook-secret", help="signs callbacks, likewise")
    parser.add_argument("--uid", type=int, default=1, help="a user that the shop has")
    parser.add_argument("--amount", type=int, default=100, help="of each order, in minor units")
    parser.add_argument("--parallel", type=int, default=16, help="creates of one order at once")
    parser.add_argument("--races", type=int, default=5, help="how many orders that is done for")
    options = parser.parse_args()
    try:
        flow = Flow(options)
        flow.main_job()
        # At the first most instances are only just starting, and come too late to meet.
        for _ in range(options.races):
            flow.parallel_creates()
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
