"""What was recorded at the real Scaleway, asked again here: status, keys and types must agree."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import pytest
import requests
import yaml

from farm.sandbox.wire import Json
from tests.sandbox.scaleway.scaleway_at_work import ScalewayAtWork, scaleway_at_work

RECORDED = Path(__file__).parents[3].parent / "shared/cassettes/scaleway"
PATIENCE = 3.0
UID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9]+(?:\.[0-9]+){3}")
# The others have local disks or an empty one, which this cloud does not sell, or looked in the very
# moment of an end that takes none here.
REPLAYED = (
    "create-server-errors-error-invalid-image-label",
    "create-server-errors-error-not-found-ipid",
    "create-server-ips-explicit-new-ip",
    "create-server-simple-default",
    "create-server-simple-tags",
    "create-server-simple-with-name",
    "get-server-simple",
    "ip-create-simple",
    "ip-delete-simple",
    "ip-list-simple",
    "list-server-simple",
    "security-group-get-get",
    "server-backup-with-sbs-volumes",
    "server-terminate-with-ip",
    "user-data-file-upload-on-cloud-init",
)
# What is named by what is there, and so differs with it.
OPEN = {"servers", "compatible_commercial_types", "volumes", "extra_volumes"}
LABEL = {"ubuntu_jammy": "debian_bookworm"}


class _Side(TypedDict):
    method: str
    url: str
    body: str
    code: int


class _Interaction(TypedDict):
    request: _Side
    response: _Side


@dataclass(slots=True)
class Replay:
    """One recording asked at one cloud; `ours` says which id of ours stands for a recorded one."""

    at_work: ScalewayAtWork
    ours: dict[str, str] = field(default_factory=dict)

    def ask(self, request: _Side) -> requests.Response:
        """The recorded request, about our own things."""
        path = request["url"].removeprefix("https://api.scaleway.com")
        return self.at_work.ask(
            request["method"], self._translated(path), body=self._translated(request["body"])
        )

    def _translated(self, text: str) -> str:
        for theirs, own in (*self.ours.items(), *LABEL.items()):
            text = text.replace(theirs, own)
        return text

    def compare(self, theirs: Json, own: Json, where: str = "") -> None:
        """Fail unless `own` has every key of `theirs`, with a value of the same type."""
        if isinstance(theirs, Mapping) and isinstance(own, Mapping):
            name = where.rpartition(".")[2]
            missing = set(theirs) - set(own) if name not in OPEN else set()
            assert not missing, f"{where}: {missing} missing"
            for key in set(theirs) & set(own):
                self.compare(theirs[key], own[key], f"{where}.{key}")
        elif isinstance(theirs, list) and isinstance(own, list):
            for first, second in _paired(theirs, own):
                self.compare(first, second, where)
        elif theirs is not None and own is not None:
            assert type(theirs) is type(own) or {type(theirs), type(own)} == {int, float}, where
            self._learn(theirs, own)

    def _learn(self, theirs: Json, own: Json) -> None:
        if isinstance(theirs, str) and isinstance(own, str) and theirs != own:
            for first, second in zip(UID.findall(theirs), UID.findall(own), strict=False):
                self.ours.setdefault(first, second)


def _paired(theirs: Sequence[Json], own: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Things of both lists that are of the same architecture, where they are of any."""
    left = list(own)
    for one in theirs:
        fitting = [other for other in left if _architecture(other) == _architecture(one)]
        if fitting:
            left.remove(fitting[0])
            yield one, fitting[0]


def _architecture(thing: Json) -> Json:
    return thing.get("arch") if isinstance(thing, Mapping) else None


def interactions(name: str) -> Iterator[_Interaction]:
    """What was asked and answered, of what was looked at in a row only the last."""
    recorded = yaml.safe_load((RECORDED / f"test-{name}.cassette.yaml").read_text())["interactions"]
    for one, following in zip(recorded, [*recorded[1:], None], strict=True):
        asked = [(i["request"]["method"], i["request"]["url"]) for i in (one, following) if i]
        if asked[0][0] != "GET" or asked[0] != asked[-1] or len(asked) == 1:
            one["request"].setdefault("body", "")
            yield one


def is_as_recorded(answer: requests.Response, recorded: _Side) -> bool:
    """Whether the status is the same, and what is on its way has come as far."""
    if answer.status_code != recorded["code"]:
        return False
    if not recorded["body"] or not answer.content or "json" not in answer.headers["Content-Type"]:
        return True
    return _stage(json.loads(recorded["body"])) == _stage(answer.json())


def _stage(body: Json) -> Json:
    """The state or status of the one thing that a body is about."""
    if not isinstance(body, Mapping):
        return None
    inner = next(iter(body.values())) if len(body) == 1 else body
    return (inner.get("state") or inner.get("status")) if isinstance(inner, Mapping) else None


@pytest.mark.parametrize("name", REPLAYED)
def test_what_was_recorded_is_answered_alike(tmp_path: Path, name: str) -> None:
    if not RECORDED.exists():
        pytest.skip("the recordings are not beside this checkout")
    with scaleway_at_work(tmp_path) as at_work:
        replay = Replay(at_work)
        for one in interactions(name):
            _replay(replay, one)


def _replay(replay: Replay, one: _Interaction) -> None:
    request, recorded = one["request"], one["response"]
    projects = re.findall(r'"project(?:_id)?":"([0-9a-f-]{36})"', request["body"])
    replay.ours.update(dict.fromkeys(projects, replay.at_work.cloud.project.uid))
    deadline = time.monotonic() + PATIENCE
    answer = replay.ask(request)
    while request["method"] in ("GET", "DELETE") and not is_as_recorded(answer, recorded):
        assert time.monotonic() < deadline, f"{request['url']}: {answer.text}"
        time.sleep(0.02)
        answer = replay.ask(request)
    told = f"{request['method']} {request['url']}: {answer.text}"
    assert answer.status_code == recorded["code"], told
    if recorded["body"]:
        replay.compare(json.loads(recorded["body"]), answer.json(), request["url"])
