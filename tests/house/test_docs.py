"""The documents say what is there: settings, commands, rooms, processes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from farm.__main__ import ENTRIES
from farm.ops.processes import of_a_farm
from tests.house.cli_reference import PATH, reference

ROOT = Path(__file__).resolve().parents[2]
READERS = {"text", "flag", "number", "decimal", "words", "choice", "folder", "kept_secret"}


def settings_read() -> Iterator[str]:
    """Every variable that the code takes from the environment through farm.env."""
    for path in (ROOT / "farm").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                is_reader = node.func.attr in READERS and ast.unparse(node.func.value) == "env"
                if is_reader and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value)
    settings = (ROOT / "farm" / "settings.py").read_text()
    providers = re.search(r"for provider in \(([^)]*)\)", settings)
    assert providers
    yield from (f"{name.upper()}_ENDPOINT" for name in re.findall(r'"(\w+)"', providers[1]))


def test_every_setting_is_documented_and_no_other() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", text, re.MULTILINE))
    by_typer = {"GUESTS", "FARM_USER"}
    assert documented == set(settings_read()) | by_typer | {"FARM_DATA", "FARM_CONF"}


def test_the_reference_of_the_command_line_is_what_help_says() -> None:
    assert PATH.read_text() == reference(), "run: python -m tests.house.cli_reference"


def test_the_commands_in_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^ +|`)make ([a-z-]+)", readme, re.MULTILINE)) <= targets
    entries = {entry.name for entry in ENTRIES}
    said = re.findall(r"(?:^ +|`|bin/)farm ([a-z]+)", readme, re.MULTILINE)
    assert said
    assert set(said) <= entries


def test_the_rooms_and_links_of_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    rooms = re.findall(r"^\| `([a-z_./-]+)`", readme, re.MULTILINE)
    links = re.findall(r"\]\(([a-zA-Z][^):#]*)\)", readme)
    assert len(rooms) > 8
    missing = [name for name in (*rooms, *links) if not (ROOT / name).exists()]
    assert missing == []


def test_the_procfile_lists_the_processes_of_the_supervisor() -> None:
    listed = dict(
        line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line
    )
    started = {}
    for job in of_a_farm("$PORT"):
        _, _, program, *words = job.argv
        started[job.name] = " ".join((program, *words))
    assert listed == started
