"""The link to Slack in words, and the manifest that a member's app is made from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from farm.agents.models import Agent, SlackLink
from farm.agents.selectors.channels import is_ready
from farm.agents.sentences import sentence_for

SCOPES = ("chat:write", "files:read", "files:write", "im:history", "im:read", "im:write")
MORE_SCOPES = ("reactions:write", "users:read")
LONGEST_NAME = 35
REASONS = {
    SlackLink.State.EXPIRED: "slack_expired",
    SlackLink.State.REFUSED: "slack_refused",
}


@dataclass(frozen=True, slots=True)
class SlackWords:
    """How the link stands; `state` is "" where there is none. `manifest` is JSON to paste."""

    state: str
    bot: str
    team: str
    code: str
    person: str
    ready: bool
    trouble: str
    next: str
    manifest: str
    new_app: str

    @property
    def changes(self) -> bool:
        """Whether the page is to look again."""
        linked = self.state == SlackLink.State.LINKED
        return self.state == SlackLink.State.WAITING or (linked and not self.ready)


def slack_words(agent: Agent) -> SlackWords:
    """What the page shows of the agent's Slack app."""
    link = SlackLink.objects.filter(agent=agent).first()
    words = sentence_for(REASONS.get(SlackLink.State(link.state), "") if link else "")
    manifest = manifest_for(agent.name)
    return SlackWords(
        state=link.state if link else "",
        bot=link.bot_name if link else "",
        team=link.team_name if link else "",
        code=link.code if link else "",
        person=link.user_name if link else "",
        ready=bool(link and is_ready(link)),
        trouble=str(words.what),
        next=str(words.next),
        manifest=manifest,
        new_app=f"https://api.slack.com/apps?new_app=1&manifest_json={quote(manifest)}",
    )


def manifest_for(name: str) -> str:
    """An app of that name which only its direct messages reach, and what it needs for them."""
    called = name[:LONGEST_NAME]
    return json.dumps(
        {
            "display_information": {"name": called},
            "features": {
                "bot_user": {"display_name": called, "always_online": True},
                "app_home": {
                    "home_tab_enabled": False,
                    "messages_tab_enabled": True,
                    "messages_tab_read_only_enabled": False,
                },
            },
            "oauth_config": {"scopes": {"bot": [*SCOPES, *MORE_SCOPES]}},
            "settings": {
                "event_subscriptions": {"bot_events": ["message.im"]},
                "socket_mode_enabled": True,
            },
        },
        indent=1,
        ensure_ascii=False,
    )
