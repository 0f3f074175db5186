"""The page as one file that loads nothing but the film."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from string import Template

from mmtube.fileio import read_text, write_text
from mmtube.structures import VideoResult

from ..report.markup import text
from .document import viewer_document

ASSETS = Path(__file__).parents[2] / 'assets' / 'viewer'
SCRIPTS = ('model.js', 'stage.js', 'timeline.js', 'viewer.js')


def viewer_page(result: VideoResult, film_url: str | None = None) -> str:
    """Return a page that plays a film with its tubes drawn on it and a timeline of who does what below it.

    Nothing is loaded from anywhere but the film, and the page's content security policy forbids the rest, also to what
    hides in a name. Boxes are within half a pixel of the result's. Equal arguments give equal text.

    Args:
        result (VideoResult): The film.
        film_url (str | None): Where the page finds the film, relative to itself. Where it is None or the film cannot
            be played from there, the page asks for the film and shows the rest. Defaults to None.

    Returns:
        str: HTML.
    """
    script = "'use strict';\n(() => {\n" + '\n'.join(read_text(ASSETS / name) for name in SCRIPTS) + '})();\n'
    document = json.dumps(viewer_document(result, film_url), separators=(',', ':'), allow_nan=False)
    return Template(read_text(ASSETS / 'viewer.html')).substitute(
        title=text(result.video.name),
        digest=b64encode(sha256(script.encode()).digest()).decode('ascii'),
        style=read_text(ASSETS / 'viewer.css'),
        document=document.replace('<', '\\u003c'),  # no name can end the element that holds it
        script=script,
    )


def write_viewer(result: VideoResult, path: str | os.PathLike, film_url: str | None = None) -> None:
    """Write :func:`viewer_page`.

    Args:
        result (VideoResult): The film.
        path (str | os.PathLike): The HTML file.
        film_url (str | None): See :func:`viewer_page`. Defaults to None.

    Raises:
        InputError: If the file cannot be written.
    """
    write_text(path, viewer_page(result, film_url))
