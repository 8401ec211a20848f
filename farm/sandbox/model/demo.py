"""What the model says without a script: greets as told, works with files, and repeats politely."""

from __future__ import annotations

import re

from farm.sandbox.model import GREETING_MARK
from farm.sandbox.model.conversation import Conversation, Reply
from farm.sandbox.model.work import next_step, wish_in

_FENCED = re.compile(r"\s*```[^\n]*\n(.*?)\n?```", re.DOTALL)
_WORD = re.compile(r"[a-zà-ÿ]+")
_FRENCH = frozenset(
    _WORD.findall(
        "le la les un une des du et est es tu je vous nous que qui quoi dans pour avec sur bonjour"
        " salut merci quel quelle comment pourquoi ça ce cette mon ma mes ton ta tes fichier écris"
        " crée relis lance peux fais moi toi au aux il elle pas"
    )
)
_ENGLISH = frozenset(
    _WORD.findall(
        "the a an and is are you i we what who how why where in for with on of to it hello hi"
        " thanks this that my your file write create read run can do me not please say"
    )
)
_LONGEST_ECHO = 600


def demo_reply(conversation: Conversation) -> Reply:
    """The answer to the conversation's open question."""
    question = conversation.question
    if greeting := greeting_in(question):
        return Reply(text=greeting)
    french = is_french(question)
    if wish := wish_in(question):
        return next_step(wish, conversation, french=french)
    return Reply(text=_echo(question, french=french))


def greeting_in(question: str) -> str:
    """The words in the fenced block after a GREETING_MARK, "" without one."""
    for mark in GREETING_MARK:
        _, found, after = question.partition(mark)
        if found and (fenced := _FENCED.match(after)):
            return fenced[1].strip()
    return ""


def is_french(text: str) -> bool:
    """Whether more of its words are French than English ones."""
    words = _WORD.findall(text.lower())
    return sum(w in _FRENCH for w in words) > sum(w in _ENGLISH for w in words)


def _echo(question: str, *, french: bool) -> str:
    said = question[:_LONGEST_ECHO]
    if french:
        return (
            f"Vous avez dit : « {said} ». Je suis le modèle du bac à sable : je répète, et je sais"
            " écrire un fichier, le relire, ou lancer une commande sur ma machine."
        )
    return (
        f'You said: "{said}". I am the sandbox\'s model: I repeat, and I can write a file, read it'
        " back, or run a command on my machine."
    )
