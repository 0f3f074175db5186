"""The one error that a person is meant to read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line that names the file, the row and the cause."""


class MissingCheckpointError(InputError):
    """A checkpoint is neither on this machine nor to be had; the message says how to give it."""


def exit_on_input_error(main: Callable[[], int | None]) -> None:
    """Run ``main`` as a command: an :class:`InputError` becomes one line on stderr and exit code 2.

    Args:
        main (Callable): The command. An integer that it returns becomes the exit code.

    Raises:
        SystemExit: Always; code 0 on success, 2 on an :class:`InputError`, 130 when interrupted, 141 when nobody
            reads what is printed.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, 'reconfigure'):  # a class name that the terminal cannot show must not end the command
            stream.reconfigure(errors='backslashreplace')
    try:
        code = main() or 0
        sys.stdout.flush()
        sys.exit(code)
    except InputError as error:
        # A worker process of a data loader sends its traceback as text; the message is behind the error's name.
        message = str(error).rpartition(f'{InputError.__module__}.{InputError.__name__}: ')[2]
        print(f'error: {" ".join(message.split())}', file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the flush at exit complains
        sys.exit(141)
