"""Farms that were lost, and machines to bring them back to, on each database."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.ops.farms import Surroundings, free_port
from tests.pairs.own import SERVER
from tests.pairs.servers import servers

ROOT = Path(__file__).resolve().parents[2]
Databases = Callable[[], Mapping[str, str]]
"""How each new farm is told where its rows are: on a database of its own."""


@pytest.fixture(scope="module", params=["the run's", "postgres"])
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """What the run stands on, and Postgres in any case."""
    if request.param == "the run's":
        yield dict
        return
    if SERVER:
        pytest.skip("the run stands on Postgres already")
    with servers() as running:
        numbers = count()
        yield lambda: {"DATABASE_URL": _made(running.database_url, f"lost_{next(numbers)}")}


def _made(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name))
        )
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def a_farm(folder: Path, **extra: str) -> Surroundings:
    """A prepared farm without anybody, which has a folder of answers."""
    folder.mkdir()
    conf = folder / "conf"
    conf.mkdir(mode=0o700)
    (conf / "set_up").write_text("done")
    farm = Surroundings(folder, free_port(), free_port(), extra={"FARM_CONF": str(conf), **extra})
    prepared = farm.farm("prepare")
    assert prepared.returncode == 0, prepared.stderr
    return farm


def shell(farm: Surroundings, code: str) -> str:
    """Python beside the farm; the last line that it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code],
        cwd=ROOT,
        env=farm.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return (done.stdout.splitlines() or [""])[-1]


def secret_in(archive: Path, name: str) -> str:
    """One of the secrets that an archive carries."""
    with tarfile.open(archive) as tar:
        file = tar.extractfile(f"secrets/{name}")
        assert file
        return file.read().decode()


def changed(archive: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """The same archive with another content of that one file."""
    with tarfile.open(archive) as tar:
        found = [(member, _content(tar, member)) for member in tar]
    with tarfile.open(archive, "w:gz") as tar:
        for member, content in found:
            told = change(content) if member.name == name else content
            member.size = len(told)
            tar.addfile(member, io.BytesIO(told))


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return file.read() if file else b""
