"""What both stores promise: whole or not at all, found again, and gone when told."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pytest_django.fixtures import Settings

from farm.agents.stores import Store, chosen_store, store_called
from farm.agents.stores.disk import DiskStore
from farm.agents.stores.s3 import S3Store
from provisioning.errors import NeedsOperator, Rejected, Transient

PLACE = "farm/agent/backup.age"
SEALED = os.urandom(3_000_000)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server that speaks S3."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def s3(endpoint: str, bucket: str = "backups") -> S3Store:
    """A store there."""
    return S3Store(
        endpoint=endpoint,
        region="us-east-1",
        bucket=bucket,
        access_key="somebody",
        secret_key="secret",
    )


@pytest.fixture(params=["disk", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """Either kind, empty."""
    if request.param == "disk":
        return DiskStore(tmp_path / "kept")
    endpoint: str = request.getfixturevalue("endpoint")
    bucket = tmp_path.name.replace("_", "-")[-60:].strip("-")
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="somebody",
        aws_secret_access_key="secret",
    )
    client.create_bucket(Bucket=bucket)
    return s3(endpoint, bucket)


def put(store: Store, place: str = PLACE, content: bytes = SEALED) -> None:
    """Keep something."""
    digest = hashlib.sha256(content).hexdigest()
    store.put(place, io.BytesIO(content), size=len(content), sha256=digest)


def test_what_is_kept_comes_back(store: Store) -> None:
    put(store)
    with store.read(PLACE) as kept:
        assert kept.read() == SEALED


def test_what_is_kept_is_found_until_it_is_deleted(store: Store) -> None:
    put(store)
    put(store, "farm/other/backup.age", b"small")
    assert sorted(found.place for found in store.found()) == [PLACE, "farm/other/backup.age"]

    store.delete(PLACE)
    store.delete(PLACE)

    assert [found.place for found in store.found()] == ["farm/other/backup.age"]
    with pytest.raises(Rejected) as gone, store.read(PLACE):
        pass
    assert gone.value.code == "backup_gone"


def test_a_broken_one_is_never_there(store: Store) -> None:
    digest = hashlib.sha256(SEALED).hexdigest()
    with pytest.raises(Transient):
        store.put(PLACE, io.BytesIO(SEALED[:-1]), size=len(SEALED), sha256=digest)
    with pytest.raises(Rejected), store.read(PLACE):
        pass


def test_a_store_that_does_not_work_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    broken: list[Callable[[], Store]] = [
        lambda: DiskStore(tmp_path / "file"),
        lambda: s3("http://127.0.0.1:1"),
    ]
    for make in broken:
        with pytest.raises(Transient) as failed:
            put(make())
        assert failed.value.code == "store_unreachable"


def test_the_disk_shows_it_to_the_farm_alone(tmp_path: Path) -> None:
    put(DiskStore(tmp_path / "kept"))
    path = tmp_path / "kept" / PLACE
    modes = [each.stat().st_mode & 0o777 for each in (path, path.parent, tmp_path / "kept")]
    assert modes == [0o600, 0o700, 0o700]


def test_a_bucket_is_chosen_by_its_setting(settings: Settings, endpoint: str) -> None:
    assert chosen_store().name == "disk"
    with pytest.raises(NeedsOperator):
        store_called("s3")
    settings.S3_BUCKET, settings.S3_ENDPOINT = "backups", endpoint
    assert chosen_store().name == "s3"
    assert store_called("disk").name == "disk"
