"""Rows of links to Slack and WhatsApp, as a worker would leave them."""

from __future__ import annotations

import segno
from django.utils import timezone

from farm.agents.machine_of import machine_of
from farm.agents.models import Agent, SlackLink, WhatsAppLink

TOKENS = ("xoxb-1-of-nobody", "xapp-1-of-nobody")
NUMBER = "+33612345678"
CODE = "2@a-code-that-links-nobody," + "x" * 160


def slack(agent: Agent, state: SlackLink.State) -> SlackLink:
    """A link to Slack in that state; its machine is ready for a linked one."""
    machine = machine_of(agent)
    return SlackLink.objects.create(
        agent=agent,
        bot_token=TOKENS[0],
        app_token=TOKENS[1],
        bot_id="UBOT",
        bot_name=agent.name,
        team_name="Atelier",
        code="7K3QXY",
        state=state,
        user_name="Zoé",
        asked_at=timezone.now(),
        ready_on=machine.uid if machine and state == SlackLink.State.LINKED else "",
    )


def whatsapp(agent: Agent, state: WhatsAppLink.State, *, account: str = "") -> WhatsAppLink:
    """A link to WhatsApp in that state, with a code to scan while it waits for one."""
    waits, machine = state == WhatsAppLink.State.WAITING, machine_of(agent)
    return WhatsAppLink.objects.create(
        agent=agent,
        number=NUMBER,
        account=account,
        picture=segno.make(CODE, micro=False).png_data_uri(scale=4) if waits else "",
        state=state,
        asked_at=timezone.now(),
        ready_on=machine.uid if machine and state == WhatsAppLink.State.LINKED else "",
    )
