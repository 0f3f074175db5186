"""Where a page finds a film, if browsers play it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from mmtube.datasets.film_container import open_film

# What Chrome, Firefox and Safari all play, by the suffix, which also tells them the type of a local file.
CODECS = {'.mp4': ('h264',), '.m4v': ('h264',), '.webm': ('vp8', 'vp9')}
PIXELS = ('yuv420p', 'yuvj420p')  # 8 bits
MAX_OFFSET_S = 0.005


def film_url(film: str | os.PathLike, folder: str | os.PathLike) -> str | None:
    """Return how a page in a folder names a film.

    Args:
        film (str | os.PathLike): The film.
        folder (str | os.PathLike): Where the page is.

    Returns:
        str | None: A relative URL; None if browsers do not play the film, or if its picture begins later than its
            sound: browsers count time from the first of them, results from the first frame. None also where no
            relative path leads there.

    Raises:
        InputError: If the film cannot be opened.
    """
    path = Path(film)
    with open_film(path, threads=1) as (container, stream):
        codec = stream.codec_context
        if codec.name not in CODECS.get(path.suffix.lower(), ()) or codec.pix_fmt not in PIXELS:
            return None
        heard_or_seen = (*container.streams.video, *container.streams.audio)
        starts_s = [float(one.start_time * one.time_base) for one in heard_or_seen if one.start_time is not None]
        if stream.start_time is None or float(stream.start_time * stream.time_base) - min(starts_s) > MAX_OFFSET_S:
            return None
    try:
        relative = Path(os.path.relpath(path.resolve(), Path(folder).resolve()))
    except ValueError:  # another drive
        return None
    return quote(os.fsencode(relative.as_posix()))
