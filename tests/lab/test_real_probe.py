"""Whether real guests can run is found out by trying, and told in one sentence."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from farm.sandbox.guests.real import probe

pytestmark = pytest.mark.lab

ROOT = Path(__file__).parents[2]
ASK = """
import asyncio, sys
from pathlib import Path
from farm.sandbox.guests.real import probe
print(asyncio.run(probe(Path(sys.argv[1]), Path(sys.argv[1]))))
"""


def test_where_guests_can_run_the_probe_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    verdict = asyncio.run(probe(tmp_path / "state", tmp_path / "cache"))

    assert verdict.possible, verdict.why
    assert list(tmp_path.rglob("*")) == [tmp_path / "state"]


def test_only_root_may(tmp_path: Path) -> None:
    assert "only root" in _asked(tmp_path, "--reuid=65534")


def test_a_kernel_that_refuses_is_quoted(tmp_path: Path) -> None:
    assert "the kernel refuses it: " in _asked(tmp_path, "--bounding-set=-sys_admin")


def test_a_folder_that_overlayfs_cannot_name_is_refused(tmp_path: Path) -> None:
    verdict = asyncio.run(probe(tmp_path / "a,b", tmp_path))

    assert not verdict.possible
    assert "comma" in verdict.why


def _asked(folder: Path, less: str) -> str:
    """What a process with fewer rights than ours is told."""
    done = subprocess.run(
        ["setpriv", less, sys.executable, "-c", ASK, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )
    assert not done.returncode, done.stderr
    return done.stdout
