"""cloud-init's modules: one function for each key of #cloud-config this machine knows."""

# ruff: noqa: ARG001 - all modules have the same signature, whether they use all of it or not.

from __future__ import annotations

import base64
import gzip
import posixpath
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from farm.sandbox.guests.simulated.accounts import find_user
from farm.sandbox.guests.simulated.process import Process
from farm.sandbox.guests.simulated.programs.files import owner_ids
from farm.sandbox.guests.simulated.programs.people import hashed
from farm.sandbox.guests.simulated.programs.system import write_key_pair
from farm.sandbox.wire import Json

if TYPE_CHECKING:
    from farm.sandbox.guests.simulated.cloudinit import CloudInit

Module = Callable[["CloudInit", Json], Awaitable[None]]
BLOCKED = "no-port-forwarding,no-agent-forwarding,command=\"echo 'Please login as another user'\" "


class Problem(Exception):  # noqa: N818
    """A module cannot do what its key says."""


def _objects(value: Json) -> list[Mapping[str, Json]]:
    if not isinstance(value, list):
        raise Problem("a list is expected")
    return [item for item in value if isinstance(item, Mapping)]


async def nothing(run: CloudInit, value: Json) -> None:
    """Keys that change nothing here, or that another module reads."""


async def bootcmd(run: CloudInit, value: Json) -> None:
    """bootcmd: at every boot, before everything else."""
    if value is not None:
        await run.commands(value)


async def write_files(run: CloudInit, value: Json) -> None:
    """write_files that are not deferred."""
    if value is not None:
        for item in _objects(value):
            if not item.get("defer"):
                _write(run, item)


async def deferred_files(run: CloudInit, value: Json) -> None:
    """write_files that wait for the users and packages."""
    files = run.config.get("write_files")
    for item in _objects(files) if files is not None else []:
        if item.get("defer"):
            _write(run, item)


def _write(run: CloudInit, item: Mapping[str, Json]) -> None:
    path = str(item["path"])
    if not path.startswith("/"):
        raise Problem(f"{path} is no absolute path")
    content = _decoded(item.get("content", ""), str(item.get("encoding") or "text/plain"))
    files = run.machine.files
    files.make_dir(posixpath.dirname(path), parents=True)
    files.write(path, content, append=bool(item.get("append")))
    raw = item.get("permissions", "0644")
    files.chmod(path, raw if isinstance(raw, int) else int(str(raw), 8))
    process = Process(run.machine, ["cloud-init"])
    uid, gid = owner_ids(process, str(item.get("owner", "root:root")))
    files.chown(path, uid, gid)


def _decoded(content: Json, encoding: str) -> bytes:
    raw = content if isinstance(content, bytes) else str(content).encode()
    known = {
        "text/plain",
        "b64",
        "base64",
        "gz",
        "gzip",
        "gz+b64",
        "gz+base64",
        "gzip+b64",
        "gzip+base64",
    }
    if encoding not in known:
        raise Problem(f"unknown encoding {encoding}")
    if "b64" in encoding or "base64" in encoding:
        raw = base64.b64decode(raw)
    return gzip.decompress(raw) if encoding.startswith("gz") else raw


async def hostname(run: CloudInit, value: Json) -> None:
    """hostname, fqdn: the name the cloud gave where none is said."""
    name = str(value or run.config.get("fqdn") or run.machine.identity.name).split(".")[0]
    run.machine.files.write("/etc/hostname", f"{name}\n".encode())


async def ssh(run: CloudInit, value: Json) -> None:
    """ssh_keys, ssh_deletekeys: the host keys, the given ones or fresh ones."""
    files = run.machine.files
    if run.config.get("ssh_deletekeys", True):
        for name in files.entries("/etc/ssh"):
            if name.startswith("ssh_host_"):
                files.remove(f"/etc/ssh/{name}")
    keys = run.config.get("ssh_keys")
    if isinstance(keys, Mapping):
        for name, text in keys.items():
            _host_key(run, name, str(text))
    elif files.find("/etc/ssh/ssh_host_ed25519_key") is None:
        write_key_pair(
            Process(run.machine, ["ssh-keygen"]), "/etc/ssh/ssh_host_ed25519_key", "root"
        )


