"""Reading a script into its tree: commands, lists, compound commands, here-documents."""

from __future__ import annotations

from functools import lru_cache

from farm.sandbox.guests.simulated.shell.lexer import Lexer, Token
from farm.sandbox.guests.simulated.shell.syntax import (
    Case,
    Chain,
    Command,
    For,
    Function,
    Group,
    If,
    Literal,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    ShellSyntaxError,
    Simple,
    While,
    Word,
)
from farm.sandbox.guests.simulated.shell.words import NAME, NAME_START, plain

PARSED = 256
"""Scripts whose trees are kept: a thousand machines run the same ones."""
REDIRECTIONS = frozenset({"<", ">", ">>", ">|", "<>", "<&", ">&", "<<", "<<-"})
RESERVED = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}"})


class Parser:
    """Recursive descent over the tokens of one script."""

    def __init__(self, script: str) -> None:
        lexer = Lexer(script)
        self._tokens = lexer.tokens()
        self._heredocs = iter(lexer.heredocs)
        self._at = 0

    def script(self) -> Sequence:
        """The whole script."""
        body = self._sequence(frozenset())
        if self._at < len(self._tokens):
            raise self._unexpected()
        return body

    def _peek(self, ahead: int = 0) -> Token | None:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else None

    def _keyword(self) -> str | None:
        token = self._peek()
        return plain(token.word) if token is not None and token.word is not None else None

    def _is(self, operator: str) -> bool:
        token = self._peek()
        return token is not None and token.operator == operator

    def _unexpected(self) -> ShellSyntaxError:
        token = self._peek()
        if token is None:
            return ShellSyntaxError("Syntax error: end of file unexpected")
        shown = "newline" if token.operator == "\n" else token.operator or self._keyword() or "word"
        return ShellSyntaxError(f'Syntax error: "{shown}" unexpected')

    def _expect(self, keyword: str) -> None:
        if self._keyword() != keyword and not self._is(keyword):
            raise self._unexpected()
        self._at += 1

    def _newlines(self) -> None:
        while self._is("\n"):
            self._at += 1

    def _sequence(self, ends: frozenset[str]) -> Sequence:
        chains: list[Chain] = []
        self._newlines()
        while self._peek() is not None and not self._at_end(ends):
            chains.append(self._chain())
            if not (self._is(";") or self._is("&") or self._is("\n")):
                break
            if not self._is("\n"):
                self._at += 1
            self._newlines()
        return Sequence(tuple(chains))

    def _at_end(self, ends: frozenset[str]) -> bool:
        token = self._peek()
        return token is not None and (token.operator in {")", ";;"} or self._keyword() in ends)

    def _chain(self) -> Chain:
        first = self._pipeline()
        rest: list[tuple[str, Pipeline]] = []
        while self._is("&&") or self._is("||"):
            operator = self._tokens[self._at].operator
            self._at += 1
            self._newlines()
            rest.append((operator, self._pipeline()))
        return Chain(first, tuple(rest), background=self._is("&"))

    def _pipeline(self) -> Pipeline:
        negated = self._keyword() == "!"
        self._at += negated
        commands = [self._command()]
        while self._is("|"):
            self._at += 1
            self._newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        keyword = self._keyword()
        if keyword in RESERVED:
            raise self._unexpected()
        compound = self._compound(keyword)
        if compound is None:
            return self._function() or self._simple()
        redirects = self._redirects()
        return Redirected(compound, redirects) if redirects else compound

    def _compound(self, keyword: str | None) -> Command | None:
        if self._is("("):
            return self._group(")", subshell=True)
        if keyword == "{":
            return self._group("}", subshell=False)
        if keyword == "if":
            return self._if()
        if keyword in {"while", "until"}:
            return self._while()
        if keyword == "for":
            return self._for()
        return self._case() if keyword == "case" else None

    def _group(self, end: str, *, subshell: bool) -> Group:
        self._at += 1
        body = self._body(end)
        self._expect(end)
        return Group(body, subshell)

    def _body(self, *ends: str) -> Sequence:
        body = self._sequence(frozenset(ends))
        if not body.chains:
            raise self._unexpected()
        return body

    def _if(self) -> If:
        branches: list[tuple[Sequence, Sequence]] = []
        while self._keyword() in {"if", "elif"}:
            self._at += 1
            condition = self._body("then")
            self._expect("then")
            branches.append((condition, self._body("elif", "else", "fi")))
        otherwise = None
        if self._keyword() == "else":
            self._at += 1
            otherwise = self._body("fi")
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _while(self) -> While:
        until = self._keyword() == "until"
        self._at += 1
        condition = self._body("do")
        return While(condition, self._do(), until)

    def _do(self) -> Sequence:
        self._expect("do")
        body = self._body("done")
        self._expect("done")
        return body

    def _for(self) -> For:
        self._at += 1
        name = self._keyword()
        if name is None or not is_name(name):
            raise ShellSyntaxError("Syntax error: Bad for loop variable")
        self._at += 1
        self._newlines()
        words = None
        if self._keyword() == "in":
            self._at += 1
            words = self._words()
        if self._is(";"):
            self._at += 1
        self._newlines()
        return For(name, words, self._do())

    def _words(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while (token := self._peek()) is not None and token.word is not None:
            words.append(token.word)
            self._at += 1
        return tuple(words)

    def _case(self) -> Case:
        self._at += 1
        subject = self._word()
        self._newlines()
        self._expect("in")
        self._newlines()
        branches: list[tuple[tuple[Word, ...], Sequence]] = []
        while self._keyword() != "esac":
            branches.append(self._branch())
        self._expect("esac")
        return Case(subject, tuple(branches))

    def _word(self) -> Word:
        token = self._peek()
        if token is None or token.word is None:
            raise self._unexpected()
        self._at += 1
        return token.word

    def _branch(self) -> tuple[tuple[Word, ...], Sequence]:
        if self._is("("):
            self._at += 1
        patterns = list(self._words())
        while self._is("|"):
            self._at += 1
            patterns.extend(self._words())
        self._expect(")")
        body = self._sequence(frozenset({"esac"}))
        if self._is(";;"):
            self._at += 1
        self._newlines()
        return tuple(patterns), body

    def _function(self) -> Function | None:
        name, opening, closing = self._keyword(), self._peek(1), self._peek(2)
        if name is None or opening is None or closing is None:
            return None
        if (opening.operator, closing.operator) != ("(", ")"):
            return None
        self._at += 3
        self._newlines()
        return Function(name, self._command())

    def _redirects(self) -> tuple[Redirect, ...]:
        found: list[Redirect] = []
        while (redirect := self._redirect()) is not None:
            found.append(redirect)
        return tuple(found)

    def _redirect(self) -> Redirect | None:
        token = self._peek()
        if token is None:
            return None
        number, skip = None, 0
        if token.word is not None and token.glued and (plain(token.word) or "").isdigit():
            number, skip = int(plain(token.word) or "0"), 1
            token = self._peek(1)
        if token is None or token.operator not in REDIRECTIONS:
            return None
        self._at += skip + 1
        target = self._peek()
        if target is None or target.word is None:
            raise self._unexpected()
        self._at += 1
        number = number if number is not None else int(not token.operator.startswith("<"))
        if token.operator in {"<<", "<<-"}:
            return Redirect(number, "<<", next(self._heredocs).body)
        return Redirect(number, token.operator, target.word)

    def _simple(self) -> Simple:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        while (token := self._peek()) is not None:
            redirect = self._redirect()
            if redirect is not None:
                redirects.append(redirect)
                continue
            if token.word is None:
                break
            assignment = None if words else assigned(token.word)
            if assignment is not None:
                assignments.append(assignment)
            else:
                words.append(token.word)
            self._at += 1
        if not (assignments or words or redirects):
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))


def is_name(text: str) -> bool:
    """Whether a variable may be called so."""
    return bool(text) and text[0] in NAME_START and all(char in NAME for char in text)


def assigned(word: Word) -> tuple[str, Word] | None:
    """(name, value) if the word is NAME=value, else None."""
    if not word or not isinstance(word[0], Literal) or word[0].quoted or "=" not in word[0].text:
        return None
    name, _, value = word[0].text.partition("=")
    if not is_name(name):
        return None
    return name, ((Literal(value, quoted=False), *word[1:]) if value else word[1:])


@lru_cache(maxsize=PARSED)
def parse(script: str) -> Sequence:
    """The tree of a script, which never changes; ShellSyntaxError if it has none."""
    return Parser(script).script()
