"""What Caddy asks of the farm: who is led where, by which code, and at what cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from farm.accounts.models import Membership
from farm.agents.models import Agent, AgentPhase, EdgeCode, GatewayPass, LastUse
from farm.agents.passes import edge_of, mark_written
from tests.farm.web import scenes, sleep_scenes
from tests.farm.web.conftest import logged_in

WORD = "the-word-that-caddy-knows-and-nobody-else"
PAGE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
PART = {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
SOCKET = {"Upgrade": "websocket"}


class Answer(Protocol):
    """What is looked at of an answer."""

    status_code: int
    content: bytes

    def __getitem__(self, header: str, /) -> str: ...


@pytest.fixture(autouse=True)
def edge(settings: Settings) -> None:
    """A farm with an edge."""
    settings.EDGE, settings.EDGE_ADDRESSES, settings.EDGE_SECRET = True, ["192.0.2.1"], WORD
    settings.SITE_URL, settings.AGENTS_DOMAIN = "https://farm.example", "agents.example"
    settings.AGENT_URL = "https://{host}.agents.example"


@pytest.fixture
def nino(people: scenes.People) -> Agent:
    """Alice's agent, whose gateway was told of the edge."""
    return led_to(scenes.agent(people.alice))


def led_to(agent: Agent) -> Agent:
    """It runs on a machine with an address, and its gateway was told of the edge."""
    scenes.running(agent).servers.update(ipv4="198.51.100.7")
    mark_written(agent, edge_of(agent))
    return agent


def ask(
    browser: Client,
    host: str,
    kind: dict[str, str],
    path: str = "/",
    *,
    word: str = WORD,
    at: str = "/edge/auth",
) -> Answer:
    """What Caddy is answered about this browser at an agent's host."""
    headers = {
        "X-Farm-Edge": word,
        "X-Forwarded-Host": f"{host}.agents.example",
        "X-Forwarded-Method": "GET",
        "X-Forwarded-Uri": path,
        **kind,
    }
    return browser.get(at, headers=headers)


def knocked(visitor: Client, host: str, path: str = "/") -> str:
    """Where a browser that comes to an agent's host is sent: a path of the site."""
    sent = ask(visitor, host, PAGE, path)
    assert sent.status_code == 302
    site = urlsplit(sent["Location"])
    assert (site.scheme, site.netloc, site.path) == ("https", "farm.example", "/edge/open/")
    return f"{site.path}?{site.query}"


def code_in(answer: Answer) -> str:
    """The code in the address that the site leads to."""
    assert answer.status_code == 302
    return parse_qs(urlsplit(answer["Location"]).query)["code"][0]


def come_in(visitor: Client, host: str, code: str) -> Answer:
    """The browser follows the site's answer."""
    return ask(visitor, host, PAGE, at=f"/edge/enter?code={code}")


def visiting(member: Client, host: str, path: str = "/") -> Client:
    """A browser that came in, by the cookies it holds on the agent's host."""
    visitor = Client()
    code = code_in(member.get(knocked(visitor, host, path)))
    answer = come_in(visitor, host, code)
    assert (answer.status_code, answer["Location"]) == (302, path)
    return visitor


def test_one_click_leads_to_the_agents_gateway(alice: Client, nino: Agent) -> None:
    assert (
        alice.get(f"/agents/{nino.uid}/open/")["Location"] == f"https://{nino.host}.agents.example/"
    )
    visitor = visiting(alice, nino.host, "/chat/main?x=1")
    led = ask(visitor, nino.host, PAGE)
    server = nino.servers.get()
    assert led.status_code == 200
    assert led["X-Agent-Upstream"] == f"{server.ipv4}:18789"
    assert led["X-Agent-Name"] == f"{server}.gateway.internal"
    assert led["X-Agent-User"] == "Alice"


def test_the_cookies_are_of_the_agents_host_alone(alice: Client, nino: Agent) -> None:
    visitor = visiting(alice, nino.host)
    cookie = visitor.cookies["__Host-edge"]
    assert (cookie["secure"], cookie["httponly"], cookie["path"]) == (True, True, "/")
    assert cookie["domain"] == ""
    assert cookie["samesite"] == "Lax"


