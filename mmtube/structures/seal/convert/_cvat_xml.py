"""The tracks of a "CVAT for video" XML, one by one, so that 100,000 boxes need no tree of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from mmtube.errors import InputError

from ..box_table import HEAD_VISIBLE, INTERPOLATED

SHAPES = ('polygon', 'polyline', 'points', 'ellipse', 'cuboid', 'mask', 'skeleton')


@dataclass
class CvatRow:
    """One box: frame, whether the person is not seen, flags of the box table, xyxy in pixels, texts by attribute."""

    frame: int
    outside: bool
    flags: int
    box: tuple[float, float, float, float]
    attributes: dict[str, str]


@dataclass
class CvatTrack:
    """One track; ``wrong`` says what cannot be read, ``''`` if nothing."""

    number: str
    label: str
    task_id: str
    rows: list[CvatRow] = field(default_factory=list)
    wrong: str = ''


def cvat_items(file: Path) -> Iterator[dict[str, str] | CvatTrack]:
    """Yield the facts of each task of a file, then its tracks; elements are dropped when they are done."""
    _refuse_doctype(file)
    facts: list[dict[str, str]] = []
    extra: dict[str, str] = {}
    track: CvatTrack | None = None
    attributes: dict[str, str] = {}
    path: list[str] = []
    try:
        for event, element in ElementTree.iterparse(file, events=('start', 'end')):
            tag = element.tag
            if event == 'start':
                path.append(tag)
                if len(path) == 1 and tag != 'annotations':
                    raise InputError(f'{file}: is not of CVAT, its root is <{tag}>')
                if tag == 'track' and len(path) == 2:
                    if facts:
                        yield from ({**extra, **fact} for fact in facts)
                        facts = []
                    track = CvatTrack(*(element.get(name, '') for name in ('id', 'label', 'task_id')))
                elif tag == 'image' and len(path) == 2:
                    raise InputError(f'{file}: is "CVAT for images", export the task as "CVAT for video"')
                continue
            path.pop()
            if 'meta' in path and track is None:
                if tag in ('task', 'job'):
                    facts.append({child.tag: (child.text or '').strip() for child in element})
                    size = element.find('original_size')
                    facts[-1].update({child.tag: child.text or '' for child in ([] if size is None else size)})
                elif path[-1] == 'meta':
                    extra[tag] = (element.text or '').strip()
                continue
            if track is not None and tag == 'attribute':
                attributes[element.get('name', '')] = element.text or ''
            elif track is not None and tag == 'box':
                _add_box(track, element, attributes)
                attributes = {}
            elif track is not None and tag in SHAPES:
                track.wrong = track.wrong or f'holds a {tag}, only boxes are read'
            elif tag == 'track' and track is not None:
                yield track
                track = None
            element.clear()
    except ElementTree.ParseError as error:
        raise InputError(f'{file}:{error.position[0]}: is not XML, or is cut off ({error})') from None
    except OSError as error:
        raise InputError(f'{file}: cannot be read ({error.strerror or error})') from None
    yield from ({**extra, **fact} for fact in facts)


def _refuse_doctype(file: Path) -> None:
    """Refuse a document type: entities of one can grow without bound or name other files, and CVAT writes none."""
    parser = expat.ParserCreate()
    state = {'elements': 0}

    def doctype(*_: object) -> None:
        raise InputError(f'{file}: has a document type (DOCTYPE), which is not read')

    def element(*_: object) -> None:
        state['elements'] += 1

    parser.StartDoctypeDeclHandler, parser.StartElementHandler = doctype, element
    try:
        with file.open('rb') as stream:
            while not state['elements'] and (block := stream.read(4096)):
                parser.Parse(block, False)
    except expat.ExpatError:
        return  # the reader says where
    except OSError as error:
        raise InputError(f'{file}: cannot be read ({error.strerror or error})') from None


def _add_box(track: CvatTrack, element: ElementTree.Element, attributes: dict[str, str]) -> None:
    try:
        frame = int(element.attrib['frame'])
        x1, y1, x2, y2 = (float(element.attrib[name]) for name in ('xtl', 'ytl', 'xbr', 'ybr'))
        turned = float(element.get('rotation', 0)) % 360
    except KeyError as error:
        track.wrong = track.wrong or f'a box has no {error}'
        return
    except ValueError:
        track.wrong = track.wrong or f'a box has a value that is no number: {dict(element.attrib)}'
        return
    outside = element.get('outside', '0') == '1'
    filled = element.get('occluded', '0') == '1' or element.get('keyframe', '1') != '1'
    if not (np.isfinite([x1, y1, x2, y2]).all() and x1 < x2 and y1 < y2) and not outside:
        track.wrong = track.wrong or f'the box of frame {frame} has no area'
    if turned:
        track.wrong = track.wrong or f'the box of frame {frame} is turned'
    flags = INTERPOLATED * filled + HEAD_VISIBLE * (attributes.get('head_visible', '').lower() == 'true')
    track.rows.append(CvatRow(frame, outside, flags, (x1, y1, x2, y2), attributes))
