"""The keys the model knows, and what becomes of a request that shows one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OWN_OPENAI_KEY = "sk-proj-sandbox-of-a-member"
OWN_ANTHROPIC_KEY = "sk-ant-sandbox-of-a-member"
KEY_WITHOUT_CREDIT = "sk-sandbox-without-credit"
REFUSED_KEY = "sk-sandbox-refused"


class Verdict(StrEnum):
    """What a provider does with a key."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHOUT_CREDIT = "without credit"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The farm's own key and those that stand for a member's; every other one is refused."""

    farm_key: str

    def verdict(self, key: str) -> Verdict:
        """A key without credit is a good key that cannot pay for an answer."""
        if key == KEY_WITHOUT_CREDIT:
            return Verdict.WITHOUT_CREDIT
        if key in (self.farm_key, OWN_OPENAI_KEY, OWN_ANTHROPIC_KEY):
            return Verdict.ACCEPTED
        return Verdict.REFUSED
