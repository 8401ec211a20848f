"""The runtime's gateway as the farm talks to it: is it ready, and what does the agent answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote
from uuid import uuid4

from provisioning.errors import AnswerLost, Rejected, Transient
from provisioning.quoting import plain
from provisioning.runtime_files import PORT
from provisioning.ssh import Shell
from provisioning.streams import HttpAnswer

_PROBE_TIMEOUT = 15.0
_LATER = {408: "model_failed", 429: "model_busy", 503: "gateway_busy"}
_SESSIONS = 20
_OWN_PLANS = ":cron:"
_LATEST = 10**13
_ANSWER_LIMIT = 100_000
"""Letters of an agent's answer that are kept."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the agent may be called running. `why` is a sentence when it may not.

    `talked_at` is the machine's word on when somebody last talked to the agent, wherever they did;
    what it does by its own plans does not count. None if it says nothing of that.
    """

    started: bool
    ready: bool
    suppressed: tuple[str, ...] = ()
    degraded_secrets: tuple[str, ...] = ()
    why: str = ""
    talked_at: datetime | None = None

    @property
    def good(self) -> bool:
        """Started, ready, no channel held back, and every secret in place."""
        return self.started and self.ready and not (self.suppressed or self.degraded_secrets)


def readiness(shell: Shell, gateway_token: str) -> Readiness:
    """Ask the gateway itself, three short requests; Transient "nothing_listens" if it is down."""
    if (startup := _get(shell, "/startupz")).status != 200:
        return Readiness(started=False, ready=False, why=f"It is starting ({startup.status}).")
    ready = _object(_get(shell, "/readyz").body)
    failing, suppressed = _words(ready.get("failing")), _words(ready.get("suppressed"))
    status = rpc(shell, gateway_token, "status", {})
    degraded = _degraded_secrets(status)
    return Readiness(
        started=True,
        ready=ready.get("ready") is True and not failing,
        suppressed=suppressed,
        degraded_secrets=degraded,
        why=_why(failing, suppressed, degraded),
        talked_at=_talked_at(status),
    )


def say(shell: Shell, gateway_token: str, text: str, *, user: str, timeout: float = 120.0) -> str:
    """One turn in the conversation named `user`: what the agent answers, as plain text.

    Rejected with code model_refused_key, model_no_credit or model_refused when only the person
    with the key can mend it; Transient with gateway_down, gateway_busy, gateway_token, model_busy
    or model_failed when a later try may do; AnswerLost with timeout or connection_lost.
    """
    request = {
        "model": "openclaw/default",
        "messages": [{"role": "user", "content": text}],
        "user": user,
    }
    body = json.dumps(request).encode()
    path = "/v1/chat/completions"
    answer = _ask(shell, path, gateway_token, body, timeout)
    if answer.status != 200:
        raise _refusal(answer)
    return _content(answer.body)


def rpc(
    shell: Shell,
    gateway_token: str,
    method: str,
    params: Mapping[str, object],
    timeout: float = _PROBE_TIMEOUT,
) -> Mapping[str, object]:
    """Call one of the gateway's own methods, such as "channels.status"; the object it answers.

    Every byte of it, up to 1 MiB, is the machine's word. Rejected with gateway_refused when the
    call itself is wrong: no such method, no such channel. Transient with gateway_down, gateway_busy
    or gateway_token when a later try may do; AnswerLost with timeout, connection_lost or bad_answer
    when it may have had its effect.
    """
    body = json.dumps({"method": method, "params": params}).encode()
    answer = _ask(shell, "/api/v1/admin/rpc", gateway_token, body, timeout)
    if answer.status != 200:
        raise _rpc_refusal(method, answer)
    payload = _object(answer.body).get("payload")
    if not isinstance(payload, dict):
        raise AnswerLost("bad_answer", "The agent's program answered in a way we cannot read.")
    return payload


def is_at_work(shell: Shell, gateway_token: str) -> bool:
    """Whether it answers somebody just now, wherever they wrote, or has work of its own.

    The gateway tells so when it is asked to hold still for a moment, which is taken back at once.
    """
    wish = {"requestId": str(uuid4()), "terminalPolicy": "terminate"}
    told = rpc(shell, gateway_token, "gateway.suspend.prepare", wish)
    if told.get("status") == "ready":
        held = {"suspensionId": str(told.get("suspensionId"))}
        rpc(shell, gateway_token, "gateway.suspend.resume", held)
    return told.get("status") == "busy"


def open_url(origin: str, gateway_token: str) -> str:
    """The address that opens the agent's Control UI in one click.

    The token is in the fragment, which no server ever sees; the page stores it and takes it out
    of the address. `origin` must be the settings' `control_ui_origin`.
    """
    return f"{origin}/#token={quote(gateway_token, safe='')}"


def _get(shell: Shell, path: str) -> HttpAnswer:
    try:
        return shell.http(PORT, "GET", path, headers={}, timeout=_PROBE_TIMEOUT)
    except Transient as error:
        raise _down(error) from error


def _ask(shell: Shell, path: str, token: str, body: bytes, timeout: float) -> HttpAnswer:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        return shell.http(PORT, "POST", path, headers=headers, body=body, timeout=timeout)
    except Transient as error:
        raise _down(error) from error


def _down(error: Transient) -> Transient:
    if error.code == "nothing_listens":
        return Transient("gateway_down", "The agent's program is not listening.")
    return error


def _degraded_secrets(status: Mapping[str, object]) -> tuple[str, ...]:
    owners = status.get("degradedSecretOwners")
    if not isinstance(owners, list):
        return ("unknown",)
    return tuple(plain(json.dumps(owner), limit=200) for owner in owners)


def _talked_at(status: Mapping[str, object]) -> datetime | None:
    """The newest of its conversations that somebody else had a part in."""
    match status.get("sessions"):
        case {"recent": list(recent)}:
            times = [at for one in recent[:_SESSIONS] if (at := _last_of(one)) is not None]
            return max(times, default=None)
    return None


def _last_of(session: object) -> datetime | None:
    match session:
        case {"key": str(key), "updatedAt": int(at)} if _OWN_PLANS not in key:
            # Times that no calendar has are a lie or a mistake of the machine's.
            return datetime.fromtimestamp(at / 1000, UTC) if 0 < at < _LATEST else None
    return None


def _why(failing: Sequence[str], suppressed: Sequence[str], degraded: Sequence[str]) -> str:
    reasons = [f"{name} does not work" for name in failing]
    reasons += [f"{name} is held back after crashes" for name in suppressed]
    reasons += [f"a secret is missing: {owner}" for owner in degraded]
    return "; ".join(reasons)


def _refusal(answer: HttpAnswer) -> Transient | Rejected:
    kind, message = _kind_and_message(_object(answer.body).get("error"))
    if answer.status == 401 and kind == "unauthorized":
        return Transient("gateway_token", "The agent's program does not know the farm's token.")
    if answer.status == 402 or kind == "insufficient_quota":
        return Rejected("model_no_credit", f"The model's account has no credit: {message}")
    if answer.status in (401, 403):
        return Rejected("model_refused_key", f"The model's provider refuses the key: {message}")
    if answer.status in _LATER or answer.status >= 500:
        code = _LATER.get(answer.status, "model_failed")
        return Transient(code, f"The model did not answer ({answer.status}): {message}")
    return Rejected("model_refused", f"The model's provider refuses the request: {message}")


def _rpc_refusal(method: str, answer: HttpAnswer) -> Transient | Rejected:
    _, message = _kind_and_message(_object(answer.body).get("error"))
    if answer.status == 401:
        return Transient("gateway_token", "The agent's program does not know the farm's token.")
    if answer.status in (400, 409):
        return Rejected("gateway_refused", f"The agent's program refuses {method}: {message}")
    return Transient("gateway_busy", f"{method} got no answer ({answer.status}): {message}")


def _kind_and_message(error: object) -> tuple[str, str]:
    if not isinstance(error, dict):
        return "", ""
    return str(error.get("type", "")), plain(str(error.get("message", "")), limit=300)


def _content(body: bytes) -> str:
    choices = _object(body).get("choices")
    match choices:
        case [{"message": {"content": str(text)}}, *_]:
            return plain(text, limit=_ANSWER_LIMIT)
    raise AnswerLost("bad_answer", "The agent's program answered in a way we cannot read.")


def _object(body: bytes) -> Mapping[str, object]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _words(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(plain(str(word), limit=60) for word in value)
