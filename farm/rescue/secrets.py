"""The secrets without which the rows of a backup cannot be read: where they are, and back there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from farm.env import conf_folder
from farm.rescue.refusals import RescueRefused

FIELD_KEYS = "FIELD_KEYS"
KEPT = ("SECRET_KEY", "EDGE_SECRET")
HOMES = {"SECRET_KEY": "secret_key", "EDGE_SECRET": "edge_secret", "FIELD_KEY": "field_key"}


def pack_secrets(folder: Path) -> None:
    """Write them, and the answers of the set-up page, into a folder of the archive."""
    folder.mkdir(mode=0o700)
    for name in KEPT:
        _write(folder / name, str(getattr(settings, name)))
    _write(folder / FIELD_KEYS, ",".join(settings.FIELD_KEYS))
    if conf := conf_folder():
        (folder / "conf").mkdir(mode=0o700)
        for path in _answers(conf):
            _write(folder / "conf" / path.name, path.read_text())


def unpack_secrets(folder: Path) -> None:
    """Put them where this farm looks for its own; RescueRefused where it is told another way.

    Several keys of fields need FIELD_KEYS, which is set by hand; one goes into its file.
    """
    keys = (folder / FIELD_KEYS).read_text()
    if keys != ",".join(settings.FIELD_KEYS):
        _place("FIELD_KEY" if "," not in keys else FIELD_KEYS, keys)
    for name in KEPT:
        _place(name, (folder / name).read_text())
    conf = conf_folder()
    if conf and (folder / "conf").is_dir():
        for path in (folder / "conf").iterdir():
            _write(conf / path.name, path.read_text())


def keys_in(folder: Path) -> Sequence[str]:
    """The keys that open the encrypted values of the archive's rows."""
    return (folder / FIELD_KEYS).read_text().split(",")


def _place(name: str, value: str) -> None:
    if os.environ.get(name) == value:
        return
    told = os.environ.get(f"{name}_FILE")
    home = HOMES.get(name)
    path = Path(told) if told else settings.FARM_DATA / "secrets" / home if home else None
    if os.environ.get(name) or path is None:
        raise RescueRefused(
            f"The archive's rows need its own {name}, and this farm is told another in its"
            f" environment: set {name} to what secrets/{name} in the archive says, then restore.",
            "secrets",
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, value)


def _answers(conf: Path) -> Iterator[Path]:
    """Every answer; the one-time token and the word for a restart are of that machine alone."""
    for path in sorted(conf.iterdir()):
        if path.is_file() and not path.name.startswith(".") and path.name not in ("restart",):
            yield path


def _write(path: Path, value: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value)
    draft.replace(path)
