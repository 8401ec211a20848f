"""The link to WhatsApp in words, and the code to scan as an image of the farm's own address."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from farm.agents.models import Agent, AgentPhase, WhatsAppLink
from farm.agents.sentences import sentence_for

State = WhatsAppLink.State
REASONS = {State.EXPIRED: "whatsapp_expired", State.LOGGED_OUT: "whatsapp_logged_out"}
CHANGING = (State.PREPARING, State.WAITING, State.LEAVING)


@dataclass(frozen=True, slots=True)
class WhatsAppWords:
    """How the link stands; `state` is "" where there is none.

    `code` names the picture to scan, "" without one; `changes` whether the page is to look again.
    """

    state: str = ""
    number: str = ""
    account: str = ""
    code: str = ""
    runs: bool = False
    trouble: str = ""
    next: str = ""
    changes: bool = False

    @property
    def to_itself(self) -> bool:
        """Whether the member's own account was linked: they write to themselves."""
        return self.account == self.number

    @property
    def mark(self) -> str:
        """Another one whenever the page would look otherwise."""
        return f"{self.state}-{self.code}-{self.runs:d}-{bool(self.trouble):d}"


def whatsapp_words(agent: Agent) -> WhatsAppWords:
    """What the page shows of the agent's WhatsApp."""
    link = WhatsAppLink.objects.filter(agent=agent).first()
    if link is None:
        return WhatsAppWords()
    words = sentence_for(link.trouble or REASONS.get(State(link.state), ""))
    return WhatsAppWords(
        state=link.state,
        number=link.number,
        account=link.account,
        code=hashlib.sha256(link.picture.encode()).hexdigest()[:12] if link.picture else "",
        runs=agent.phase == AgentPhase.RUNNING,
        trouble=str(words.what),
        next=str(words.next),
        changes=link.state in CHANGING,
    )


def picture_of(agent: Agent) -> bytes:
    """The code to scan now, as a PNG; LookupError without one."""
    link = WhatsAppLink.objects.filter(agent=agent, state=State.WAITING).first()
    if link is None or not link.picture:
        raise LookupError(agent.uid)
    return base64.b64decode(link.picture.partition(",")[2])
