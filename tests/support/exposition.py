"""Holds what a process exports against the closed list."""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client.parser import text_string_to_metric_families

from schemas.metrics import Metric


def problems(text: str, listed: Collection[Metric], tokens: Collection[str] = ()) -> list[str]:
    """What `/metrics` has beyond the list, or otherwise than it says, and person tokens in it; in words.

    Args:
        text: as answered.
        listed: what the process may export, all of it.
        tokens: of persons whose records it has handled.
    """
    known = {metric.name: metric for metric in listed}
    families = list(text_string_to_metric_families(text))
    found = [f"missing: {name}" for name in sorted(set(known) - {family.name for family in families})]
    for family in families:
        metric = known.get(family.name)
        if metric is None:
            found.append(f"not in the list: {family.name}")
            continue
        if family.type != metric.kind:
            found.append(f"{family.name} is a {family.type}, listed as a {metric.kind}")
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            if set(labels) != set(metric.labels):
                found.append(f"{family.name} has labels {sorted(labels)}")
            for name, value in labels.items():
                allowed = metric.labels.get(name, ())
                if isinstance(allowed, tuple) and value not in allowed:
                    found.append(f"{family.name} has {name}={value}")
                if name == "partition" and not value.isdigit():
                    found.append(f"{family.name} has partition={value}")
    return found + [f"the token {token} is in it" for token in tokens if token in text]
