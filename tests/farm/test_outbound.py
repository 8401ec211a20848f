"""Requests that members can steer go to the open internet, or to what the operator configured."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from farm.agents.models import Server
from farm.outbound import Request, Unreachable, fetch


class Elsewhere(BaseHTTPRequestHandler):
    """Redirects, floods, or says which host it was asked as."""

    def do_GET(self) -> None:
        if self.path == "/drip":
            self._drip()
            return
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            return
        body = b"x" * 1_000_000 if self.path == "/flood" else self.headers["Host"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        """A header without end, one byte at a time."""
        with suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
            while True:
                self.wfile.write(b"y")
                threading.Event().wait(0.05)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


@pytest.fixture
def elsewhere() -> Iterator[str]:
    """The address of a server on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def get(url: str) -> bytes:
    return fetch(Request(method="GET", url=url)).body


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://[::1]:9/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::10.0.0.1]/",
        "http://[64:ff9b::169.254.169.254]/",
        "http://[2002:7f00:1::]/",
        "http://0.0.0.0:9/",
        "http://198.18.0.1/",
    ],
)
def test_what_is_not_on_the_open_internet_is_not_asked(url: str) -> None:
    with pytest.raises(Unreachable, match="not on the open internet"):
        get(url)


def test_an_address_that_the_operator_configured_is_asked_by_its_name(
    elsewhere: str, settings: Settings
) -> None:
    settings.TELEGRAM_ENDPOINT = elsewhere.replace("127.0.0.1", "localhost")
    assert get(f"{settings.TELEGRAM_ENDPOINT}/botx/getMe").startswith(b"localhost:")
    with pytest.raises(Unreachable, match="not on the open internet"):
        get(f"{elsewhere}/another-name-for-it")


def test_no_redirect_is_followed(elsewhere: str, settings: Settings) -> None:
    settings.MODEL_ENDPOINTS = {"openai": f"{elsewhere}/v1"}
    assert fetch(Request(method="GET", url=f"{elsewhere}/redirect")).status == 302


def test_an_answer_without_end_is_cut_off(elsewhere: str, settings: Settings) -> None:
    settings.MODEL_ENDPOINTS = {"openai": elsewhere}
    with pytest.raises(Unreachable, match="larger"):
        get(f"{elsewhere}/flood")


def test_an_answer_that_drips_is_over_at_the_deadline(elsewhere: str, settings: Settings) -> None:
    settings.MODEL_ENDPOINTS = {"openai": elsewhere}
    with pytest.raises(Unreachable, match="did not answer"):
        fetch(Request(method="GET", url=f"{elsewhere}/drip", timeout=0.5))


@pytest.mark.django_db
def test_the_farm_and_its_fleet_are_not_asked(settings: Settings) -> None:
    now = timezone.now()
    settings.SITE_URL, settings.RELAY_URL = "https://1.1.1.1", "https://[2606:4700::1111]:8443"
    settings.EDGE_ADDRESSES = ["8.8.4.4", "2001:4860:4860::8844"]
    made = {"provider": "hetzner", "server_type": "cx23", "location": "nbg1"}
    Server.objects.create(**made, requested_at=now, phase_since=now, ipv4="9.9.9.9")
    own = ("1.1.1.1", "[2606:4700::1111]", "8.8.4.4", "[2001:4860:4860:0::8844]")
    for host in (*own, "9.9.9.9", "[64:ff9b::909:909]"):
        with pytest.raises(Unreachable, match="the farm itself"):
            get(f"http://{host}:1/")


def test_a_token_in_an_address_is_in_no_message(settings: Settings) -> None:
    settings.TELEGRAM_ENDPOINT = "http://127.0.0.1:1"
    with pytest.raises(Unreachable) as failure:
        get("http://127.0.0.1:1/bot123:secret/getMe")
    assert "secret" not in str(failure.value)
    assert not failure.value.maybe_received


def test_a_token_in_an_address_is_in_no_log(
    elsewhere: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    settings.TELEGRAM_ENDPOINT = elsewhere
    get(f"{elsewhere}/bot123:secret/getMe")
    assert "secret" not in caplog.text
