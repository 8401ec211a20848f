"""The farm reaches a machine only as itself, and only that machine; nothing it says is endless."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from provisioning import ssh
from provisioning.certificates import Authority, new_private_key
from provisioning.errors import AnswerLost, HostKeyMismatch, NeedsOperator, Transient
from provisioning.remotefiles import RemoteFile
from tests.provisioning.machine import FLOOD, NEVER, Machine, new_authority, now, running_machine
from tests.provisioning.mute import mute_machine


@pytest.fixture
def machine() -> Iterator[Machine]:
    with running_machine() as machine:
        yield machine


def test_a_command_runs_as_root_with_its_arguments_untouched(machine: Machine) -> None:
    hostile = "a 'b' \"c\" $(id) `id` ;&|\n\\ é"
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        result = shell.run(("printf", "%s", hostile))
    assert result.stdout.decode() == hostile
    assert result.exit_code == 0
    assert machine.logins == ["root"]


def test_input_and_both_outputs_travel_whole(machine: Machine) -> None:
    sent = bytes(range(256)) * 800
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        result = shell.run(
            ("sh", "-c", "cat; seq 30000 >&2; exit 7"), stdin=sent, limit=1024 * 1024
        )
    assert result.stdout == sent
    assert len(result.stderr.split()) == 30000
    assert result.exit_code == 7
    assert not result.truncated


def test_output_beyond_the_limit_is_dropped_and_said(machine: Machine) -> None:
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        result = shell.run(("seq", "100000"), limit=1000)
    assert len(result.stdout) == 1000
    assert result.truncated


def test_a_command_that_never_ends_is_given_up(machine: Machine) -> None:
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        with pytest.raises(AnswerLost) as caught:
            shell.run((NEVER,), timeout=0.5)
        assert caught.value.code == "timeout"
        assert shell.run(("echo", "on")).stdout == b"on\n"


def test_endless_output_is_given_up(machine: Machine) -> None:
    with (
        ssh.connect(machine.target, machine.authority, now()) as shell,
        pytest.raises(AnswerLost) as caught,
    ):
        shell.run((FLOOD,), timeout=1.0)
    assert caught.value.code == "timeout"


def test_a_machine_that_never_says_whether_a_command_runs_is_given_up() -> None:
    with mute_machine() as target, ssh.connect(target, new_authority(), now()) as shell:
        with pytest.raises(AnswerLost):
            shell.run(("true",), timeout=0.5)
        assert not shell.alive


def test_a_connection_that_dies_in_a_command_is_an_answer_lost(machine: Machine) -> None:
    machine.hang_up_on = "fatal"
    with (
        ssh.connect(machine.target, machine.authority, now()) as shell,
        pytest.raises(AnswerLost) as caught,
    ):
        shell.run(("echo", "fatal"))
    assert caught.value.code == "connection_lost"


def test_a_strange_host_key_stops_everything_before_a_word_is_said(machine: Machine) -> None:
    strange = replace(machine.target, host_keys=(new_private_key()[1],))
    with pytest.raises(HostKeyMismatch), ssh.connect(strange, machine.authority, now()):
        pass
    assert machine.logins == []
    assert machine.commands == []


def test_no_pinned_key_means_no_machine_is_trusted(machine: Machine) -> None:
    nobody = replace(machine.target, host_keys=())
    with pytest.raises(HostKeyMismatch), ssh.connect(nobody, machine.authority, now()):
        pass


def test_while_a_key_rotates_both_are_accepted_and_the_shown_one_is_told(machine: Machine) -> None:
    both = replace(machine.target, host_keys=(new_private_key()[1], machine.host_key_public))
    with ssh.connect(both, machine.authority, now()) as shell:
        assert shell.host_key == machine.host_key_public


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_certificate_is_good_for_five_minutes_only(machine: Machine, minutes: int) -> None:
    moment = now() + timedelta(minutes=minutes)
    with (
        pytest.raises(Transient) as caught,
        ssh.connect(machine.target, machine.authority, moment),
    ):
        pass
    assert caught.value.code == "login_refused"


def test_a_certificate_opens_one_machine_only(machine: Machine) -> None:
    machine.principal = "server-2"
    other = replace(machine.target, principal="server-1")
    with pytest.raises(Transient) as caught, ssh.connect(other, machine.authority, now()):
        pass
    assert caught.value.code == "login_refused"


def test_a_machine_that_trusts_only_the_old_authority_is_reached_while_two_overlap(
    machine: Machine,
) -> None:
    overlapping = Authority((*new_authority().keys, *machine.authority.keys))
    with ssh.connect(machine.target, overlapping, now()) as shell:
        assert shell.run(("true",)).exit_code == 0
        assert shell.key_id.startswith(f"farm-{machine.principal}-")


def test_a_stranger_authority_opens_nothing(machine: Machine) -> None:
    with (
        pytest.raises(Transient) as caught,
        ssh.connect(machine.target, new_authority(), now()),
    ):
        pass
    assert caught.value.code == "login_refused"


def test_an_authority_must_be_ed25519() -> None:
    with pytest.raises(NeedsOperator):
        Authority.from_openssh(["nonsense"])
    with pytest.raises(NeedsOperator):
        Authority.from_openssh([])


def test_nobody_there_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    target = ssh.Target("127.0.0.1", port, "server-1", ())
    with pytest.raises(Transient) as caught, ssh.connect(target, new_authority(), now()):
        pass
    assert caught.value.code == "unreachable"


@contextmanager
def speaking(word: bytes) -> Iterator[int]:
    """A server that says one thing to whoever connects, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(word)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(30)


@pytest.mark.parametrize("word", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b""])
def test_whatever_else_answers_is_transient(word: bytes) -> None:
    with speaking(word) as port:
        target = ssh.Target("127.0.0.1", port, "server-1", ())
        with pytest.raises(Transient) as caught, ssh.connect(target, new_authority(), now()):
            pass
    assert caught.value.code == "unreachable"


def test_files_arrive_with_mode_and_content_and_no_trace_on_a_command_line(
    machine: Machine, tmp_path: Path
) -> None:
    secret, kept = tmp_path / "se 'cret", tmp_path / "kept"
    kept.write_text("mine")
    files = [
        RemoteFile(str(secret), b"top\x00 secret\n", 0o600, "root:root"),
        RemoteFile(str(kept), b"theirs", 0o644, "root:root", keep=True),
    ]
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        shell.write(files)
        shell.write(files)
    assert secret.read_bytes() == b"top\x00 secret\n"
    assert secret.stat().st_mode & 0o777 == 0o600
    assert kept.read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept", "se 'cret"]
    assert not any("top" in command for command in machine.commands)


def test_a_file_that_cannot_be_stored_is_said(machine: Machine, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    file = RemoteFile(str(blocked), b"x", 0o600, "root:root")
    with ssh.connect(machine.target, machine.authority, now()) as shell:
        with pytest.raises(Transient) as caught:
            shell.write([file])
        assert caught.value.code == "write_failed"
