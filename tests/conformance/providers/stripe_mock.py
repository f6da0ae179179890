"""stripe-mock, at the port in the first argument."""

import http.client
import sys


def send(request, target=None, body=None, **headers):
    """Sends our request as it is, but for what is given here."""
    connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=30)
    connection.putrequest(request["method"], target or request["target"], skip_accept_encoding=True)
    for name, value in {**request["headers"], **headers}.items():
        connection.putheader(name, value)
    content = (body or request["body"]).encode()
    if content:
        connection.putheader("content-length", str(len(content)))
    connection.endheaders(content)
    response = connection.getresponse()
    return response.status, response.read().decode()
