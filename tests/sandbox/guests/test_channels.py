"""What chat apps promise on a machine of either kind: their software, answers for one person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

import pytest

from farm.sandbox.slack.workspace import App
from farm.sandbox.telegram.chats import Person
from provisioning import runtime
from provisioning.channels import Plugin, PluginState, install_plugin, plugin_state
from provisioning.errors import Rejected, Transient
from tests.sandbox.guests.house import GATEWAY_TOKEN, VERSIONS, House, Machine, new_papers
from tests.sandbox.guests.test_agent import answers, run

MEMBER, STRANGER = Person(7770, "Bob", "en"), Person(7780, "Mallory", "en")
SLACK_MEMBER, SLACK_STRANGER = "UBOB", "UMALLORY"
NUMBER = "+33612345678"


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def machine(house: House, image: str) -> Iterator[Machine]:
    """A machine from the image, on which no agent runs yet."""
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)
    assert machine.installed().state is runtime.InstallationState.INSTALLED
    yield machine
    house.destroy(machine)


@pytest.fixture(scope="module")
def agent(house: House, machine: Machine) -> Machine:
    """Its agent runs with a chat app of each sort."""
    for plugin in Plugin:
        have(machine, plugin)
    bot, app = house.call(house.chats.ready_bot), house.call(house.workspace.ready_app)
    wanted = replace(
        house.settings(),
        telegram=runtime.Telegram(bot.token, (MEMBER.id,), house.telegram_url),
        slack=runtime.Slack(app.bot_token, app.app_token, (SLACK_MEMBER,), house.slack_url),
        whatsapp=runtime.WhatsApp((NUMBER,)),
    )
    run(machine, wanted)
    return machine


def state(machine: Machine, plugin: Plugin) -> PluginState:
    """How far the plugin is there."""
    with machine.shell() as shell:
        return plugin_state(shell, plugin, VERSIONS.runtime)


def have(machine: Machine, plugin: Plugin) -> None:
    """Have the plugin fetched, if it is not there."""
    if state(machine, plugin) is not PluginState.INSTALLED:
        with machine.shell() as shell:
            install_plugin(shell, plugin, VERSIONS.runtime)

    def ended() -> bool:
        with suppress(Transient):
            return state(machine, plugin) is not PluginState.INSTALLING
        return False

    machine.house.wait_until(ended, f"{plugin} is never installed.")
    assert state(machine, plugin) is PluginState.INSTALLED


def call(machine: Machine, method: str, params: Mapping[str, object]) -> Mapping[str, object]:
    """One of the gateway's own methods."""
    with machine.shell() as shell:
        return runtime.rpc(shell, GATEWAY_TOKEN, method, params, 60)


def said(house: House, app: App, person: str) -> list[str]:
    """What the app's bot wrote to somebody in Slack."""
    return [m.text for m in house.call(lambda: house.workspace.chat(app, person)) if m.by_bot]


def test_an_image_holds_their_software(machine: Machine) -> None:
    assert {state(machine, plugin) for plugin in Plugin} == {PluginState.INSTALLED}


def test_software_that_is_gone_is_fetched_again(machine: Machine) -> None:
    with machine.shell() as shell:
        shell.run(("sh", "-c", "rm -rf /var/lib/openclaw/.openclaw/npm/projects/*slack*"))
    assert state(machine, Plugin.SLACK) is PluginState.MISSING
    have(machine, Plugin.SLACK)


def test_the_member_is_answered_in_slack_and_a_stranger_is_not(
    house: House, agent: Machine
) -> None:
    app = house.call(house.workspace.ready_app)
    house.wait_until(lambda: house.call(lambda: house.slack.sockets.is_open(app)), "No socket.")
    bob = house.call(lambda: house.workspace.join("Bob", SLACK_MEMBER))
    mallory = house.call(lambda: house.workspace.join("Mallory", SLACK_STRANGER))
    house.wait(house.slack.write(mallory, app, "Hello from a stranger"))
    house.wait(house.slack.write(bob, app, "Hello from Bob"))
    house.wait_until(
        lambda: any("Hello from Bob" in text for text in said(house, app, SLACK_MEMBER)),
        "No answer in Slack.",
    )
    assert said(house, app, SLACK_STRANGER) == []


def test_telegram_goes_on_beside_them(house: House, agent: Machine) -> None:
    bot = house.call(house.chats.ready_bot)
    house.call(lambda: house.telegram.write(STRANGER, bot, "Hello from a stranger"))
    house.call(lambda: house.telegram.write(MEMBER, bot, "Hello from Bob"))
    house.wait_until(lambda: bool(answers(house, bot, MEMBER)), "No answer in Telegram.")
    assert answers(house, bot, STRANGER) == []


def test_whatsapp_is_there_and_linked_to_nobody(agent: Machine) -> None:
    channels = call(agent, "channels.status", {})["channels"]
    assert isinstance(channels, dict)
    assert channels["whatsapp"]["linked"] is False
    told = call(agent, "web.login.wait", {"channel": "whatsapp", "timeoutMs": 1000})
    assert told["connected"] is False
    assert "message" in call(
        agent, "web.login.start", {"channel": "whatsapp", "timeoutMs": 5000, "force": True}
    )


def test_a_call_about_what_is_not_there_is_refused(agent: Machine) -> None:
    for method, params in (
        ("channels.logout", {"channel": "nothing"}),
        ("web.login.start", {"channel": "nothing"}),
        ("no.such.method", {}),
    ):
        with pytest.raises(Rejected) as refused:
            call(agent, method, params)
        assert refused.value.code == "gateway_refused"
