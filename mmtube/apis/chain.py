"""Many commands that build on one another: in order, side by side, and where they were when interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table

from mmtube.errors import InputError
from mmtube.fileio import write_text

POLL_S = 0.2
TOLD_EVERY_S = 60.0  # where there is no terminal


@dataclass(frozen=True)
class Stage:
    """Commands that belong together.

    Args:
        name (str): Name, of its log too.
        commands (tuple[tuple[str, ...], ...]): Programs with their arguments, run one after another.
        needs (tuple[str, ...]): Stages that must be done before. Defaults to none.
        fresh (Path | None): A folder that is removed before the stage begins, for commands that want a new one.
            Defaults to None.
    """

    name: str
    commands: tuple[tuple[str, ...], ...]
    needs: tuple[str, ...] = ()
    fresh: Path | None = None


@dataclass
class _Work:
    """A stage that is running."""

    stage: Stage
    started: float
    process: subprocess.Popen
    number: int = 0


class Chain:
    """Run stages whose needs are met, a few at a time, and remember which are done.

    A stage that is done leaves a stamp in ``<folder>/stages/``, which tells its commands and those of all that it
    builds on: when a command changes, it and what follows is run again. The commands themselves may go on where they
    were. What they print goes to ``<folder>/stages/<name>.log``. When one fails, what does not build on it is finished.

    Args:
        stages (Sequence[Stage]): The stages; needs stand before those who need them.
        folder (Path): Where stamps and logs go.
        workers (int): Stages at a time. Defaults to 2.
        environment (dict[str, str] | None): Variables of the commands beside those there are. Defaults to None.

    Raises:
        ValueError: If a name stands twice or a need is unknown or comes later.
    """

    def __init__(
        self, stages: Sequence[Stage], folder: Path, workers: int = 2, environment: dict[str, str] | None = None
    ) -> None:
        known: dict[str, str] = {}
        for stage in stages:
            missing = [need for need in stage.needs if need not in known]
            if missing or stage.name in known or workers < 1:
                raise ValueError(f'stage {stage.name}: stands twice, or needs {missing} before it; {workers=}')
            told = json.dumps([stage.commands, [known[need] for need in stage.needs]])
            known[stage.name] = hashlib.sha256(told.encode()).hexdigest()
        self.stages = list(stages)
        self.folder = folder / 'stages'
        self.workers = workers
        self.environment = {**os.environ, **(environment or {})}
        self._hashes = known
        self._seconds: dict[str, float] = {}
        self._failed: dict[str, str] = {}
        self._running: dict[str, _Work] = {}

    def log(self, name: str) -> Path:
        """Return where the output of a stage goes."""
        return self.folder / f'{name}.log'

    def seconds(self) -> dict[str, float]:
        """Return how long each stage that is done took."""
        return dict(self._seconds)

    def run(self, console: Console | None = None) -> dict[str, str]:
        """Run what is not done yet.

        Args:
            console (Console | None): Where the progress is shown. Defaults to None, the standard error.

        Returns:
            dict[str, str]: Stages that failed, and the last line they printed. Empty if all are done.

        Raises:
            InputError: If nothing can be written to the folder.
        """
        console = console or Console(stderr=True)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f'{self.folder}: cannot be made ({error.strerror})') from None
        self._seconds = {stage.name: done for stage in self.stages if (done := self._done(stage)) is not None}
        told_s = time.monotonic()
        try:
            with Live(self._table(), console=console, refresh_per_second=4, transient=False) as live:
                while self._start() or self._running:
                    time.sleep(POLL_S)
                    changed = [name for name in list(self._running) if self._look(name)]
                    if console.is_terminal:
                        live.update(self._table())
                    elif changed or time.monotonic() - told_s >= TOLD_EVERY_S:
                        told_s = time.monotonic()
                        console.print(self._line(), highlight=False, markup=False, soft_wrap=True)
                live.update(self._table())
        finally:
            for work in self._running.values():
                work.process.terminate()
                work.process.wait()
        return dict(self._failed)

    def _done(self, stage: Stage) -> float | None:
        """Seconds that a stage took if it is done, by these commands; None if it is to be run."""
        try:
            stamp = json.loads((self.folder / f'{stage.name}.json').read_text())
            return float(stamp['seconds']) if stamp['commands'] == self._hashes[stage.name] else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _start(self) -> bool:
        """Start what can be; return whether something was."""
        any_started = False
        for stage in self.stages:
            waits = stage.name in self._seconds or stage.name in self._failed or stage.name in self._running
            if waits or len(self._running) >= self.workers or any(need not in self._seconds for need in stage.needs):
                continue
            self.log(stage.name).unlink(missing_ok=True)
            if stage.fresh is not None:
                shutil.rmtree(stage.fresh, ignore_errors=True)
            self._running[stage.name] = _Work(stage, time.monotonic(), self._open(stage, 0))
            any_started = True
        return any_started

    def _open(self, stage: Stage, number: int) -> subprocess.Popen:
        command = stage.commands[number]
        with open(self.log(stage.name), 'ab') as log:
            log.write(f'$ {shlex.join(command)}\n'.encode())
            log.flush()
            try:
                return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=self.environment)
            except OSError as error:
                raise InputError(f'stage {stage.name}: {command[0]}: cannot be run ({error.strerror})') from None

    def _look(self, name: str) -> bool:
        """Go on with a stage whose command has ended; return whether it is done or has failed."""
        work = self._running[name]
        code = work.process.poll()
        if code is None:
            return False
        if code == 0 and work.number + 1 < len(work.stage.commands):
            work.number += 1
            work.process = self._open(work.stage, work.number)
            return False
        del self._running[name]
        if code:
            self._failed[name] = self._last_line(name)
            return True
        self._seconds[name] = time.monotonic() - work.started
        stamp = {'commands': self._hashes[name], 'seconds': round(self._seconds[name], 1)}
        write_text(self.folder / f'{name}.json', json.dumps(stamp))
        return True

    def _last_line(self, name: str) -> str:
        """The last line of a log that says something."""
        with open(self.log(name), 'rb') as log:
            log.seek(max(log.seek(0, os.SEEK_END) - 4096, 0))
            lines = log.read().decode(errors='replace').replace('\r', '\n').splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), '')

    def _state(self, stage: Stage) -> tuple[str, str]:
        if stage.name in self._seconds:
            return f'done in {_clock(self._seconds[stage.name])}', ''
        if stage.name in self._failed:
            return 'failed', self._failed[stage.name]
        if stage.name in self._running:
            work = self._running[stage.name]
            return f'running {_clock(time.monotonic() - work.started)}', self._last_line(stage.name)
        broken = [need for need in stage.needs if need in self._failed]
        return ('left out' if broken else 'waits'), ''

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False)
        for heading in ('stage', 'state', ''):
            table.add_column(heading, no_wrap=True, overflow='ellipsis')
        for stage in self.stages:
            table.add_row(stage.name, *(text.replace('[', r'\[') for text in self._state(stage)))
        return table

    def _line(self) -> str:
        running = ', '.join(f'{name} {_clock(time.monotonic() - work.started)}' for name, work in self._running.items())
        failed = f', failed: {", ".join(self._failed)}' if self._failed else ''
        return f'{len(self._seconds)} of {len(self.stages)} stages done, running: {running or "none"}{failed}'


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f'{minutes}:{rest:02}'
