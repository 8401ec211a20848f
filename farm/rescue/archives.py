"""One archive: the database, the secrets, and what they are of; sealed to a key if there is one."""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pyrage

from farm.rescue.dumps import dump_to, vendor
from farm.rescue.refusals import RescueRefused
from farm.rescue.secrets import pack_secrets

MANIFEST, DATABASE, SECRETS = "manifest.json", "database", "secrets"
SEALED = ".age"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive holds: `database` is the vendor that can read it, `made_at` in ISO 8601.

    `rows` counts them by table as they were dumped; an archive of an older farm tells none.
    """

    format: int
    database: str
    made_at: str
    site: str
    rows: Mapping[str, int] = field(default_factory=dict)


def make_archive(folder: Path, *, now: datetime, site: str, recipient: str) -> Path:
    """A new archive in `folder`, whole or not at all, for the owner's eyes only.

    With a `recipient`, an age public key, nobody but its holder can read it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"farm-{now:%Y%m%d-%H%M%S}.tar.gz{SEALED if recipient else ''}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".making-") as kitchen:
        raw = _packed(Path(kitchen), now, site)
        if recipient:
            sealed = raw.with_name("sealed")
            pyrage.encrypt_file(str(raw), str(sealed), [_recipient(recipient)])
            raw = sealed
        raw.chmod(0o600)
        return raw.replace(folder / name)


def _packed(kitchen: Path, now: datetime, site: str) -> Path:
    inside = kitchen / "inside"
    inside.mkdir(mode=0o700)
    rows = dump_to(inside / DATABASE)
    pack_secrets(inside / SECRETS)
    manifest = Manifest(FORMAT, vendor(), now.isoformat(), site, rows)
    (inside / MANIFEST).write_text(json.dumps(asdict(manifest)))
    raw = kitchen / "raw"
    with _private(raw) as file, tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name in (MANIFEST, DATABASE, SECRETS):
            tar.add(inside / name, arcname=name)
    return raw


@contextmanager
def opened(archive: Path, identity: Path | None) -> Iterator[Path]:
    """The archive's content in a folder that is gone afterwards; RescueRefused if it is none."""
    with tempfile.TemporaryDirectory(prefix="farm-restore-") as kitchen:
        raw = _unsealed(archive, identity, Path(kitchen))
        inside = Path(kitchen) / "inside"
        try:
            with tarfile.open(raw, mode="r:gz") as tar:
                _unpack(tar, inside)
            manifest_of(inside)
        except (tarfile.TarError, OSError, ValueError, TypeError, EOFError) as error:
            sentence = f"{archive} is no whole backup of a farm ({error}): take another one."
            raise RescueRefused(sentence, "archive") from error
        yield inside


def _unpack(tar: tarfile.TarFile, inside: Path) -> None:
    """Files and folders that lie within, and nothing else that an archive can hold."""
    for member in tar:
        target = (inside / member.name).resolve()
        if not (member.isfile() or member.isdir()) or not target.is_relative_to(inside.resolve()):
            raise tarfile.TarError(f"{member.name} is nothing that a backup holds")
        member.mode = 0o700 if member.isdir() else 0o600
        tar.extract(member, inside, set_attrs=False)


def manifest_of(inside: Path) -> Manifest:
    """What the opened archive says of itself; ValueError or TypeError if that is nonsense."""
    manifest = Manifest(**json.loads((inside / MANIFEST).read_text()))
    if manifest.format != FORMAT:
        raise ValueError(f"its format is {manifest.format}, this farm reads {FORMAT}")
    return manifest


def _unsealed(archive: Path, identity: Path | None, kitchen: Path) -> Path:
    if not archive.is_file():
        raise RescueRefused(f"There is no file {archive}: name a backup.", "archive")
    if archive.suffix != SEALED:
        return archive
    if identity is None:
        sentence = f"{archive.name} is sealed: name the file of its age identity with --identity."
        raise RescueRefused(sentence, "identity")
    raw = kitchen / "raw"
    try:
        keys = [
            pyrage.x25519.Identity.from_str(line.strip())
            for line in identity.read_text().splitlines()
            if line.startswith("AGE-SECRET-KEY-")
        ]
        pyrage.decrypt_file(str(archive), str(raw), keys)
    except (OSError, pyrage.IdentityError, pyrage.DecryptError) as error:
        sentence = f"{identity} does not open {archive.name} ({error}): name the identity it is to."
        raise RescueRefused(sentence, "identity") from error
    return raw


def _recipient(key: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(key)
    except pyrage.RecipientError as error:
        sentence = f"FARM_BACKUP_RECIPIENT is no public key of age ({error}): say age1..."
        raise RescueRefused(sentence, "recipient") from error


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
