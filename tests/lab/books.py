"""What the farm wrote down of its machines' hours, cloud by cloud."""

from __future__ import annotations

from dataclasses import dataclass

from tests.lab.outside import Invoice
from tests.pairs.own import Rows

WRITTEN = (
    "SELECT group_concat(row, ' ') FROM (SELECT 'farm-' || server_uid || '/' || kind || '='"
    " || sum(cloud_micros) AS row FROM billing_usageline JOIN agents_server ON uid = server_uid"
    " WHERE provider = ? GROUP BY server_uid, kind) AS a"
)
BORNE = (
    "SELECT sum(cloud_micros - micros) FROM billing_usageline"
    " JOIN agents_server ON uid = server_uid WHERE provider = ?"
)
NOT_GONE = "SELECT uid FROM agents_server WHERE gone_at IS NULL"
UNMETERED = "SELECT uid FROM agents_server WHERE created_at IS NOT NULL AND NOT metered"
UNSWEPT = "SELECT provider FROM agents_providerproject WHERE swept_at IS NULL"


@dataclass(frozen=True, slots=True)
class Books:
    """The farm's own rows."""

    rows: Rows

    def written(self, cloud: str) -> Invoice:
        """What the farm says that cloud charges, as `Outside.invoice` has it."""
        pairs = (row.split("=") for row in self.rows.ask(WRITTEN, [cloud]).split())
        return {name: int(micros) for name, micros in pairs}

    def borne(self, cloud: str) -> int:
        """Micros of that which no payer is charged: hours that the farm itself caused."""
        return int(self.rows.ask(BORNE, [cloud]))

    def all_gone(self) -> bool:
        """Whether the farm saw every machine gone."""
        return not self.rows.ask(NOT_GONE)

    def all_metered(self) -> bool:
        """Whether every hour of every machine is written down."""
        return not self.rows.ask(UNMETERED)

    def all_swept(self) -> bool:
        """Whether every cloud's whole list was read since the farm was pointed at it."""
        return not self.rows.ask(UNSWEPT)
