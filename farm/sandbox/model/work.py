"""Wishes to do something on the agent's machine, and the tool calls that fulfil them."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from farm.sandbox.model.conversation import Conversation, Reply, Tool, ToolCall

_FILE = r"[`\"«“']?\s*(?P<path>[\w./-]*\w\.\w{1,8})\s*[`\"»”']?"
_WRITE = re.compile(
    r"\b(?:write|create|make|save|écris|ecris|écrire|crée|cree|créer|enregistre)\b.{0,60}?"
    + _FILE
    + r"(?:.{0,20}?\b(?:saying|that says|which says|with the text|with|containing|says|qui dit"
    r"|disant|contenant|avec le texte|avec)\b\s*:?\s*(?P<content>.+))?",
    re.IGNORECASE | re.DOTALL,
)
_AND_READ = re.compile(
    r"[\s,.;]*\b(?:and (?:then )?read|then read|read it|et (?:puis )?relis|et lis|puis relis"
    r"|puis lis|relis)\b.*\Z",
    re.IGNORECASE | re.DOTALL,
)
_READ = re.compile(r"\b(?:read|show|lis|relis|montre|affiche)\b.{0,40}?" + _FILE, re.IGNORECASE)
_RUN = re.compile(
    r"\b(?:run|execute|lance|exécute|execute)\b[^`]{0,40}`(?P<command>[^`]+)`", re.IGNORECASE
)
_QUOTES = " \t\r\n\"'`«»“”"
_LONGEST_RESULT = 1500


@dataclass(frozen=True, slots=True)
class Wish:
    """Write `content` to `path` and read it back, only read it, or run `command`."""

    path: str = ""
    content: str | None = None
    command: str = ""


def wish_in(question: str) -> Wish | None:
    """The work a question asks for, None if it is only talk."""
    if run := _RUN.search(question):
        return Wish(command=run["command"])
    if write := _WRITE.search(question):
        content = _AND_READ.sub("", write["content"] or "").strip(_QUOTES)
        return Wish(path=write["path"], content=content or "hello")
    if read := _READ.search(question):
        return Wish(path=read["path"])
    return None


def next_step(wish: Wish, conversation: Conversation, *, french: bool) -> Reply:
    """The tool call that is next, or the report once the tools have answered."""
    calls = _calls(wish, conversation)
    if None in calls:
        return Reply(text=_no_tool(french=french))
    taken = conversation.steps_taken
    if taken < len(calls) and (call := calls[taken]):
        return Reply(calls=(call,))
    return Reply(text=_report(wish, conversation.results, french=french))


def _calls(wish: Wish, conversation: Conversation) -> tuple[ToolCall | None, ...]:
    if wish.command:
        return (_run(conversation, wish.command),)
    if wish.content is None:
        return (_read(conversation, wish.path),)
    return (_write(conversation, wish.path, wish.content), _read(conversation, wish.path))


def _write(conversation: Conversation, path: str, content: str) -> ToolCall | None:
    if tool := conversation.tool("write"):
        return ToolCall(tool.name, {_path_argument(tool): path, "content": content})
    return _run(conversation, f"printf '%s\\n' {shlex.quote(content)} > {shlex.quote(path)}")


def _read(conversation: Conversation, path: str) -> ToolCall | None:
    if tool := conversation.tool("read"):
        return ToolCall(tool.name, {_path_argument(tool): path})
    return _run(conversation, f"cat {shlex.quote(path)}")


def _run(conversation: Conversation, command: str) -> ToolCall | None:
    tool = conversation.tool("exec", "bash", "shell")
    return ToolCall(tool.name, {"command": command}) if tool else None


def _path_argument(tool: Tool) -> str:
    return next((name for name in ("path", "file_path") if name in tool.arguments), "path")


def _no_tool(*, french: bool) -> str:
    if french:
        return "Je n'ai pas d'outil pour cela ici : mon rôle ne le permet pas."
    return "I have no tool for that here: my blueprint does not allow it."


def _report(wish: Wish, results: tuple[str, ...], *, french: bool) -> str:
    returned = (results[-1] if results else "").strip()[:_LONGEST_RESULT]
    return f"{_headline(wish, french=french)}\n\n```\n{returned}\n```"


def _headline(wish: Wish, *, french: bool) -> str:
    if wish.command:
        return (
            f"J'ai lancé `{wish.command}`. Réponse :"
            if french
            else f"I ran `{wish.command}`. It answered:"
        )
    if wish.content is None:
        return f"J'ai lu {wish.path} :" if french else f"I read {wish.path}:"
    if french:
        return f"J'ai écrit {wish.path} et je l'ai relu :"
    return f"I wrote {wish.path} and read it back:"
