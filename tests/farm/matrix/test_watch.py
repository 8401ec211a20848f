"""An agent that stops answering is restarted; when that is in vain, people are told once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.farm.matrix.farms import Farm, Zygote, alive, new_farm, wait_until, zygote
from tests.farm.matrix.verdicts import answers, one_running
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
    watchful: Zygote, control: httpx.Client, template: Path, tmp_path: Path
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
