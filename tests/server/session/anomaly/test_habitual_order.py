"""The order of a stream's actions and how long they last: what is found, what is not, and how often for nothing."""

from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.plain_state import same, through_plain
from tests.support.semi_markov import LAWS, MOMENT_S, MOMENT_US, Visit, cycle, random_chain, show

from motionscribe_server.session.anomaly.habitual_order import RAREST, HabitualOrder
from motionscribe_server.session.anomaly.usual_durations import LEAST
from motionscribe_server.session.span import Span

ANY = 3600 / MOMENT_S
HOUR = 3600 * 10
"""Moments."""
AN_HOUR = cycle(300)
LENGTH = sum(moments for _, moments in AN_HOUR)


def order_of(visits: list[Visit] = AN_HOUR) -> HabitualOrder:
    """One that has seen them."""
    order = HabitualOrder(MOMENT_S)
    show(order, visits)
    return order


def alarms(rates: NDArray[np.float64], budget: float) -> int:
    """Times that a rate falls below the budget."""
    low = rates <= budget
    return int((low[1:] & ~low[:-1]).sum() + low[0].sum())


# -- what is found


def test_an_hour_of_a_cycle_has_nothing_unusual() -> None:
    rates = show(HabitualOrder(MOMENT_S), AN_HOUR)
    assert rates[:, 0].min() > 100
    assert alarms(rates[:, 1], 0.5) <= 1


def test_a_wrong_order_is_found_where_the_wrong_action_begins() -> None:
    rates = show(order_of(), [(1, 30), (2, 30), (4, 30), (1, 30)], LENGTH)
    assert rates[:60, 0].min() > 100, "the right order"
    assert rates[60, 0] == pytest.approx(3600 / (LENGTH * MOMENT_S), rel=0.01), "once, in all that was watched"
    assert (rates[61:90, 0] == ANY).all(), "of the step alone"
    assert rates[90, 0] > 100, "4 is followed by 1 as ever"


def test_a_wrong_order_that_recurs_becomes_known() -> None:
    order = order_of()
    least = [show(order, [(1, 30), (2, 30), (4, 30)], LENGTH + 90 * nth)[:, 0].min() for nth in range(6)]
    assert np.diff(least) == pytest.approx(least[0], rel=0.05), "once an hour, twice, .."


def test_a_step_three_times_as_long_is_found_while_it_lasts() -> None:
    rates = show(order_of(), [(1, 30), (2, 90), (3, 30)], LENGTH)[:, 1]
    assert rates[:60].min() > 100
    found = int(np.flatnonzero(rates < 0.1)[0]) - 30
    assert 45 < found < 60, "before it is twice as long"
    assert (np.diff(rates[30:120]) <= 0).all()
    assert rates[119] == RAREST
    assert rates[120] > 100


def test_a_label_that_wavers_is_no_action_that_was_cut_short() -> None:
    order = order_of()
    rates = show(order, [(1, 30), (2, 3), (1, 4), (2, 30), (3, 30)], LENGTH)[:, 1]
    assert rates.min() > 100
    assert show(order, AN_HOUR[:300], LENGTH + 97)[:, 1].min() > 1, "nor is it learnt"


def test_a_step_that_is_cut_short_is_found_when_it_ends() -> None:
    rates = show(order_of(), [(1, 30), (2, 8), (3, 30)], LENGTH)[:, 1]
    assert rates[:38].min() > 100
    assert rates[38] < 0.1
    assert rates[39:].min() > 100


def test_nothing_is_said_before_enough_was_seen() -> None:
    order = HabitualOrder(MOMENT_S)
    rates = show(order, [*cycle(LEAST, spread=0.0), (1, 300), (4, 30)])
    assert (rates == ANY).all(axis=1)[: 30 * 4 * LEAST].all()
    assert (rates[:, 1] == ANY).all(), "the first visit has no beginning"
    assert (show(HabitualOrder(MOMENT_S), [(1, HOUR)]) == ANY).all(), "one action alone"
    assert (show(HabitualOrder(MOMENT_S), [(0, HOUR)]) == ANY).all()


# -- how often for nothing


@pytest.mark.parametrize("law", LAWS)
def test_false_alarms_stay_within_the_budget(law: str) -> None:
    """Six streams of about half an hour: each score may give as many as its budget says, and a quarter more by chance.

    Lengths that are not log-normal: of many that are long or short, the extremes that were seen correct the model.
    """
    budget, hours, found = 40.0, 0.0, np.zeros(2)
    for seed in range(6):
        rates = show(HabitualOrder(MOMENT_S), islice(random_chain(seed, law=law), 1800))
        found += [alarms(rates[:, 0], budget), alarms(rates[:, 1], budget)]
        hours += len(rates) / HOUR
    assert (found <= 1.25 * budget * hours).all(), found / hours
    assert law != "log-normal" or found[1] > 0.5 * budget * hours, "nor is it silent"


# -- what is not learnt


