"""The farm's machine is lost: its backup of itself brings it back, on the pair that it stood on."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pyrage
import pytest

from tests.ops.farms import Surroundings
from tests.ops.lost_farms import Databases, a_farm, databases, secret_in, shell

__all__ = ["databases"]
STAGE = """
from datetime import timedelta
from django.utils import timezone
from farm.agents.models import *
from tests.farm.web import scenes
agent = scenes.running(scenes.agent(scenes.person("alice"), "Ada"))
Agent.objects.update(model_key="sk-of-alice")
long_ago = timezone.now() - timedelta(days=9)
ProviderProject.objects.update_or_create(provider="hetzner", defaults={"pointed_at": long_ago})
Orphan.objects.create(provider="hetzner", kind="server", location="nbg1", cloud_id="9",
    name="farm-x", marked=True, hourly_micros=1, monthly_micros=1, currency="EUR",
    first_seen_at=long_ago, seen_at=timezone.now())
"""
ASK = """
import json
from farm.agents.models import *
from django.utils import timezone
agent = Agent.objects.get()
pointed_at = ProviderProject.objects.get(provider="hetzner").pointed_at
print(json.dumps({
    "name": agent.name,
    "key": agent.model_key,
    "owner": agent.owner.email,
    "due": agent.servers.get().due_at is not None,
    "orphans": Orphan.objects.count(),
    "servers": Server.objects.count(),
    "fresh": (timezone.now() - pointed_at).total_seconds() < 3600,
}))
"""


@pytest.fixture
def lost(tmp_path: Path) -> tuple[Surroundings, Path]:
    """A farm with an agent, and its backup."""
    return _lost(tmp_path)


def _lost(folder: Path, **extra: str) -> tuple[Surroundings, Path]:
    farm = a_farm(folder / "lost", **extra)
    shell(farm, STAGE)
    (farm.data / "conf" / "SITE_URL").write_text("https://farm.example.org")
    made = farm.farm("backup", "--to", str(folder / "backups"), "--json")
    assert made.returncode == 0, made.stderr
    return farm, Path(json.loads(made.stdout)["path"])


def test_it_comes_back_on_an_empty_machine_with_every_secret(
    databases: Databases, tmp_path: Path
) -> None:
    farm, archive = _lost(tmp_path, **databases())
    empty = a_farm(tmp_path / "empty", **databases())
    done = empty.farm("restore", str(archive), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(shell(empty, ASK)) == {
        "name": "Ada",
        "key": "sk-of-alice",
        "owner": "alice@example.org",
        "due": True,
        "orphans": 0,
        "servers": 1,
        "fresh": True,
    }
    assert (empty.data / "conf" / "SITE_URL").read_text() == "https://farm.example.org"
    secrets = sorted((empty.data / "secrets").iterdir())
    assert [path.read_text() for path in secrets] == [
        (farm.data / "secrets" / path.name).read_text() for path in secrets
    ]
    private = (*secrets, empty.data / "conf" / "SITE_URL")
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}


def test_a_farm_with_people_is_not_written_over(lost: tuple[Surroundings, Path]) -> None:
    farm, archive = lost
    refused = farm.farm("restore", str(archive), "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["code"] == "not_empty"
    assert json.loads(shell(farm, ASK))["name"] == "Ada"


def test_what_is_no_whole_backup_changes_nothing(
    lost: tuple[Surroundings, Path], tmp_path: Path
) -> None:
    _, archive = lost
    broken = tmp_path / archive.name
    broken.write_bytes(archive.read_bytes()[:-2000])
    empty = a_farm(tmp_path / "empty")
    for wrong in (broken, tmp_path / "none"):
        refused = empty.farm("restore", str(wrong), "--json")
        assert json.loads(refused.stdout)["code"] == "archive", refused.stderr
    key = (empty.data / "secrets" / "field_key").read_text()
    assert key != secret_in(archive, "FIELD_KEYS")


def test_an_archive_is_for_its_owner_alone_and_old_ones_go(
    lost: tuple[Surroundings, Path],
) -> None:
    farm, archive = lost
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    assert stat.S_IMODE(archive.parent.stat().st_mode) == 0o700
    old, other = archive.with_name("farm-20200101-000000.tar.gz"), archive.with_name("mine.tar.gz")
    old.touch()
    other.touch()
    made = farm.farm("backup", "--to", str(archive.parent), "--json")
    assert json.loads(made.stdout)["dropped"] == [old.name]
    assert other.exists()


def test_a_sealed_one_opens_to_its_identity_alone(tmp_path: Path) -> None:
    mine, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    farm = a_farm(tmp_path / "lost", FARM_BACKUP_RECIPIENT=str(mine.to_public()))
    shell(farm, STAGE)
    made = farm.farm("backup", "--to", str(tmp_path / "backups"), "--json")
    archive = Path(json.loads(made.stdout)["path"])
    assert b"AGE" in archive.read_bytes()[:64].upper()
    empty = a_farm(tmp_path / "empty")
    for identity in (None, other):
        refused = empty.farm("restore", str(archive), *_identity(tmp_path, identity), "--json")
        assert json.loads(refused.stdout)["code"] == "identity", refused.stderr
    done = empty.farm("restore", str(archive), *_identity(tmp_path, mine))
    assert done.returncode == 0, done.stderr
    assert json.loads(shell(empty, ASK))["key"] == "sk-of-alice"


def _identity(folder: Path, identity: pyrage.x25519.Identity | None) -> list[str]:
    if identity is None:
        return []
    path = folder / "identity"
    path.write_text(f"# of tests\n{identity}\n")
    return ["--identity", str(path)]
