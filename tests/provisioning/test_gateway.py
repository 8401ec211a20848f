"""Readiness and turns through a real SSH connection to a small gateway."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning import runtime, ssh
from provisioning.errors import AnswerLost, ProvisioningError, Rejected, Transient
from provisioning.runtime import PORT
from provisioning.ssh import Shell
from tests.provisioning.machine import Machine, now, running_machine
from tests.provisioning.small_gateway import TOKEN, SmallGateway, refused, running_gateway, said


@pytest.fixture
def gateway() -> Iterator[SmallGateway]:
    with running_gateway() as gateway:
        yield gateway


@pytest.fixture
def machine(gateway: SmallGateway) -> Iterator[Machine]:
    with running_machine() as machine:
        machine.forwards[PORT] = gateway.port
        yield machine


@pytest.fixture
def shell(machine: Machine) -> Iterator[Shell]:
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        yield shell


def test_a_gateway_that_is_well_is_ready(shell: Shell) -> None:
    readiness = runtime.readiness(shell, TOKEN)
    assert readiness.good
    assert readiness.why == ""


def test_a_gateway_that_starts_is_not_ready(shell: Shell, gateway: SmallGateway) -> None:
    gateway.startup = 503
    readiness = runtime.readiness(shell, TOKEN)
    assert not readiness.started
    assert not readiness.good


def test_ready_is_not_believed_while_a_channel_is_held_back(
    shell: Shell, gateway: SmallGateway
) -> None:
    gateway.ready = {"ready": True, "failing": [], "suppressed": ["telegram"]}
    readiness = runtime.readiness(shell, TOKEN)
    assert readiness.suppressed == ("telegram",)
    assert not readiness.good
    assert "telegram" in readiness.why


def test_ready_is_not_believed_while_a_secret_is_missing(
    shell: Shell, gateway: SmallGateway
) -> None:
    gateway.status = {"degradedSecretOwners": [{"owner": "models.providers.farm"}]}
    readiness = runtime.readiness(shell, TOKEN)
    assert not readiness.good
    assert "models.providers.farm" in readiness.why


def test_ready_is_not_believed_of_a_gateway_that_does_not_tell_its_secrets(
    shell: Shell, gateway: SmallGateway
) -> None:
    gateway.status = {}
    assert not runtime.readiness(shell, TOKEN).good


def test_a_failing_channel_is_named_without_its_escapes(
    shell: Shell, gateway: SmallGateway
) -> None:
    gateway.ready = {"ready": False, "failing": ["tele\x1b[31mgram"]}
    assert runtime.readiness(shell, TOKEN).why == "telegram does not work"


def test_nobody_listening_is_gateway_down(shell: Shell, machine: Machine) -> None:
    machine.forwards[PORT] = 1
    for ask in (
        lambda: runtime.readiness(shell, TOKEN),
        lambda: runtime.say(shell, TOKEN, "hi", user="u"),
    ):
        with pytest.raises(Transient) as caught:
            ask()
        assert caught.value.code == "gateway_down"


def test_a_turn_is_asked_in_a_stable_conversation(shell: Shell, gateway: SmallGateway) -> None:
    gateway.turn = (200, said("Bonjour \x1b]0;owned\x07Zoé\u202e !"))
    assert runtime.say(shell, TOKEN, "salut", user="member-1") == "Bonjour Zoé !"
    (turn,) = gateway.turns
    assert turn["user"] == "member-1"
    assert turn["messages"] == [{"role": "user", "content": "salut"}]


@pytest.mark.parametrize(
    ("status", "kind", "error", "code"),
    [
        (401, "authentication_error", Rejected, "model_refused_key"),
        (403, "permission_error", Rejected, "model_refused_key"),
        (402, "insufficient_quota", Rejected, "model_no_credit"),
        (429, "insufficient_quota", Rejected, "model_no_credit"),
        (429, "rate_limit_error", Transient, "model_busy"),
        (400, "invalid_request_error", Rejected, "model_refused"),
        (408, "api_error", Transient, "model_failed"),
        (502, "api_error", Transient, "model_failed"),
        (500, "api_error", Transient, "model_failed"),
        (503, "unavailable", Transient, "gateway_busy"),
    ],
)
def test_what_a_model_refuses_has_a_code(
    shell: Shell,
    gateway: SmallGateway,
    status: int,
    kind: str,
    error: type[ProvisioningError],
    code: str,
) -> None:
    gateway.turn = (status, refused(kind, "Incorrect \x1b[1mkey"))
    with pytest.raises(error) as caught:
        runtime.say(shell, TOKEN, "hi", user="u")
    assert caught.value.code == code
    assert "Incorrect key" in str(caught.value)


def test_a_token_the_gateway_does_not_know_is_no_fault_of_the_model(shell: Shell) -> None:
    with pytest.raises(Transient) as caught:
        runtime.say(shell, "another", "hi", user="u")
    assert caught.value.code == "gateway_token"
    with pytest.raises(Transient) as caught:
        runtime.readiness(shell, "another")
    assert caught.value.code == "gateway_token"


def test_a_turn_that_takes_too_long_is_an_answer_lost(shell: Shell, gateway: SmallGateway) -> None:
    gateway.holds = True
    with pytest.raises(AnswerLost) as caught:
        runtime.say(shell, TOKEN, "hi", user="u", timeout=0.5)
    assert caught.value.code == "timeout"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"x" * (2 * 1024 * 1024), "answer_too_long"),
        (b"\xff\xfe not json", "bad_answer"),
        (b'{"choices": []}', "bad_answer"),
        (b'{"choices": [{"message": {"content": 7}}]}', "bad_answer"),
    ],
)
def test_an_answer_that_is_none_is_an_answer_lost(
    shell: Shell, gateway: SmallGateway, body: bytes, code: str
) -> None:
    gateway.turn = (200, body)
    with pytest.raises(AnswerLost) as caught:
        runtime.say(shell, TOKEN, "hi", user="u")
    assert caught.value.code == code


def test_an_answer_cut_off_is_an_answer_lost(shell: Shell, gateway: SmallGateway) -> None:
    gateway.cut_off = 1
    with pytest.raises(AnswerLost) as caught:
        runtime.say(shell, TOKEN, "hi", user="u")
    assert caught.value.code == "connection_lost"


def test_a_call_of_the_gateways_own_methods_answers_its_payload(
    shell: Shell, gateway: SmallGateway
) -> None:
    gateway.call = (200, b'{"ok": true, "payload": {"connected": true}}')
    asked = {"channel": "whatsapp", "timeoutMs": 1000}
    assert runtime.rpc(shell, TOKEN, "web.login.wait", asked) == {"connected": True}
    assert gateway.calls == [{"method": "web.login.wait", "params": asked}]


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (400, b'{"error": {"message": "unknown \x1b[1mchannel"}}', Rejected, "gateway_refused"),
        (409, b'{"error": {"code": "NOT_LINKED", "message": "no"}}', Rejected, "gateway_refused"),
        (404, b"Not Found", Transient, "gateway_busy"),
        (503, b'{"error": {"code": "UNAVAILABLE", "message": "no"}}', Transient, "gateway_busy"),
        (200, b'{"ok": true, "payload": [1]}', AnswerLost, "bad_answer"),
        (200, b"\xff", AnswerLost, "bad_answer"),
        (200, b" " * (2 * 1024 * 1024), AnswerLost, "answer_too_long"),
    ],
)
def test_a_call_that_is_not_answered_well_has_a_code(
    shell: Shell,
    gateway: SmallGateway,
    status: int,
    body: bytes,
    error: type[ProvisioningError],
    code: str,
) -> None:
    gateway.call = (status, body)
    with pytest.raises(error) as caught:
        runtime.rpc(shell, TOKEN, "channels.status", {})
    assert caught.value.code == code
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ({"status": "busy", "activeCount": 1}, ["prepare"]),
        ({"status": "ready", "suspensionId": "s1"}, ["prepare", "resume"]),
        ({}, ["prepare"]),
    ],
)
def test_a_gateway_at_work_says_so_and_one_that_is_not_goes_on(
    shell: Shell, gateway: SmallGateway, told: dict[str, object], asked: list[str]
) -> None:
    gateway.status = told
    assert runtime.is_at_work(shell, TOKEN) is (told.get("status") == "busy")
    assert [str(call["method"]).rpartition(".")[2] for call in gateway.calls] == asked
    if "resume" in asked:
        assert gateway.calls[-1]["params"] == {"suspensionId": "s1"}


def test_opening_puts_the_token_where_no_server_sees_it() -> None:
    opened = runtime.open_url("http://ada-1.agents.localhost:8001", "a b&#c")
    assert opened == "http://ada-1.agents.localhost:8001/#token=a%20b%26%23c"
