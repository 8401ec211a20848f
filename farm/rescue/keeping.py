"""Backups of the farm kept for some days, on disk and in S3, and one of them brought back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from farm.accounts.models import User
from farm.agents.models import Orphan, ProviderProject, RescueKind, Server
from farm.agents.stores import bucket_folder
from farm.rescue.archives import DATABASE, SECRETS, Manifest, make_archive, manifest_of, opened
from farm.rescue.dumps import load_from, vendor
from farm.rescue.noting import failure_noted, note_success
from farm.rescue.refusals import RescueRefused
from farm.rescue.secrets import unpack_secrets
from provisioning.errors import ProvisioningError

OURS = re.compile(r"farm-\d{8}-\d{6}\.tar\.gz(\.age)?")
BUCKET = "farm/"


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """An archive just made: where it is on disk, whether it is in S3 too, and what was dropped."""

    path: str
    size: int
    in_bucket: bool
    dropped: Sequence[str]


def back_up(now: datetime, folder: Path) -> KeptBackup:
    """Make one now, send it to S3 if it is sealed and a bucket is set, and drop those too old.

    What became of it is noted for the morning; RescueRefused if it failed.
    """
    with failure_noted(RescueKind.BACKUP, now):
        recipient = settings.FARM_BACKUP_RECIPIENT
        archive = make_archive(folder, now=now, site=settings.SITE_URL, recipient=recipient)
        size = archive.stat().st_size
        in_bucket = bool(recipient) and _send(archive, now)
        dropped = _drop_old(folder, now)
        note_success(RescueKind.BACKUP, now, archive=archive.name, size=size)
    return KeptBackup(str(archive), size, in_bucket, dropped)


def newest_in(folder: Path) -> Path:
    """The archive made last; RescueRefused without any."""
    made = folder.iterdir() if folder.is_dir() else ()
    found = sorted(path for path in made if OURS.fullmatch(path.name))
    if not found:
        sentence = f"There is no backup of the farm in {folder}: make one with `farm backup`."
        raise RescueRefused(sentence, "no_backup")
    return found[-1]


def _drop_old(folder: Path, now: datetime) -> Sequence[str]:
    """By the time in the name; a file of another name is nobody's to delete."""
    oldest = f"farm-{now - _kept_for():%Y%m%d-%H%M%S}"
    old = [path for path in sorted(folder.iterdir()) if OURS.fullmatch(path.name)]
    dropped = [path for path in old if path.name < oldest]
    for path in dropped:
        path.unlink()
    return [path.name for path in dropped]


def _send(archive: Path, now: datetime) -> bool:
    store = bucket_folder(BUCKET)
    if store is None:
        return False
    try:
        with archive.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            store.put(archive.name, file, size=archive.stat().st_size, sha256=digest)
        for found in list(store.found()):
            if OURS.fullmatch(found.place) and found.written_at < now - _kept_for():
                store.delete(found.place)
    except ProvisioningError as error:
        sentence = f"{archive} is made, but S3 did not take it ({error}): look at the S3 settings."
        raise RescueRefused(sentence, "bucket") from error
    return True


def _kept_for() -> timedelta:
    return timedelta(days=settings.FARM_BACKUP_KEEP_DAYS)


def restore_archive(archive: Path, identity: Path | None) -> Manifest:
    """Bring a farm back from its archive onto this one, which must hold nothing yet.

    The services must not run meanwhile. The rows may be of an older version: they are to be
    migrated, then `look_around` is to follow.
    """
    _demand_empty()
    with opened(archive, identity) as inside:
        manifest = manifest_of(inside)
        demand_same_vendor(manifest)
        unpack_secrets(inside / SECRETS)
        load_from(inside / DATABASE)
    return manifest


def demand_same_vendor(manifest: Manifest) -> None:
    """RescueRefused if the archive is of a database of another make."""
    if manifest.database != vendor():
        raise RescueRefused(
            f"This backup is of {manifest.database}, this farm is on {vendor()}: set"
            " DATABASE_URL as it was where the backup was made.",
            "vendor",
        )


def _demand_empty() -> None:
    try:
        tables = connection.introspection.table_names()
        used = "accounts_user" in tables and User.objects.exists()
    except DatabaseError as error:
        raise RescueRefused(f"The database does not answer: {error}", "database") from error
    if used:
        raise RescueRefused(
            "There are people on this farm: a backup is restored onto an empty one only. Take"
            " another database, or another machine.",
            "not_empty",
        )


@transaction.atomic
def look_around(now: datetime) -> None:
    """After a restore: nothing that this farm remembers of the clouds is believed.

    Machines made since the backup have no row: they begin a quarantine of their own, which gives
    the operator time. Rows whose machines are gone are looked at, and nothing is bought for them.
    """
    Orphan.objects.all().delete()
    ProviderProject.objects.update(pointed_at=now, swept_at=None, offers_seen_at=None, due_at=now)
    Server.objects.filter(gone_at=None).update(due_at=now)
