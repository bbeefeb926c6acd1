"""The page about telemetry names what there is, and nothing else; and what is switched off is what would be on."""

from __future__ import annotations

import re
from pathlib import Path

from azure.monitor.opentelemetry._constants import _ALL_SUPPORTED_INSTRUMENTED_LIBRARIES

from core.telemetry import names
from core.telemetry.setup import INSTRUMENTATIONS, SAMPLING

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "telemetry.md").read_text(encoding="utf-8")
TEMPLATE = (ROOT / "infra" / "modules" / "functionApp.bicep").read_text(encoding="utf-8")
DOTTED = re.compile(r"(?:adf_ops|gen_ai|messaging|http|url|error|server)\.[a-z_.]+")
TOLD_OF_OTHERS = {"gen_ai.input.messages"}  # which the page says that it does not fill


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"### {heading}", 1)[1].split("\n### ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def dotted() -> set[str]:
    return {value for value in vars(names).values() if isinstance(value, str) and DOTTED.fullmatch(value)}


def test_every_metric_is_on_the_page_with_its_kind_and_no_other_is() -> None:
    listed = {row[0].strip("`"): row[1] for row in rows("Metrics")}
    kinds = dict.fromkeys(names.HISTOGRAMS, "histogram") | dict.fromkeys(names.COUNTERS, "counter")
    assert listed == kinds


def test_every_attribute_is_on_the_page_and_no_other_is() -> None:
    on_page = set(re.findall(rf"`({DOTTED.pattern})`", PAGE)) - TOLD_OF_OTHERS
    assert on_page == dotted()


def test_every_span_is_on_the_page() -> None:
    made = [
        names.sending("<queue>"),
        names.processing("<queue>"),
        names.executing("<tool>"),
        names.invoking("<agent>"),
        names.creating("<agent>"),
        names.asking("<method>", "<operation>"),
        names.request("POST", "/api/ask"),
    ]
    plain = [
        getattr(names, name) for name in ("WORKFLOW", "ALERTS", "LOOK", "EXPLAIN", "CHECKS", "ACT", "REPAIR", "DIGEST")
    ]
    first = " ".join(row[0] for row in rows("Spans, and where Application Insights puts them"))
    assert [name for name in (*made, *plain) if f"`{name}`" not in first] == []


def test_every_instrumentation_of_the_distribution_is_off_wherever_it_is_set_up() -> None:
    assert set(INSTRUMENTATIONS) == set(_ALL_SUPPORTED_INSTRUMENTED_LIBRARIES)
    listed = TEMPLATE.split("var silentInstrumentations = [", 1)[1].split("]", 1)[0]
    assert set(re.findall(r"'(\w+)'", listed)) == set(INSTRUMENTATIONS)
    assert {name for name in INSTRUMENTATIONS if f"`{name}`" not in PAGE} == set()


def test_the_templates_sample_as_the_app_does() -> None:
    assert {name for name, value in SAMPLING.items() if f"{name}: '{value}'" not in TEMPLATE} == set()


def test_no_name_is_written_anywhere_but_in_its_place() -> None:
    """In code, that is: queries and pages are compared with it."""
    ours = re.compile(r"""["'](?:adf_ops|gen_ai)\.[a-z_.]+["']""")
    files = [path for part in ("core", "orchestrator", "tools_worker") for path in (ROOT / part).rglob("*.py")]
    assert len(files) > 200
    elsewhere = [path for path in files if path.name != "names.py" and ours.search(path.read_text(encoding="utf-8"))]
    assert elsewhere == []
