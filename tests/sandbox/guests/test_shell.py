"""A guest's shell does what this machine's own does with the same script."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.sandbox.guests.house import Machine

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.sh"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("host")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_means_the_same(path: Path, first: Machine, host: Path) -> None:
    script = path.read_text()
    folder = host / path.stem
    folder.mkdir()
    env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    here = subprocess.run(
        ["sh", "-c", script], cwd=folder, env=env, capture_output=True, check=False, timeout=60
    )

    place = f"/tmp/{folder.name}"
    with first.shell() as shell:
        shell.run(["mkdir", "-p", place])
        there = shell.run(["env", "-C", place, "LANG=C.UTF-8", "sh", "-c", script])

    assert (there.exit_code, there.stdout) == (here.returncode, here.stdout)
    assert bool(there.stderr) == bool(here.stderr)
