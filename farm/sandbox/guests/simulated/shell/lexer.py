"""Cutting a script into operators and words, here-documents aside."""

from __future__ import annotations

from dataclasses import dataclass

from farm.sandbox.guests.simulated.shell.syntax import Literal, Word
from farm.sandbox.guests.simulated.shell.words import WordReader

OPERATORS = (
    "<<-",
    "&&",
    "||",
    ";;",
    "<<",
    ">>",
    "<&",
    ">&",
    "<>",
    ">|",
    ";",
    "&",
    "|",
    "<",
    ">",
    "(",
    ")",
    "\n",
)


@dataclass(frozen=True, slots=True)
class Token:
    """An operator (then `word` is None), or a word; `glued` if a redirection follows at once."""

    operator: str
    word: Word | None = None
    glued: bool = False


@dataclass(slots=True)
class Heredoc:
    """A here-document whose text follows the line it is announced in."""

    end: str
    strip: bool
    literal: bool
    body: Word = ()


class Lexer:
    """Cuts a script into operators and words."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._awaited: list[Heredoc] = []
        self.heredocs: list[Heredoc] = []

    def tokens(self) -> list[Token]:
        """All of them; here-documents are taken out of the stream into `heredocs`, in order."""
        found: list[Token] = []
        while (token := self._next()) is not None:
            found.append(token)
            if len(found) > 1 and found[-2].operator in {"<<", "<<-"} and token.word is not None:
                self._await(found[-2].operator, token.word)
            if token.operator == "\n":
                self._take_heredocs()
        self._take_heredocs()
        return found

    def _await(self, operator: str, word: Word) -> None:
        end = "".join(part.text for part in word if isinstance(part, Literal))
        literal = any(isinstance(part, Literal) and part.quoted for part in word)
        heredoc = Heredoc(end, operator == "<<-", literal)
        self._awaited.append(heredoc)
        self.heredocs.append(heredoc)

    def _take_heredocs(self) -> None:
        for heredoc in self._awaited:
            lines: list[str] = []
            while self._at < len(self._text):
                newline = self._text.find("\n", self._at)
                stop = len(self._text) if newline < 0 else newline + 1
                line = self._text[self._at : stop]
                self._at = stop
                if heredoc.strip:
                    line = line.lstrip("\t")
                if line.rstrip("\n") == heredoc.end:
                    break
                lines.append(line)
            text = "".join(lines)
            literal = (Literal(text, quoted=True),)
            heredoc.body = literal if heredoc.literal else WordReader(text).quoted("")
        self._awaited = []

    def _next(self) -> Token | None:
        self._blanks()
        if self._at >= len(self._text):
            return None
        for operator in OPERATORS:
            if self._text.startswith(operator, self._at):
                self._at += len(operator)
                return Token(operator)
        reader = WordReader(self._text, self._at)
        word = reader.word()
        self._at = reader.at
        return Token("", word, glued=self._text[self._at : self._at + 1] in {"<", ">"})

    def _blanks(self) -> None:
        while self._at < len(self._text):
            if self._text[self._at] in " \t\r":
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif self._text[self._at] == "#":
                newline = self._text.find("\n", self._at)
                self._at = len(self._text) if newline < 0 else newline
            else:
                return
