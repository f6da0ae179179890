#!/usr/bin/env python3
"""The main job over HTTP, on whatever serves the API: create, pay, tell the shop, refuse, race.

  flow.py --api URL --shop URL --ca FILE

The API may be served by anything; the shop is that of `target/debug/local --json`, whose line names
its URL ("users") and its authority ("ca_file"). Orders are made in the shop, new ones each run.
Tokens and signatures come from `cargo local`, so that nothing here signs with code of its own.
Prints a line for each check; the first that does not hold ends it with exit code 1. Standard library
only.
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
    pass


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body.decode(errors="replace")
        try:
            self.json = json.loads(body)
        except ValueError:
            self.json = None

    def __str__(self):
        return f"{self.status} {self.text}"

    def is_problem(self, status, slug):
        return (
            self.status == status
            and self.headers.get_content_type() == "application/problem+json"
            and self.json.get("type") == f"urn:problem:pay:{slug}"
        )


class Flow:
    def __init__(self, options):
        self.options = options
        self.trust = ssl.create_default_context(cafile=options.ca) if options.ca else None

    def local(self, *arguments, stdin=b""):
        """What the project's own tool prints."""
        command = [self.options.local, *arguments]
        ran = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, check=True)
        return ran.stdout.decode()

    def token(self, *arguments):
        return self.local("token", *arguments, *self.options.access_secret).strip()

    def signature(self, body):
        """The headers that sign a body as our own gateway does."""
        sign = ["sign", "--provider", "standard", *self.options.webhook_secret]
        return dict(line.split(": ", 1) for line in self.local(*sign, stdin=body).splitlines())

    def post(self, url, body, headers=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(url, body, headers, method="POST")
        context = self.trust if url.startswith("https:") else None
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as got:
                return Answer(got.status, got.headers, got.read())
        except urllib.error.HTTPError as got:
            with got:
                return Answer(got.code, got.headers, got.read())

    def pay(self, route, body, headers=None):
        return self.post(f"{self.options.api}/api/pay/{route}", body, headers)

    def shop(self, route, body):
        token = self.token("--scope", "pay:service")
        headers = {"authorization": f"Bearer {token}"}
        answer = self.post(f"{self.options.shop}/api/order/{route}", body, headers)
        if answer.status != 200:
            raise Failed(f"the shop does not answer {route}: {answer}")
        return answer.json

    def order(self):
        """A new unpaid order."""
        new = {"uid": self.options.uid, "pid": 1, "amount": self.options.amount, "status": 0}
        return self.shop("create", new)["id"]

    def main_job(self):
        uid, amount, oid = self.options.uid, self.options.amount, self.order()
        payer = {"authorization": "Bearer " + self.token("--uid", str(uid))}
        wanted = {"uid": uid, "oid": oid, "amount": amount}

        answer = self.pay("create", wanted)
        check(answer.is_problem(401, "unauthenticated"), "create without a token is refused", answer)
        for odd in (b"oid=1", {"uid": uid, "oid": oid}, {**wanted, "amount": str(amount)}):
            answer = self.pay("create", odd, payer)
            check(answer.is_problem(400, "invalid-request"), f"create of {odd} is refused", answer)

        answer = self.pay("create", wanted, payer)
        check(answer.status == 200, f"create makes a payment of order {oid}", answer)
        payment = answer.json["id"]
        self.shown(payer, payment, {**wanted, "source": 0, "status": PENDING}, "detail shows it pending")
        told = self.shop("detail", {"id": oid})
        check(told["status"] == 0, "the shop has been told nothing yet", told)

        paid = {"id": payment, **wanted, "source": STRIPE, "status": PAID}
        body = json.dumps(paid).encode()
        signature = self.signature(body)
        answer = self.pay("callback", body + b" ", signature)
        check(answer.is_problem(401, "bad-signature"), "a signature of other bytes is refused", answer)
        answer = self.pay("callback", body)
        check(answer.is_problem(401, "unauthenticated"), "a callback without a signature is refused", answer)
        self.shown(payer, payment, {**wanted, "status": PENDING}, "detail still shows it pending")

        answer = self.pay("callback", body, signature)
        check(answer.status == 200 and answer.json == {}, "the signed callback is taken", answer)
        self.shown(payer, payment, paid, "detail shows it paid")
        answer = self.pay("callback", body, signature)
        check(answer.status == 200 and answer.json == {}, "its repeat is taken", answer)
        told = self.shop("detail", {"id": oid})
        check(told["status"] == 1 and told["times_paid"] == 1, "the shop was told once", told)

        answer = self.pay("create", wanted, payer)
        exists = answer.is_problem(409, "payment-exists") and answer.json["payment_id"] == payment
        check(exists, "a paid order takes no other payment", answer)

    def shown(self, payer, payment, wanted, what):
        answer = self.pay("detail", {"id": payment}, payer)
        right = answer.status == 200 and wanted.items() <= answer.json.items()
        check(right and answer.json["id"] == payment, what, answer)

    def parallel_creates(self):
        count, oid = self.options.parallel, self.order()
        wanted = {"uid": self.options.uid, "oid": oid, "amount": self.options.amount}
        payer = {"authorization": "Bearer " + self.token("--uid", str(self.options.uid))}
        start = threading.Barrier(count)

        def create(_number):
            """What came of one create, and whether it had to be repeated."""
            start.wait()
            for tried in range(10):
                answer = self.pay("create", wanted, payer)
                if not answer.is_problem(503, "unavailable"):
                    return answer, tried > 0
                # It is safe to repeat, and the answer says when.
                time.sleep(float(answer.headers.get("retry-after", 1)))
            return answer, True

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            came = list(pool.map(create, range(count)))
        answers = [answer for answer, _ in came]
        made = [answer.json["id"] for answer in answers if answer.status == 200]
        met = [answer for answer in answers if answer.is_problem(409, "payment-exists")]
        odd = [str(answer) for answer in answers if answer.status != 200 and answer not in met]
        check(not odd, f"{count} creates at once are each answered 200 or payment-exists", odd)
        # One whose first answer was no answer may have made the payment all the same.
        repeated = any(repeated for _, repeated in came)
        check(len(made) == 1 or (repeated and not made), "one of them made the payment", made)
        ids = set(made) | {answer.json["payment_id"] for answer in met}
        check(len(ids) == 1, "all the others name it", ids)
        shown = self.pay("detail", {"oid": oid}, payer)
        check(shown.status == 200 and {shown.json["id"]} == ids, "it is the order's", shown)


def check(holds, what, got):
    if not holds:
        raise Failed(f"not so: {what}; there is {got}")
    print(f"  ok: {what}", flush=True)


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--api", required=True, help="what /api/pay/... is appended to")
    parser.add_argument("--shop", required=True, help="what /api/order/... is appended to")
    parser.add_argument("--ca", help="PEM file of the authority that the shop is signed by")
    parser.add_argument("--local", default="target/debug/local", help="the project's own tool")
    parser.add_argument("--access-secret", help="signs tokens, where it is not the well-known one")
    parser.add_argument("--webhook-secret", help="signs callbacks, likewise")
    parser.add_argument("--uid", type=int, default=1, help="a user that the shop has")
    parser.add_argument("--amount", type=int, default=100, help="of each order, in minor units")
    parser.add_argument("--parallel", type=int, default=16, help="creates of one order at once")
    options = parser.parse_args()
    options.access_secret = ["--access-secret", options.access_secret] if options.access_secret else []
    options.webhook_secret = ["--secret", options.webhook_secret] if options.webhook_secret else []
    try:
        flow = Flow(options)
        flow.main_job()
        flow.parallel_creates()
    except (Failed, OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")


main()
