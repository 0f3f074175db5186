"""Films in a folder."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from mmtube.errors import InputError

FILM_SUFFIXES = frozenset(
    [
        *('.3gp', '.avi', '.flv', '.h264', '.m2ts', '.m4v', '.mjpeg', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg'),
        *('.mts', '.ogv', '.ts', '.webm', '.wmv'),
    ]
)


def list_films(folder: str | os.PathLike) -> list[Path]:
    """Return the films of a folder in the order of their names.

    Raises:
        InputError: If there is none.
    """
    films = sorted(path for path in Path(folder).iterdir() if path.suffix.lower() in FILM_SUFFIXES and path.is_file())
    if not films:
        raise InputError(f'{folder}: no film in this folder')
    return films


def find_film(folder: str | os.PathLike, vid: str) -> Path:
    """Return the film of an ID: ``<folder>/<vid>.mp4``, or with another of :data:`FILM_SUFFIXES`.

    Args:
        folder (str | os.PathLike): Folder of films; it is listed once, and again when it has changed.
        vid (str): ID of the film: its file name without the suffix.

    Raises:
        InputError: If the folder is missing, has no such film, or has two of this name.
    """
    folder = Path(folder)
    try:
        films = _by_name(folder, folder.stat().st_mtime_ns).get(vid, [])
    except OSError as error:
        raise InputError(f'{folder}: cannot be read ({error.strerror or error})') from None
    if not films:
        raise InputError(f'{folder}: has no film {vid!r}, such as {vid}.mp4')
    if len(films) > 1:
        raise InputError(f'{folder}: has two films {vid!r}: {films[0].name} and {films[1].name}')
    return films[0]


@lru_cache(maxsize=16)
def _by_name(folder: Path, changed_ns: int) -> dict[str, list[Path]]:
    """Films by ID; ``changed_ns`` makes a changed folder another entry of the cache."""
    found: dict[str, list[Path]] = {}
    for path in list_films(folder):
        found.setdefault(path.stem, []).append(path)
    return found
