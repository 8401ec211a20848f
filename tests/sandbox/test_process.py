"""A sandbox starts, ends and starts again as a process of its own."""

from __future__ import annotations

import json
import signal
import smtplib
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from farm.sandbox.wire import Json
from tests.sandbox.running import (
    STOP_DEADLINE,
    RunningSandbox,
    SandboxDiedError,
    launch,
    sandbox,
)

NADIA = 777


def test_everything_answers_once_the_line_is_printed(running: RunningSandbox) -> None:
    services = running.report.services
    bearer = {"Authorization": f"Bearer {services.hetzner.token}"}
    assert httpx.get(f"{services.hetzner.endpoint}/locations", headers=bearer).status_code == 200
    secret = {"X-Auth-Token": services.scaleway.secret_key}
    servers = f"{services.scaleway.endpoint}/instance/v1/zones/fr-par-1/servers"
    assert httpx.get(servers, headers=secret).status_code == 200
    key = {"Authorization": f"Bearer {services.model.key}"}
    assert httpx.get(f"{services.model.endpoint}/models", headers=key).status_code == 200
    token = services.telegram.bot_token
    assert httpx.get(f"{services.telegram.endpoint}/bot{token}/getMe").json()["ok"] is True
    assert httpx.get(services.telegram.page).status_code == 200
    assert httpx.get(services.mail.page).status_code == 200
    money = {"Authorization": f"Bearer {services.stripe.key}"}
    assert httpx.get(f"{services.stripe.endpoint}/v1/balance", headers=money).status_code == 200
    assert httpx.get(f"{services.control.endpoint}/status").status_code == 200
    with smtplib.SMTP(
        running.env["EMAIL_HOST"], int(running.env["EMAIL_PORT"]), timeout=30
    ) as mail:
        assert mail.noop()[0] == 250


def test_the_environment_points_a_farm_at_it(running: RunningSandbox) -> None:
    services = running.report.services
    assert running.env["HETZNER_ENDPOINT"] == services.hetzner.endpoint
    assert running.env["SCALEWAY_PROJECT_ID"] == services.scaleway.project
    assert running.env["SANDBOX_MODEL"] == "sandbox-1"
    assert running.env["STRIPE_API_BASE"] == services.stripe.endpoint
    assert running.env["STRIPE_SECRET_KEY"].startswith("sk_test_")
    assert running.env["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert running.env["SSH_PORT"] == str(running.report.guests.ssh_port)
    assert running.report.guests.kind == "simulated"
    assert running.report.guests.why.endswith(".")


def test_a_second_start_has_the_same_addresses_and_memories(tmp_path: Path) -> None:
    with sandbox(tmp_path / "state") as first:
        _leave_traces(first)
        assert first.stop() == 0
    with sandbox(tmp_path / "state") as second:
        assert second.report == first.report
        _find_traces(second)


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    with sandbox(tmp_path / "state") as first:
        _leave_traces(first)
        first.stop(signal.SIGKILL)
    with sandbox(tmp_path / "state") as second:
        assert second.report == first.report
        _find_traces(second)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_also_with_connections_open(
    tmp_path: Path, number: signal.Signals
) -> None:
    with sandbox(tmp_path / "state") as started:
        telegram = started.report.services.telegram
        poll = socket.create_connection(_address(telegram.endpoint))
        path = f"/bot{telegram.bot_token}/getUpdates?timeout=50"
        poll.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        _wait_for_poll(started)
        with smtplib.SMTP(started.env["EMAIL_HOST"], int(started.env["EMAIL_PORT"]), timeout=30):
            assert started.stop(number) == 0
        poll.close()
        assert started.complaints == ""


def test_ctrl_c_while_it_starts_ends_it(tmp_path: Path) -> None:
    process = launch(tmp_path / "state")
    deadline = time.monotonic() + STOP_DEADLINE
    while not (tmp_path / "state" / "identity.json").exists():
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=STOP_DEADLINE)
    assert process.returncode == 0, errors
    with sandbox(tmp_path / "state") as again:
        assert again.stop() == 0