def _host_key(run: CloudInit, name: str, text: str) -> None:
    kind, _, half = name.partition("_")
    if half not in {"private", "public", "certificate"}:
        raise Problem(f"ssh_keys has no {name}")
    suffix = {"private": "", "public": ".pub", "certificate": "-cert.pub"}[half]
    path = f"/etc/ssh/ssh_host_{kind}_key{suffix}"
    run.machine.files.write(path, text.encode())
    run.machine.files.chmod(path, 0o600 if half == "private" else 0o644)


async def authorized_keys(run: CloudInit, value: Json) -> None:
    """ssh_authorized_keys: for root, fenced in where disable_root is not off."""
    if not isinstance(value, list) or not value:
        return
    fence = BLOCKED if run.config.get("disable_root", True) else ""
    text = "".join(f"{fence}{str(key).strip()}\n" for key in value)
    run.machine.files.make_dir("/root/.ssh", 0o700, parents=True)
    run.machine.files.write("/root/.ssh/authorized_keys", text.encode(), append=True)
    run.machine.files.chmod("/root/.ssh/authorized_keys", 0o600)


async def ssh_pwauth(run: CloudInit, value: Json) -> None:
    """ssh_pwauth: whether sshd takes passwords."""
    if value in {None, "unchanged"}:
        return
    line = f"PasswordAuthentication {'yes' if value in {True, 'yes', 'true'} else 'no'}\n"
    run.machine.files.write("/etc/ssh/sshd_config.d/50-cloud-init.conf", line.encode())


async def groups(run: CloudInit, value: Json) -> None:
    """groups: names, or names with their members."""
    for item in value if isinstance(value, list) else []:
        names = item if isinstance(item, Mapping) else {str(item): []}
        for name in names:
            await _expect(run, ["groupadd", "-f", str(name)])


async def users(run: CloudInit, value: Json) -> None:
    """users: each with groups, shell, keys and sudo; "default" and [] make none here."""
    for item in value if isinstance(value, list) else []:
        if isinstance(item, Mapping):
            await _user(run, item)


USER_KEYS = frozenset(
    {
        "name",
        "gecos",
        "groups",
        "home",
        "homedir",
        "shell",
        "system",
        "sudo",
        "ssh_authorized_keys",
        "lock_passwd",
        "passwd",
        "plain_text_passwd",
        "hashed_passwd",
        "primary_group",
        "uid",
        "no_create_home",
        "no_user_group",
        "expiredate",
        "inactive",
    }
)


async def _user(run: CloudInit, item: Mapping[str, Json]) -> None:
    unknown = set(item) - USER_KEYS
    if unknown:
        run.error(f"users: unknown keys {sorted(unknown)}")
    name = str(item["name"])
    argv = ["useradd"]
    argv += ["-r"] if item.get("system") else []
    argv += [] if item.get("no_create_home") or item.get("system") else ["-m"]
    options = {
        "gecos": "-c",
        "homedir": "-d",
        "shell": "-s",
        "uid": "-u",
        "primary_group": "-g",
        "passwd": "-p",
        "hashed_passwd": "-p",
    }
    for key, option in options.items():
        if item.get(key) is not None:
            argv += [option, str(item[key])]
    extra = item.get("groups")
    if extra:
        argv += [
            "-G",
            ",".join(map(str, extra)) if isinstance(extra, list) else str(extra).replace(" ", ""),
        ]
    await _expect(run, [*argv, name])
    _user_files(run, name, item)


