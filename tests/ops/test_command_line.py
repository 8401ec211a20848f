"""The farm's command line as programs and people meet it: exit codes, pipes, quick help."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from farm.__main__ import ENTRIES
from farm.ops.agent_views import AgentRow, rows_table
from farm.ops.answer import console

SECONDS = 60


def farm(*words: str, data: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """The farm's command line in a process of its own, its output in pipes."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(data), "FARM_DATA": str(data), **settings}
    return subprocess.run(
        [sys.executable, "-m", "farm", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_help_names_every_command_and_loads_no_django(tmp_path: Path) -> None:
    shown = farm("--help", data=tmp_path)
    assert shown.returncode == 0
    assert all(f" {entry.name} " in shown.stdout for entry in ENTRIES)
    program = "import sys, farm.__main__; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("words", [("nonsense",), ("up", "--nonsense"), ("agents", "create")])
def test_wrong_usage_exits_2(words: tuple[str, ...], tmp_path: Path) -> None:
    assert farm(*words, data=tmp_path).returncode == 2


def test_a_wrong_setting_is_told_in_a_sentence(tmp_path: Path) -> None:
    shown = farm("up", data=tmp_path, PORT="eight")
    assert shown.returncode == 1
    assert shown.stderr == "PORT is 'eight': give a whole number.\n"


def test_a_farm_without_people_says_how_to_sign_up(tmp_path: Path) -> None:
    assert farm("prepare", data=tmp_path).returncode == 0
    shown = farm("agents", "list", data=tmp_path)
    assert shown.returncode == 1
    assert "Nobody has signed up yet" in shown.stderr


@pytest.mark.parametrize("address", ["nonsense", "http://127.0.0.1:1"])
def test_a_demo_of_no_farm_says_how_to_give_one(address: str, tmp_path: Path) -> None:
    shown = farm("demo", "--url", address, data=tmp_path)
    assert shown.returncode == 1
    assert "farm demo --url http://" in shown.stderr


def test_what_a_farm_keeps_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    data = tmp_path / "farms" / "ours"
    assert farm("agents", "list", data=data).returncode == 1
    assert {path.stat().st_mode & 0o777 for path in (data, data.parent)} == {0o700}


def test_an_agent_called_in_brackets_is_shown_by_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = AgentRow(
        "uid", "[/bold]", "running", "m", "de", datetime.now(UTC), 0, 0, "EUR", None, None
    )
    console().print(rows_table([row]))
    assert "[/bold]" in capsys.readouterr().out


def test_nothing_in_a_pipe_is_coloured(tmp_path: Path) -> None:
    for words in (("--help",), ("agents", "--help"), ("agents", "list"), ("agents", "creat")):
        shown = farm(*words, data=tmp_path)
        assert "\x1b" not in shown.stdout + shown.stderr


def test_a_database_that_was_not_prepared_is_told(tmp_path: Path) -> None:
    shown = farm("agents", "list", data=tmp_path)
    assert shown.returncode == 1
    assert "`farm prepare`" in shown.stderr


def test_production_refuses_what_is_missing_or_a_sandbox(tmp_path: Path) -> None:
    shown = farm(
        "prepare",
        data=tmp_path,
        DEBUG="0",
        HETZNER_ENDPOINT="http://127.0.0.1:1/v1",
        SANDBOX_MODEL_ENDPOINT="http://127.0.0.1:2/v1",
        OPENAI_ENDPOINT="http://198.18.0.1:2/v1",
        TELEGRAM_ENDPOINT="http://api.telegram.org",
        SSH_SOURCES="::/0",
    )
    assert shown.returncode == 1
    for name in ("SECRET_KEY", "FIELD_KEYS", "SITE_URL", "ALLOWED_HOSTS", "HETZNER_TOKEN"):
        assert f"{name} " in shown.stderr
    assert "SANDBOX_MODEL_ENDPOINT points at a sandbox" in shown.stderr
    assert "HETZNER_ENDPOINT is on this machine" in shown.stderr
    assert "OPENAI_ENDPOINT is on this machine" in shown.stderr
    assert "TELEGRAM_ENDPOINT is not https" in shown.stderr
    assert "SSH_SOURCES lets the whole internet" in shown.stderr


def test_production_starts_with_everything_given(tmp_path: Path) -> None:
    shown = farm(
        "prepare",
        data=tmp_path,
        DEBUG="0",
        SECRET_KEY="k" * 48,
        FIELD_KEYS="f" * 48,
        SITE_URL="https://farm.example.org",
        ALLOWED_HOSTS="farm.example.org",
        AGENTS_DOMAIN="agents.example.net",
        SSH_SOURCES="203.0.113.7/32",
        EDGE_ADDRESSES="9.9.9.9",
        AGENT_URL="https://{host}.agents.example.net",
        HETZNER_TOKEN="t" * 64,
        EMAIL_HOST="mail.example.org",
    )
    assert shown.returncode == 0, shown.stderr