def test_ports_can_be_given(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with sandbox(tmp_path / "state", ["--control-port", str(port)]) as started:
        assert started.control == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("service", ["hetzner", "model", "stripe", "smtp", "mailbox", "control"])
def test_a_taken_port_is_named(tmp_path: Path, service: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        process = launch(tmp_path / "state", f"--{service}-port", port)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {port}" in errors
    assert "another port" in errors
    assert "Traceback" not in errors


def test_one_folder_has_one_sandbox(running: RunningSandbox) -> None:
    with pytest.raises(SandboxDiedError, match=f"process {running.pid}"), sandbox(running.state):
        pass


def test_machines_of_one_kind_are_not_taken_for_another(tmp_path: Path) -> None:
    with sandbox(tmp_path / "state"):
        pass
    with (
        pytest.raises(SandboxDiedError, match="GUESTS=simulated"),
        sandbox(tmp_path / "state", guests="real"),
    ):
        pass


def test_simulated_guests_are_taken_where_real_ones_cannot_run(tmp_path: Path) -> None:
    folder = tmp_path / "no, overlay takes a comma"
    with (
        pytest.raises(SandboxDiedError, match="GUESTS=simulated"),
        sandbox(folder, guests="real"),
    ):
        pass
    with sandbox(folder, guests="auto") as started:
        assert started.report.guests.kind == "simulated"
        assert started.report.guests.why.startswith("Real ones cannot run here: ")


def test_a_broken_identity_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "identity.json").write_text('{"ports": 3}')
    with pytest.raises(SandboxDiedError, match="remove it"), sandbox(tmp_path / "state"):
        pass


def test_time_does_not_run_backwards_over_a_kill(tmp_path: Path) -> None:
    with sandbox(tmp_path / "state") as first:
        httpx.post(f"{first.control}/clock", json={"advance": 86_400})
        deadline = time.monotonic() + 20
        while _seconds_ahead(tmp_path / "state" / "clock.json") < 86_000:
            assert time.monotonic() < deadline
        first.stop(signal.SIGKILL)
    with sandbox(tmp_path / "state") as second:
        now = datetime.fromisoformat(httpx.get(f"{second.control}/clock").json()["now"])
    assert now - datetime.now(UTC) > timedelta(hours=23)


def test_a_port_that_was_taken_is_not_kept(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        launch(tmp_path / "state", "--control-port", str(port)).communicate(timeout=60)
        with sandbox(tmp_path / "state") as second:
            assert not second.control.endswith(f":{port}")


def _seconds_ahead(path: Path) -> float:
    return float(json.loads(path.read_text())["ahead"]) if path.exists() else 0.0


def _leave_traces(first: RunningSandbox) -> None:
    body: Json = {"bot": "sandbox_ready_bot", "from": NADIA, "name": "Nadia", "text": "hello"}
    assert httpx.post(f"{first.control}/telegram/messages", json=body).status_code == 201
    with smtplib.SMTP(first.env["EMAIL_HOST"], int(first.env["EMAIL_PORT"]), timeout=30) as mail:
        mail.sendmail("farm@example.com", ["nadia@example.com"], "Subject: kept\r\n\r\nkept")


def _find_traces(second: RunningSandbox) -> None:
    chat = httpx.get(f"{second.control}/telegram/messages", params={"bot": "sandbox_ready_bot"})
    assert [message["text"] for message in chat.json()["messages"]] == ["hello"]
    mails = httpx.get(f"{second.control}/mail/messages", params={"to": "nadia@example.com"})
    assert [mail["subject"] for mail in mails.json()["messages"]] == ["kept"]


def _address(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def _wait_for_poll(started: RunningSandbox) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        bots = httpx.get(f"{started.control}/telegram/bots").json()["bots"]
        if any(bot["polling"] for bot in json.loads(json.dumps(bots))):
            return
    raise AssertionError("nobody polls")
