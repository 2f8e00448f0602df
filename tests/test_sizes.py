"""Networks that are too large: refused in a sentence, before memory is asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from builders import random_network

from kanref import KAN
from kanref.sizes import MOST_NUMBERS, MOST_TRAINED, count_numbers, size_problem
from kanref.sklearn import KANClassifier, KANRegressor


def held(network) -> int:
    """Count what a network of numeric edges holds, array by array."""
    arrays = [
        getattr(part, name)
        for parts, names in (
            (network.layers, ("knots", "coef", "scale_base", "scale_spline", "mask")),
            (network.nodes, ("subnode_scale", "subnode_bias", "node_scale", "node_bias")),
        )
        for part in parts
        for name in names
    ]
    return sum(a.size for a in arrays)


def test_the_count_is_that_of_the_arrays():
    network = random_network((3, 4, 2), G=5, k=2, symbolic=False)
    shapes = [(layer.n_in, layer.n_out, layer.G, layer.k) for layer in network.layers]
    assert count_numbers(shapes) == held(network)


def test_the_limit_itself_is_allowed():
    shape = (1, 1, MOST_NUMBERS // 2 - 6, 0)
    exactly = count_numbers([shape])
    assert exactly <= MOST_NUMBERS < exactly + 20
    assert size_problem([shape]) is None
    assert size_problem([shape], exactly) is None
    assert "got" in size_problem([shape], exactly - 1)


TOO_LARGE = {
    "wide": ([2, 10**6, 10**6, 1], {}, "`width` must make a network of at most"),
    "many inputs": ([10**12, 1], {}, "`width` must make"),
    "products": ([2, [0, 10**10], 1], {}, "`width` must make"),
    "factors": ([2, [0, 3], 1], {"mult_arity": 10**12}, "`width`, `grid` and `k` must make"),
    "some factors": ([2, [1, 2], 1], {"mult_arity": [[], [2, 10**12], []]}, "`width`, `grid`"),
    "grid": ([2, 1], {"grid": 10**9}, "got 4,000,000,030 "),
    "beyond floats": ([2, 1], {"grid": 10**400}, "`width`, `grid` and `k` must make"),
    "one layer": ([2, 3, 1], {"grid": [5, 10**9]}, "`width`, `grid` and `k` must make"),
    "degree": ([2, 1], {"k": 101}, "of a degree of at most 100, got 101"),
    "huge degree": ([2, 1], {"k": 10**9}, "`width`, `grid` and `k` must make"),
}

WITH_LITTLE = """
import json, pathlib, resource, sys
used = int(pathlib.Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, resource.RLIM_INFINITY))
from kanref import KAN
for width, options, reason in json.loads(sys.argv[1]):
    try:
        KAN(width, **options)
    except ValueError as error:
        assert reason in str(error) and len(str(error)) < 200, error
    else:
        sys.exit(f"{width} was made")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs RLIMIT_AS and /proc")
def test_models_that_are_too_large_ask_for_no_memory():
    cases = json.dumps(list(TOO_LARGE.values()))
    subprocess.run([sys.executable, "-c", WITH_LITTLE, cases], check=True, timeout=120)


def test_the_highest_degree_works():
    x = np.random.default_rng(0).uniform(-1, 1, (7, 2))
    assert np.all(np.isfinite(KAN([2, 1], k=100)(x)))


@pytest.mark.parametrize("G", [10**9, [4, 10**9]])
def test_refining_without_end(G):
    with pytest.raises(ValueError, match="`G` must make a network of at most"):
        KAN([2, 3, 1], grid=2).refine(G)


@pytest.mark.parametrize("estimator", [KANRegressor, KANClassifier])
@pytest.mark.parametrize(
    "options",
    [
        {"hidden": (10**6, 10**6)},
        {"hidden": (3000, 3000)},
        {"grid": 10**9},
        {"k": 10**9},
        {"k": 101},
    ],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_estimators_that_are_too_large(estimator, options, method):
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    arguments = {"classes": [0, 1]} if (estimator, method) == (KANClassifier, "partial_fit") else {}
    with pytest.raises(ValueError, match=r"`hidden`(, `grid` and `k`)? must make"):
        getattr(estimator(**options), method)(X, y, **arguments)
    assert MOST_TRAINED < MOST_NUMBERS
