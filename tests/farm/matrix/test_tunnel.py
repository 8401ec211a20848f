"""One click into an agent where there is no edge: a host name that leads to its own machine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest

from tests.farm.matrix.farms import Farm, wait_until
from tests.farm.matrix.verdicts import one_running


def free_port() -> int:
    """A port that nobody had a moment ago."""
    with closing(socket.create_server(("127.0.0.1", 0))) as door:
        port: int = door.getsockname()[1]
        return port


def opens(port: int) -> bool:
    """Whether somebody listens there."""
    with closing(socket.socket()) as visitor:
        return visitor.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def door(farm: Farm) -> Iterator[httpx.Client]:
    """The tunnel's port."""
    port = free_port()
    farm.start_tunnel(port)
    wait_until("the tunnel listens", lambda: opens(port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield client


def get(door: httpx.Client, host: str, path: str = "/") -> httpx.Response:
    return door.get(path, headers={"Host": host})


def test_a_running_agents_page_is_shown_under_its_own_name(farm: Farm, door: httpx.Client) -> None:
    farm.wish("ask")
    early = get(door, "ada.agents.localhost:8001")
    assert early.status_code == 503
    assert "Ada is not running" in early.text
    farm.start_worker()
    one_running(farm)
    farm.control.delete("/faults").raise_for_status()
    for _ in range(3):
        shown = get(door, "ADA.agents.localhost:8001")
        assert shown.status_code == 200
        assert "Control" in shown.text
    connects = [call for call in farm.calls("ssh") if "connect" in call]
    assert len(connects) == 1


@pytest.mark.parametrize("host", ["ada.agents.localhost", "127.0.0.1", "localhost", "ada.evil.com"])
def test_another_name_leads_nowhere(farm: Farm, door: httpx.Client, host: str) -> None:
    shown = get(door, host)
    assert shown.status_code == 404
    assert "no agent at this address" in shown.text


def test_a_head_without_end_is_cut_off(farm: Farm, door: httpx.Client) -> None:
    shown = door.get("/", headers={"Host": "ada.agents.localhost", "X-Long": "x" * 70_000})
    assert shown.status_code == 431


def test_a_deleted_agents_name_leads_nowhere(farm: Farm, door: httpx.Client) -> None:
    farm.wish("ask")
    farm.start_worker()
    one_running(farm)
    farm.wish("delete")
    wait_until("the agent is gone", lambda: farm.phase() == "deleted")
    assert get(door, "ada.agents.localhost").status_code == 404
