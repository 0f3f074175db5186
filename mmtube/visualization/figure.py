"""The look of all figures: colours, style, and names as people read them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmtube.fileio import atomic_path

from .palette import BASE_RGB

DPI = 150
SUFFIXES = ('.png', '.svg')
GREY = '#555555'
ORANGE, SKY, GREEN, _, _, RED, BLUE = ('#{:02x}{:02x}{:02x}'.format(*rgb) for rgb in BASE_RGB)
STYLE = {
    'axes.axisbelow': True,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.titlesize': 11,
    'font.size': 9,
    'legend.frameon': False,
    'svg.fonttype': 'none',  # text stays text
    'svg.hashsalt': 'mmtube',  # the same figure has the same bytes
    'text.parse_math': False,  # a class may be named $x$
}
METADATA = {'.png': {'Software': None}, '.svg': dict.fromkeys(('Date', 'Creator', 'Format', 'Type'))}
UNITS = {'_s': ' in seconds', '_px': ' in pixels'}
NAMES = {'num_gt': 'ground truth', 'num_pred': 'predictions', 'gt': 'ground truth', 'pred': 'predictions'}
ACRONYMS = {'ap': 'AP', 'ar': 'AR', 'ap_n': 'AP_N', 'map': 'mAP', 'auc': 'AUC', 'iou': 'IoU'}


@contextmanager
def figure(path: str | os.PathLike, size: tuple[float, float], columns: int = 1, rows: int = 1) -> Iterator[Any]:
    """Make a figure and write it when the block ends well.

    Args:
        path (str | os.PathLike): File to write, ``.png`` or ``.svg``.
        size (tuple[float, float]): Width and height in inches, of 150 pixels each in a PNG.
        columns (int): Axes side by side. Defaults to 1.
        rows (int): Axes below one another. Defaults to 1.

    Yields:
        Any: Matplotlib's axes, as ``Figure.subplots`` returns them.

    Raises:
        InputError: If the file cannot be written.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        drawing = Figure(size, dpi=DPI, layout='constrained')
        yield drawing.subplots(rows, columns)
        with atomic_path(path) as temporary:
            drawing.savefig(temporary, metadata=METADATA[Path(path).suffix])


def short_name(name: str, length: int = 22) -> str:
    """Cut a name that is longer than ``length`` letters."""
    return name if len(name) <= length else f'{name[: length - 1]}…'


def readable(name: str, units: bool = True) -> str:
    """Return the name of a column, table or count for people.

    Args:
        name (str): Such as ``mean_length_s``.
        units (bool): Whether to spell out the unit; a table has it beside the name. Defaults to True.

    Examples:
        >>> readable('mean_length_s'), readable('ap@0.50'), readable('gain_mAP_N'), readable('time_s', units=False)
        ('mean length in seconds', 'AP@0.50', 'gain mAP_N', 'time')
    """
    unit = next((ending for ending in UNITS if name.endswith(ending) and name != ending), '')
    stem = name.removesuffix(unit)
    head, at, tail = stem.partition('@')
    head = NAMES.get(head) or ACRONYMS.get(head) or re.sub(r'_(?=\w\w)', ' ', head).strip() or head
    return head + at + tail + (UNITS[unit] if unit and units else '')
