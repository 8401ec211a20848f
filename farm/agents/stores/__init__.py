"""Where sealed backups are kept: the farm's disk, or S3 once it is set."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings

from farm.agents.stores.disk import DiskStore
from farm.agents.stores.port import Found, Store
from farm.agents.stores.s3 import FOLDER, S3Store
from provisioning.errors import NeedsOperator

__all__ = ["Found", "Store", "bucket_folder", "chosen_store", "store_called"]


def _disk() -> Store:
    return DiskStore(settings.BACKUPS / "kept")


def _s3(folder: str = FOLDER) -> Store:
    return S3Store(
        folder=folder,
        endpoint=settings.S3_ENDPOINT,
        region=settings.S3_REGION,
        bucket=settings.S3_BUCKET,
        access_key=settings.S3_ACCESS_KEY,
        secret_key=settings.S3_SECRET_KEY,
    )


STORES: Mapping[str, Callable[[], Store]] = {"disk": _disk, "s3": _s3}


def bucket_folder(folder: str) -> Store | None:
    """Another folder of the bucket, as "farm/"; None where no bucket is set."""
    return _s3(folder) if settings.S3_BUCKET else None


def chosen_store() -> Store:
    """Where new backups go."""
    return store_called("s3" if settings.S3_BUCKET else "disk")


def store_called(name: str) -> Store:
    """The store of that name, also for what was kept there before another was chosen."""
    if name == "s3" and not settings.S3_BUCKET:
        sentence = "A backup is kept in S3, but S3_BUCKET is not set: set it as it was."
        raise NeedsOperator("store_unset", sentence)
    return STORES[name]()
