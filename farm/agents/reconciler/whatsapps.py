"""One step of a WhatsApp link: software, a code to scan that changes, linked, logged out, gone."""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone

from farm.agents.events import note
from farm.agents.models import Agent, AgentPhase, WhatsAppLink
from farm.agents.pace import WHATSAPP_CODE, WHATSAPP_LOOK
from farm.agents.reconciler.claims import Claim
from farm.agents.reconciler.plugins import awake, bring, shell_at
from farm.agents.reconciler.troubles import Nap, jitter
from farm.agents.selectors.channels import is_ready
from farm.agents.services.channels import ask_reconfigure, lock
from farm.agents.services.whatsapp import NUMBER
from provisioning import runtime
from provisioning.channels import Plugin
from provisioning.errors import ProvisioningError, Rejected
from provisioning.lifecycle import back_off

logger = logging.getLogger(__name__)
State = WhatsAppLink.State
AT_ONCE = timedelta(0)
NOT_LISTED = (State.EXPIRED, State.LOGGED_OUT)
"""Where no phone has the agent among its linked devices."""
MOST_TRIES = 5
CHANNEL: Mapping[str, object] = {"channel": "whatsapp"}
START_MS, WAIT_MS = 15_000, 10_000
SPARE_SECONDS = 15.0
"""How much longer than the gateway itself the farm waits for its answer."""
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+={0,2}")
LARGEST_PICTURE = 60_000
NOT_NOW = (
    AgentPhase.CONFIGURING,
    AgentPhase.STOPPING,
    AgentPhase.STOPPED,
    AgentPhase.WAKING,
)
"""Phases after which it can log out: whoever wakes it rings."""
PNG = b"\x89PNG\r\n\x1a\n"


def drive_whatsapp(claim: Claim[WhatsAppLink]) -> Nap:
    """Take one step; answers when to look again (None: when somebody rings)."""
    link = claim.row
    if link.state == State.LEAVING:
        return _leave(claim)
    if link.state in (State.EXPIRED, State.LOGGED_OUT):
        return None
    if not is_ready(link):
        return bring(claim, Plugin.WHATSAPP)
    if not awake(link.agent):
        return None
    try:
        return _look(claim) if link.state == State.LINKED else _show_code(claim)
    except Rejected:
        # Such as after a restore: the gateway knows no WhatsApp, so its software is fetched anew.
        return _fetch_again(claim)


def _show_code(claim: Claim[WhatsAppLink]) -> Nap:
    """The next code, or linked. The gateway makes one anew where the last ran out by itself."""
    link, now = claim.row, timezone.now()
    if link.began_at and link.began_at + WHATSAPP_CODE < now:
        return _end(claim, State.EXPIRED, "whatsapp_expired")
    if link.picture:
        told = _call(link, "web.login.wait", WAIT_MS, {"currentQrDataUrl": link.picture})
        if told.get("connected") is True:
            return _record_linked(claim)
        if picture := picture_in(told):
            return _record_picture(claim, picture)
    # What a phone logged out is of no use any more; `force` would also end what works.
    force = {"force": True} if link.linked_at and not link.picture else {}
    told = _call(link, "web.login.start", START_MS, force)
    if picture := picture_in(told):
        return _record_picture(claim, picture)
    if told.get("connected") is True or _is_linked(_status(link)):
        return _record_linked(claim)
    return _no_code(claim)


def _look(claim: Claim[WhatsAppLink]) -> Nap:
    """Whether the phone still has it among its linked devices."""
    if _is_linked(_status(claim.row)):
        return WHATSAPP_LOOK
    return _end(claim, State.LOGGED_OUT, "whatsapp_logged_out")


def _leave(claim: Claim[WhatsAppLink]) -> Nap:
    """Log the account out where it is, so that its phone lists the agent no more."""
    link = claim.row
    if link.agent.phase in NOT_NOW:
        return None
    if link.agent.phase == AgentPhase.RUNNING and is_ready(link):
        try:
            _call(link, "channels.logout", START_MS, {})
        except Rejected:
            note(link.agent, "whatsapp_not_logged_out", at=timezone.now())
        except ProvisioningError:
            if link.attempts + 1 < MOST_TRIES:
                raise
            note(link.agent, "whatsapp_not_logged_out", at=timezone.now())
    _forget(claim)
    return None


def part_from(agent: Agent) -> None:
    """Before its machine goes: one try to log its account out, and a word to its member if in vain.

    Never raises: a deletion does not wait for WhatsApp.
    """
    link = WhatsAppLink.objects.filter(agent=agent).exclude(state__in=NOT_LISTED).first()
    if link is None or not link.ready_on:
        return
    try:
        _call(link, "channels.logout", START_MS, {})
    except ProvisioningError as error:
        logger.info("%s: not logged out: %s", link, error)
        if link.linked_at:
            note(agent, "whatsapp_not_logged_out", at=timezone.now())


