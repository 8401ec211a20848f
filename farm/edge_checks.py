"""What the edge's settings must hold: pages of agents are hostile, their ports open to it alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error

SHARED_SUFFIXES = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "gouv", "asso"})
"""Second words below which names belong to different people, as in example.co.uk."""


def edge_problems() -> Iterator[Error]:
    """An error with its remedy for each thing amiss."""
    if not settings.EDGE:
        yield _error(
            "EDGE_ADDRESSES is not set, so nobody can open an agent but on the farm's own machine.",
            "Set EDGE_ADDRESSES to the addresses from which Caddy reaches the machines, usually the"
            " farm's own.",
            "EDGE_ADDRESSES",
        )
        return
    yield from _domains()
    if settings.EDGE_TLS == "files":
        yield from _papers()


def unreal_edge() -> Iterator[Error]:
    """What serves a lab and no people."""
    yield from _addresses()
    if settings.EDGE and settings.EDGE_TLS not in ("on-demand", "files"):
        yield _error(
            f"EDGE_TLS is {settings.EDGE_TLS}: no browser knows certificates of that kind.",
            "Set EDGE_TLS to on-demand or files.",
            "EDGE_TLS",
        )


def _domains() -> Iterator[Error]:
    site, agents = urlsplit(settings.SITE_URL).hostname or "", settings.AGENTS_DOMAIN
    if registrable(site) == registrable(agents):
        yield _error(
            f"Agents live below {agents}, which belongs to the same name as the site, {site}: their"
            " pages could set cookies there and pass for it.",
            "Set AGENTS_DOMAIN to a domain of its own, registered for nothing else.",
            "AGENTS_DOMAIN",
        )
    if settings.AGENT_URL.split("//")[0] != "https:" or not urlsplit(
        settings.AGENT_URL.replace("{host}", "a")
    ).netloc.startswith(f"a.{agents}"):
        yield _error(
            f"AGENT_URL is {settings.AGENT_URL}, which is no https address below {agents}.",
            "Unset AGENT_URL, or set it to https://{host}. and AGENTS_DOMAIN.",
            "AGENT_URL",
        )


def _addresses() -> Iterator[Error]:
    for address in settings.EDGE_ADDRESSES:
        if not _is_one_machines(address):
            yield _error(
                f"EDGE_ADDRESSES names {address}, which is no address of one machine in the open"
                " internet. Whoever has it is let into every agent.",
                "Set EDGE_ADDRESSES to the addresses from which Caddy reaches the machines.",
                "EDGE_ADDRESSES",
            )


def _papers() -> Iterator[Error]:
    papers = (settings.EDGE_CERTIFICATE, settings.EDGE_CERTIFICATE_KEY)
    if not all(Path(paper).is_file() for paper in papers):
        yield _error(
            "EDGE_TLS is files, but EDGE_CERTIFICATE or EDGE_CERTIFICATE_KEY names none.",
            f"Set both to the wildcard certificate for *.{settings.AGENTS_DOMAIN} and its key.",
            "EDGE_CERTIFICATE",
        )


def registrable(host: str) -> str:
    """The part of a host name that somebody registered, as far as its shape tells."""
    words = host.lower().rstrip(".").split(".")
    shared = len(words) > 2 and len(words[-1]) == 2 and words[-2] in SHARED_SUFFIXES
    return ".".join(words[-3 if shared else -2 :])


def _is_one_machines(address: str) -> bool:
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError:
        return False
    return network.num_addresses == 1 and network.is_global


def _error(sentence: str, remedy: str, name: str) -> Error:
    return Error(sentence, hint=remedy, id=f"farm.{name}")
