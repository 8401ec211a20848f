"""A backup is tried before it is needed, and the morning tells what came of that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
import pyrage
import pytest

from tests.ops.farms import Surroundings
from tests.ops.lost_farms import Databases, a_farm, changed, databases, shell

__all__ = ["databases"]

STAGE = """
from farm.agents.models import Agent, WorkerBeat
from django.utils import timezone
from tests.farm.web import scenes
scenes.agent(scenes.person("alice"), "Ada")
Agent.objects.update(model_key="sk-of-alice")
WorkerBeat.objects.create(worker="loop here:1", at=timezone.now())
"""


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Surroundings:
    """One with an agent whose key is encrypted."""
    return _staged(tmp_path_factory.mktemp("drilled"))


def _staged(folder: Path, **extra: str) -> Surroundings:
    made = a_farm(folder / "farm", **extra)
    shell(made, STAGE)
    return made


def told(farm: Surroundings, *words: str) -> Mapping[str, object]:
    """What the command line answers a program."""
    answer: Mapping[str, object] = json.loads(farm.farm(*words, "--json").stdout)
    return answer


def codes(farm: Surroundings) -> set[str]:
    """What the morning says is to be done about backups of the farm."""
    return _codes(json.loads(farm.farm("morning", "--json").stdout)["todos"])


def _codes(todos: Sequence[Mapping[str, str]]) -> set[str]:
    return {todo["code"] for todo in todos if todo["code"].startswith(("farm_", "drill_"))}


def test_what_comes_back_is_counted_and_its_secrets_opened(
    databases: Databases, tmp_path: Path
) -> None:
    where = databases()
    farm = _staged(tmp_path, **where)
    made = Path(str(told(farm, "backup")["path"]))
    seen = told(farm, "drill")
    assert seen["archive"] == made.name
    assert (seen["rows"] or 0, seen["secrets"]) > (100, 0)
    morning = json.loads(farm.farm("morning", "--json").stdout)
    assert morning["rescues"]["drill_rows"] == seen["rows"]
    assert morning["rescues"]["drill_at"] > morning["rescues"]["backup_at"]
    assert _codes(morning["todos"]) == set()
    assert _left_over(where) == []


def _left_over(where: Mapping[str, str]) -> list[object]:
    if not where:
        return []
    named = "SELECT datname FROM pg_database WHERE datname LIKE '%drill'"
    with psycopg.connect(where["DATABASE_URL"]) as connection:
        return list(connection.execute(named))


BROKEN: Mapping[str, tuple[str, Callable[[bytes], bytes]]] = {
    "rows": ("manifest.json", lambda told: told.replace(b'_user": 1', b'_user": 2')),
    "archive": ("manifest.json", lambda told: told.replace(b'"rows"', b'"lines"')),
    "keys": ("secrets/FIELD_KEYS", lambda _: b"another"),
    "database": ("database", lambda rows: rows[:200]),
}
"""What the drill says of an archive in which one file was changed so."""


def test_one_that_would_lose_something_is_told_in_the_morning(
    farm: Surroundings, tmp_path: Path
) -> None:
    good = Path(str(told(farm, "backup", "--to", str(tmp_path))["path"]))
    for code, (name, change) in BROKEN.items():
        folder = tmp_path / code
        folder.mkdir()
        archive = Path(shutil.copy(good, folder))
        changed(archive, name, change)
        assert told(farm, "drill", "--from", str(folder))["code"] == code
    assert codes(farm) == {"drill_failed"}
    assert told(farm, "drill", "--from", str(tmp_path))["rows"]
    assert codes(farm) == set()


def test_without_any_backup_there_is_nothing_to_try(farm: Surroundings, tmp_path: Path) -> None:
    refused = told(farm, "drill", "--from", str(tmp_path))
    assert (refused["code"], "farm backup" in str(refused["error"])) == ("no_backup", True)


def test_a_backup_that_fails_in_the_night_is_told_in_the_morning(
    farm: Surroundings, tmp_path: Path
) -> None:
    (tmp_path / "full").write_text("no folder")
    refused = told(farm, "backup", "--to", str(tmp_path / "full"))
    assert refused["code"] == "failed"
    assert "farm_backup_failed" in codes(farm)


def test_a_sealed_one_is_opened_by_its_identity_and_a_twin_tried_without(tmp_path: Path) -> None:
    mine = pyrage.x25519.Identity.generate()
    farm = _staged(tmp_path, FARM_BACKUP_RECIPIENT=str(mine.to_public()))
    made = Path(str(told(farm, "backup")["path"]))
    (tmp_path / "identity").write_text(str(mine))
    opened = told(farm, "drill", "--identity", str(tmp_path / "identity"))
    assert opened["archive"] == made.name
    twin = told(farm, "drill")
    assert (twin["archive"], twin["tables"]) == ("", opened["tables"])
