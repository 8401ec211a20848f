"""Mail sent over SMTP is read on a page and as JSON, whatever is in it."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from uuid import uuid4

import httpx
import pytest

from tests.sandbox.running import RunningSandbox

HOSTILE = '<script>alert(1)</script><img src=x onerror="x">'


@pytest.fixture
def page(running: RunningSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.report.services.mail.page, timeout=30) as client:
        yield client


@pytest.fixture
def somebody() -> str:
    return f"{uuid4().hex}@example.com"


def send(running: RunningSandbox, content: bytes, *recipients: str) -> None:
    """One mail over SMTP."""
    host, _, port = running.report.services.mail.smtp.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=30) as server:
        server.sendmail("farm@example.com", recipients, content)


def mail(subject: str, text: str, html: str = "") -> bytes:
    """A mail's bytes."""
    message = EmailMessage()
    message["From"], message["Subject"] = "La ferme <farm@example.com>", subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_a_code_arrives(
    running: RunningSandbox, page: httpx.Client, control: httpx.Client, somebody: str
) -> None:
    send(
        running, mail("Votre code", "Le code : 123456\nhttp://localhost:8000/go?a=1&b=2."), somebody
    )
    for found in (
        page.get("/messages", params={"to": somebody}),
        control.get("/mail/messages", params={"to": somebody.upper()}),
    ):
        (only,) = found.json()["messages"]
        assert only["subject"] == "Votre code"
        assert only["to"] == [somebody]
        assert "123456" in only["text"]
    shown = page.get(f"/mails/{only['id']}").text
    assert '<a href="http://localhost:8000/go?a=1&amp;b=2"' in shown
    assert "123456" in page.get("/").text


def test_the_newest_comes_first(running: RunningSandbox, page: httpx.Client, somebody: str) -> None:
    for subject in ("first", "second"):
        send(running, mail(subject, "x"), somebody, "other@example.com")
    found = page.get("/messages", params={"to": somebody}).json()["messages"]
    assert [message["subject"] for message in found] == ["second", "first"]
    assert page.get("/messages", params={"to": somebody[1:]}).json()["messages"] == []


def test_html_alone_is_read_as_text(
    running: RunningSandbox, page: httpx.Client, somebody: str
) -> None:
    html = '<style>p{}</style><p>Code <b>42</b></p><a href="https://example.com/x">Go</a>'
    message = EmailMessage()
    message["Subject"] = "HTML"
    message.set_content(html, subtype="html")
    send(running, message.as_bytes(), somebody)
    (only,) = page.get("/messages", params={"to": somebody}).json()["messages"]
    assert "Code 42" in only["text"]
    assert "https://example.com/x" in only["text"]
    assert "p{}" not in only["text"]


def test_hostile_mail_is_shown_as_words(
    running: RunningSandbox, page: httpx.Client, somebody: str
) -> None:
    text = f"{HOSTILE} javascript:alert(1) http://x.example/\"onmouseover='x' </pre>"
    send(running, mail(HOSTILE, text, html=HOSTILE), somebody)
    (only,) = page.get("/messages", params={"to": somebody}).json()["messages"]
    for path in ("/", f"/mails/{only['id']}", f"/?to={HOSTILE}"):
        shown = page.get(path)
        assert "<script" not in shown.text
        assert "<img" not in shown.text
        assert 'href="javascript' not in shown.text
        assert '"onmouseover' not in shown.text
        assert "default-src 'none'" in shown.headers["content-security-policy"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no headers at all",
        b"Subject: =?utf-8?b?broken?=\r\nContent-Type: text/plain; charset=klingon\r\n\r\nhi \xff",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\n--x--",
        b"From: a@b@c <<>\r\nTo: ;;;\r\n\r\nbody",
    ],
)
def test_broken_mail_is_not_lost(
    running: RunningSandbox, page: httpx.Client, somebody: str, content: bytes
) -> None:
    send(running, content, somebody)
    (only,) = page.get("/messages", params={"to": somebody}).json()["messages"]
    assert page.get(f"/mails/{only['id']}").status_code == 200


def test_an_unknown_mail_is_not_found(page: httpx.Client) -> None:
    assert page.get("/mails/999999999").status_code == 404


@pytest.mark.parametrize("path", ["/", "/messages"])
def test_another_site_whose_name_leads_here_reads_no_mail(page: httpx.Client, path: str) -> None:
    assert page.get(path, headers={"Host": f"evil.example:{page.base_url.port}"}).status_code == 403
    assert page.get(path, headers={"Host": f"localhost:{page.base_url.port}"}).status_code == 200
