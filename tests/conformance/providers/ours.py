"""What our code does with a query, by the program `query` of shared/providers/examples."""

import json
import os
import subprocess


def ask(**arguments):
    """The request of a query or, with a response, what that proves."""
    given = json.dumps({"txn": None, "response": None, **arguments})
    done = subprocess.run([os.environ["QUERY"]], input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same(what, ours, theirs):
    assert ours == theirs, f"{what}\n  ours:   {ours}\n  theirs: {theirs}"


def is_unusable(found):
    return found.get("error") == "the provider's response proves nothing"
