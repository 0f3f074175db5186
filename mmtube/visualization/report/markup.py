"""HTML in which every text is escaped unless it was made here."""

from __future__ import annotations

import re
from html import escape

VOID = frozenset({'img', 'input', 'link', 'meta', 'br', 'wbr'})
# Of these controls HTML allows only tab and line feed; half a surrogate pair cannot be written as UTF-8.
NO_TEXT = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]')


class Html(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as HTML text; what is :class:`Html` stays as it is."""
    if isinstance(value, Html):
        return value
    return Html(escape(NO_TEXT.sub('\ufffd', str(value)), quote=True))


def tag(name: str, /, *children: object, **attributes: object) -> Html:
    """Return an element.

    Args:
        name (str): Name of the element.
        *children (object): What stands in it; all but :class:`Html` is escaped, None is left out.
        **attributes (object): Attributes, escaped. ``class_`` is ``class``, ``aria_label`` is ``aria-label``. None and
            False are left out, True is an attribute without value.

    Returns:
        Html: The element.

    Examples:
        >>> tag('b', '1 < 2', title='"')
        '<b title="&quot;">1 &lt; 2</b>'
    """
    told = []
    for key, value in attributes.items():
        key = key.rstrip('_').replace('_', '-')
        if value is True:
            told.append(f' {key}')
        elif value is not None and value is not False:
            told.append(f' {key}="{text(str(value))}"')
    start = f'<{name}{"".join(told)}>'
    return Html(start) if name in VOID else Html(f'{start}{join(children)}</{name}>')


def join(parts: object) -> Html:
    """Return parts after one another, escaped where they are no HTML; None is left out."""
    return Html(''.join(text(part) for part in parts if part is not None))


def breakable(name: str) -> Html:
    """Return the name of a number that may go on in the next line before ``@`` and after ``_`` and ``/``."""
    return Html(re.sub(r'(@|(?<=[_/])(?=[^_/]{3}))', r'<wbr>\1', text(name)))


def slug(*names: object) -> str:
    """Return what can stand in an ``id``: lower-case ASCII letters, digits and hyphens."""
    return '-'.join(re.sub(r'[^a-z0-9]+', '-', str(name).lower()).strip('-') or 'x' for name in names)
