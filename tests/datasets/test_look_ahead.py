from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from mmtube.datasets.look_ahead import LookAhead


def test_items_and_the_return_value_arrive_in_order():
    def items() -> Generator[int, None, str]:
        yield from range(5)
        return 'done'

    taken = []

    def consumer() -> Generator[int, None, None]:
        taken.append((yield from LookAhead(items(), size=2)))

    assert list(consumer()) == [0, 1, 2, 3, 4]
    assert taken == ['done']


def test_an_error_arrives_after_the_items_before_it_and_stays():
    def items() -> Generator[int, None, None]:
        yield 1
        raise KeyError('broken')

    ahead = LookAhead(items(), size=4)
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(KeyError, match='broken'):
            next(ahead)


@pytest.mark.parametrize('size', [1, 3])
def test_no_more_items_exist_than_allowed(size):
    made, full = [], threading.Event()

    def items() -> Generator[int, None, None]:
        for number in range(100):
            made.append(number)
            if len(made) == size:
                full.set()
            yield number

    ahead = LookAhead(items(), size)
    assert full.wait(10)
    time.sleep(0.05)  # a thread without a bound would run on
    assert len(made) == size
    next(ahead)
    next(ahead)
    time.sleep(0.05)
    assert len(made) == size + 2
    ahead.close()


def test_closing_runs_the_cleanup_of_the_items_and_ends_the_thread():
    cleaned = []

    def items() -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            cleaned.append(threading.current_thread())

    ahead = LookAhead(items(), size=2)
    next(ahead)
    ahead.close()
    ahead.close()  # twice is allowed
    assert len(cleaned) == 1
    assert not cleaned[0].is_alive()
    with pytest.raises(ValueError, match='closed'):
        next(ahead)
