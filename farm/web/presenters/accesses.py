"""Who else was at an agent, in words: what its page owes to the person it is for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from farm.accounts.models import User
from farm.accounts.permissions import Action
from farm.accounts.selectors import accesses_to, members_of
from farm.agents.models import Agent
from farm.agents.selectors import may_with

# By the verb of the audit trail; what is not here is shown as it stands there.
WORDS: Mapping[str, str | Promise] = {
    "look at agent": _("looked at its page"),
    "log in": _("logged in to its machine"),
    "read log": _("read its machine's log"),
    "restart agent": _("restarted it"),
    "retry agent": _("tried it again"),
    "delete agent": _("deleted it"),
    "delete agent without a backup": _("deleted it without a backup"),
    "back up agent": _("backed it up"),
    "restore agent": _("brought an older state of it back"),
    "bring agent back": _("brought it back after its deletion"),
    "transfer agent": _("handed it over"),
    "unlink telegram": _("took its Telegram away"),
}


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One time that somebody else was there."""

    at: datetime
    who: str
    what: str
    door: str


def access_lines(agent: Agent) -> Sequence[AccessLine]:
    """Everybody but the person it is for, the newest first."""
    return [
        AccessLine(access.at, access.who, str(WORDS.get(access.verb, access.verb)), access.door)
        for access in accesses_to(agent.uid, agent.owner)
    ]


def may_transfer(reader: User, agent: Agent) -> bool:
    """Whether the reader may hand it over, and there is somebody to hand it to."""
    others = members_of(agent.account).exclude(user=agent.owner)
    return may_with(reader, agent, Action.TRANSFER_AGENT) and others.exists()
