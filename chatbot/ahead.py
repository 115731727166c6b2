"""Work done in threads ahead of whoever takes its results: in order, and never further than is bearable."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_groups(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    threads: int,
    may_begin: Callable[[Sequence[Item]], bool],
    is_full: Callable[[Sequence[Result]], bool],
) -> Generator[list[Result], None, None]:
    """Results in the order of their items, as many together as are ready when the first of them is taken.

    Closing it leaves what was not begun.

    :param may_begin: whether all of these may be at work or wait to be taken; one alone always may.
    :param is_full: whether these are enough for a group.
    """
    left = deque(items)
    begun: deque[tuple[Item, Future[Result]]] = deque()
    group: list[Result] = []
    with ThreadPoolExecutor(threads) as pool:
        try:
            while left or begun:
                while left and (not begun or may_begin([*(item for item, _ in begun), left[0]])):
                    item = left.popleft()
                    begun.append((item, pool.submit(work, item)))
                group.append(begun.popleft()[1].result())
                if is_full(group) or not (begun and begun[0][1].done()):
                    yield group
                    group = []
        finally:
            pool.shutdown(cancel_futures=True)


def run_ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The items; the next is worked out in a thread of its own while one is used. None ends them."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
