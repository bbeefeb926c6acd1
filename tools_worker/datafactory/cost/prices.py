"""The list prices of Data Factory's meters, from the table beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_name("prices.yaml")
# Names that outputs use for the same meter. "Data Flow" is what older runs of general purpose clusters say.
_SAME = {"managed": "AzureIR", "selfhosted": "SelfhostedIR", "data flow": "General"}
_DATAFLOW = "executedataflow"


@dataclass(frozen=True, slots=True)
class Prices:
    date: date
    region: str
    currency: str
    source: str
    meters: Mapping[str, Mapping[str, Decimal]]
    dataflow: Mapping[str, Decimal]

    def per_unit(self, activity_type: str, meter: str) -> Decimal | None:
        """Of one hour, DIU-hour or core-hour. None: this meter is not in the table, so it has no price here.

        The activity's type decides and not the unit: a Lookup was seen labelled DIUHours.
        """
        meter = _known_as(meter, {**self.meters, **self.dataflow})
        if activity_type.casefold() == _DATAFLOW or (not activity_type and meter in self.dataflow):
            return self.dataflow.get(meter)
        kinds = self.meters.get(meter, {})
        return kinds.get(_known_as(activity_type, kinds)) if activity_type != "Orchestration" else None

    def per_activity_run(self, self_hosted: bool) -> Decimal:
        return self.meters["SelfhostedIR" if self_hosted else "AzureIR"]["Orchestration"]


def _known_as(name: str, names: Mapping[str, object]) -> str:
    wanted = _SAME.get(name.strip().casefold(), name.strip())
    return next((known for known in names if known.casefold() == wanted.casefold()), wanted)


@cache
def list_prices() -> Prices:
    raw: Mapping[str, Any] = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    return Prices(
        date=raw["date"],
        region=raw["region"],
        currency=raw["currency"],
        source=raw["source"],
        meters={runtime: _decimals(kinds) for runtime, kinds in raw["meters"].items()},
        dataflow=_decimals(raw["dataflow"]),
    )


def _decimals(prices: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(price) for name, price in prices.items()}
