"""SVG files as parts of a page: nothing from outside, no style that reaches the page, names that do not collide."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from mmtube.errors import InputError

from .markup import NO_TEXT, Html, tag, text

SVG = '{http://www.w3.org/2000/svg}'
SHAPES = {'path', 'rect', 'circle', 'ellipse', 'line', 'polyline', 'polygon', 'image'}
TEXTS = {'text', 'tspan', 'textPath', 'title', 'desc'}
SHARED = {
    'g',
    'defs',
    'use',
    'symbol',
    'marker',
    'clipPath',
    'mask',
    'pattern',
    'linearGradient',
    'radialGradient',
    'stop',
}
ELEMENTS = frozenset(SHAPES | TEXTS | SHARED | {'svg'})
ROUNDED = frozenset({'d', 'points', 'x', 'y', 'x1', 'y1', 'x2', 'y2', 'width', 'height', 'cx', 'cy'})
LONG_NUMBER = re.compile(r'-?\d+\.\d{3,}(?![\de])')
REFERENCE = re.compile(r'url\(\s*[\'"]?#([^\'")]+)[\'"]?\s*\)')
OUTSIDE = re.compile(r'url\((?!\s*[\'"]?#)|@import|javascript:|expression\(', re.IGNORECASE)
LENGTH = re.compile(r'\s*([\d.]+)')


def inline_svg(svg: str, prefix: str, label: str) -> tuple[Html, float, float]:
    """Return an SVG file as an element of a page.

    Scripts, style sheets, metadata, comments, handlers of events and references to anything outside are left out. IDs
    are numbered under ``prefix``, so that figures do not use one another's clip paths and equal drawings are equal
    text. Coordinates are rounded to hundredths.

    Args:
        svg (str): Text of the file.
        prefix (str): What the IDs begin with, different for all figures of a page.
        label (str): What is read to those who do not see it.

    Returns:
        tuple[Html, float, float]: The element, which is as wide as its place, and the width and height it was drawn
        for, in its own units.

    Raises:
        InputError: If the text is no SVG.
    """
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise InputError(f'figure {label!r}: is no SVG ({error})') from None
    width, height = _size(root)
    if root.tag != f'{SVG}svg' or width <= 0 or height <= 0:
        raise InputError(f'figure {label!r}: is no SVG with a size')
    names = {}
    for element in root.iter():
        if 'id' in element.attrib:
            names.setdefault(element.attrib['id'], f'{prefix}-{len(names)}')
    root.attrib.setdefault('viewBox', f'0 0 {width:g} {height:g}')
    for name in ('width', 'height', 'x', 'y'):
        root.attrib.pop(name, None)
    # The sheet that Matplotlib writes for the whole document, here for the figure alone.
    root.attrib['style'] = 'stroke-linejoin:round;stroke-linecap:butt'
    root.attrib |= {'role': 'img', 'aria-label': label}
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    return _element(root, names, used), width, height


def _size(root: ElementTree.Element) -> tuple[float, float]:
    box = re.split(r'[\s,]+', root.attrib.get('viewBox', '').strip())
    try:
        return float(box[2]), float(box[3])
    except (IndexError, ValueError):
        found = [LENGTH.match(root.attrib.get(name, '')) for name in ('width', 'height')]
        return tuple(float(match[1]) if match else 0.0 for match in found)


def _element(element: ElementTree.Element, names: dict[str, str], used: set[str]) -> Html:
    name = element.tag.removeprefix(SVG)
    attributes = []
    for key, value in element.attrib.items():
        key, value = key.rpartition('}')[2] if key.startswith('{') else key, NO_TEXT.sub('\ufffd', value)
        if key == 'href':
            inner = name == 'image' and value.startswith('data:image/')
            if not inner and not (value.startswith('#') and value[1:] in names):
                continue
            value = value if inner else f'#{names[value[1:]]}'
        elif key == 'id':
            if value not in used:
                continue
            value = names[value]
        elif key.startswith('on') or key in ('space', 'base', 'version') or OUTSIDE.search(value):
            continue
        value = REFERENCE.sub(lambda match: f'url(#{names.get(match[1], "none")})', value)
        if key in ROUNDED:
            value = ' '.join(LONG_NUMBER.sub(_rounded, value).split())
        attributes.append(f' {key}="{text(value)}"')
    inner = [text(element.text.strip('\n'))] if element.text and element.text.strip() else []
    for child in element:
        if isinstance(child.tag, str) and child.tag.removeprefix(SVG) in ELEMENTS and child.tag.startswith(SVG):
            inner.append(_element(child, names, used))
        if child.tail and child.tail.strip():
            inner.append(text(child.tail.strip('\n')))
    return Html(f'<{name}{"".join(attributes)}>{"".join(inner)}</{name}>')


def _rounded(match: re.Match) -> str:
    shown = f'{float(match[0]):.2f}'.rstrip('0').rstrip('.')
    return '0' if shown == '-0' else shown


def figure(svg: str, prefix: str, title: str) -> Html:
    """Return an SVG file as a figure; wide ones take the whole width of the page.

    The title is in the drawing already, the caption is for those who have the page read to them.

    Raises:
        InputError: If the text is no SVG.
    """
    drawing, width, height = inline_svg(svg, prefix, title)
    box = tag('div', drawing, class_='drawing', tabindex='0', role='region', aria_label=title)
    kind = 'figure wide' if width > 1.7 * height else 'figure'
    return tag('figure', box, tag('figcaption', title, class_='unseen'), class_=kind, style=f'--width:{width:.0f}px')
