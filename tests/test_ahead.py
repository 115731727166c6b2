import threading
from contextlib import closing

import pytest

from chatbot.ahead import map_in_groups, run_ahead


def double_all(items, work=lambda item: 2 * item, *, most=3, size=2):
    return map_in_groups(
        work,
        items,
        threads=2,
        may_begin=lambda begun: len(begun) <= most,
        is_full=lambda group: len(group) >= size,
    )


def test_results_come_in_the_order_of_their_items_and_no_group_is_too_large():
    groups = list(double_all(range(20)))

    assert [result for group in groups for result in group] == list(range(0, 40, 2))
    assert max(map(len, groups)) <= 2


def test_no_more_is_begun_than_may_wait():
    begun = []

    with closing(double_all(range(20), lambda item: begun.append(item) or item, most=3, size=1)) as groups:
        next(groups)

    assert set(begun) <= {0, 1, 2}


def test_a_result_that_is_ready_does_not_wait_for_a_slow_one():
    go_on = threading.Event()

    def work(item):
        if item == 1:
            go_on.wait()
        return item

    with closing(double_all(range(3), work)) as groups:
        assert next(groups) == [0]
        go_on.set()
        assert [result for group in groups for result in group] == [1, 2]


@pytest.mark.parametrize("ahead", [lambda work: map(work, range(3)), lambda work: double_all(range(3), work)])
def test_an_error_reaches_whoever_takes_the_result(ahead):
    def work(item):
        if item == 1:
            raise ValueError("one")
        return item

    with pytest.raises(ValueError, match="one"):
        list(run_ahead(iter(ahead(work))))


def test_the_next_item_is_worked_out_while_one_is_used():
    worked = threading.Semaphore(0)

    def work(item):
        worked.release()
        return item

    with closing(run_ahead(map(work, [1, 2, 3]))) as items:
        assert next(items) == 1
        assert worked.acquire(timeout=20)
        assert worked.acquire(timeout=20)
        assert list(items) == [2, 3]
