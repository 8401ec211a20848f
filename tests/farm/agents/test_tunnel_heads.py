"""What the tunnel lets a browser begin with, and how long it listens."""

from __future__ import annotations

import socket
import threading

import pytest

from farm.agents.tunnel.heads import BadHead, Head, read_head

HOST = "Host: Ada.agents.localhost:8001"
LINK = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document"
FRAME = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe"
FETCH = "Sec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: empty"


def heard(*lines: str, method: str = "GET") -> Head | None:
    """The head of a request with these lines."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall("\r\n".join((f"{method} / HTTP/1.1", *lines, "", "")).encode())
        return read_head(ours)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize(("how", "method"), [(FETCH, "GET"), (FRAME, "GET"), (LINK, "POST")])
def test_a_page_of_another_site_does_not_speak_to_an_agent(
    site: str, how: str, method: str
) -> None:
    with pytest.raises(BadHead, match="Another site's page") as refused:
        heard(HOST, f"Sec-Fetch-Site: {site}", how, method=method)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    "lines",
    [
        (HOST,),
        (HOST, "Sec-Fetch-Site: cross-site", LINK),
        (HOST, "Sec-Fetch-Site: none", LINK),
        (HOST, "Sec-Fetch-Site: same-origin", FETCH),
        (HOST, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: websocket"),
    ],
)
def test_a_link_from_anywhere_and_the_agents_own_page_are_let_in(lines: tuple[str, ...]) -> None:
    head = heard(*lines)
    assert head is not None
    assert head.host == "ada.agents.localhost"


@pytest.mark.parametrize("lines", [(), (HOST, HOST), (HOST, "host : b.agents.localhost")])
def test_a_request_names_exactly_one_host(lines: tuple[str, ...]) -> None:
    with pytest.raises(BadHead, match="exactly one host"):
        heard(*lines)


def test_a_visitor_who_drips_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.001):
            theirs.sendall(b"x")

    with ours, theirs:
        dripping = threading.Thread(target=drip)
        dripping.start()
        with pytest.raises(BadHead, match="too long"):
            read_head(ours, seconds=0.2)
        over.set()
        dripping.join()
