"""What a schema cannot say of the requests that schemathesis makes."""

import schemathesis


@schemathesis.hook
def map_body(context, body):
    """A whole number is written without a fraction: to JSON Schema `1.0` is an integer, to us it is not."""
    if not isinstance(body, dict):
        return body
    return {name: int(value) if is_whole(value) else value for name, value in body.items()}


def is_whole(value):
    return isinstance(value, float) and value.is_integer() and 0 <= value < 1 << 53
