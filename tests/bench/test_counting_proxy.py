import json
import socket
import urllib.parse

from tests.bench.counting_proxy import counting_proxy
from tests.bench.processes import replay_server


def test_the_proxy_counts_every_byte_that_comes_back_and_starts_over_when_asked() -> None:
    body = json.dumps({"TableName": "bench"})
    head = f"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\nContent-Length: {len(body)}\r\n\r\n"
    with replay_server(1) as url, counting_proxy(port_of(url)) as proxy:
        with socket.create_connection(("127.0.0.1", port_of(proxy.url))) as connection:
            connection.sendall((head + body).encode())
            connection.shutdown(socket.SHUT_WR)
            received = len(connection.makefile("rb").read())
        assert received > 2**20
        assert (proxy.take(), proxy.take()) == (received, 0)


def port_of(url: str) -> int:
    return urllib.parse.urlsplit(url).port or 0
