"""The views that the benchmark labels are not those that a model of the same seed learnt from."""

import numpy as np
from benchmarks.anybody.conditions import UNSEEN_VIEWS, unseen_views

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_training.data.views import views_of

PLAY = mapped(perform([("walk", 3.0)], seed=1).recording)


def test_every_view_is_another_one_and_a_seed_repeats_them() -> None:
    learnt = {view.name for view in views_of([PLAY], np.random.default_rng(0))}
    views = unseen_views(PLAY, 0)
    assert len({view.name for view in views} | learnt) == UNSEEN_VIEWS + len(learnt)
    assert [view.name for view in views] == [view.name for view in unseen_views(PLAY, 0)]
    assert {view.name for view in views}.isdisjoint(view.name for view in unseen_views(PLAY, 1))