@pytest.mark.parametrize(("visit", "steps", "lengths"), [(0, (0, 1), 1), (1, (1, 0), 0), (2, (1, 1), 1)])
def test_nothing_is_learnt_of_a_visit_with_a_fault_nor_said_of_it(
    visit: int, steps: tuple[int, int], lengths: int
) -> None:
    """Neither the step from it, be it that from 1 to 2 or the wrong one from 2 to 4, nor how long it was."""
    order = order_of()
    before = learnt(order)
    rates = show(order, [(1, 30), (2, 90), (4, 30), (1, 1)], LENGTH, faults=[visit])
    assert (rates[120, 0] < 2) == steps[1], "the wrong step"
    if visit == 1:
        assert rates[75:120].min() == ANY, "from the fault on"
    after = learnt(order)
    assert [after.get(step, 0) - before.get(step, 0) for step in ((1, 2), (2, 4))] == [*steps]
    assert after[2] - before[2] == lengths


def learnt(order: HabitualOrder) -> dict[object, int]:
    """How often each step was learnt, and of each cluster a length."""
    state = order.state()
    steps: dict[object, int] = {(start, end): count for start, end, count in state["steps"]["counts"]}
    return steps | {id: n for id, n, *_ in state["durations"]["usual"]}


def test_a_fault_at_the_first_moment_of_an_action_hides_the_step_to_it() -> None:
    order = order_of()
    show(order, [(1, 30)], LENGTH)
    order.add(Span(LENGTH + 31, LENGTH + 32, (LENGTH + 30) * MOMENT_US, (LENGTH + 31) * MOMENT_US), 3, True)
    assert order.take()[0] == ANY
    assert [1, 3] not in [step[:2] for step in order.state()["steps"]["counts"]]


def test_a_gap_cuts_a_visit() -> None:
    """Neither what it cut nor what follows it is learnt, and no step leads over it."""
    order = order_of()
    show(order, [(1, 30), (2, 10)], LENGTH)
    before = order.state()
    order.cut()
    rates = show(order, [(4, 10), (1, 30)], LENGTH + 40)
    assert rates[:, 0].min() > 100, "from 4 to 1 as ever"
    assert rates[:11, 1].min() == ANY, "4 was cut at its beginning"
    after = order.state()
    assert same(before["durations"], after["durations"])
    assert after["watched_s"] == pytest.approx(before["watched_s"] + 1.0 + 1.0)


def test_a_visit_after_a_gap_may_still_be_too_long() -> None:
    order = order_of()
    order.cut()
    assert show(order, [(4, 100)], LENGTH + 50)[:, 1].min() < 0.1


def test_no_action_ends_a_visit_as_a_gap_does() -> None:
    one, other = order_of(), order_of()
    one.cut()
    show(other, [(0, 5)], LENGTH)
    assert same(one.state(), other.state())


def test_what_was_said_before_a_gap_is_not_told_after_it() -> None:
    order = order_of()
    for moment in range(LENGTH, LENGTH + 200):
        order.add(Span(moment + 1, moment + 2, moment * MOMENT_US, (moment + 1) * MOMENT_US), 1, False)
    order.cut()
    assert order.take() == (ANY, ANY)


# -- merges, snapshots


def test_merged_clusters_are_one_action() -> None:
    """A stream whose third action has two ids, once they are merged, is as one whose third action had one."""
    halves = cycle(75, (1, 2, 3, 4)) + cycle(75, (1, 2, 7, 4), seed=1)
    order = order_of(halves * 2)
    whole = order_of([(3 if id == 7 else id, moments) for id, moments in halves * 2])
    order.merge(7, 3)
    at = sum(moments for _, moments in halves * 2)
    told, wanted = (show(one, [(1, 30), (2, 30), (3, 31), (1, 30)], at) for one in (order, whole))
    # extremes are those of each id by itself
    assert told == pytest.approx(wanted, rel=1e-6)
    assert 7 not in [id for id, *_ in order.state()["durations"]["usual"]]


def test_an_open_visit_of_a_merged_cluster_goes_on() -> None:
    order = order_of(cycle(100, (1, 2, 3)))
    at = sum(moments for _, moments in cycle(100, (1, 2, 3)))
    show(order, [(1, 30), (9, 15)], at)
    order.merge(9, 2)
    rates = show(order, [(2, 15), (3, 30)], at + 45)
    assert rates.min() > 100, "2 of three seconds, then 3"


@pytest.mark.parametrize("cut", [7, 1234, 20_000])
def test_one_restored_from_its_state_goes_on_to_the_bit(cut: int) -> None:
    visits = [(id, 1) for id, moments in islice(random_chain(3), 1000) for _ in range(moments)]
    one, again = HabitualOrder(MOMENT_S), order_of(cycle(20))
    show(one, visits[:cut])
    again.restore(through_plain(one.state()))
    assert np.array_equal(show(one, visits[cut : cut + 5000], cut), show(again, visits[cut : cut + 5000], cut))
    assert same(one.state(), again.state())
