"""The first words to a new machine: user-data for cloud-init, which installs the pinned runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from provisioning.errors import Rejected
from provisioning.quoting import yaml_scalar

USER_DATA_LIMIT = 32_768
"""Bytes of UTF-8 that Hetzner accepts; the smallest limit of our clouds."""
TOP_LEVEL_KEYS = frozenset(
    {
        "allow_public_ssh_keys",
        "disable_root",
        "hostname",
        "preserve_hostname",
        "runcmd",
        "ssh_deletekeys",
        "ssh_keys",
        "ssh_pwauth",
        "users",
        "write_files",
    }
)
_TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "cloud-init"
_HOSTNAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PRINCIPAL = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){2}(?:-[0-9A-Za-z.]+)?")


@dataclass(frozen=True, slots=True)
class NodeRelease:
    """A Node with the npm that installs beside it; checksums are SHA-512 of the npm tarballs."""

    npm_version: str
    x64: str
    arm64: str
    npm: str


NODE_RELEASES: Mapping[str, NodeRelease] = MappingProxyType(
    {
        "24.21.0": NodeRelease(
            npm_version="11.19.1",
            x64="de750bb336795f47dc898a46d2de93add029273027f3e16520d3fa3a2317ed5f"
            "07aefa404cf37ddfa5352e545e389ae22d16b87bcc84a900580a72f23cd02ced",
            arm64="1692513c4cf63afbd32df8c83a5346158f492cf30a825e66f9de2819804b836e"
            "242759a6bcdd5997f1cf2601781c3689e752127afd65d5c459fc333e91e5d6e6",
            npm="cedb312b1b7f92421a02cfb68b4194e88f8346651dacd6acc5364a25ef5309d4"
            "a32b19616a1ff8aff865e7280c0fa5c0835a99f5cd93368991e2a80ec9da75d2",
        )
    }
)


@dataclass(frozen=True, slots=True)
class Versions:
    """What a machine is to run, as npm numbers it."""

    node: str
    runtime: str


@dataclass(frozen=True, slots=True)
class CloudInit:
    """What makes one machine ours. Keys are OpenSSH text; `principal` is the server's uid.

    The private host key is the only secret, and it is replaced over the first connection.
    """

    hostname: str
    principal: str
    ca_public_keys: tuple[str, ...]
    host_key_private: str
    host_key_public: str
    versions: Versions


def render(machine: CloudInit) -> str:
    """User-data for an agent's machine, at most 32,768 bytes. Rejected for a value it cannot be."""
    _check("hostname", _HOSTNAME, machine.hostname)
    _check("principal", _PRINCIPAL, machine.principal)
    return _render(
        "agent.yaml.j2",
        machine.versions,
        {
            "hostname": machine.hostname,
            "principal": f"{machine.principal}\n",
            "ca_public_keys": "".join(f"{_one_line(key)}\n" for key in machine.ca_public_keys),
            "host_key_private": machine.host_key_private,
            "host_key_public": _one_line(machine.host_key_public),
        },
    )


def render_image(versions: Versions) -> str:
    """User-data for a machine that installs the runtime, forgets itself and powers off.

    A snapshot of it makes `render`'s user-data skip the installation. It holds no secret.
    """
    return _render("image.yaml.j2", versions, {})


def _render(template: str, versions: Versions, values: Mapping[str, str]) -> str:
    release = _release(versions)
    text = (
        _environment()
        .get_template(template)
        .render(
            values,
            files=_files(),
            checksums=_checksums(release),
            node_version=versions.node,
            npm_version=release.npm_version,
            runtime_version=versions.runtime,
        )
    )
    return _checked(text)


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        finalize=yaml_scalar,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - YAML, not HTML: `finalize` quotes every value
    )


def _release(versions: Versions) -> NodeRelease:
    _check("runtime version", _VERSION, versions.runtime)
    release = NODE_RELEASES.get(versions.node)
    if release is None:
        known = ", ".join(NODE_RELEASES)
        raise Rejected(
            "unknown_node", f"No checksum is known for Node {versions.node!r}; known: {known}."
        )
    return release


def _checksums(release: NodeRelease) -> Mapping[str, str]:
    npm = f"{release.npm}  npm.tgz\n"
    return {
        "arm64": f"{release.arm64}  node.tgz\n{npm}",
        "x64": f"{release.x64}  node.tgz\n{npm}",
    }


def _files() -> Mapping[str, str]:
    return {path.name: path.read_text() for path in (_TEMPLATES / "files").iterdir()}


def _one_line(key: str) -> str:
    line = key.strip()
    if "\n" in line or "\r" in line:
        raise Rejected("bad_key", "A public key is one line of OpenSSH text.")
    return line


def _check(name: str, pattern: re.Pattern[str], value: str) -> None:
    if not pattern.fullmatch(value):
        raise Rejected("bad_value", f"{value!r} cannot be a machine's {name}.")


def _checked(text: str) -> str:
    """The text, if cloud-init would read it as we mean it and every cloud would take it."""
    unknown = set(yaml.safe_load(text)) - TOP_LEVEL_KEYS
    if unknown:
        raise Rejected("bad_user_data", f"These keys are not ours to send: {sorted(unknown)}.")
    if (size := len(text.encode())) > USER_DATA_LIMIT:
        raise Rejected("user_data_too_long", f"User-data is {size} bytes, over {USER_DATA_LIMIT}.")
    return text
