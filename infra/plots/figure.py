"""What the pictures share: a figure that needs no display, names in fonts that have them, the file at the end."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from schemas.errors import ConfigurationError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png")
COLOURS = {"explicit": "#1b7837", "next_scan": "#2166ac", "default": "#b2b2b2", "none": "#e08214"}
"""How a stay's end is known; told apart by lightness as well as by colour."""
ENDS = {
    "explicit": "stay ended by a leave scan",
    "next_scan": "by the next scan",
    "default": "assumed for the kind of venue",
    "none": "an instant",
}
"""How that is said in a legend."""
_CJK = ("Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei")


def checked_path(path: Path) -> Path:
    """The path, if a picture can be written there.

    Raises:
        ConfigurationError: the ending is none of `FORMATS`, or the folder does not exist; or matplotlib is missing.
    """
    if path.suffix.lower() not in FORMATS:
        raise ConfigurationError(f"{path.name}: a picture ends in {' or '.join(FORMATS)}")
    if not path.parent.is_dir():
        raise ConfigurationError(f"{path}: there is no folder {path.parent}")
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ConfigurationError("pictures need matplotlib: install venuecode[analysis]") from None
    return path


def new_figure(rows: int) -> Figure:
    """An empty figure high enough for so many rows of text, inches."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["font.family"] = [*_chinese_fonts(), "DejaVu Sans"]
    matplotlib.rcParams["svg.fonttype"] = "none"  # text stays text: it can be searched, and a browser has the glyphs
    matplotlib.rcParams["svg.hashsalt"] = "venuecode"  # the same answer makes the same bytes
    return Figure(figsize=(11, min(40.0, 1.8 + 0.32 * rows)), layout="constrained")


def drawable(name: str, otherwise: str) -> str:
    """The name, or where no font here has its letters, the id instead."""
    fonts = _chinese_fonts().values()
    drawn = all(ord(letter) < 0x250 or any(font.get_char_index(ord(letter)) for font in fonts) for letter in name)
    return name if name and drawn else otherwise


def save(figure: Figure, path: Path) -> None:
    """Write the picture; no date goes into it.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {}
    try:
        figure.savefig(path, dpi=150, metadata=metadata)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error


@cache
def _chinese_fonts() -> dict[str, Any]:
    """Those of `_CJK` that are installed, by family."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    installed = set(fontManager.get_font_names())
    return {name: get_font(fontManager.findfont(FontProperties(family=name))) for name in _CJK if name in installed}
