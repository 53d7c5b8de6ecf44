"""Random numbers are a function of seed, stream and step only."""

import numpy as np
import pytest

from worker.engine.numerics import random
from worker.engine.numerics.random import NOISE, ORDER, normals, permutations, philox, words

# From kat_vectors of Random123, the authors' library: counter, key, result.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
SEEDS = np.array([0, 1, 42, -1, 2**63 - 1])


def hexadecimal(text):
    return tuple(np.array([int(word, 16)], dtype=np.uint64) for word in text.split())


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN_ANSWERS)
def test_philox_gives_the_published_answers(counter, key, result):
    assert philox(hexadecimal(counter), hexadecimal(key)) == hexadecimal(result)


@pytest.mark.parametrize("num", [1, 2, 5])
def test_draws_do_not_depend_on_the_size_of_the_chunk(num):
    together = normals(SEEDS, NOISE, np.arange(40), num)
    assert together.shape == (40, num, len(SEEDS))
    for step in (0, 7, 39):
        for index, seed in enumerate(SEEDS):
            alone = normals(np.array([seed]), NOISE, np.array([step]), num)
            assert alone[0, :, 0].tobytes() == together[step, :, index].tobytes()


def test_a_longer_draw_begins_with_the_shorter_one():
    assert np.array_equal(normals(SEEDS, NOISE, np.arange(3), 7)[:, :4], normals(SEEDS, NOISE, np.arange(3), 4))


def test_steps_beyond_32_bits_are_distinct():
    near, far = words(SEEDS, NOISE, np.array([5, 2**32 + 5]), 4)
    assert (near != far).all()


def test_normals_have_the_moments_of_the_normal_distribution():
    drawn = normals(np.arange(50), NOISE, np.arange(100), 40).ravel()
    n = drawn.size  # 200,000; each moment of the sample lies within five of its standard deviations.
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((drawn**power).mean() - moment) < 5 * np.sqrt(variance / n)


def test_seeds_streams_positions_and_steps_are_uncorrelated():
    num = 10_000
    noise, order = (normals(np.arange(4), stream, np.arange(num), 2).reshape(num, 8) for stream in (NOISE, ORDER))
    correlations = np.corrcoef(np.concatenate([noise, order], axis=1).T)[np.triu_indices(16, 1)]
    following = (noise[1:] * noise[:-1]).mean(axis=0)
    assert np.abs([*correlations, *following]).max() < 5 / np.sqrt(num)


@pytest.mark.parametrize("num", [1, 2, 3, 16, 100])
def test_every_order_is_a_permutation(num):
    orders = permutations(SEEDS, np.arange(20), num)
    assert orders.shape == (20, num, len(SEEDS))
    assert (np.sort(orders, axis=1) == np.arange(num)[None, :, None]).all()


def test_every_image_comes_first_equally_often():
    first = permutations(np.arange(100), np.arange(160), 16)[:, 0]
    counts = np.bincount(first.ravel(), minlength=16)
    chi_squared = ((counts - 1000) ** 2 / 1000).sum()
    assert chi_squared < 44.3  # One in ten thousand for 15 degrees of freedom.


def test_orders_do_not_depend_on_the_size_of_the_chunk():
    together = permutations(SEEDS, np.arange(30), 16)
    alone = permutations(SEEDS[2:3], np.array([17]), 16)
    assert np.array_equal(alone[0, :, 0], together[17, :, 2])


def test_normals_are_finite_even_where_every_random_bit_is_zero_or_one(monkeypatch):
    for word in (0, 2**64 - 1):
        monkeypatch.setattr(random, "words", lambda *key, word=word: np.full((1, 2, 1), word, dtype=np.uint64))
        assert np.isfinite(random.normals(SEEDS[:1], NOISE, np.array([0]), 2)).all()
