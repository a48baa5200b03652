"""A person's stays in time, one line a place, and under each stay the people met there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from infra.plots.figure import COLOURS, ENDS, drawable, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sinks.clickhouse.queries import Meeting, Scan

_MEETING = "#b2182b"


def timeline(
    scans: Sequence[Scan], meetings: Sequence[Meeting], since: datetime, until: datetime, zone: ZoneInfo
) -> Figure:
    """Draw a trajectory.

    Args:
        scans: the person's scans, oldest first; entries become bars, coloured by what their end rests on.
        meetings: drawn as a thin line under the stay, darker where they overlap.
        since, until: the span of the picture, aware.
        zone: the city's zone; the axis has its local time.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.patches import Patch

    entries = [(scan, scan.left_at) for scan in scans if scan.left_at is not None]
    places: dict[str, Scan] = {}
    for scan, _ in entries:
        places.setdefault(_line(scan), scan)
    heights = {place: row for row, place in enumerate(reversed(places))}
    figure = new_figure(len(places))
    axes = figure.add_subplot()
    for scan, left_at in entries:
        begin, end = date2num(scan.scanned_at), date2num(left_at)
        axes.barh(heights[_line(scan)], end - begin, left=begin, height=0.5, color=COLOURS.get(scan.dwell, "#000000"))
    for meeting in meetings:
        height = heights.get(_line(meeting))
        if height is not None:
            span = [date2num(meeting.overlap_start), date2num(meeting.overlap_end)]
            axes.plot(span, [height - 0.36] * 2, color=_MEETING, linewidth=2, alpha=0.5, solid_capstyle="butt")
    names = {heights[key]: drawable(scan.venue_name, scan.venue_id) for key, scan in places.items()}
    axes.set_yticks(range(len(places)), [names[row] for row in range(len(places))])
    axes.set_ylim(-0.7, max(0.7, len(places) - 0.3))
    axes.set_xlim(date2num(since), date2num(until))
    locator = AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=zone))
    axes.grid(axis="x", alpha=0.3)
    used = [dwell for dwell in COLOURS if any(scan.dwell == dwell for scan, _ in entries)]
    legend = [Patch(color=COLOURS[dwell], label=ENDS[dwell]) for dwell in used]
    people = len({meeting.contact for meeting in meetings})
    figure.legend(
        handles=[*legend, Patch(color=_MEETING, label=f"meetings ({people} people)")],
        loc="outside lower center",
        ncols=len(legend) + 1,
        fontsize=8,
    )
    axes.set_title(f"{len(entries)} stays; local time of {zone.key}. Only what was scanned and is kept.", fontsize=9)
    return figure


def _line(visit: Scan | Meeting) -> str:
    """Trips get a line of their own, whatever stop they were boarded at."""
    return visit.vehicle + "/" + visit.run if visit.vehicle else visit.venue_id
