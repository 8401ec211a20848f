"""An agent that stops answering is restarted; when that is in vain, people are told once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, alive, new_farm, wait_until, zygote
from tests.farm.matrix.verdicts import answers, one_running
from tests.pairs.own import Rows
from tests.sandbox.running import RunningSandbox

OWNER, OPERATOR = "nadia@example.org", "olga@example.org"


@pytest.fixture(scope="module")
def watchful(outside: RunningSandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """What workers are forked from that look every second and give a restart three."""
    folder = tmp_path_factory.mktemp("watchful")
    with zygote(outside, folder, WATCH_SECONDS="1", RESTART_PATIENCE_SECONDS="3") as started:
        yield started


@pytest.fixture
def watched(
    watchful: Zygote, control: httpx.Client, template: Rows, tmp_path: Path
) -> Iterator[Farm]:
    """A farm with an operator and an agent that is looked at every second."""
    farm = new_farm(watchful, control, template, tmp_path / "farm")
    farm.wish("make_operator", email=OPERATOR)
    yield farm
    farm.close()


def mails(outside: RunningSandbox, to: str, uid: str) -> list[str]:
    """What that person was told of the agent's silence."""
    page = outside.report.services.mail.page.rstrip("/")
    found = httpx.get(f"{page}/messages", params={"to": to}).json()["messages"]
    return [m["text"] for m in found if "does not answer" in m["subject"] and uid in m["text"]]


def test_an_agent_that_stopped_is_restarted_and_nobody_is_bothered(
    watched: Farm, outside: RunningSandbox
) -> None:
    watched.start_worker()
    uid = watched.wish("ask")
    one_running(watched)
    watched.wish("on_machine", command="systemctl stop openclaw.service")
    wait_until("it answers again", lambda: "answers_again" in watched.codes())
    assert watched.codes().count("restart_tried") == 1
    answers(watched)
    assert mails(outside, OWNER, uid) == mails(outside, OPERATOR, uid) == []


def test_restarts_in_vain_are_told_once_to_owner_and_operator(
    watched: Farm, outside: RunningSandbox
) -> None:
    watched.start_worker()
    uid = watched.wish("ask")
    one_running(watched)
    config = "/etc/openclaw/openclaw.json"
    watched.wish("on_machine", command=f"cp -p {config} {config}.good; echo nonsense > {config}")
    watched.wish("on_machine", command="systemctl stop openclaw.service")
    wait_until("people are told", lambda: "silence_told" in watched.codes())
    tries = watched.codes().count("restart_tried")
    assert tries >= 2
    wait_until("more was tried", lambda: watched.codes().count("restart_tried") > tries)
    (told,), (asked,) = mails(outside, OWNER, uid), mails(outside, OPERATOR, uid)
    assert told.count("so it was restarted") >= 2
    assert f"farm agents logs {uid}" in asked
    assert "farm agents" not in told
    assert watched.phase() == "running"
    watched.wish("on_machine", command=f"cp -p {config}.good {config}")
    watched.wish("restart")
    wait_until("it was restarted", lambda: "restarted" in watched.codes())
    answers(watched)
    assert len(mails(outside, OWNER, uid)) == len(mails(outside, OPERATOR, uid)) == 1


def test_a_worker_that_dies_in_a_restart_leaves_no_endless_row(watched: Farm) -> None:
    worker = watched.start_worker()
    watched.wish("ask")
    one_running(watched)
    watched.end_worker(worker)
    watched.wish("on_machine", command="systemctl stop openclaw.service")
    watched.control.delete("/faults").raise_for_status()
    worker = watched.start_worker()
    kill = {"kind": "ssh", "match": ["systemctl restart"], "signal": worker, "when": "before"}
    watched.control.post("/faults", json=kill).raise_for_status()
    wait_until("the worker is dead", lambda: not alive(worker))
    watched.restart()
    wait_until("it answers again", lambda: "answers_again" in watched.codes())
    assert watched.codes().count("restart_tried") == 2
    answers(watched)


def farm_command(
    farm: Farm, outside: RunningSandbox, *words: str, by: str = OPERATOR
) -> subprocess.CompletedProcess[str]:
    """The command line of that farm, as somebody."""
    environ = {
        **os.environ,
        **outside.env,
        "HETZNER_TOKEN": farm.token,
        "FARM_DATA": str(farm.folder),
        "DATABASE_URL": farm.rows.url,
        "BROKER_URL": farm.broker,
        "FARM_USER": by,
        "SECRET_KEY": "of-tests",
        "FIELD_KEYS": "of-tests",
    }
    return subprocess.run(
        [sys.executable, "-m", "farm", "agents", *words],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_the_operator_reads_logs_and_logs_in_and_the_member_sees_it(
    watched: Farm, outside: RunningSandbox
) -> None:
    watched.start_worker()
    uid = watched.wish("ask")
    one_running(watched)
    read = farm_command(watched, outside, "logs", uid)
    assert "gateway" in read.stdout, read.stderr
    inside = farm_command(watched, outside, "ssh", uid, "--", "whoami")
    assert inside.stdout == "root\n", inside.stderr
    failing = farm_command(watched, outside, "ssh", uid, "--", "false")
    assert failing.returncode == 1
    who = "SELECT group_concat(code, ' ') FROM agents_event WHERE detail = ?"
    assert watched.ask(who, OPERATOR) == "log_read logged_in logged_in"
    trail = "SELECT group_concat(verb, ', ') FROM accounts_auditentry WHERE verb IN (?, ?)"
    assert set(watched.ask(trail, "read log", "log in").split(", ")) == {"read log", "log in"}


def test_nobody_else_reads_a_log_or_logs_in(watched: Farm, outside: RunningSandbox) -> None:
    watched.start_worker()
    uid = watched.wish("ask")
    one_running(watched)
    for words in (("logs", uid), ("ssh", uid, "--", "true")):
        refused = farm_command(watched, outside, *words, by=OWNER)
        assert refused.returncode == 1
        assert "--as" in refused.stderr
    assert not {"log_read", "logged_in"} & set(watched.codes())
