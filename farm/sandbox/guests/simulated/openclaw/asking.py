"""Who asks the gateway and what they may do, by its config: the farm, the proxy, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from farm.sandbox.guests.simulated.openclaw.config import Config

DEFAULT_SCOPES = (
    "operator.admin",
    "operator.read",
    "operator.write",
    "operator.approvals",
    "operator.pairing",
    "operator.talk.secrets",
)
LEAVES_TRACES = ("forwarded", "x-real-ip", "x-forwarded-")


class Unattributed(Exception):  # noqa: N818
    """It came through a proxy that the config does not know, or that does not say for whom."""


@dataclass(frozen=True, slots=True)
class Asking:
    """`user` is "" for the farm itself, None for nobody known; `scopes` are what they may do."""

    user: str | None
    scopes: tuple[str, ...] = ()


def who_asks(config: Config, headers: Mapping[str, str], peer: str, *, inside: bool) -> Asking:
    """As the runtime decides it; `inside` says that the call is from the machine's own loopback."""
    proxied = any(name.lower().startswith(LEAVES_TRACES) for name in headers)
    trusted = not inside and _is_among(peer, config.words("gateway.trustedProxies"))
    if proxied and not (trusted and _client(headers)):
        raise Unattributed
    by_proxy = config.text("gateway.auth.mode") == "trusted-proxy"
    bearer = headers.get("Authorization") == f"Bearer {config.token}"
    if bearer and (inside or not by_proxy):
        return Asking("", DEFAULT_SCOPES)
    return _named(config, headers) if by_proxy and trusted else Asking(None)


def _named(config: Config, headers: Mapping[str, str]) -> Asking:
    auth = "gateway.auth.trustedProxy"
    user = headers.get(config.text(f"{auth}.userHeader"), "").strip()
    needed = config.words(f"{auth}.requiredHeaders")
    allowed = config.words(f"{auth}.allowUsers")
    if not user or not all(headers.get(name) for name in needed):
        return Asking(None)
    if allowed and user not in allowed:
        return Asking(None)
    declared = headers.get("X-OpenClaw-Scopes")
    if declared is None:
        return Asking(user, DEFAULT_SCOPES)
    return Asking(user, tuple(word.strip() for word in declared.split(",") if word.strip()))


def _client(headers: Mapping[str, str]) -> bool:
    """Whether the proxy says for whom it asks, and that it is somebody elsewhere."""
    told = headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return not ip_address(told).is_loopback
    except ValueError:
        return False


def _is_among(peer: str, networks: list[str]) -> bool:
    try:
        return any(ip_address(peer) in ip_network(one, strict=False) for one in networks)
    except ValueError:
        return False
