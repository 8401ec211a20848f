"""SSH keys of a project: kept and listed, as the official clients expect it."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import replace

from farm.sandbox.hetzner.body import Body
from farm.sandbox.hetzner.cloud import HetznerCloud
from farm.sandbox.hetzner.errors import invalid_input, not_unique
from farm.sandbox.hetzner.records import Project, SshKey
from farm.sandbox.store import living


def create_key(cloud: HetznerCloud, project: Project, body: Body) -> SshKey:
    """Keep a public key."""
    name, public_key = body.name(), body.text("public_key").strip()
    digest = fingerprint(public_key)
    for other in living(cloud.books.ssh_keys, project.id):
        if other.name == name:
            raise not_unique("SSH key")
        if other.fingerprint == digest:
            raise not_unique("SSH key", "public_key")
    return cloud.books.ssh_keys.put(
        SshKey(
            id=cloud.books.next_id(),
            project=project.id,
            name=name,
            created=cloud.books.now(),
            fingerprint=digest,
            public_key=public_key,
            labels=body.labels(),
        )
    )


def rename_key(cloud: HetznerCloud, key: SshKey, body: Body) -> SshKey:
    """Give it another name or other labels."""
    name = body.name(key.name)
    others = (other for other in living(cloud.books.ssh_keys, key.project) if other != key)
    if any(other.name == name for other in others):
        raise not_unique("SSH key")
    return cloud.books.ssh_keys.put(replace(key, name=name, labels=body.labels(default=key.labels)))


def fingerprint(public_key: str) -> str:
    """The MD5 fingerprint that the API shows; invalid_input if it is no public key."""
    words = public_key.split()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (IndexError, binascii.Error):
        raise invalid_input("public_key", "is not a valid OpenSSH public key") from None
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
