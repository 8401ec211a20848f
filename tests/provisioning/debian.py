"""cloud-init as Debian ships it, unpacked beside the tests: it must not be installed here."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import jsonschema

_CACHE = Path(os.environ.get("FARM_CACHE") or Path.home() / ".cache/agent-farm")
_SCHEMA = "usr/lib/python3/dist-packages/cloudinit/config/schemas/schema-cloud-config-v1.json"


def cloud_config_schema() -> jsonschema.Draft4Validator:
    """The schema that `cloud-init schema` checks against, from Debian's own package."""
    return jsonschema.Draft4Validator(json.loads((_unpacked() / _SCHEMA).read_text()))


def _unpacked() -> Path:
    folder = _CACHE / "cloud-init"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _SCHEMA).exists():
            _run(folder, "apt-get", "--quiet=2", "download", "cloud-init")
            (package,) = folder.glob("cloud-init_*.deb")
            _run(folder, "dpkg", "--extract", package.name, ".")
            package.unlink()
    return folder


def _run(folder: Path, *argv: str) -> None:
    """Run it, showing what it said only if it failed."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv} failed; does `apt-get update` work? {done.stderr}"
