"""People, agents and what befalls them, made as rows in the farm of the environment, on order.

Reads one JSON order per line, {"do": verb, ...}, and answers one JSON object per line.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "farm.settings")
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402

from farm.accounts.models import Membership, Role, User  # noqa: E402
from farm.accounts.services import account_of  # noqa: E402
from farm.agents.models import Agent, GatewayPass  # noqa: E402
from farm.agents.passes import edge_of, gateway_name, mark_written  # noqa: E402
from tests.farm.web import scenes  # noqa: E402

Order = Mapping[str, str]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def person(order: Order) -> dict[str, str]:
    """Somebody who is logged in: the key of the session."""
    user = scenes.person(order["name"])
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), BACKEND
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return {"session": str(session.session_key)}


def agent(order: Order) -> dict[str, str]:
    """An agent of that person, running at that address, and the papers of its machine."""
    owner = User.objects.get(email=f"{order['owner']}@example.org")
    row = scenes.running(scenes.agent(owner, name=order["name"]))
    row.servers.update(ipv4=order["ipv4"])
    mark_written(row, edge_of(row))
    own = GatewayPass.objects.get(server__agent=row)
    return {
        "uid": row.uid,
        "host": row.host,
        "server_name": gateway_name(own.server),
        "certificate": own.certificate,
        "private_key": own.private_key,
    }


def join(order: Order) -> dict[str, str]:
    """The person is a member of the other's account, in that role."""
    owner, user = (User.objects.get(email=f"{order[who]}@example.org") for who in ("of", "name"))
    Membership.objects.create(account=account_of(user=owner), user=user, role=Role(order["role"]))
    return {}


def appoint(order: Order) -> dict[str, str]:
    """The person runs the farm."""
    User.objects.filter(email=f"{order['name']}@example.org").update(is_superuser=True)
    return {}


def remove(order: Order) -> dict[str, str]:
    """The person is no longer a member of any account."""
    Membership.objects.filter(user__email=f"{order['name']}@example.org").delete()
    return {}


def hand_over(order: Order) -> dict[str, str]:
    """The agent is another person's from now on."""
    heir = User.objects.get(email=f"{order['to']}@example.org")
    Agent.objects.filter(host=order["host"]).update(owner=heir)
    return {}


VERBS: Mapping[str, Callable[[Order], dict[str, str]]] = {
    "person": person,
    "agent": agent,
    "join": join,
    "appoint": appoint,
    "remove": remove,
    "hand_over": hand_over,
}


def main() -> None:
    """Serve until standard input ends."""
    for line in sys.stdin:
        order: Order = json.loads(line)
        sys.stdout.write(json.dumps(VERBS[order["do"]](order)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
