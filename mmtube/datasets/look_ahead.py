"""Run an iterator in a thread, a bounded number of items ahead of its consumer."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator
from typing import Any


class LookAhead:
    """Iterator over the items of a generator that a thread runs.

    Items, the generator's return value and its exceptions reach the consumer in order, as if it ran the generator
    itself.

    Args:
        items (Generator): What to run. It is closed in the thread, however the pass ends.
        size (int): Items that may exist and not be taken yet, the one in the making included.
    """

    def __init__(self, items: Generator, size: int) -> None:
        self._items = items
        self._free = threading.Semaphore(size)
        self._ready: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self._stop = False
        self._thread = threading.Thread(target=self._run, name='mmtube-look-ahead', daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while self._free.acquire() and not self._stop:
                self._ready.put((next(self._items), None))
        except BaseException as error:  # StopIteration is one of them; each is raised again where the items are taken
            self._ready.put((None, error))
        finally:
            self._items.close()

    def __iter__(self) -> LookAhead:
        return self

    def __next__(self) -> Any:
        item, error = self._ready.get()
        if error is not None:
            self._ready.put((None, error))  # asked again, the answer is the same
            raise error
        self._free.release()
        return item

    def close(self) -> None:
        """End the thread and wait for it; items that were not taken are lost."""
        self._stop = True
        self._free.release()
        self._thread.join()
        self._ready = queue.SimpleQueue()
        self._ready.put((None, ValueError('closed while it was being read')))
