"""Sealed backups in a bucket of any cloud that speaks S3; the only file that knows boto3."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, BinaryIO, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from farm.agents.stores.port import Found
from provisioning.errors import Rejected, Transient

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ABSENT = ("404", "NoSuchKey", "NotFound")
FOLDER = "agents/"
"""Below which everything of ours is, so that the bucket may hold something else besides."""


class S3Store:
    """Objects of one bucket."""

    name = "s3"

    def __init__(
        self,
        *,
        endpoint: str,
        region: str,
        bucket: str,
        access_key: str,
        secret_key: str,
        folder: str = FOLDER,
    ) -> None:
        self._bucket, self._folder = bucket, folder
        self._client = _client(endpoint, region, access_key, secret_key)

    def put(self, place: str, sealed: BinaryIO, *, size: int, sha256: str) -> None:
        """One request, whose checksum the store compares; an object is there whole or not."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        if _length(sealed) != size:
            # The store would wait, and be asked again, for minutes for what never comes.
            raise Transient("store_unreachable", f"{sha256[:12]} is not whole.")
        with _working():
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._folder + place,
                Body=sealed,
                ContentLength=size,
                ChecksumSHA256=checksum,
            )

    @contextmanager
    def read(self, place: str) -> Iterator[BinaryIO]:
        """A copy on this disk without a name, so that nothing of it stays."""
        with tempfile.TemporaryFile() as copy:
            with _working():
                answer = self._client.get_object(Bucket=self._bucket, Key=self._folder + place)
                with answer["Body"] as body:
                    shutil.copyfileobj(cast(BinaryIO, body), copy)
            copy.seek(0)
            yield cast(BinaryIO, copy)

    def delete(self, place: str) -> None:
        """S3 is content if there was nothing."""
        with _working():
            self._client.delete_object(Bucket=self._bucket, Key=self._folder + place)

    def found(self) -> Iterator[Found]:
        """Page by page."""
        with _working():
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._folder):
                for item in page.get("Contents", []):
                    yield Found(item["Key"].removeprefix(self._folder), item["LastModified"])


def _length(file: BinaryIO) -> int:
    """How many bytes there are from here to its end."""
    here = file.tell()
    end = file.seek(0, os.SEEK_END)
    file.seek(here)
    return end - here


@lru_cache(maxsize=4)
def _client(endpoint: str, region: str, access_key: str, secret_key: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region or None,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(
            connect_timeout=10,
            read_timeout=60,
            retries={"total_max_attempts": 3, "mode": "standard"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


@contextmanager
def _working() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in ABSENT:
            raise Rejected("backup_gone", "The backup is not in the bucket any more.") from error
        raise Transient("store_unreachable", f"The bucket refuses: {code}.") from error
    except (BotoCoreError, OSError) as error:
        raise Transient("store_unreachable", f"The bucket does not answer: {error!r}") from error
