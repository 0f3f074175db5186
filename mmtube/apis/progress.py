"""One line that says which stage is at work, how fast, and how long it will take."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class ProgressReport(Protocol):
    """What the pipeline calls as it goes on."""

    def __call__(self, stage: str, done: int, total: int | None, note: str = '') -> None:
        """Say that ``done`` of ``total`` frames (None = unknown) went through ``stage``."""


class ProgressLine:
    """Show progress: a live bar on a terminal, a plain line every few seconds elsewhere.

    Args:
        name (str): What is being worked on, shown first. Defaults to ''.
        every_s (float): Seconds between two lines where there is no terminal. Defaults to 10.

    Examples:
        >>> with ProgressLine('film.mp4') as progress:
        ...     progress('detect and track', 10, 300, '2 people')
    """

    def __init__(self, name: str = '', every_s: float = 10.0) -> None:
        self._console = Console(stderr=True)
        self._name = name
        self._every_s = every_s
        self._live = self._console.is_terminal
        self._bar = Progress(
            TextColumn('{task.fields[name]}', markup=False),
            TextColumn('[bold]{task.description}'),
            BarColumn(bar_width=24),
            TextColumn('{task.completed}/{task.fields[of]} frames'),
            TextColumn('{task.fields[speed]}'),
            TimeElapsedColumn(),
            TextColumn('left'),
            TimeRemainingColumn(),
            TextColumn('[cyan]{task.fields[note]}'),
            console=self._console,
            refresh_per_second=8,
        )
        self._stage = ''
        self._task = None
        self._started = self._last_line = 0.0

    def __enter__(self) -> ProgressLine:
        if self._live:
            self._bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live:
            self._bar.stop()

    def __call__(self, stage: str, done: int, total: int | None, note: str = '') -> None:
        """See :class:`ProgressReport`."""
        now = time.monotonic()
        begins = stage != self._stage
        if begins:
            self._stage, self._started, self._last_line = stage, now, now
        # The first frame pays for building the network; speed counts from there.
        speed = f'{done / (now - self._started):.1f} frames/s' if now > self._started and done > 1 else ''
        if self._live:
            if begins:
                self._task = self._bar.add_task(stage, total=total, name=self._name, of='?', speed='', note='')
            of = total if total else '?'
            self._bar.update(self._task, completed=done, total=total, of=of, speed=speed, note=note)
        elif done == 1 or done == total or now - self._last_line >= self._every_s:
            self._last_line = now
            left = f'{max(total - done, 0) * (now - self._started) / done:.0f} s left' if total and done > 1 else ''
            parts = [self._name, stage, f'{done}/{total or "?"} frames', speed, left, note]
            print(' | '.join(part for part in parts if part), file=sys.stderr, flush=True)
