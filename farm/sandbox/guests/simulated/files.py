"""System calls on a guest's disk as one user: modes and owners decide, errors carry an errno."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, replace

from farm.sandbox.guests.simulated.disk import Disk, Node, NodeKind, refuse

READ, WRITE, SEARCH = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks the kernel: root is uid 0 and may everything."""

    uid: int
    gid: int
    groups: frozenset[int] = frozenset()


ROOT = Credentials(0, 0)


def allowed(node: Node, who: Credentials, wish: int) -> bool:
    """Whether the mode bits let `who` do `wish` (READ, WRITE, SEARCH or their sum)."""
    if who.uid == 0:
        return True
    if node.uid == who.uid:
        bits = node.mode >> 6
    elif node.gid == who.gid or node.gid in who.groups:
        bits = node.mode >> 3
    else:
        bits = node.mode
    return bits & wish == wish


class Files:
    """The disk as `who` may use it. Relative paths start at `cwd`."""

    def __init__(
        self, disk: Disk, who: Credentials, now: Callable[[], float], cwd: str = "/"
    ) -> None:
        self.disk, self.who, self.cwd = disk, who, cwd
        self._now = now

    def absolute(self, path: str) -> str:
        """`path` from the root, links untouched."""
        return posixpath.join(self.cwd, path)

    def place(self, path: str, *, follow: bool = True) -> str:
        """The real path behind `path`; EACCES where a directory on the way may not be searched."""
        if path == "":
            raise refuse(errno.ENOENT, path)
        place = self.disk.locate(self.absolute(path), follow=follow)
        self._may_reach(place, path)
        return place

    def _may_reach(self, place: str, path: str) -> None:
        parent = place
        while self.who.uid and parent != "/":
            parent = posixpath.dirname(parent)
            node = self.disk.find(parent)
            if node is not None and not allowed(node, self.who, SEARCH):
                raise refuse(errno.EACCES, path)

    def stat(self, path: str, *, follow: bool = True) -> Node:
        """The entry at `path`; ENOENT if there is none."""
        node = self.disk.find(self.place(path, follow=follow))
        if node is None or (path.endswith("/") and node.kind is not NodeKind.DIRECTORY):
            raise refuse(errno.ENOENT if node is None else errno.ENOTDIR, path)
        return node

    def find(self, path: str, *, follow: bool = True) -> Node | None:
        """The entry at `path`, or None where it cannot be seen."""
        try:
            return self.stat(path, follow=follow)
        except OSError:
            return None

    def is_dir(self, path: str) -> bool:
        """Whether `path` leads to a directory."""
        node = self.find(path)
        return node is not None and node.kind is NodeKind.DIRECTORY

    def may(self, path: str, wish: int) -> bool:
        """What access(2) would answer."""
        node = self.find(path)
        if node is None:
            return False
        if wish == SEARCH and self.who.uid == 0 and node.kind is NodeKind.FILE:
            return node.mode & 0o111 != 0
        return allowed(node, self.who, wish)

    def read(self, path: str) -> bytes:
        """A file's content."""
        node = self.stat(path)
        if node.kind is NodeKind.DIRECTORY:
            raise refuse(errno.EISDIR, path)
        if not allowed(node, self.who, READ):
            raise refuse(errno.EACCES, path)
        return node.content

    def text(self, path: str) -> str:
        """A file's content as text; what is no UTF-8 is replaced."""
        return self.read(path).decode(errors="replace")

    def write(self, path: str, content: bytes, *, mode: int = 0o644, append: bool = False) -> None:
        """Replace or extend a file's content; a new file gets `mode` and belongs to who writes."""
        place = self.place(path)
        node = self.disk.find(place)
        if node is None:
            self._may_change(place, path)
            fresh = Node(NodeKind.FILE, mode, self.who.uid, self.who.gid, content, self._now())
            self.disk.put(place, fresh)
            return
        if node.kind is NodeKind.DEVICE:
            if posixpath.basename(place) == "full":
                raise refuse(errno.ENOSPC, path)
            return
        if node.kind is NodeKind.DIRECTORY:
            raise refuse(errno.EISDIR, path)
        if not allowed(node, self.who, WRITE):
            raise refuse(errno.EACCES, path)
        whole = node.content + content if append else content
        self.disk.put(place, replace(node, content=whole, mtime=self._now()))

    def _may_change(self, place: str, path: str) -> None:
        parent = self.disk.find(posixpath.dirname(place))
        if parent is None:
            raise refuse(errno.ENOENT, path)
        if not allowed(parent, self.who, WRITE | SEARCH):
            raise refuse(errno.EACCES, path)

    def _may_unlink(self, place: str, path: str) -> Node:
        self._may_change(place, path)
        node = self.disk.find(place)
        if node is None:
            raise refuse(errno.ENOENT, path)
        parent = self.disk.get(posixpath.dirname(place))
        sticky = parent.mode & 0o1000
        if sticky and self.who.uid not in {0, node.uid, parent.uid}:
            raise refuse(errno.EPERM, path)
        return node

    def make_dir(self, path: str, mode: int = 0o755, *, parents: bool = False) -> None:
        """mkdir; with `parents`, missing ones are made too and an existing one is no error."""
        place = self.place_for_dir(path) if parents else self.place(path.rstrip("/") or "/")
        if self.disk.find(place) is not None:
            if parents and self.is_dir(place):
                return
            raise refuse(errno.EEXIST, path)
        if parents and self.disk.find(posixpath.dirname(place)) is None:
            self.make_dir(posixpath.dirname(place), parents=True)
        self._may_change(place, path)
        who = self.who
        self.disk.put(place, Node(NodeKind.DIRECTORY, mode, who.uid, who.gid, mtime=self._now()))

    def place_for_dir(self, path: str) -> str:
        """Like `place`, where several directories at the end may still be missing."""
        head, tail = posixpath.normpath(self.absolute(path)), ""
        while self.disk.find("/") is not None:
            try:
                return posixpath.join(self.disk.locate(head), tail) if tail else self.place(head)
            except OSError as error:
                if error.errno != errno.ENOENT:
                    raise
            head, last = posixpath.split(head)
            tail = posixpath.join(last, tail) if tail else last
        raise refuse(errno.ENOENT, path)

    def entries(self, path: str) -> list[str]:
        """The names in a directory, sorted."""
        node = self.stat(path)
        if node.kind is not NodeKind.DIRECTORY:
            raise refuse(errno.ENOTDIR, path)
        if not allowed(node, self.who, READ):
            raise refuse(errno.EACCES, path)
        return sorted(posixpath.basename(child) for child in self.disk.children(self.place(path)))

    def remove(self, path: str) -> None:
        """unlink(2)."""
        place = self.place(path, follow=False)
        if self._may_unlink(place, path).kind is NodeKind.DIRECTORY:
            raise refuse(errno.EISDIR, path)
        self.disk.drop(place)

    def remove_dir(self, path: str) -> None:
        """rmdir(2)."""
        place = self.place(path.rstrip("/") or "/", follow=False)
        if self._may_unlink(place, path).kind is not NodeKind.DIRECTORY:
            raise refuse(errno.ENOTDIR, path)
        self.disk.drop(place)

    def remove_tree(self, path: str) -> None:
        """A file, or a directory with all that is in it."""
        place = self.place(path.rstrip("/") or "/", follow=False)
        if self._may_unlink(place, path).kind is NodeKind.DIRECTORY:
            for child in list(self.disk.children(place)):
                self.remove_tree(child)
        self.disk.drop(place)

    def rename(self, source: str, target: str) -> None:
        """rename(2): atomic, over whatever file or empty directory is at `target`."""
        here = self.place(source.rstrip("/") or "/", follow=False)
        there = self.place(target.rstrip("/") or "/", follow=False)
        moved = self._may_unlink(here, source)
        self._may_change(there, target)
        if here == there:
            return
        if there.startswith(here + "/"):
            raise refuse(errno.EINVAL, target)
        standing = self.disk.find(there)
        if standing is not None:
            self._make_room(there, target, moved, standing)
        self.disk.move(here, there)

    def _make_room(self, there: str, target: str, moved: Node, standing: Node) -> None:
        if standing.kind is NodeKind.DIRECTORY and moved.kind is not NodeKind.DIRECTORY:
            raise refuse(errno.EISDIR, target)
        if moved.kind is NodeKind.DIRECTORY and standing.kind is not NodeKind.DIRECTORY:
            raise refuse(errno.ENOTDIR, target)
        self._may_unlink(there, target)
        self.disk.drop(there)

    def symlink(self, target: str, path: str) -> None:
        """symlink(2)."""
        place = self.place(path, follow=False)
        if self.disk.find(place) is not None:
            raise refuse(errno.EEXIST, path)
        self._may_change(place, path)
        who = self.who
        link = Node(NodeKind.SYMLINK, 0o777, who.uid, who.gid, target.encode(), self._now())
        self.disk.put(place, link)

    def chmod(self, path: str, mode: int) -> None:
        """chmod(2): for the owner and root."""
        place, node = self.place(path), self.stat(path)
        if self.who.uid not in {0, node.uid}:
            raise refuse(errno.EPERM, path)
        self.disk.put(place, replace(node, mode=mode))

    def chown(self, path: str, uid: int, gid: int, *, follow: bool = True) -> None:
        """chown(2): for root, or the owner changing nothing; -1 leaves a number as it is."""
        place, node = self.place(path, follow=follow), self.stat(path, follow=follow)
        changed = replace(node, uid=node.uid if uid < 0 else uid, gid=node.gid if gid < 0 else gid)
        if self.who.uid and changed != node:
            raise refuse(errno.EPERM, path)
        self.disk.put(place, changed)

    def touch(self, path: str, mode: int = 0o644) -> None:
        """Make an empty file, or note that an existing one was used."""
        node = self.find(path)
        if node is None:
            self.write(path, b"", mode=mode)
        elif not allowed(node, self.who, WRITE):
            raise refuse(errno.EACCES, path)
        else:
            self.disk.put(self.place(path), replace(node, mtime=self._now()))
