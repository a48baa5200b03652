"""Contacts and their contacts as a graph in three columns: the person, who met the person, who met those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from infra.plots.figure import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sinks.clickhouse.tracing import Link

_COLOURS = ("#b2182b", "#e08214", "#2166ac")
_TITLES = ("the person", "contacts", "contacts of contacts")
_NAMED = 60
"""More people in a column than this are dots without a name."""


def chain_graph(links: Sequence[Link], zone: ZoneInfo) -> Figure:
    """Draw a chain of contacts.

    Args:
        links: as of `contact_chain`; people stand in the order in which they are first named.
        zone: the city's zone, in which the first meetings are written beside contacts.
    """
    columns: list[dict[str, Link | None]] = [{"": None}, {}, {}]
    for link in links:
        columns[link.degree].setdefault(link.contact, link)
    rows = max(len(column) for column in columns)
    figure = new_figure(rows)
    axes = figure.add_subplot()
    places = [
        {name: (row + 0.5) * rows / len(column) for row, name in enumerate(reversed(column))}
        for column in columns
        if column
    ]
    for link in links:
        heights = [places[link.degree - 1][link.via], places[link.degree][link.contact]]
        axes.plot([link.degree - 1, link.degree], heights, color="#999999", linewidth=0.8, alpha=0.6, zorder=1)
    for degree, heights_of in enumerate(places):
        axes.scatter([degree] * len(heights_of), list(heights_of.values()), color=_COLOURS[degree], s=30, zorder=2)
        for name, height in heights_of.items():
            first = columns[degree][name]
            if first is not None and len(heights_of) <= _NAMED:
                at = first.first_meeting.astimezone(zone).strftime("%m-%d %H:%M")
                axes.annotate(
                    f"{name[:8]}… {at}",
                    (degree, height),
                    xytext=(6, 0),
                    textcoords="offset points",
                    va="center",
                    size=7,
                )
    counts = [1, len(columns[1]), len(columns[2])]
    axes.set_xticks(range(3), [f"{title}: {count}" for title, count in zip(_TITLES, counts, strict=True)])
    axes.set_xlim(-0.2, 2.5)
    axes.set_ylim(-0.5, rows + 0.5)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return figure
