"""Work that is done film by film: what is done is kept, a bad film is told at the end."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from mmtube.errors import InputError
from mmtube.structures.seal.convert._common import film_file

BAD_TOLD = 5


class FilmParts:
    """The results of films on disk, so that a command that was stopped goes on where it stopped.

    A part is found again only by the same settings: their hash is in its name.

    Args:
        folder (Path): Where the parts are.
        load (Callable[[Path], Any]): Reads a part.
        save (Callable[[Any, Path], None]): Writes one, whole or not at all.
    """

    def __init__(self, folder: Path, load: Callable[[Path], Any], save: Callable[[Any, Path], None]) -> None:
        self.folder, self._load, self._save = folder, load, save

    def get(self, vid: str, settings: str, make: Callable[[], Any]) -> tuple[Any, bool]:
        """Return the result of a film, and whether it was made now."""
        digest = hashlib.sha256(settings.encode()).hexdigest()[:12]
        path = film_file(self.folder, vid, f'.{digest}.json')
        if path.exists():
            return self._load(path), False
        result = make()
        self._save(result, path)
        return self._load(path), True  # what is read back is what a second run would get

    def clear(self) -> None:
        """Remove the parts: the whole result is written."""
        shutil.rmtree(self.folder, ignore_errors=True)


class BadFilms:
    """The films that could not be done, and why."""

    def __init__(self) -> None:
        self.causes: dict[str, str] = {}

    def each(self, vids: Iterable[str], work: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
        """Yield each film with what ``work`` returned; films for which it raised are noted and passed over.

        Args:
            vids (Iterable[str]): The films.
            work (Callable[[str], Any]): What is done.
        """
        for vid in vids:
            try:
                result = work(vid)
            except InputError as error:  # noqa: PERF203
                self.causes[vid] = str(error)
            except Exception as error:  # whatever one film does, the others are done
                self.causes[vid] = f'{vid}: {type(error).__name__}: {" ".join(str(error).split())}'
            else:
                yield vid, result

    def refuse(self) -> None:
        """Tell the bad films, if there are any, in one line.

        Raises:
            InputError: If a film was bad.
        """
        if self.causes:
            causes = list(self.causes.values())
            more = f' (and {len(causes) - BAD_TOLD} more)' if len(causes) > BAD_TOLD else ''
            films = '1 film was' if len(causes) == 1 else f'{len(causes)} films were'
            raise InputError(f'{films} left out: {"; ".join(causes[:BAD_TOLD])}{more}')
