"""Every question that a door may ask about agents."""

from farm.agents.selectors.agents import (
    agent_for,
    agents_of,
    conversation_of,
    events_of,
    has_room,
    left_behind_in,
    living_agents_in,
    open_url_of,
    origin_of,
    place_of,
    ready_in_seconds,
    suggestions_of,
)
from farm.agents.selectors.choices import ModelChoice, model_choices
from farm.agents.selectors.edge import Way, agent_at, way_for
from farm.agents.selectors.fleet import Pause, due_rows, last_beat, orphans, provider_pauses
from farm.agents.selectors.invitations import Promise, payers_of, promise_of
from farm.agents.selectors.money import Cost, Quote, cost_of, offer_for, spent_on
from farm.agents.selectors.months import (
    AccountMonth,
    AgentMonth,
    MemberMonth,
    account_month,
    member_month,
    month_statement,
    payers_in,
)
from farm.agents.selectors.progress import Progress, ProgressLine, Waiting, progress_of
from farm.agents.selectors.rights import has_keeper, may_with
from farm.agents.selectors.shared_keys import shared_keys_of
from farm.agents.selectors.silences import Silent, silence_of

__all__ = [
    "AccountMonth",
    "AgentMonth",
    "Cost",
    "MemberMonth",
    "ModelChoice",
    "Pause",
    "Progress",
    "ProgressLine",
    "Promise",
    "Quote",
    "Silent",
    "Waiting",
    "Way",
    "account_month",
    "agent_at",
    "agent_for",
    "agents_of",
    "conversation_of",
    "cost_of",
    "due_rows",
    "events_of",
    "has_keeper",
    "has_room",
    "last_beat",
    "left_behind_in",
    "living_agents_in",
    "may_with",
    "member_month",
    "model_choices",
    "month_statement",
    "offer_for",
    "open_url_of",
    "origin_of",
    "orphans",
    "payers_in",
    "payers_of",
    "place_of",
    "progress_of",
    "promise_of",
    "provider_pauses",
    "ready_in_seconds",
    "shared_keys_of",
    "silence_of",
    "spent_on",
    "suggestions_of",
    "way_for",
]