def test_a_part_of_a_page_costs_no_question_to_the_database(
    alice: Client, nino: Agent, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    visitor = visiting(alice, nino.host)
    assert ask(visitor, nino.host, PAGE).status_code == 200
    with django_assert_num_queries(0):
        for number in range(50):
            assert ask(visitor, nino.host, PART, f"/assets/{number}.js").status_code == 200


@pytest.mark.parametrize("path", ["/edge/auth", "/edge/enter", "/edge/ask?domain=nino.x"])
def test_nobody_but_caddy_is_answered(alice: Client, nino: Agent, path: str) -> None:
    del nino
    for word in ("", "another", WORD[:-1]):
        assert ask(alice, "nino", PAGE, at=path, word=word).status_code == 404


def test_a_part_of_a_page_is_sent_nowhere(nino: Agent) -> None:
    for kind in (PART, SOCKET):
        assert ask(Client(), nino.host, kind).status_code == 401


def test_who_is_not_logged_in_comes_back_after_it(alice: Client, nino: Agent) -> None:
    visitor = Client()
    path = knocked(visitor, nino.host)
    login = Client().get(path)
    assert login["Location"].startswith("/account/login/?next=/edge/open/%3F")
    after = parse_qs(urlsplit(login["Location"]).query)["next"][0]
    assert come_in(visitor, nino.host, code_in(alice.get(after))).status_code == 302
    assert ask(visitor, nino.host, PAGE).status_code == 200


def test_another_persons_agent_is_not_there(bob: Client, charlie: Client, nino: Agent) -> None:
    for stranger in (bob, charlie):
        assert stranger.get(knocked(Client(), nino.host)).status_code == 404
        assert stranger.get(knocked(Client(), "nobody")).status_code == 404
    assert not EdgeCode.objects.exists()


def test_a_code_is_good_once(alice: Client, nino: Agent) -> None:
    visitor = Client()
    code = code_in(alice.get(knocked(visitor, nino.host)))
    knock = visitor.cookies["__Host-knock"].value
    assert come_in(visitor, nino.host, code).status_code == 302
    visitor.cookies["__Host-knock"] = knock
    assert come_in(visitor, nino.host, code).status_code == 403


def test_a_stolen_code_is_of_no_use_in_another_browser(alice: Client, nino: Agent) -> None:
    victim, thief = Client(), Client()
    code = code_in(alice.get(knocked(victim, nino.host)))
    knocked(thief, nino.host)
    assert come_in(thief, nino.host, code).status_code == 403
    assert ask(thief, nino.host, SOCKET).status_code == 401
    assert come_in(victim, nino.host, code).status_code == 403


def test_a_code_is_good_at_its_host_alone(alice: Client, people: scenes.People) -> None:
    hosts = [led_to(scenes.agent(people.alice, name=name)).host for name in ("Nino", "Otto")]
    visitor = Client()
    code = code_in(alice.get(knocked(visitor, hosts[0])))
    assert come_in(visitor, hosts[1], code).status_code == 403
    nino = visiting(alice, hosts[0])
    assert ask(nino, hosts[1], SOCKET).status_code == 401


def test_a_late_code_is_refused(alice: Client, nino: Agent) -> None:
    visitor = Client()
    code = code_in(alice.get(knocked(visitor, nino.host)))
    shown = EdgeCode.objects.get()
    assert shown.expires_at - timezone.now() <= timedelta(seconds=60)
    EdgeCode.objects.update(expires_at=timezone.now())
    assert come_in(visitor, nino.host, code).status_code == 403


def test_logging_out_ends_the_visit_and_an_open_code(alice: Client, nino: Agent) -> None:
    visitor, late = visiting(alice, nino.host), Client()
    code = code_in(alice.get(knocked(late, nino.host)))
    alice.logout()
    assert ask(visitor, nino.host, SOCKET).status_code == 401
    assert ask(visitor, nino.host, PAGE).status_code == 302
    assert come_in(late, nino.host, code).status_code == 403


def test_a_new_password_ends_the_visit(alice: Client, people: scenes.People, nino: Agent) -> None:
    visitor = visiting(alice, nino.host)
    people.alice.set_password("a new one, and long")
    people.alice.save()
    assert ask(visitor, nino.host, SOCKET).status_code == 401


def test_who_is_removed_or_hands_it_over_is_out(
    alice: Client, people: scenes.People, nino: Agent
) -> None:
    visitor = visiting(alice, nino.host)
    Agent.objects.filter(pk=nino.pk).update(owner=people.bob)
    assert ask(visitor, nino.host, SOCKET).status_code == 401
    Agent.objects.filter(pk=nino.pk).update(owner=people.alice)
    assert ask(visitor, nino.host, SOCKET).status_code == 200
    Membership.objects.filter(user=people.alice).delete()
    assert ask(visitor, nino.host, SOCKET).status_code == 401


def test_a_gateway_that_was_not_told_of_its_new_keeper_admits_nobody(
    people: scenes.People, nino: Agent
) -> None:
    Agent.objects.filter(pk=nino.pk).update(owner=people.bob)
    visitor = visiting(logged_in(people.bob), nino.host)
    assert ask(visitor, nino.host, PAGE).status_code == 503
    nino.refresh_from_db()
    mark_written(nino, edge_of(nino))
    assert ask(visitor, nino.host, PAGE)["X-Agent-User"] == "Bob"


def test_an_agent_that_does_not_run_says_where_to_look(alice: Client, nino: Agent) -> None:
    visitor = visiting(alice, nino.host)
    Agent.objects.filter(pk=nino.pk).update(phase=AgentPhase.CONFIGURING)
    shown = ask(visitor, nino.host, PAGE)
    assert shown.status_code == 503
    assert f"https://farm.example/agents/{nino.uid}/" in shown.content.decode()


@pytest.mark.parametrize(
    "path",
    ["//evil.example/", "/\\evil.example/", "https://evil.example/", "/a\\b", "/.farm/enter", ""],
)
def test_the_way_back_leads_to_no_other_place(alice: Client, nino: Agent, path: str) -> None:
    visitor = Client()
    code = code_in(alice.get(knocked(visitor, nino.host, path)))
    assert come_in(visitor, nino.host, code)["Location"] == "/"


def test_a_host_that_is_no_agents_leads_nowhere(alice: Client, nino: Agent) -> None:
    visitor = visiting(alice, nino.host)
    for host in ("evil.example", f"{nino.host}.evil.example", "agents.example"):
        headers = {"X-Farm-Edge": WORD, "X-Forwarded-Host": host, "X-Forwarded-Method": "GET"}
        assert visitor.get("/edge/auth", headers={**headers, **SOCKET}).status_code == 401


def test_certificates_are_for_agents_hosts_alone(nino: Agent) -> None:
    def asked(domain: str) -> int:
        return Client().get("/edge/ask", {"key": WORD, "domain": domain}).status_code

    assert asked(f"{nino.host}.agents.example") == 200
    assert asked("nobody.agents.example") == 404
    assert asked(f"{nino.host}.evil.example") == 404
    Agent.objects.filter(pk=nino.pk).update(phase=AgentPhase.DELETED)
    assert asked(f"{nino.host}.agents.example") == 404


def test_a_pass_is_renewed_in_time_and_keeps_its_name(nino: Agent) -> None:
    own = GatewayPass.objects.get()
    assert edge_of(nino) == edge_of(nino)
    GatewayPass.objects.update(not_after=timezone.now() + timedelta(days=29))
    fresh = edge_of(nino)
    assert fresh is not None
    assert fresh.certificate != own.certificate
    assert fresh.people == ("Alice",)


def test_a_sleepers_address_offers_to_wake_it(alice: Client, nino: Agent) -> None:
    visitor = visiting(alice, nino.host)
    sleep_scenes.asleep(nino)
    told = ask(visitor, nino.host, PAGE)
    shown = told.content.decode()
    assert told.status_code == 503
    assert "Nino sleeps" in shown
    assert f'href="https://farm.example/agents/{nino.uid}/wake/"' in shown
    assert "Wake Nino - 0.0079" in shown
    assert "<form" not in shown
    assert ask(visitor, nino.host, PART).status_code == 503


def test_who_knocks_at_a_sleepers_door_is_led_to_its_button(
    alice: Client, bob: Client, charlie: Client, nino: Agent
) -> None:
    sleep_scenes.asleep(nino)
    knocking = knocked(Client(), nino.host)
    assert alice.get(knocking)["Location"] == f"/agents/{nino.uid}/wake/"
    for other in (bob, charlie):
        assert other.get(knocking).status_code == 404


def test_an_open_console_is_a_use(alice: Client, nino: Agent) -> None:
    visitor = visiting(alice, nino.host)
    assert not LastUse.objects.exists()
    assert ask(visitor, nino.host, PAGE).status_code == 200
    assert LastUse.objects.get(agent=nino).console_at