def _user_files(run: CloudInit, name: str, item: Mapping[str, Json]) -> None:
    files, user = run.machine.files, find_user(run.machine.files, name)
    keys = item.get("ssh_authorized_keys")
    if user is not None and isinstance(keys, list):
        folder = f"{user.home}/.ssh"
        files.make_dir(folder, 0o700, parents=True)
        files.write(f"{folder}/authorized_keys", "".join(f"{key}\n" for key in keys).encode())
        for path in (folder, f"{folder}/authorized_keys"):
            files.chown(path, user.uid, user.gid)
        files.chmod(f"{folder}/authorized_keys", 0o600)
    if item.get("sudo"):
        files.write(
            "/etc/sudoers.d/90-cloud-init-users", f"{name} {item['sudo']}\n".encode(), append=True
        )


async def passwords(run: CloudInit, value: Json) -> None:
    """chpasswd: users with passwords, and whether they expire at once (they do by default)."""
    if not isinstance(value, Mapping):
        return
    pairs = {str(u["name"]): str(u.get("password", "")) for u in _objects(value.get("users") or [])}
    listed = value.get("list") or ""
    lines = (
        listed.splitlines()
        if isinstance(listed, str)
        else [str(line) for line in listed if line]
        if isinstance(listed, list)
        else []
    )
    pairs |= dict(line.split(":", 1) for line in lines)
    for name, password in pairs.items():
        field = password if password.startswith("$") else hashed(password)
        await _expect(run, ["usermod", "-p", field, name])
        if value.get("expire", True):
            await _expect(run, ["chage", "-d", "0", name])


async def packages(run: CloudInit, value: Json) -> None:
    """package_update, packages."""
    if run.config.get("package_update") or run.config.get("packages"):
        await _expect(run, ["apt-get", "update"])
    if isinstance(value, list) and value:
        await _expect(run, ["apt-get", "install", "-y", *[str(name) for name in value]])


async def runcmd(run: CloudInit, value: Json) -> None:
    """runcmd: at the end of the first boot."""
    if value is not None:
        await run.commands(value)


async def swap(run: CloudInit, value: Json) -> None:
    """swap: a file of that size."""
    if isinstance(value, Mapping) and value.get("size"):
        path = str(value.get("filename", "/swap.img"))
        await _expect(
            run, ["sh", "-c", f"fallocate -l 1G {path} && mkswap {path} && swapon {path}"]
        )


async def power_state(run: CloudInit, value: Json) -> None:
    """power_state: off or again when all is done."""
    if isinstance(value, Mapping):
        run.machine.halt(value.get("mode") == "reboot")


async def _expect(run: CloudInit, argv: list[str]) -> None:
    code = await run.run(argv)
    if code:
        raise Problem(f"{argv[0]} ended with {code}")


MODULES: dict[str, Module] = {
    "bootcmd": bootcmd,
    "write_files": write_files,
    "hostname": hostname,
    "groups": groups,
    "users": users,
    "ssh_keys": ssh,
    "ssh_authorized_keys": authorized_keys,
    "ssh_pwauth": ssh_pwauth,
    "chpasswd": passwords,
    "packages": packages,
    "runcmd": runcmd,
    "swap": swap,
    "power_state": power_state,
    "defer": deferred_files,
    **dict.fromkeys(
        (
            "allow_public_ssh_keys",
            "disable_root",
            "final_message",
            "fqdn",
            "growpart",
            "keyboard",
            "locale",
            "manage_etc_hosts",
            "output",
            "package_reboot_if_required",
            "package_update",
            "package_upgrade",
            "prefer_fqdn_over_hostname",
            "preserve_hostname",
            "resize_rootfs",
            "ssh_deletekeys",
            "ssh_genkeytypes",
            "ssh_quiet_keygen",
            "timezone",
            "user",
        ),
        nothing,
    ),
}
INIT = (
    "bootcmd",
    "write_files",
    "hostname",
    "groups",
    "users",
    "ssh_keys",
    "ssh_authorized_keys",
    "ssh_pwauth",
)
CONFIG = ("chpasswd", "swap")
FINAL = ("packages", "defer", "runcmd", "power_state")
EVERY_BOOT = frozenset({"bootcmd"})
