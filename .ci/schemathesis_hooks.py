"""What a schema cannot say of the requests that schemathesis makes, and of the responses."""

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
}


@schemathesis.hook
def filter_case(context, case):
    """`null` for an optional member counts as absent: a type of its own in the schema would break generators."""
    optional = OPTIONAL.get(case.operation.path, ())
    return not isinstance(case.body, dict) or all(case.body.get(name, "") is not None for name in optional)


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
