"""Class names of CVAT annotations that come without a label map."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from ..label_map import LabelMap
from ..records import GROUPS
from ._cvat_xml import CvatTrack, cvat_items
from .cvat import ACTIVITY, GROUP_ATTRIBUTES, LABEL
from .cvat_read import NUMBERED, names_in


def cvat_label_maps(path: str | os.PathLike, *, label: str = LABEL) -> dict[str, LabelMap]:
    """Return label maps of the classes that occur, sorted within their groups; none for a task without classes.

    Names such as ``atomic 7`` are numbers of classes and no names. Where actions stand in the attribute for actions
    without groups, the map has no groups.

    Args:
        path (str | os.PathLike): An XML, or a folder of them.
        label (str): CVAT label of the people. Defaults to 'person'.

    Raises:
        InputError: If a file is missing, no such XML or cut off.
    """
    home = Path(path)
    found: dict[str, set[str]] = {}
    for file in sorted(home.rglob('*.xml')) if home.is_dir() else [home]:
        for item in cvat_items(file):
            if isinstance(item, CvatTrack) and item.label == label:
                texts = {text for row in item.rows for text in row.attributes.items()}
                for attribute, name in (named for text in texts for named, _ in names_in(dict([text]))):
                    if not NUMBERED.fullmatch(name):
                        found.setdefault(attribute, set()).add(name)
    maps = {}
    activities = sorted(found.get(ACTIVITY, ()))
    if activities:
        maps['complex'] = LabelMap('complex', tuple(activities))
    by_group = {group: sorted(found.get(GROUP_ATTRIBUTES[group], ())) for group in GROUPS}
    actions = [name for names in by_group.values() for name in names]
    ungrouped = found.get(GROUP_ATTRIBUTES[''], set())
    if ungrouped or len(set(actions)) < len(actions):
        maps['atomic'] = LabelMap('atomic', tuple(sorted({*actions, *ungrouped})))
    elif actions:
        edges = [0]
        for names in by_group.values():
            edges.append(edges[-1] + len(names))
        maps['atomic'] = LabelMap('atomic', tuple(actions), dict(zip(GROUPS, pairwise(edges))))
    return maps
