"""What an agent on a machine of either kind promises: it answers, works, and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from farm.sandbox.model.keys import OWN_ANTHROPIC_KEY
from farm.sandbox.telegram.chats import Bot, Person
from provisioning import runtime
from provisioning.errors import Transient
from provisioning.runtime_files import CONFIG, FOLDER
from tests.sandbox.guests.house import GATEWAY_TOKEN, House, Machine, new_papers

MEMBER, STRANGER = Person(777, "Bob", "en"), Person(778, "Mallory", "en")


@pytest.fixture(scope="module")
def agent(house: House, image: str) -> Iterator[Machine]:
    """A machine whose agent runs, with a bot that only the member may talk to."""
    papers = new_papers()
    machine = house.create(house.user_data(papers), papers, image=image)
    machine.installed()
    bot = house.call(house.chats.ready_bot)
    telegram = runtime.Telegram(bot.token, (MEMBER.id,), house.telegram_url)
    run(machine, replace(house.settings(), telegram=telegram))
    yield machine
    house.destroy(machine)


def run(machine: Machine, settings: runtime.RuntimeSettings) -> None:
    """Configure and start the agent, and wait until it may be called running."""
    with machine.shell() as shell:
        shell.write(runtime.files(settings))
        runtime.validate(shell)
        runtime.start(shell)
    machine.house.wait_until(lambda: good(machine), "The agent never gets ready.")


def good(machine: Machine) -> bool:
    """Whether the gate to running is open."""
    try:
        with machine.shell() as shell:
            return runtime.readiness(shell, GATEWAY_TOKEN).good
    except Transient:
        return False


def ask(machine: Machine, text: str) -> str:
    """One turn."""
    with machine.shell() as shell:
        return runtime.say(shell, GATEWAY_TOKEN, text, user="farm")


def test_the_agent_answers(agent: Machine) -> None:
    assert "Hello there" in ask(agent, "Hello there")


def test_the_agent_works_on_its_machine(agent: Machine) -> None:
    answer = ask(agent, "write plan.txt saying rest on Sunday and read it back")

    assert "rest on Sunday" in answer
    with agent.shell() as shell:
        path = "/var/lib/openclaw/.openclaw/workspace/plan.txt"
        assert shell.run(["cat", path]).stdout.decode().strip() == "rest on Sunday"
        assert shell.run(["stat", "-c", "%U", path]).stdout == b"openclaw\n"


def test_the_agent_runs_commands_as_its_own_user(agent: Machine) -> None:
    assert "openclaw" in ask(agent, "run `id -un`")


def test_the_persona_reaches_the_model(house: House, agent: Machine) -> None:
    ask(agent, "Who are you?")

    with agent.shell() as shell:
        soul = shell.run(["cat", "/var/lib/openclaw/.openclaw/workspace/SOUL.md"]).stdout
    assert soul.decode().strip() == "You like short sentences."


def test_a_turn_needs_the_token(agent: Machine) -> None:
    with agent.shell() as shell, pytest.raises(Transient) as refused:
        runtime.say(shell, "another-token-of-many-letters", "Hello", user="farm")

    assert refused.value.code == "gateway_token"


def test_the_member_is_answered_in_telegram_and_a_stranger_is_not(
    house: House, agent: Machine
) -> None:
    bot = house.call(house.chats.ready_bot)
    house.call(lambda: house.telegram.write(STRANGER, bot, "Hello from a stranger"))
    house.call(lambda: house.telegram.write(MEMBER, bot, "Hello from Bob"))

    house.wait_until(lambda: bool(answers(house, bot, MEMBER)), "No answer in Telegram.")

    assert "Hello from Bob" in answers(house, bot, MEMBER)[0]
    assert answers(house, bot, STRANGER) == []


def answers(house: House, bot: Bot, person: Person) -> list[str]:
    """What the bot wrote to a person."""
    chat = house.call(lambda: house.chats.chat(bot, person.id))
    return [message.text for message in chat if message.by_bot]


def test_the_page_is_served_through_the_forward(agent: Machine) -> None:
    with agent.shell() as shell:
        page = shell.http(runtime.PORT, "GET", "/", headers={})

    assert page.status == 200
    assert b"<!doctype html" in page.body[:200].lower()


def test_nothing_listens_on_the_machines_address(agent: Machine) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{agent.ipv4}:{runtime.PORT}/healthz", timeout=5)


def test_the_agent_comes_back_after_a_power_cut(house: House, agent: Machine) -> None:
    house.wait(house.guests.power_off(agent.id))
    house.wait(house.guests.power_on(agent.id))

    house.wait_until(lambda: good(agent), "The agent does not come back.")

    assert "Still there" in ask(agent, "Still there")


def test_a_stopped_agent_stays_stopped(house: House, agent: Machine) -> None:
    with agent.shell() as shell:
        runtime.stop(shell)
        with pytest.raises(Transient) as down:
            runtime.readiness(shell, GATEWAY_TOKEN)
        assert down.value.code == "gateway_down"
        assert not runtime.failed(shell)
        runtime.start(shell)
    house.wait_until(lambda: good(agent), "The agent does not start again.")


def test_an_agent_that_falls_asleep_leaves_no_secret_behind(house: House, agent: Machine) -> None:
    with agent.shell() as shell:
        shell.run(("cp", "-a", FOLDER, "/root/kept"))
        config = shell.run(("cat", CONFIG)).stdout
        runtime.let_end(shell)
        house.wait_until(lambda: runtime.has_ended(shell), "The gateway does not end.")
        for _again in range(2):
            runtime.forget_secrets(shell)

        assert shell.run(("ls", FOLDER)).stdout.split() == [b"openclaw.json"]
        assert shell.run(("cat", CONFIG)).stdout == config
        assert GATEWAY_TOKEN.encode() not in config
        shell.run(("sh", "-c", f"cp -a /root/kept/* {FOLDER}/ && rm -r /root/kept"))
        runtime.start(shell)
    house.wait_until(lambda: good(agent), "The agent does not start again.")


def test_a_members_own_key_speaks_its_providers_dialect(house: House, agent: Machine) -> None:
    url = house.model_url.removesuffix("/v1")
    own = runtime.ModelAccess("anthropic", "claude-sonnet-4-6", OWN_ANTHROPIC_KEY, url)
    with agent.shell() as shell:
        shell.write(runtime.files(replace(house.settings(), model=own)))
        runtime.validate(shell)
        runtime.restart(shell)
    house.wait_until(lambda: good(agent), "The agent does not start again.")

    answer = ask(agent, "write note.txt saying hello from Claude and read it back")

    assert "hello from Claude" in answer