def _forget(claim: Claim[WhatsAppLink]) -> None:
    now = timezone.now()
    with claim.recording():
        claim.delete()
        agent = lock(claim.row.agent)
        note(agent, "whatsapp_unlinked", at=now)
        ask_reconfigure(agent, now)


def picture_in(told: Mapping[str, object]) -> str:
    """The code as a data URL that is a PNG and nothing else; "" where there is none."""
    shown = told.get("qrDataUrl")
    if not isinstance(shown, str) or len(shown) > LARGEST_PICTURE or not PICTURE.fullmatch(shown):
        return ""
    try:
        content = base64.b64decode(shown.partition(",")[2], validate=True)
    except binascii.Error:
        return ""
    return shown if content.startswith(PNG) else ""


def _call(
    link: WhatsAppLink, method: str, milliseconds: int, more: Mapping[str, object]
) -> Mapping[str, object]:
    wish = {**CHANNEL, **more}
    if method.startswith("web."):
        wish["timeoutMs"] = milliseconds
    timeout = milliseconds / 1000 + SPARE_SECONDS
    with shell_at(link.agent) as shell:
        return runtime.rpc(shell, link.agent.gateway_token, method, wish, timeout)


def _status(link: WhatsAppLink) -> Mapping[str, object]:
    with shell_at(link.agent) as shell:
        told = runtime.rpc(shell, link.agent.gateway_token, "channels.status", {})
    channels = told.get("channels")
    shown = channels.get("whatsapp") if isinstance(channels, dict) else None
    return shown if isinstance(shown, dict) else {}


def _is_linked(status: Mapping[str, object]) -> bool:
    last = status.get("lastDisconnect")
    out = isinstance(last, dict) and last.get("loggedOut") is True
    return status.get("linked") is True and not (out and status.get("connected") is not True)


def _account_in(status: Mapping[str, object]) -> str:
    shown = status.get("self")
    number = shown.get("e164") if isinstance(shown, dict) else None
    return number if isinstance(number, str) and NUMBER.fullmatch(number) else ""


def _record_picture(claim: Claim[WhatsAppLink], picture: str) -> Nap:
    link = claim.row
    fields = ["state", "picture", "trouble"]
    seen, link.state, link.picture = link.state, State.WAITING, picture
    link.trouble, link.attempts = "", 0
    if link.began_at is None:
        link.began_at = timezone.now()
        fields.append("began_at")
    _save(claim, seen, *fields)
    return AT_ONCE


def _record_linked(claim: Claim[WhatsAppLink]) -> Nap:
    link, now = claim.row, timezone.now()
    account = _account_in(_status(link))
    seen, link.state, link.linked_at, link.account = link.state, State.LINKED, now, account
    link.picture, link.trouble, link.attempts, link.began_at = "", "", 0, None
    fields = ("state", "linked_at", "account", "picture", "trouble", "began_at")
    if _save(claim, seen, *fields):
        note(link.agent, "whatsapp_linked", at=now)
    return WHATSAPP_LOOK


def _save(claim: Claim[WhatsAppLink], seen: str, *fields: str) -> bool:
    """Write these, unless the member wished something else while the machine was asked."""
    with claim.recording():
        still = WhatsAppLink.objects.filter(pk=claim.row.pk, state=seen).exists()
        if still:
            claim.save(*fields)
    return still


def _no_code(claim: Claim[WhatsAppLink]) -> Nap:
    link = claim.row
    link.attempts += 1
    link.trouble = "whatsapp_no_code"
    if link.attempts >= MOST_TRIES:
        return _end(claim, State.EXPIRED, "whatsapp_no_code")
    _save(claim, link.state, "trouble")
    return back_off(link.attempts, jitter())


def _fetch_again(claim: Claim[WhatsAppLink]) -> Nap:
    link = claim.row
    link.attempts += 1
    link.ready_on = ""
    with claim.recording():
        claim.save("ready_on")
    return back_off(link.attempts + 2, jitter())


def _end(claim: Claim[WhatsAppLink], state: WhatsAppLink.State, code: str) -> Nap:
    link, now = claim.row, timezone.now()
    seen, link.state, link.picture, link.began_at, link.attempts = link.state, state, "", None, 0
    if _save(claim, seen, "state", "picture", "began_at", "trouble"):
        note(link.agent, code, at=now)
    return None
