"""Files that are either whole or absent."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError


@contextmanager
def atomic_path(path: str | os.PathLike) -> Iterator[Path]:
    """Yield a temporary path beside ``path`` that takes its place when the block ends well.

    The temporary name keeps the suffix, because encoders choose the container by it. When the block raises, nothing is
    left behind and an existing file stays as it was.

    Args:
        path (str | os.PathLike): The file to be written. Its folder is created.

    Yields:
        Path: Where to write.

    Raises:
        InputError: If the folder cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise InputError(f'{path}: is a folder, a file was to be written')
        handle, name = tempfile.mkstemp(prefix=f'.{path.stem}.', suffix=path.suffix, dir=path.parent)
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror or error})') from None
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp is private; the result is an ordinary file
        temporary.replace(path)
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror or error})') from error
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike) -> None:
    """See that a file can be written before hours of work depend on it; nothing is left behind.

    Raises:
        InputError: If it cannot.
    """
    parent = next(folder for folder in Path(path).absolute().parents if folder.exists())
    if Path(path).is_dir():
        raise InputError(f'{path}: is a folder, a file was to be written')
    try:
        with tempfile.TemporaryFile(dir=parent):
            return
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror or error})') from None


def write_text(path: str | os.PathLike, text: str) -> None:
    """Write ``text`` as UTF-8, whole or not at all.

    Raises:
        InputError: If the file cannot be written.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def read_text(path: str | os.PathLike) -> str:
    """Read a UTF-8 text file.

    Raises:
        InputError: If the file is missing, unreadable or not text.
    """
    try:
        return Path(path).read_text(encoding='utf-8')
    except UnicodeDecodeError:
        raise InputError(f'{path}: is not a UTF-8 text file') from None
    except OSError as error:
        raise InputError(f'{path}: cannot be read ({error.strerror or error})') from None
