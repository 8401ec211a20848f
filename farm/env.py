"""Every setting of the farm comes from the environment through here; each also as NAME_FILE."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

SET_UP = "set_up"
"""The file in FARM_CONF that says that the set-up page is done."""


class SettingError(Exception):
    """A setting cannot be used; the sentence names it and says what to set instead."""


def text(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> str:
    """The value of `name`, else the content of the file that NAME_FILE names, else `default`.

    The set-up page leaves its answers in the folder FARM_CONF, one file for each setting.
    """
    if value := environ.get(name):
        return value
    path = environ.get(f"{name}_FILE") or _answered(name, environ)
    if not path:
        return default
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise SettingError(f"{name}_FILE names {path}, which cannot be read: {error}") from error


def given(name: str, *, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether anybody gave this setting a value, wherever it is kept."""
    return bool(environ.get(name) or environ.get(f"{name}_FILE") or _answered(name, environ))


def _answered(name: str, environ: Mapping[str, str]) -> str:
    """The file that holds an answer of the set-up page, "" without one."""
    folder = environ.get("FARM_CONF")
    path = Path(folder) / name if folder else None
    return str(path) if path and path.is_file() else ""


def flag(name: str, *, default: bool = False, environ: Mapping[str, str] = os.environ) -> bool:
    """True for 1, true, yes, on; False for 0, false, no, off; SettingError for anything else."""
    value = text(name, environ=environ).lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("0", "false", "no", "off"):
        return False
    if value == "":
        return default
    raise SettingError(f"{name} is {value!r}: say 1 or 0.")


def number(name: str, default: int, *, environ: Mapping[str, str] = os.environ) -> int:
    """A whole number, or SettingError."""
    value = text(name, environ=environ)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise SettingError(f"{name} is {value!r}: give a whole number.") from None


def decimal(name: str, default: str, *, environ: Mapping[str, str] = os.environ) -> Decimal:
    """A number of 0 or more with up to two decimals, or SettingError."""
    value = text(name, default, environ=environ)
    if not re.fullmatch(r"\d{1,6}(\.\d{1,2})?", value):
        raise SettingError(f"{name} is {value!r}: give a number such as 5 or 2.50.")
    return Decimal(value)


def choice(
    name: str, default: str, known: Sequence[str], *, environ: Mapping[str, str] = os.environ
) -> str:
    """One of the `known` words, or SettingError."""
    value = text(name, default, environ=environ)
    if value not in known:
        raise SettingError(f"{name} is {value!r}: say {' or '.join(known)}.")
    return value


def words(name: str, default: str = "", *, environ: Mapping[str, str] = os.environ) -> list[str]:
    """A comma-separated list, without empty items."""
    return [
        word.strip() for word in text(name, default, environ=environ).split(",") if word.strip()
    ]


def folder(name: str, default: Path) -> Path:
    """An absolute folder; it is not made here."""
    return Path(text(name) or default).expanduser().resolve()


def data_folder() -> Path:
    """Where this farm keeps everything: FARM_DATA, or var/ in the checkout."""
    return folder("FARM_DATA", Path(__file__).resolve().parent.parent / "var")


def conf_folder() -> Path | None:
    """Where the set-up page keeps its answers; None where there is no such page."""
    return Path(kept) if (kept := text("FARM_CONF")) else None


def setting_up() -> bool:
    """Whether this farm waits for the answers of its set-up page, and serves nothing else."""
    folder = conf_folder()
    return folder is not None and not (folder / SET_UP).exists()


def own_folder(path: Path) -> Path:
    """The folder, made with what is missing above it for the owner's eyes only."""
    for missing in reversed([step for step in (path, *path.parents) if not step.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
    return path


def kept_secret(name: str, keep: Path) -> str:
    """The secret `name`; without one it is made once and kept in the file `keep` (0600).

    Only a laptop relies on the file: with DEBUG off a system check asks for the variable.
    """
    if value := text(name):
        return value
    if not keep.exists():
        own_folder(keep.parent)
        _write_private(keep, secrets.token_urlsafe(48))
    return keep.read_text().strip()


def _write_private(path: Path, value: str) -> None:
    """Whole or not at all, and the first of two writers wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
