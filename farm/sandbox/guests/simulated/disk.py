"""A guest's disk: a tree of immutable nodes, cheap to copy, with only its changes kept on file."""

from __future__ import annotations

import base64
import errno
import os
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypedDict

CAPACITY = 64 * 1024 * 1024
"""Bytes of content one guest may hold in this process; more is "No space left on device"."""
LINKS = 40
"""Symbolic links followed in one path before it counts as a loop, as Linux does."""


class NodeKind(StrEnum):
    """What an entry of a directory is."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Node:
    """One entry; `content` is a file's bytes or a link's target, `mtime` is in Unix seconds."""

    kind: NodeKind
    mode: int
    uid: int = 0
    gid: int = 0
    content: bytes = b""
    mtime: float = 0.0


class SavedNode(TypedDict):
    """A node as JSON; the content is base64."""

    path: str
    kind: str
    mode: int
    uid: int
    gid: int
    content: str
    mtime: float


class SavedDisk(TypedDict):
    """What distinguishes a disk from the image it was made of."""

    changed: list[SavedNode]
    removed: list[str]


def refuse(number: int, path: str) -> OSError:
    """The error a system call would raise for `path`."""
    return OSError(number, os.strerror(number), path)


class Disk:
    """Nodes by absolute path. The caller is the kernel: no permission is checked here."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self._nodes = dict(nodes)
        self._base = nodes
        self._used = 0
        self.dirty = False

    def copy(self) -> Mapping[str, Node]:
        """The nodes as they are now, to make another disk of."""
        return dict(self._nodes)

    def become(self, nodes: Mapping[str, Node]) -> None:
        """Hold exactly these nodes, still counted against the image it was made of."""
        self._nodes = dict(nodes)
        self._used = self.size()
        self.dirty = True

    def locate(self, path: str, *, follow: bool = True) -> str:
        """The real path that `path` leads to; its last component need not exist."""
        pending = [part for part in path.split("/") if part]
        place, links = "/", 0
        while pending:
            part = pending.pop(0)
            place = step(place, part)
            node = self._nodes.get(place)
            if node is None:
                if pending and any(rest not in {"..", "."} for rest in pending):
                    raise refuse(errno.ENOENT, path)
                continue
            if node.kind is NodeKind.SYMLINK and (pending or follow):
                links += 1
                if links > LINKS:
                    raise refuse(errno.ELOOP, path)
                target = node.content.decode()
                pending = [piece for piece in target.split("/") if piece] + pending
                place = "/" if target.startswith("/") else posixpath.dirname(place)
            elif pending and node.kind is not NodeKind.DIRECTORY:
                raise refuse(errno.ENOTDIR, path)
        return place

    def find(self, place: str) -> Node | None:
        """The node at a real path, or None."""
        return self._nodes.get(place)

    def get(self, path: str, *, follow: bool = True) -> Node:
        """The node a path leads to; ENOENT if there is none."""
        node = self._nodes.get(self.locate(path, follow=follow))
        if node is None:
            raise refuse(errno.ENOENT, path)
        return node

    def put(self, place: str, node: Node) -> None:
        """Place a node at a real path whose parent exists."""
        parent = self._nodes.get(posixpath.dirname(place))
        if parent is None:
            raise refuse(errno.ENOENT, place)
        if parent.kind is not NodeKind.DIRECTORY:
            raise refuse(errno.ENOTDIR, place)
        before = self._nodes.get(place)
        grown = len(node.content) - (len(before.content) if before else 0)
        if grown > 0 and self._used + grown > CAPACITY:
            raise refuse(errno.ENOSPC, place)
        self._used += grown
        self._nodes[place] = node
        self.dirty = True

    def drop(self, place: str) -> None:
        """Remove the node at a real path; a directory must be empty."""
        node = self._nodes.get(place)
        if node is None:
            raise refuse(errno.ENOENT, place)
        if node.kind is NodeKind.DIRECTORY and next(self.children(place), None) is not None:
            raise refuse(errno.ENOTEMPTY, place)
        self._used -= len(node.content)
        del self._nodes[place]
        self.dirty = True

    def move(self, source: str, target: str) -> None:
        """Rename a real path and all below it, over whatever file is there."""
        for place in [source, *self.below(source)]:
            self._nodes[target + place.removeprefix(source)] = self._nodes.pop(place)
        self.dirty = True

    def children(self, place: str) -> Iterator[str]:
        """The real paths directly inside a directory."""
        prefix = place.rstrip("/") + "/"
        for path in self._nodes:
            if (
                path.startswith(prefix)
                and len(path) > len(prefix)
                and "/" not in path[len(prefix) :]
            ):
                yield path

    def below(self, place: str) -> list[str]:
        """Every real path inside a directory, parents first."""
        prefix = place.rstrip("/") + "/"
        return sorted(path for path in self._nodes if path.startswith(prefix) and path != place)

    def size(self) -> int:
        """Bytes of content on the disk, as a snapshot would count them."""
        return sum(len(node.content) for node in self._nodes.values())

    def save(self) -> SavedDisk:
        """What must be written down so that `load` on the same image gives this disk again."""
        self.dirty = False
        changed = [
            saved(path, node)
            for path, node in self._nodes.items()
            if self._base.get(path) is not node
        ]
        return {"changed": changed, "removed": [p for p in self._base if p not in self._nodes]}


def step(place: str, part: str) -> str:
    """One component further down, or up for "..", on a path without links."""
    if part == ".":
        return place
    if part == "..":
        return posixpath.dirname(place)
    return f"/{part}" if place == "/" else f"{place}/{part}"


def load(base: Mapping[str, Node], record: SavedDisk) -> Disk:
    """The disk that `save` described, on the image `base`."""
    disk = Disk(base)
    for path in record["removed"]:
        disk._nodes.pop(path, None)  # noqa: SLF001  the disk is being made here
    for item in record["changed"]:
        disk._nodes[item["path"]] = restored(item)  # noqa: SLF001
    disk._used = disk.size()  # noqa: SLF001
    return disk


def saved(path: str, node: Node) -> SavedNode:
    """A node as JSON."""
    return {
        "path": path,
        "kind": node.kind.value,
        "mode": node.mode,
        "uid": node.uid,
        "gid": node.gid,
        "content": base64.b64encode(node.content).decode(),
        "mtime": node.mtime,
    }


def restored(item: SavedNode) -> Node:
    """The node that `saved` described."""
    content = base64.b64decode(item["content"])
    kind = NodeKind(item["kind"])
    return Node(kind, item["mode"], item["uid"], item["gid"], content, item["mtime"])
