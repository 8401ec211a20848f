"""The model does what a demonstration and a test need of it, tools included, and never loops."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from farm.sandbox.model import MOST_STEPS
from farm.sandbox.wire import Json
from tests.sandbox.model.agent import Agent, stream, tool

GREETING = "Bonjour Nadia, je suis Ada.\nJe tourne sur ma propre machine : `ada`.\n\n- Un\n- Deux"


@pytest.mark.parametrize(
    "prompt",
    [
        f"Greet Nadia now with exactly these words:\n\n```\n{GREETING}\n```\n",
        f"[Mon 11:50] Greet Nadia now with exactly these words:\n```text\n{GREETING}\n```",
        f"Salue Nadia avec exactement ces mots :\n```\n{GREETING}\n```",
    ],
)
def test_greets_word_for_word(model: httpx.Client, tmp_path: Path, prompt: str) -> None:
    assert Agent(model, tmp_path).ask(prompt) == GREETING


@pytest.mark.parametrize(
    ("question", "name", "content", "words"),
    [
        (
            "Write a file notes.txt saying hello and read it back",
            "notes.txt",
            "hello",
            "I wrote notes.txt",
        ),
        (
            "Please create the file `todo.md` with the text buy milk, then read it to me.",
            "todo.md",
            "buy milk",
            "I wrote todo.md",
        ),
        (
            "Écris un fichier notes.txt qui dit bonjour à tous et relis-le.",
            "notes.txt",
            "bonjour à tous",
            "J'ai écrit notes.txt",
        ),
        (
            "Crée le fichier liste.txt contenant « du pain », puis relis-le",
            "liste.txt",
            "du pain",
            "J'ai écrit liste.txt",
        ),
    ],
)
def test_writes_a_file_and_reads_it_back(
    *, model: httpx.Client, tmp_path: Path, question: str, name: str, content: str, words: str
) -> None:
    agent = Agent(model, tmp_path)
    answer = agent.ask(question)
    assert (tmp_path / name).read_text() == content
    assert agent.asked_for == ["write", "read"]
    assert words in answer
    assert content in answer


def test_works_with_exec_alone(model: httpx.Client, tmp_path: Path) -> None:
    agent = Agent(model, tmp_path, tools=(tool("exec", "command"),))
    answer = agent.ask("write a file a.txt saying it's mine; rm -rf / and read it back")
    assert (tmp_path / "a.txt").read_text() == "it's mine; rm -rf /\n"
    assert "it's mine" in answer


def test_runs_a_command(model: httpx.Client, tmp_path: Path) -> None:
    agent = Agent(model, tmp_path)
    assert "42" in agent.ask("run `echo $((6 * 7))`")
    assert "J'ai lancé" in agent.ask("lance la commande `pwd` pour moi")
    assert agent.asked_for == ["exec", "exec"]


def test_reads_a_file(model: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("sleep well")
    assert "sleep well" in Agent(model, tmp_path).ask("show me plan.txt")


def test_says_so_where_no_tool_is_offered(model: httpx.Client, tmp_path: Path) -> None:
    assert "no tool" in Agent(model, tmp_path, tools=()).ask("write a.txt saying hello")


def test_hears_what_a_person_said_in_what_openclaw_sends(
    model: httpx.Client, control: httpx.Client
) -> None:
    wrapped = (
        "[Mon 2026-11-23 12:15 UTC] Conversation info: ⟦openclaw:ctx⟧\n```json\n"
        '{"sender":{"id":"777","name":"Nadia"}}\n```\n\nhello there\n\n'
        "Runtime: name=Ada | agent=main | model=sandbox/sandbox-1"
    )
    stream(model, [{"role": "user", "content": wrapped}])
    assert control.get("/model/log").json()["requests"][-1]["question"] == "hello there"


@pytest.mark.parametrize(
    ("question", "language"),
    [("How are you today?", "You said"), ("Comment vas-tu aujourd'hui ?", "Vous avez dit")],
)
def test_repeats_politely_in_the_same_language(
    *, model: httpx.Client, tmp_path: Path, question: str, language: str
) -> None:
    answer = Agent(model, tmp_path).ask(question)
    assert question in answer
    assert answer.startswith(language)


def test_each_turn_of_a_conversation_stands_alone(model: httpx.Client, tmp_path: Path) -> None:
    agent = Agent(model, tmp_path)
    agent.ask("write a file a.txt saying one and read it back")
    assert "hello again" in agent.ask("hello again")
    agent.ask("write a file a.txt saying two and read it back")
    assert (tmp_path / "a.txt").read_text() == "two"


def test_follows_a_script(model: httpx.Client, control: httpx.Client, tmp_path: Path) -> None:
    steps: Json = [
        {"calls": [{"name": "exec", "arguments": {"command": "echo sunny"}}]},
        {"text": "It is {result}"},
    ]
    script: Json = {"turns": [{"match": "weather", "steps": steps}]}
    assert control.post("/model/script", json=script).status_code == 201
    agent = Agent(model, tmp_path)
    assert agent.ask("the weather, please") == "It is sunny\n"
    assert agent.ask("and the weather tomorrow?") == "It is sunny\n"
    assert "something else" in agent.ask("something else")


def test_a_script_without_an_end_is_ended(
    model: httpx.Client, control: httpx.Client, tmp_path: Path
) -> None:
    call: Json = {"calls": [{"name": "exec", "arguments": {"command": "true"}}]}
    script: Json = {"turns": [{"match": "loop", "steps": [call] * 40}]}
    control.post("/model/script", json=script)
    agent = Agent(model, tmp_path)
    assert "enough" in agent.ask("loop")
    assert len(agent.asked_for) == MOST_STEPS


def test_a_tool_that_never_answers_is_not_asked_for_ever(model: httpx.Client) -> None:
    said = stream(
        model,
        [
            {"role": "user", "content": "read a.txt"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "user", "content": "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>> cut off"},
        ],
        (tool("read", "path"),),
    )
    assert not said.calls


@pytest.mark.parametrize(
    "script", [{}, {"turns": [{"match": "x"}]}, {"turns": [{"steps": [{"text": "x"}]}]}]
)
def test_a_wrong_script_is_told(control: httpx.Client, script: Json) -> None:
    answer = control.post("/model/script", json=script)
    assert answer.status_code == 422
    assert answer.json()["error"]
