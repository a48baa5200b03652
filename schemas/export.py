"""The records as JSON Schema (draft 2020-12), for whoever reads or writes a topic in another language.

`schemas/json/` holds what the models say now, one file a record; `schemas/released/<version>/` what a release promised.
The first follows the models (`venuecode schema export`), the second is written once and never changed: it is what a
change is measured against (`schemas.evolution`), so that an export cannot move the mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from schemas.alert import Alert
from schemas.base import Record
from schemas.exposure_window import ExposureWindow
from schemas.health import HealthStatus
from schemas.scan import Scan
from schemas.venue import Venue
from schemas.visit import Visit

RECORDS: tuple[type[Record], ...] = (Scan, HealthStatus, Venue, Visit, Alert, ExposureWindow)
"""What crosses a topic as JSON. A dead letter is raw bytes with headers, and has no schema."""

JsonSchema = dict[str, Any]


def file_name(model: type[Record]) -> str:
    """`HealthStatus` -> `health_status.json`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower() + ".json"


def schema_of(model: type[Record]) -> JsonSchema:
    """What the model accepts, as JSON Schema."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **model.model_json_schema()}
    portable: JsonSchema = _portable(schema)
    return portable


def current_schemas() -> dict[str, JsonSchema]:
    """The JSON Schema of every record, by file name."""
    return {file_name(model): schema_of(model) for model in RECORDS}


def to_text(schema: JsonSchema) -> str:
    """A schema as it is committed."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def exported_schemas() -> dict[str, str]:
    """The text of the committed files of `schemas/json/`, by file name."""
    return _texts(files("schemas") / "json")


def released_schemas() -> dict[str, dict[str, JsonSchema]]:
    """The released schemas: version -> file name -> JSON Schema."""
    released = files("schemas") / "released"
    if not released.is_dir():
        return {}
    return {
        version.name: {name: json.loads(text) for name, text in _texts(version).items()}
        for version in released.iterdir()
        if version.is_dir()
    }


def drift(exported: Mapping[str, str], current: Mapping[str, JsonSchema]) -> list[str]:
    """How the committed files differ from the models; empty when they do not."""
    problems = [f"{name}: not exported" for name in current if name not in exported]
    problems += [f"{name}: no such record any more" for name in exported if name not in current]
    different = (name for name, schema in current.items() if name in exported and exported[name] != to_text(schema))
    return [*problems, *(f"{name}: differs from the model" for name in different)]


def _texts(folder: Traversable) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    return {entry.name: entry.read_text("utf-8") for entry in folder.iterdir() if entry.name.endswith(".json")}


def _portable(node: Any) -> Any:
    """Patterns as ECMA-262 has them: `$` is the end of the text there, and `\\Z` is nothing."""
    if isinstance(node, dict):
        return {
            key: re.sub(r"\\Z$", "$", value) if key == "pattern" and isinstance(value, str) else _portable(value)
            for key, value in node.items()
        }
    return [_portable(item) for item in node] if isinstance(node, list) else node
