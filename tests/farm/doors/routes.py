"""Every route of site, set-up and API, and which line of the table of permissions it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType

from django.urls import URLPattern, URLResolver, get_resolver

from farm.accounts.permissions import Action

A = Action


class About(StrEnum):
    """What a route is about: whoever asks stands to that in some way."""

    FARM = "farm"
    ACCOUNT = "account"
    AGENT = "agent"
    EDGE = "what only the edge's proxy asks"
    SET_UP = "the farm's beginning"


@dataclass(frozen=True, slots=True)
class Rule:
    """The line of the table for one route: by method, what is done there.

    Nothing at all is at a route without methods. `lenient` is one that may also answer a method
    that it does not know by leading on.
    """

    about: About
    methods: Mapping[str, Action]
    lenient: bool = False


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _get(action: Action, about: About) -> Rule:
    return Rule(about, {"GET": action})


def _post(action: Action, about: About) -> Rule:
    return Rule(about, {"POST": action})


def _both(action: Action, about: About, post: Action | None = None) -> Rule:
    return Rule(about, {"GET": action, "POST": post or action})


def _form(action: Action, about: About) -> Rule:
    """Django-allauth leads people on before it looks at the method."""
    return Rule(about, dict.fromkeys(METHODS, action), lenient=True)


def _every(action: Action, about: About) -> Rule:
    return Rule(about, dict.fromkeys(METHODS, action))


EVERYBODY, PEOPLE = A.SIGN_UP, A.OPEN_ACCOUNT
FARM, ACCOUNT, AGENT, EDGE = About.FARM, About.ACCOUNT, About.AGENT, About.EDGE

SITE: Mapping[str, Rule] = {
    "landing": _get(EVERYBODY, FARM),
    "healthz": _get(EVERYBODY, FARM),
    "stripe_webhook": _post(EVERYBODY, FARM),
    "language": _post(EVERYBODY, FARM),
    "account": _both(PEOPLE, FARM),
    "tokens": _both(PEOPLE, FARM),
    "revoke_token": _post(PEOPLE, FARM),
    "edge_auth": _get(A.ASK_THE_WAY, EDGE),
    "edge_enter": _get(A.ASK_THE_WAY, EDGE),
    "edge_ask": _get(A.ASK_THE_WAY, EDGE),
    "open_edge": _get(A.OPEN_CONSOLE, AGENT),
    "open_invitation": _get(EVERYBODY, FARM),
    "invitation": _both(EVERYBODY, FARM),
    "invitation_who": _get(EVERYBODY, FARM),
    "invitation_agent": _both(PEOPLE, FARM),
    "new_account": _post(PEOPLE, FARM),
    "team": _get(A.SEE_ACCOUNT, ACCOUNT),
    "switch_account": _post(A.SEE_ACCOUNT, ACCOUNT),
    "rename_account": _post(A.RENAME_ACCOUNT, ACCOUNT),
    "leave_account": _both(A.LEAVE_ACCOUNT, ACCOUNT),
    "change_role": _post(A.MANAGE_PEOPLE, ACCOUNT),
    "remove_member": _both(A.MANAGE_PEOPLE, ACCOUNT),
    "new_invitation": _both(A.MANAGE_PEOPLE, ACCOUNT),
    "revoke_invitation": _post(A.MANAGE_PEOPLE, ACCOUNT),
    "money": _get(PEOPLE, FARM),
    "account_money": _get(A.MANAGE_MONEY, ACCOUNT),
    "new_payer": _post(A.MANAGE_MONEY, ACCOUNT),
    "limit_for_all": _both(A.MANAGE_MONEY, ACCOUNT),
    "limit": _both(A.MANAGE_MONEY, ACCOUNT),
    "statement": _get(A.MANAGE_MONEY, ACCOUNT),
    "hours": _get(A.MANAGE_MONEY, ACCOUNT),
    "wallet": _get(A.MANAGE_MONEY, ACCOUNT),
    "new_top_up": _post(A.MANAGE_MONEY, ACCOUNT),
    "top_up": _get(A.MANAGE_MONEY, ACCOUNT),
    "automatic_top_up": _post(A.MANAGE_MONEY, ACCOUNT),
    "add_card": _post(A.MANAGE_MONEY, ACCOUNT),
    "card_back": _get(A.MANAGE_MONEY, ACCOUNT),
    "forget_card": _post(A.MANAGE_MONEY, ACCOUNT),
    "portal": _post(A.MANAGE_MONEY, ACCOUNT),
    "vat_id": _post(A.MANAGE_MONEY, ACCOUNT),
    "papers": _get(A.MANAGE_MONEY, ACCOUNT),
    "paper": _get(A.MANAGE_MONEY, ACCOUNT),
    "agent_hours": _get(A.SEE_AGENT, AGENT),
    "export_statement": _get(A.MANAGE_MONEY, ACCOUNT),
    "agent_payer": _both(A.PAY_AGENT, AGENT),
    "keys": _both(A.MANAGE_KEYS, ACCOUNT),
    "revoke_key": _post(A.MANAGE_KEYS, ACCOUNT),
    "budget": _both(A.SEE_AGENT, AGENT, A.PAY_AGENT),
    "ask_budget": _post(A.MANAGE_AGENT, AGENT),
    "renew_relay_key": _post(A.MANAGE_AGENT, AGENT),
    "use_key": _post(A.MANAGE_AGENT, AGENT),
    "decide_budget": _both(A.PAY_AGENT, AGENT),
    "operator": _get(A.OPERATE_FARM, FARM),
    "agents": _get(PEOPLE, FARM),
    "new_agent": _both(PEOPLE, FARM),
    "offer": _get(PEOPLE, FARM),
    "agent": _get(A.SEE_AGENT, AGENT),
    "progress": _get(A.SEE_AGENT, AGENT),
    "retry": _post(A.MANAGE_AGENT, AGENT),
    "restart_agent": _post(A.MANAGE_AGENT, AGENT),
    "open_agent": _get(A.OPEN_CONSOLE, AGENT),
    "delete_agent": _both(A.MANAGE_AGENT, AGENT),
    "stop_agent": _post(A.MANAGE_AGENT, AGENT),
    "wake_agent": _both(A.MANAGE_AGENT, AGENT),
    "agree_price": _post(A.MANAGE_AGENT, AGENT),
    "machine": _get(A.MANAGE_AGENT, AGENT),
    "resize_agent": _post(A.MANAGE_AGENT, AGENT),
    "move_agent": _both(A.MANAGE_AGENT, AGENT),
    "rebuild_agent": _both(A.MANAGE_AGENT, AGENT),
    "take_back_change": _post(A.MANAGE_AGENT, AGENT),
    "schedule": _both(A.MANAGE_AGENT, AGENT),
    "keep_running": _post(A.MANAGE_AGENT, AGENT),
    "transfer_agent": _both(A.TRANSFER_AGENT, AGENT),
    "backups": _get(A.SEE_AGENT, AGENT),
    "back_up": _post(A.BACK_UP_AGENT, AGENT),
    "restore": _both(A.RESTORE_AGENT, AGENT),
    "bring_back": _both(A.RESTORE_AGENT, AGENT),
    "save_again": _post(A.MANAGE_AGENT, AGENT),
    "delete_unsaved": _post(A.MANAGE_AGENT, AGENT),
    "conversation": _get(A.READ_CONVERSATION, AGENT),
    "say": _post(A.SPEAK, AGENT),
    "say_again": _post(A.SPEAK, AGENT),
    "telegram": _get(A.LINK_CHANNEL, AGENT),
    "offer_telegram": _post(A.LINK_CHANNEL, AGENT),
    "link_telegram": _post(A.LINK_CHANNEL, AGENT),
    "unlink_telegram": _post(A.CUT_OFF_CHANNEL, AGENT),
    "slack": _get(A.LINK_CHANNEL, AGENT),
    "link_slack": _post(A.LINK_CHANNEL, AGENT),
    "unlink_slack": _post(A.CUT_OFF_CHANNEL, AGENT),
    "whatsapp": _get(A.LINK_CHANNEL, AGENT),
    "whatsapp_code": _get(A.LINK_CHANNEL, AGENT),
    "link_whatsapp": _post(A.LINK_CHANNEL, AGENT),
    "renew_whatsapp": _post(A.LINK_CHANNEL, AGENT),
    "unlink_whatsapp": _post(A.CUT_OFF_CHANNEL, AGENT),
}
# Coming in, and what belongs to how one comes in: written by django-allauth.
ENTRANCE: Mapping[str, Rule] = {
    "account_login": _form(EVERYBODY, FARM),
    "account_logout": _form(EVERYBODY, FARM),
    "account_inactive": _form(EVERYBODY, FARM),
    "account_signup": _form(EVERYBODY, FARM),
    "account_reauthenticate": _form(PEOPLE, FARM),
    "account_email": _form(PEOPLE, FARM),
    "account_email_verification_sent": _form(EVERYBODY, FARM),
    "account_change_password": _form(PEOPLE, FARM),
    "account_set_password": _form(PEOPLE, FARM),
    "account_reset_password": _form(EVERYBODY, FARM),
    "account_confirm_login_code": _form(EVERYBODY, FARM),
    "account_confirm_password_reset_code": _form(EVERYBODY, FARM),
    "account_complete_password_reset": _form(EVERYBODY, FARM),
    "account_password_reset_completed": _form(EVERYBODY, FARM),
    "account_request_login_code": _form(EVERYBODY, FARM),
}
API: Mapping[str, Rule] = {
    "api_schema": _get(EVERYBODY, FARM),
    "api_nothing": Rule(FARM, {}),
    "api_accounts": _get(PEOPLE, FARM),
    "api_invitations": _both(A.MANAGE_PEOPLE, ACCOUNT),
    "api_invitation": Rule(ACCOUNT, {"DELETE": A.MANAGE_PEOPLE}),
    "api_payers": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_statement": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_balance": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_days": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_lines": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_papers": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_limits": Rule(ACCOUNT, {"GET": A.MANAGE_MONEY, "PUT": A.MANAGE_MONEY}),
    "api_top_ups": _both(A.MANAGE_MONEY, ACCOUNT),
    "api_top_up": _get(A.MANAGE_MONEY, ACCOUNT),
    "api_card": Rule(ACCOUNT, dict.fromkeys(("GET", "POST", "DELETE"), A.MANAGE_MONEY)),
    "api_automatic": Rule(ACCOUNT, {"PUT": A.MANAGE_MONEY}),
    "api_vat_id": Rule(ACCOUNT, dict.fromkeys(("GET", "PUT", "DELETE"), A.MANAGE_MONEY)),
    "api_agent_lines": _get(A.SEE_AGENT, AGENT),
    "api_agents": _both(PEOPLE, FARM),
    "api_agent": Rule(AGENT, {"GET": A.SEE_AGENT, "DELETE": A.MANAGE_AGENT}),
    "api_retry": _post(A.MANAGE_AGENT, AGENT),
    "api_restart": _post(A.MANAGE_AGENT, AGENT),
    "api_machine": _get(A.SEE_AGENT, AGENT),
    "api_take_back": _post(A.MANAGE_AGENT, AGENT),
    "api_stop": _post(A.MANAGE_AGENT, AGENT),
    "api_wake": _post(A.MANAGE_AGENT, AGENT),
    "api_resize": _post(A.MANAGE_AGENT, AGENT),
    "api_move": _post(A.MANAGE_AGENT, AGENT),
    "api_rebuild": _post(A.MANAGE_AGENT, AGENT),
    "api_schedule": Rule(
        AGENT, {"GET": A.SEE_AGENT, "PUT": A.MANAGE_AGENT, "DELETE": A.MANAGE_AGENT}
    ),
    "api_keep": _post(A.MANAGE_AGENT, AGENT),
    "api_events": _get(A.SEE_AGENT, AGENT),
    "api_cost": _get(A.SEE_AGENT, AGENT),
}
# A farm that is being set up has these and nothing of the site.
SET_UP: Mapping[str, Rule] = {
    "landing": _every(EVERYBODY, FARM),
    "agents": _every(EVERYBODY, FARM),
    "account_login": _every(EVERYBODY, FARM),
    "healthz": _get(EVERYBODY, FARM),
    "language": _post(EVERYBODY, FARM),
    "set_up": _both(A.SET_UP_FARM, About.SET_UP),
    "set_up_token": _post(EVERYBODY, FARM),
    "set_up_here": _get(EVERYBODY, FARM),
}
CONFS: Mapping[str, Mapping[str, Rule]] = {
    "farm.urls": {**SITE, **ENTRANCE, **API},
    "farm.web.set_up_urls": SET_UP,
}


@dataclass(frozen=True, slots=True)
class Route:
    """One address: its name, the names in its path, and its rule in that configuration."""

    conf: str
    name: str
    path: str

    @property
    def rule(self) -> Rule:
        """What the table says of it."""
        return CONFS[self.conf][self.name]

    @property
    def is_of_set_up(self) -> bool:
        """Whether it is there only while the farm is being set up."""
        return CONFS[self.conf] is SET_UP


def routes() -> Iterator[Route]:
    """Every address of site, API and set-up, from their own configuration."""
    for conf in CONFS:
        yield from _leaves(conf, get_resolver(conf).url_patterns, "/")


def _leaves(conf: str, patterns: list[URLPattern | URLResolver], before: str) -> Iterator[Route]:
    for pattern in patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _leaves(conf, pattern.url_patterns, path)
        else:
            yield Route(conf, pattern.name or path, path)


def modules_of(conf: str) -> Iterator[str]:
    """Every module of ours whose urlpatterns that configuration reaches, itself among them."""
    yield conf
    for pattern in get_resolver(conf).url_patterns:
        if isinstance(pattern, URLResolver) and isinstance(pattern.urlconf_name, ModuleType):
            yield from modules_of(pattern.urlconf_name.__name__)
