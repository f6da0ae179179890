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
        response = self.post(f"{self.options.shop}/api/order/{route}", body, service)
        if response.status != 200:
            raise Failed(f"the shop does not respond to {route}: {response}")
        return response.json

    def wanted(self):
        """What pays a new order, and who does."""
        order = {"uid": self.options.uid, "amount": self.options.amount}
        oid = self.shop("create", {**order, "pid": 1, "status": 0})["id"]
        return {**order, "oid": oid}, self.token("--uid", str(self.options.uid))

    def main_job(self):
        wanted, payer = self.wanted()
        oid = wanted["oid"]
        response = self.pay("create", wanted)
        rejected(response, 401, "unauthenticated", "create without a token is rejected")
        for odd in (b"oid=1", {"oid": oid}, {**wanted, "amount": "100"}):
            response = self.pay("create", odd, payer)
            rejected(response, 400, "invalid-request", f"create of {odd} is rejected")

        response = self.pay("create", wanted, payer)
        check(response.status == 200, f"create makes a payment of order {oid}", response)
        payment = response.json["id"]
        pending = {"id": payment, **wanted, "source": 0, "status": PENDING}
        self.shown(payer, pending, "detail shows it pending")
        order = self.shop("detail", {"id": oid})
        check(order["status"] == 0, "the shop has been notified of nothing yet", order)
        response = self.pay("list", {"limit": 1}, payer)
        first = response.status == 200 and response.json["payments"][0]
        check(first and first["id"] == payment, "list shows it first", response)

        paid = {"id": payment, **wanted, "source": STRIPE, "status": PAID}
        body = json.dumps(paid).encode()
        signature = self.signature(body)
        response = self.pay("callback", body + b" ", signature)
        rejected(response, 401, "bad-signature", "a signature of other bytes is rejected")
        response = self.pay("callback", body)
        rejected(response, 401, "unauthenticated", "a callback without a signature is rejected")
        response = self.pay("callback/nobody", body, signature)
        rejected(response, 404, "provider-not-found", "an unknown provider is rejected")
        self.shown(payer, pending, "detail still shows it pending")

        for what in ("the signed callback", "its repeat"):
            response = self.pay("callback", body, signature)
            check((response.status, response.json) == (200, {}), f"{what} is taken", response)
            self.shown(payer, paid, "detail shows it paid")
        order = self.shop("detail", {"id": oid})
        check((order["status"], order["times_paid"]) == (1, 1), "the shop was notified once", order)
        response = self.pay("create", wanted, payer)
        rejected(response, 409, "payment-exists", "a paid order takes no other payment")
        check(response.json["payment_id"] == payment, "its problem names the one it has", response)

    def shown(self, payer, wanted, what):
        response = self.pay("detail", {"id": wanted["id"]}, payer)
        check(response.status == 200 and wanted.items() <= response.json.items(), what, response)

    def parallel_creates(self):
        """However many ask at once, an order has one payment, and all learn which."""
        wanted, payer = self.wanted()
        count = self.options.parallel
        start, repeated = threading.Barrier(count), []

        def create(number):
            start.wait()
            for _ in range(10):
                response = self.pay("create", wanted, payer)
                if not response.is_problem(503, "unavailable"):
                    break
                # It is safe to repeat, and the response says when.
                repeated.append(number)
                time.sleep(float(response.headers.get("retry-after", 1)))
            return response

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            answers = list(pool.map(create, range(count)))
        made = [response.json["id"] for response in answers if response.status == 200]
        met = [response for response in answers if response.is_problem(409, "payment-exists")]
        odd = [str(response) for response in answers if response.status != 200 and response not in met]
        check(not odd, f"{count} creates at once are each answered 200 or payment-exists", odd)
        # One whose first response was no response may have made the payment all the same.
        check(len(made) == 1 or (repeated and not made), "one of them made the payment", made)
        ids = set(made) | {response.json["payment_id"] for response in met}
        check(len(ids) == 1, "all the others name it", ids)
        shown = self.pay("detail", {"oid": wanted["oid"]}, payer)
        check(shown.status == 200 and {shown.json["id"]} == ids, "it is the order's", shown)


def check(holds, what, got):
    if not holds:
        raise Failed(f"not so: {what}; there is {got}")
    print(f"  ok: {what}", flush=True)


def rejected(response, status, slug, what):
    check(response.is_problem(status, slug), what, response)


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
