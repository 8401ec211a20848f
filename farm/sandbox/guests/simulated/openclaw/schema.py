"""Which keys the runtime's config may have: an unknown one makes it invalid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from farm.sandbox.wire import Json

Shape: TypeAlias = "type | frozenset[str] | Mapping[str, Shape] | tuple[Shape, ...]"
"""A scalar's type, the words allowed, an object's keys ("*" for any), or alternatives."""

SECRET: Shape = (
    str,
    {"source": frozenset({"env", "file", "exec", "store"}), "provider": str, "id": str},
)
ANY: Shape = (str, bool, int, float, list, {"*": object})
CHANNEL: Shape = {
    "enabled": bool,
    "botToken": SECRET,
    "appToken": SECRET,
    "token": SECRET,
    "apiRoot": str,
    "dmPolicy": frozenset({"pairing", "allowlist", "open", "disabled"}),
    "allowFrom": list,
    "groupPolicy": frozenset({"allowlist", "open", "disabled"}),
    "groups": ANY,
    "mode": str,
    "streaming": ANY,
    "network": ANY,
    "actions": ANY,
    "replyToMode": str,
    "accounts": ANY,
}
PROVIDER: Shape = {
    "apiKey": SECRET,
    "baseUrl": str,
    "headers": ANY,
    "auth": str,
    "models": list,
    "timeoutMs": int,
    "api": frozenset(
        {
            "openai-completions",
            "openai-responses",
            "anthropic-messages",
            "google-generative-ai",
            "ollama",
            "github-copilot",
            "bedrock-converse-stream",
        }
    ),
}
SHAPE: Mapping[str, Shape] = {
    "gateway": {
        "mode": frozenset({"local", "remote"}),
        "port": int,
        "bind": str,
        "publicOrigin": str,
        "auth": {
            "mode": frozenset({"none", "token", "password", "trusted-proxy"}),
            "token": SECRET,
            "password": SECRET,
            "rateLimit": {"maxAttempts": int, "windowMs": int, "lockoutMs": int},
            "trustedProxy": ANY,
            "allowTailscale": bool,
        },
        "trustedProxies": list,
        "terminal": {"enabled": bool},
        "tls": ANY,
        "reload": ANY,
        "tailscale": ANY,
        "controlUi": {
            "enabled": bool,
            "allowedOrigins": list,
            "basePath": str,
            "communityInvite": bool,
            "deviceAutoApprove": ANY,
            "dangerouslyDisableDeviceAuth": bool,
        },
        "http": {"endpoints": {"chatCompletions": ANY, "responses": ANY}},
        "tools": ANY,
        "nodes": ANY,
    },
    "agents": {
        "defaults": {
            "workspace": str,
            "skipBootstrap": bool,
            "model": (str, {"primary": str, "fallbacks": list}),
            "models": ANY,
            "heartbeat": ANY,
            "userTimezone": str,
            "maxConcurrent": int,
            "sandbox": ANY,
            "timeoutSeconds": int,
            "thinkingDefault": str,
            "contextPruning": ANY,
            "compaction": ANY,
            "subagents": ANY,
            "imageModel": ANY,
            "bootstrapMaxChars": int,
        },
        "entries": {"*": {"*": object}},
        "list": list,
    },
    "models": {"mode": frozenset({"merge", "replace"}), "providers": {"*": PROVIDER}},
    "channels": {"*": CHANNEL},
    "commands": {"*": object},
    "session": {"*": object},
    "bindings": list,
    "hooks": {"*": object},
    "tools": {
        "profile": frozenset({"minimal", "coding", "messaging", "full"}),
        "elevated": ANY,
        "exec": {
            "host": frozenset({"sandbox", "gateway", "node", "auto"}),
            "mode": frozenset({"deny", "allowlist", "ask", "auto", "full"}),
            "timeoutSec": int,
            "*": object,
        },
        "allow": list,
        "deny": list,
        "alsoAllow": list,
        "loopDetection": ANY,
        "web": ANY,
        "agentToAgent": ANY,
        "swarm": ANY,
        "byProvider": ANY,
        "fs": ANY,
        "sessions": ANY,
    },
    "memory": {"*": object},
    "skills": {"*": object},
    "plugins": {"*": object},
    "discovery": {"*": object},
    "update": {"*": object},
    "telemetry": {"*": object},
    "logging": {"*": object},
    "secrets": {"*": object},
    "messages": {"*": object},
    "browser": {"*": object},
    "cron": {"*": object},
    "env": {"*": object},
    "meta": {"*": object},
    "wizard": {"*": object},
    "ui": {"*": object},
    "talk": {"*": object},
}


def problems(tree: Mapping[str, Json]) -> list[str]:
    """A line for each thing the runtime would refuse, such as `gateway.prot: unrecognized key`."""
    return list(_check("", dict(tree), SHAPE))


def _check(path: str, value: Json, shape: Shape) -> list[str]:
    if isinstance(shape, tuple):
        tries = [_check(path, value, one) for one in shape]
        return [] if [] in tries else tries[-1]
    if isinstance(shape, frozenset):
        words = ", ".join(sorted(shape))
        return (
            []
            if isinstance(value, str) and value in shape
            else [f"{path}: expected one of {words}"]
        )
    if isinstance(shape, Mapping):
        return _check_object(path, value, shape)
    good = isinstance(value, shape) and not (shape in {int, float} and isinstance(value, bool))
    return [] if good else [f"{path}: expected {shape.__name__}"]


def _check_object(path: str, value: Json, shape: Mapping[str, Shape]) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path or 'config'}: expected object"]
    found: list[str] = []
    for name, inner in value.items():
        place = f"{path}.{name}".lstrip(".")
        if name in shape:
            found += _check(place, inner, shape[name])
        elif "*" in shape:
            found += _check(place, inner, shape["*"])
        else:
            found.append(f"{place}: unrecognized key")
    return found
