"""Made motion excites its target more than real motion does, and moves no more than it may."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_motion import (
    JOINT_OF,
    RATES,
    STEPS,
    STRIDE,
    made_network,
    made_watched,
    two_motions,
)

from motionscribe_models.arrays import Single
from motionscribe_models.recordings import read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import ServedModel
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.evidence_score import evidence_of
from motionscribe_training.explaining.network import network_of
from motionscribe_training.explaining.real_windows import RealWindows, real_windows
from motionscribe_training.explaining.speed import layer_invariance, mean_correlation, wish_at_speeds
from motionscribe_training.explaining.target import FULL, Target, cluster, direction, rather, telling_units, unit
from motionscribe_training.explaining.wanted_motion import change, typical, wishes
from motionscribe_training.explaining.watched import watch

LENGTH = 24


@pytest.fixture(scope="module")
def real() -> RealWindows:
    return real_windows(made_network(0), [two_motions(0), two_motions(1)], LENGTH)


@pytest.fixture(scope="module")
def targets(real: RealWindows) -> list[Target]:
    evidence = evidence_of(real.network, [two_motions(0), two_motions(1)], STEPS)
    found = [direction(real.network, 0, 1, STEPS), direction(real.network, 1, -1, STEPS)]
    return [*found, cluster(evidence, 2), rather(evidence, 2, 1)]


def test_windows_lie_where_they_say_and_their_own_energy_and_poses_are_the_measure(real: RealWindows) -> None:
    watched = [two_motions(0), two_motions(1)]
    for number, (part, start) in enumerate(real.places):
        np.testing.assert_allclose(real.raw(real.windows[number]), watched[part].features[start : start + LENGTH])
    whole = torch.from_numpy(np.stack([each.features for each in watched]))
    assert float(real.energy(whole).mean()) == pytest.approx(1, rel=1e-5)
    assert float(real.unlikeliness(whole).mean()) == pytest.approx(1, rel=1e-3)
    with pytest.raises(TrainingError, match="expected a recording of at least 181 frames, the longest has 180"):
        real_windows(real.network, watched, 181)


def test_the_best_windows_do_not_overlap(real: RealWindows) -> None:
    activations = real.activations([unit(3)])[0]
    best = real.best(activations, 3)
    assert float(activations[best[0]]) == float(activations.max())
    spans = [(part, set(range(start, start + LENGTH))) for part, start in (real.places[n] for n in best)]
    for number, (part, span) in enumerate(spans):
        assert not any(part == other and span & frames for other, frames in spans[:number])


def test_targets_are_what_their_names_say(real: RealWindows, targets: list[Target]) -> None:
    network, some = real.network, real.windows[:5]
    evidence = evidence_of(network, [two_motions(0), two_motions(1)], STEPS)
    with torch.no_grad():
        states = network.run(some)
        torch.testing.assert_close(unit(3).activation(some, states), network.encode(some)[:, 3])
        decoded, _ = network.decode(network.encode(some), some[:, -1], STEPS)
        up, down, second, either = (target.activation(some, states) for target in targets)
        torch.testing.assert_close(up, network.project(decoded)[..., 0].mean(1))
        torch.testing.assert_close(down, -network.project(decoded)[..., 1].mean(1))
        torch.testing.assert_close(second, either)  # where there are but two clusters
        moments = range(LENGTH // STRIDE // 2, LENGTH // STRIDE)
        late = torch.stack([evidence.points(some, states)[:, n] for n in moments]).mean(0)
        torch.testing.assert_close(either, evidence.log_posteriors(late) @ torch.tensor([-1.0, 1.0]))


def test_telling_units_are_those_that_differ_between_clusters() -> None:
    network = made_network(2)
    with torch.no_grad():
        network.weight_ih[torch.arange(36) % 12 != 4] = 0  # no other unit sees the input
        network.weight_hh.zero_()
    watched = two_motions(2)
    assert telling_units(network, [watched], 1) == [4]
    with torch.no_grad():
        network.weight_ih[28] *= 100  # its candidate
    states = network.run(torch.from_numpy(watched.features)[None]).detach()[0]
    assert states[:, 4].max() > FULL
    assert 4 not in telling_units(network, [watched], 12)


def test_wishes_exceed_real_motion_and_slow_ones_move_less(real: RealWindows, targets: list[Target]) -> None:
    for wish in wishes(targets, real, steps=100):
        quick, slow = wish.by_slowness[0], wish.by_slowness[3]
        assert (quick.slowness, slow.slowness) == (0, 3)
        assert quick.ratio >= 1.2
        assert slow.energy < 1
        assert slow.energy < quick.energy
        assert wish.speed_invariance == wish.by_slowness[-1].ratio / quick.ratio
        normal = torch.from_numpy(np.stack([wanted.features for wanted in wish.by_slowness]))
        assert (normal >= real.low - 1e-5).all()  # the network's mean is 0 and its scale 1
        assert (normal <= real.high + 1e-5).all()
        with torch.no_grad():
            again = wish.target.activation(normal, real.network.run(normal))
        np.testing.assert_allclose([wanted.activation for wanted in wish.by_slowness], again, atol=1e-4)
        ratios = (again - wish.mean) / (wish.largest - wish.mean)
        np.testing.assert_allclose([wanted.ratio for wanted in wish.by_slowness], ratios, atol=1e-4)
        assert wish.largest == pytest.approx(float(real.activations([wish.target])[0, wish.examples[0]]))


def test_a_wish_does_not_depend_on_the_wishes_beside_it(real: RealWindows, targets: list[Target]) -> None:
    together = wishes(targets, real, slowness=(0.0, 3.0), steps=20)
    for beside, target in zip(together, targets, strict=True):
        (alone,) = wishes([target], real, slowness=(0.0, 3.0), steps=20)
        for one, other in zip(alone.by_slowness, beside.by_slowness, strict=True):
            np.testing.assert_allclose(one.features, other.features, atol=1e-3)


def test_a_slow_wish_has_arrived(real: RealWindows) -> None:
    """In single frames it would still be under way after ten times as many steps."""
    target = direction(real.network, 0, 1, STEPS)
    (soon,), (late,) = (wishes([target], real, slowness=(30.0,), steps=steps) for steps in (100, 400))
    assert soon.by_slowness[0].ratio == pytest.approx(late.by_slowness[0].ratio, rel=0.03)


def test_a_change_starts_from_real_motion_and_stays_near(real: RealWindows, targets: list[Target]) -> None:
    watched, target = [two_motions(0), two_motions(1)], targets[-1]
    evidence = evidence_of(real.network, watched, STEPS)
    number = typical(evidence, real, watched, 1)
    part, start = real.places[number]
    assert (watched[part].clusters[start // STRIDE : (start + LENGTH) // STRIDE] == 1).all()
    found = change(target, real, number, steps=50)
    np.testing.assert_allclose(found.before, watched[part].features[start : start + LENGTH])
    assert found.activations[0] < 0 < found.activations[1]
    np.testing.assert_allclose(found.moved, np.sqrt(np.square(found.after - found.before).mean(0)), atol=1e-5)
    (free,) = wishes([target], real, slowness=(0.3,), steps=50)
    assert found.moved.mean() < np.sqrt(np.square(free.by_slowness[0].features - found.before).mean(0)).mean()
    with pytest.raises(TrainingError, match="expected 24 frames of cluster 7 without a break"):
        typical(evidence, real, watched, 7)


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_correlation_is_pearsons(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.standard_normal((2, 20, 3))
    each = [np.corrcoef(one[:, unit], other[:, unit])[0, 1] for unit in range(3)]
    one, other = (np.hstack([values, np.ones((20, 1))]) for values in (one, other))  # a unit that never changes
    assert mean_correlation(one, other) == pytest.approx(np.mean(each))


def test_what_remembers_nothing_does_not_care_for_speed() -> None:
    time = np.arange(600)[:, None] / 30
    features: Single = np.sin(time * np.arange(1, 9) / 3).astype(np.float32)
    features[:, -RATES:] = 0.5  # at another speed they are another number, whatever the motion
    watched = made_watched(features, [1] * 200)
    forgetful, mindful = made_network(4), made_network(4)
    with torch.no_grad():
        for network in (forgetful, mindful):
            network.weight_ih[:, -RATES:] = 0
        forgetful.weight_hh.zero_()
        forgetful.bias_ih[12:24] -= 9  # update gates are shut
        mindful.bias_ih[12:24] += 3
    never, always = (layer_invariance(network, [watched], STEPS, RATES) for network in (forgetful, mindful))
    for speed in (0.5, 2.0):
        assert never["state"][speed] > 0.999
        assert always["state"][speed] < 0.95
        assert always["input"][speed] > 0.999


def test_examples_at_another_speed_show_the_same_middle(real: RealWindows) -> None:
    features = np.repeat(np.arange(198)[:, None] / 200, len(JOINT_OF), axis=1).astype(np.float32)
    watched = [made_watched(features, [1] * 66)]
    ramp = real_windows(real.network, watched, LENGTH)
    middle = Target("middle", lambda windows, states: windows[:, LENGTH // 2, 0])
    rate = Target("rate", lambda windows, states: windows[:, LENGTH // 2, -1])
    for target in (middle, rate):
        (wish,) = wishes([target], ramp, slowness=(1.0,), steps=1)
        inner = replace(wish, examples=(len(ramp.places) // 2,))
        value = float(ramp.windows[inner.examples[0], LENGTH // 2, 0])
        expected = (value - wish.mean) / (wish.largest - wish.mean)
        found = wish_at_speeds(inner, ramp, watched, RATES)
        assert found[1.0] == pytest.approx(expected, abs=1e-5)
        for speed in (0.5, 2.0):
            grown = value if target is middle else value * speed
            shown = (grown - wish.mean) / (wish.largest - wish.mean)
            assert found[speed] == pytest.approx(shown, abs=0.02 * speed)
    first = replace(wish, examples=(0,))
    assert sorted(wish_at_speeds(first, ramp, watched, RATES)) == [0.5, 1.0]  # twice as much there is not


@pytest.mark.data
def test_the_shipped_model_wants_more_than_it_was_shown(data_dir: Path) -> None:
    bundle = read_bundle(Path(__file__).parents[3] / "models" / "body" / "1")
    recording = read_recording(data_dir / "sub86" / "03.mat")
    short = replace(recording, frames=recording.frames[:1800], timestamps_us=recording.timestamps_us[:1800])
    watched = watch(ServedModel(bundle), Inference(bundle, "fp32", (1,)), short)
    network = network_of(bundle)
    real = real_windows(network, watched, bundle.manifest.window)
    targets = [unit(telling_units(network, watched, 1)[0]), direction(network, 0, 1, bundle.manifest.decoder_steps)]
    for wish in wishes(targets, real, slowness=(0.0, 3.0), steps=60):
        quick, slow = wish.by_slowness
        assert quick.ratio >= 1.2
        assert slow.energy < 1
