"""What a schema cannot say of the requests that schemathesis makes, and of the responses."""

import ipaddress
import unicodedata

import schemathesis


@schemathesis.hook
def map_body(context, body):
    """A whole number is written without a fraction: to JSON Schema `1.0` is an integer, to us it is not."""
    if not isinstance(body, dict):
        return body
    return {name: int(value) if is_whole(value) else value for name, value in body.items()}


# The optional members of each operation.
OPTIONAL = {
    "/api/pay/detail": {"id", "oid"},
    "/api/pay/list": {"limit", "cursor"},
    "/api/pay/callback": {"currency", "provider_txn"},
    "/api/pay/checkout": {"description", "return_url", "openid", "payer_ip"},
}


@schemathesis.hook
def filter_case(context, case):
    """`null` for an optional member counts as absent: a type of its own in the schema would break generators."""
    optional = OPTIONAL.get(case.operation.path, ())
    if not isinstance(case.body, dict):
        return True
    if case.operation.path == "/api/pay/checkout" and not may_be_checkout(case.body):
        return False
    return all(case.body.get(name, "") is not None for name in optional)


# The methods of each provider, and what each needs.
METHODS = {
    "stripe": {"checkout": {"return_url"}, "intent": set()},
    "wechat": {"native": set(), "h5": {"payer_ip"}, "jsapi": {"openid"}, "app": set()},
    "alipay": {"page": set(), "wap": set(), "qr": set(), "app": set()},
}


def may_be_checkout(body):
    """Which method a provider has, and what it needs, the schema says for a person alone."""
    provider, method = body.get("provider"), body.get("method")
    known = any(method in methods for methods in METHODS.values()) if isinstance(method, str) else False
    if isinstance(provider, str) and provider in METHODS and known:
        needed = METHODS[provider].get(method)
        if needed is None or not needed <= body.keys():
            return False
    return may_be_address(body.get("payer_ip")) and may_be_description(body.get("description"))


def may_be_description(text):
    """The limit is one of bytes, and control characters are none of it."""
    if not isinstance(text, str):
        return True
    return len(text.encode(errors="replace")) <= 127 and all(unicodedata.category(of) != "Cc" for of in text)


def may_be_address(text):
    """Of a text that is no address the schema says only that it is not too long."""
    try:
        return not isinstance(text, str) or bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def is_whole(value):
    return isinstance(value, float) and value.is_integer() and 0 <= value < 1 << 53


@schemathesis.check
def problem_is_one_of_the_response(ctx, response, case):
    """A problem is one of the examples of its response, in all but its ids and the words for a person."""
    if response.headers.get("content-type") != ["application/problem+json"]:
        return
    root = case.operation.schema.raw_schema
    described = root["paths"][case.operation.path]["post"]["responses"][str(response.status_code)]
    content = resolve(root, described)["content"]["application/problem+json"]
    examples = [resolve(root, example)["value"] for example in content["examples"].values()]
    problem = response.json()
    assert any(is_example(problem, example) for example in examples), f"not described: {problem}"


def is_example(problem, example):
    same = all(problem[name] == example[name] for name in ("type", "title", "status", "code"))
    return same and problem.keys() <= example.keys()


def resolve(root, value):
    if "$ref" not in value:
        return value
    for name in value["$ref"].removeprefix("#/").split("/"):
        root = root[name]
    return root
