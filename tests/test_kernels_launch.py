"""How the CUDA kernels are launched: every sample and output is covered, and everything fits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanref.kernels import launch
from kanref.kernels.launch import ForwardPlan, LayerSize, WalkPlan, per_element, plan_inputs

sizes = st.builds(
    LayerSize,
    N=st.integers(1, 3_000_000),
    n_in=st.integers(1, 3000),
    n_out=st.integers(1, 3000),
    G=st.integers(1, 20000),
    k=st.integers(0, 5),
    linear=st.booleans(),
    itemsize=st.sampled_from([4, 8]),
)


def fits(how):
    return 0 < how.blocks < 2**31 and 0 < how.threads <= 1024 and how.shared <= 48 * 1024


@given(sizes)
def test_forward_covers_everything_and_fits(size):
    plan = ForwardPlan.of(size)
    tile = plan.launch.threads // plan.lanes * launch.SAMPLES
    assert fits(plan.launch)
    assert plan.launch.threads % plan.lanes == 0
    tiles_j, tiles_n = -(-size.n_out // plan.lanes), -(-size.N // tile)
    assert plan.launch.blocks == tiles_j * tiles_n * plan.slabs
    assert (plan.slabs - 1) * plan.inputs < size.n_in <= plan.slabs * plan.inputs
    assert plan.launch.shared == plan.chunk * tile * size.feature
    assert plan.inputs % plan.chunk == 0 or plan.slabs == 1


@given(sizes)
def test_walkers_cover_every_sample_once_and_fit(size):
    plan = WalkPlan.of(size)
    assert fits(plan.walk) and fits(plan.sort)
    assert plan.lanes & (plan.lanes - 1) == 0
    assert (plan.splits - 1) * plan.length < size.N <= plan.splits * plan.length
    share = -(-plan.length // plan.slices)
    covered = 0
    for slab in {0, plan.slices - 1, plan.slabs // 2, plan.slabs - 1}:
        split = slab // plan.slices
        stop = min((split + 1) * plan.length, size.N)
        begin = min(split * plan.length + slab % plan.slices * share, stop)
        assert begin <= min(begin + share, stop)
        covered = max(covered, min(begin + share, stop))
    assert covered == size.N
    one = size.n_in * size.rows * size.n_out * size.itemsize
    assert plan.slabs * one <= max(launch.SLAB_BYTES, one)


@given(sizes)
def test_input_cotangents_cover_and_fit(size):
    how, lanes = plan_inputs(size)
    tile = how.threads // lanes * launch.GROUP
    assert fits(how)
    assert lanes <= launch.WARP and lanes & (lanes - 1) == 0  # a shuffle stays in its warp
    assert how.blocks == size.n_in * -(-size.N // tile)
    assert how.shared == tile * size.feature


def test_small_layers_on_many_samples_get_enough_walkers():
    plan = WalkPlan.of(LayerSize(1_000_000, 2, 5, 5, 3, True, 8))
    assert plan.walk.blocks >= 1000


def test_large_layers_leave_one_slab():
    plan = WalkPlan.of(LayerSize(4096, 1000, 1000, 100, 3, True, 4))
    assert (plan.slabs, plan.slices) == (1, 1)
    assert WalkPlan.of(LayerSize(65536, 256, 256, 1000, 3, True, 4)).slabs == 1


def test_a_wide_input_is_shared_out_where_blocks_are_few():
    plan = ForwardPlan.of(LayerSize(64, 784, 64, 5, 3, True, 4))
    assert plan.slabs > 1
    assert ForwardPlan.of(LayerSize(100_000, 784, 64, 5, 3, True, 4)).slabs == 1


@pytest.mark.parametrize("count", [1, 127, 128, 129])
def test_elements_get_a_thread_each(count):
    how = per_element(count)
    assert (how.blocks - 1) * how.threads < count <= how.blocks * how.threads


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("k", [0, 3])
def test_sizes_are_those_of_the_source(dtype, k):
    cuda_host = pytest.importorskip("cuda_host")
    if cuda_host.COMPILER is None:
        pytest.skip("needs a C++ compiler")
    library = cuda_host.library(dtype, k)
    size = LayerSize(7, 2, 3, 4, k, True, np.dtype(dtype).itemsize)
    assert library.size_of_feature() == size.feature
    assert (library.constant_samples(), library.constant_group()) == (launch.SAMPLES, launch.GROUP)
