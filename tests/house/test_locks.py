"""The locks pin every package with its hashes, name no address, and fit pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {"run": "requirements.txt", "dev": "requirements-dev.txt"}


def locked(kind: str) -> dict[str, str]:
    """Name to version of every package in a lock."""
    text = (ROOT / "deploy" / LOCKS[kind]).read_text()
    pins = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.MULTILINE)
    return {canonicalize_name(name): version for name, version in pins}


def wanted(kind: str) -> list[Requirement]:
    """What pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [*project["dependencies"], *extras["sandbox"]]
    if kind == "dev":
        asked += [line for line in extras["dev"] if not line.startswith("agent-farm")]
    return [Requirement(line) for line in asked]


@pytest.mark.parametrize("kind", LOCKS)
def test_every_package_has_hashes_and_no_address(kind: str) -> None:
    text = (ROOT / "deploy" / LOCKS[kind]).read_text()
    blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.MULTILINE)
    pinned = [block for block in blocks if "==" in block.partition("\n")[0]]
    assert len(pinned) > 20
    assert [block for block in pinned if "--hash=sha256:" not in block] == []
    assert not re.search(r"https?://|--index-url|--extra-index-url|--find-links| @ ", text)


@pytest.mark.parametrize("kind", LOCKS)
def test_the_lock_fits_what_is_asked_for(kind: str) -> None:
    pins = locked(kind)
    unfit = [
        str(asked)
        for asked in wanted(kind)
        if pins.get(canonicalize_name(asked.name), "") not in asked.specifier
    ]
    assert unfit == []


def test_tests_run_on_the_versions_that_the_farm_runs_on() -> None:
    run, dev = locked("run"), locked("dev")
    assert {name: version for name, version in run.items() if dev.get(name) != version} == {}
