"""Who may import whom, and what no file may hold."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from farm.sandbox.guests.real import PACKAGES
from provisioning.runtime import PORT

ROOT = Path(__file__).resolve().parents[2]
OURS = (
    r"localhost|testserver|\d+\.\d+\.\d+\.\d+|\[[0-9a-f:.]+"
    r"|[\w.-]*\.?example(?:\.org|\.net|\.com)?|[\w.-]+\.localhost|[\w.-]+\.invalid|[\w.-]+\.test"
)
KNOWN = (
    r"api\.hetzner\.cloud|(?:api|console)\.scaleway\.com|(?:docs|console)\.hetzner\.(?:cloud|com)|api\.telegram\.org|t\.me"
    r"|(?:(?:api|sandbox)\.)?slack\.com"
    r"|api\.anthropic\.com|api\.openai\.com|openrouter\.ai|api\.mistral\.ai"
    r"|generativelanguage\.googleapis\.com|openclaw\.ai|docs\.openclaw\.ai|www\.w3\.org"
)
HOST = re.compile(r"https?://(?:[^\s/@\"'`<>]*@)?(\[?[A-Za-z0-9][\w.:-]*)")
ALLOWED = re.compile(rf"(?:{OURS}|{KNOWN})(?::.*)?")
PLACES = re.compile(r"(?<![\w.])/(?:work|Users/\w+)/\w+")


def texts() -> Iterator[tuple[str, str]]:
    """Every tracked file that is text, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.suffix not in (".png", ".mo", ".ico") and path.is_file():
            yield name, path.read_text()


def test_the_import_rules_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    said = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout


def test_no_file_names_a_host_that_is_not_known_to_be_meant() -> None:
    strange = {
        f"{name}: {host}"
        for name, text in texts()
        for host in HOST.findall(text)
        if not ALLOWED.fullmatch(host.rstrip(".:"))
    }
    assert strange == set()


def test_no_file_names_a_place_of_somebodys_machine() -> None:
    here = "tests/house/test_rules.py"
    named = {
        f"{name}: {place}"
        for name, text in texts()
        if name != here
        for place in PLACES.findall(text)
    }
    assert named == set()


def test_the_set_up_installs_what_real_guests_need() -> None:
    script = (ROOT / "deploy" / "setup.sh").read_text()
    missing = [package for package in PACKAGES if not re.search(rf"\b{package}\b", script)]
    assert missing == []


def test_the_fence_stands_around_the_gateways_own_port() -> None:
    fence = (ROOT / "deploy" / "fence.nft").read_text()
    assert re.findall(r"tcp dport (\d+) ", fence) == [str(PORT)]
