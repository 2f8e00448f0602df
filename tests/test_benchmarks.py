"""The benchmark suite: what it computes from its measurements, without measuring."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
MODULES = "_assembly _bars _memory _processes _rates _results _tables contestants limit step train"


@pytest.fixture(scope="module")
def suite():
    """The modules of the suite, imported as its scripts import them."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name: importlib.import_module(name) for name in MODULES.split()}
    finally:
        sys.path.remove(str(FOLDER))
        for name in MODULES.split():
            sys.modules.pop(name, None)


def row(G, ratio, *, widths=(2, 5, 1), N=1000, dtype="float64", kanref=1.0, threads=1):
    seconds = {"kanref": kanref} | {name: r * kanref for name, r in ratio.items()}
    return {
        "widths": list(widths),
        "N": N,
        "G": G,
        "k": 3,
        "dtype": dtype,
        "what": "step",
        "threads": threads,
        "seconds": seconds,
        "ratio": ratio,
        "left_out": {},
    }


def verdicts(suite, *rows):
    return {bar["bar"]: bar for bar in suite["_bars"].step_bars(rows)}


# --- cases ---------------------------------------------------------------------------------------


def test_the_parameters_of_a_case_are_those_of_the_network(suite):
    from kanref import KAN

    case = suite["contestants"].Case((3, 4, 2), N=7, G=6, k=2)
    assert case.parameters == KAN([3, 4, 2], grid=6, k=2).network.theta.size


@pytest.mark.parametrize("widths", [(2, 5, 1), (4, 16, 16, 1), (100, 100), (784, 64, 10), (1, 1)])
@pytest.mark.parametrize("G", [3, 5, 20, 100])
def test_the_mlp_has_the_nearest_number_of_parameters(suite, widths, G):
    contestants = suite["contestants"]
    case = contestants.Case(widths, N=10, G=G)
    found = contestants.mlp_widths(case)
    assert (found[0], found[-1]) == (widths[0], widths[-1])
    assert len(found) == max(len(widths), 3)
    assert len(set(found[1:-1])) == 1

    def miss(h):
        other = (found[0], *[h] * (len(found) - 2), found[-1])
        return abs(contestants.mlp_parameters(other) - case.parameters)

    h = found[1]
    assert miss(h) <= miss(h + 1)
    assert h == 1 or miss(h) <= miss(h - 1)


def test_parameters_of_an_mlp_by_hand(suite):
    assert suite["contestants"].mlp_parameters((2, 3, 1)) == (2 * 3 + 3) + (3 * 1 + 1)


def test_a_case_survives_json(suite):
    Case = suite["contestants"].Case
    case = Case((4, 16, 1), N=30, G=7, dtype="float32", k=2)
    assert Case.from_json(json.loads(json.dumps(case.to_json() | {"what": "step"}))) == case


def test_who_needs_too_much_memory_is_left_out_with_the_reason(suite):
    contestants = suite["contestants"]
    case = contestants.Case((100, 100), N=1000, G=1000)
    assert "GiB" in contestants.too_large("efficient-kan", case, 2**30)
    assert contestants.too_large("kanref", case, 2**30) is None
    assert "symbolic edges" in contestants.too_large("pykan", case, 2**50)


def test_every_contestant_gets_the_same_batch(suite):
    contestants = suite["contestants"]
    case = contestants.Case((3, 2), N=50, G=5, dtype="float32")
    (x, target), (again, _) = contestants.batch(case), contestants.batch(case)
    assert x.shape == (50, 3) and target.shape == (50, 2)
    assert x.dtype == target.dtype == np.float32
    assert np.array_equal(x, again) and np.abs(x).max() <= 1


def test_kanref_as_a_contestant_runs_a_step_of_training(suite):
    contestants = suite["contestants"]
    case = contestants.Case((3, 4, 2), N=20, G=5)
    kanref = contestants.build("kanref", case)
    _, target = contestants.batch(case)
    assert kanref.loss() == pytest.approx(np.mean((kanref.forward() - target) ** 2), rel=1e-12)
    assert kanref.step().shape == (kanref.parameters,) == (case.parameters,)


# --- the environment -----------------------------------------------------------------------------


def test_processes_choose_blas_by_the_processor_and_keep_to_their_threads(suite, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1024")
    env = suite["_processes"].environment(2, "here")
    assert "OPENBLAS_CORETYPE" not in env and "OPENBLAS_L2_SIZE" not in env
    for name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
        assert env[f"{name}_NUM_THREADS"] == "2"
    assert env["PYTHONPATH"] == "here"


def test_without_peers_kanref_runs_alone(suite):
    processes = suite["_processes"]
    assert processes.Peers(None).names() == ("kanref",)
    assert processes.Peers("python").names()[0] == "kanref"
    assert len(processes.Peers("python").names()) == len(suite["contestants"].MODULES)


def test_a_process_answers_and_says_what_failed(suite):
    processes = suite["_processes"]
    Case = suite["contestants"].Case
    with processes.Field(processes.Peers(None), 1) as field:
        case, effort = Case((2, 3, 1), N=10, G=5), processes.Effort(rounds=2, seconds=0.001)
        (measured,) = field.measure(case, effort, ["step"])
        assert measured["seconds"]["kanref"] > 0 and measured["left_out"] == {}
        with pytest.raises(processes.WorkerError, match="widths"):
            field.processes["kanref"].ask("build", case={"N": 3})


# --- summaries -----------------------------------------------------------------------------------


def test_ratios_are_taken_round_by_round(suite):
    rounds = {"kanref": [1.0, 2.0, 4.0], "fast-kan": [3.0, 6.0, 12.0], "pykan": [50.0]}
    found = suite["_processes"].summary(rounds)
    assert found["seconds"] == {"kanref": 2.0, "fast-kan": 6.0, "pykan": 50.0}
    assert found["ratio"] == {"fast-kan": 3.0, "pykan": 50.0}
    assert found["spread"]["kanref"] == [1.0, 4.0]


def test_a_bar_names_its_worst_row(suite):
    rows = [row(3, {"fast-kan": 4.0, "jaxKAN": 9.0}), row(5, {"fast-kan": 7.0, "jaxKAN": 2.5})]
    bar = verdicts(suite, *rows)["fastest KAN peer, up to 16 wide, G ≤ 5: ≥ 3×"]
    assert (bar["met"], bar["rows"], bar["rows_met"], bar["worst"]) == (False, 2, 1, 2.5)
    assert "G=5" in bar["where"]


@pytest.mark.parametrize(("G", "least"), [(3, 3), (5, 3), (20, 8), (100, 25), (1000, 25)])
def test_the_bar_of_narrow_networks_rises_with_G(suite, G, least):
    for ratio, met in ((least * 1.001, True), (least * 0.999, False)):
        (bar,) = suite["_bars"].step_bars([row(G, {"pykan": ratio})])
        assert (bar["met"], bar["least"]) == (met, least)


def test_wide_layers_are_held_against_each_peer_at_small_G(suite):
    wide = row(5, {"efficient-kan": 2.1, "fast-kan": 1.9, "jaxKAN": 1.3}, widths=(100, 100))
    single = row(5, {"jaxKAN": 1.3}, widths=(100, 100), dtype="float32")
    found = verdicts(suite, wide, single)
    assert found["efficient-kan, wide, G ≤ 5: ≥ 2×"]["met"]
    assert not found["fast-kan, wide, G ≤ 5: ≥ 2×"]["met"]
    assert found["jaxKAN, wide, G ≤ 5, float64: ≥ 1.2×"]["met"]
    assert not found["jaxKAN, wide, G ≤ 5, float32: ≥ 1.5×"]["met"]


@pytest.mark.parametrize(("G", "least"), [(3, 1 / 1.3), (5, 1), (20, 1), (100, 3), (1000, 3)])
def test_the_bar_against_the_mlp(suite, G, least):
    (bar,) = suite["_bars"].step_bars([row(G, {"torch MLP": least * 0.99})])
    assert not bar["met"] and bar["least"] == pytest.approx(least)


def test_pykan_by_default_is_a_kan_peer_and_speed_has_a_bar_of_its_own(suite):
    found = verdicts(suite, row(5, {"pykan": 30.0, "pykan speed()": 19.0}))
    assert found["pykan after speed(): ≥ 20×"]["worst"] == 19
    assert found["fastest KAN peer, up to 16 wide, G ≤ 5: ≥ 3×"]["worst"] == 19


def test_growth_compares_rows_that_differ_in_G_alone(suite):
    narrow = [row(5, {}, kanref=1.0), row(1000, {}, kanref=1.25), row(5, {}, N=64, kanref=9.0)]
    hundred = [
        row(G, {}, widths=(100, 100), kanref=t) for G, t in ((5, 1.0), (100, 1.4), (1000, 2.9))
    ]
    found = verdicts(suite, *narrow, *hundred)
    assert found["G = 1000 against 5, up to 16 wide: ≤ 1.3×"]["met"]
    assert not found["G = 100 against 5, [100, 100]: ≤ 1.3×"]["met"]
    assert found["G = 1000 against 5, [100, 100]: ≤ 3×"]["met"]


def test_only_steps_on_one_thread_count(suite):
    forward = row(5, {"pykan": 1.0}) | {"what": "forward"}
    assert suite["_bars"].step_bars([forward, row(5, {"pykan": 1.0}, threads=2)]) == []


def test_a_worse_formula_wins_nothing(suite):
    case = {"widths": [2, 5, 1], "N": 1000, "G": 5, "dtype": "float64"}
    case |= {"seconds": {"kanref": 0.1, "kanref short": 1.0, "pykan": 30.0}}
    good = case | {"rmse": {"kanref": 1e-15, "kanref short": 1e-15, "pykan": 1e-3}}
    worse = case | {"rmse": {"kanref": 2e-3, "kanref short": 1e-15, "pykan": 1e-3}}
    rounding = case | {"rmse": {"kanref": 1e-12, "kanref short": 1e-15, "pykan": 1e-13}}
    same, short = suite["train"].bars([good, rounding])
    assert (same["met"], same["worst"], short["met"]) == (True, pytest.approx(300), False)
    assert suite["train"].bars([good, worse])[0]["rows_met"] == 1
    alone = good | {"seconds": {"kanref": 0.1}}
    assert suite["train"].bars([alone]) == []


def test_the_work_of_the_passes_by_hand(suite):
    case = suite["contestants"].Case((3, 4), N=10, G=5, k=3)
    assert suite["_rates"].flops(case) == 3 * (3 + 2) * (3 * 4) * 10 * 2
    # x, y; x, dy, dx; the parameters twice and their gradient
    numbers = 10 * (3 + 4) + 10 * (3 + 4 + 3) + 3 * (3 * 4 * (5 + 3 + 2))
    assert suite["_rates"].traffic(case) == 8 * numbers


def test_the_bars_on_the_blas_rate(suite):
    rows = [
        row(5, {}, widths=(100, 100)) | {"blas_share": 0.31},
        row(5, {}, widths=(100, 100), dtype="float32") | {"blas_share": 0.29},
        row(100, {}, widths=(100, 100)) | {"blas_share": 0.21},
    ]
    at_5, at_100 = suite["limit"].bars(rows)
    assert (at_5["met"], at_5["rows_met"], at_100["met"]) == (False, 1, True)


def test_the_cases_of_a_quick_run_are_few(suite):
    step = suite["step"]
    quick = list(step.cases(step.parser().parse_args(["--quick"])))
    some = list(step.cases(step.parser().parse_args(["--widths=2,5,1", "--grids", "3", "1000"])))
    assert len(quick) == len(step.QUICK) and {case.dtype for case in quick} == {"float64"}
    assert [(c.widths, c.G, c.dtype) for c in some] == [
        ((2, 5, 1), G, dtype) for dtype in ("float64", "float32") for G in (3, 1000)
    ]


# --- files ---------------------------------------------------------------------------------------


def test_results_hold_the_machine_but_not_its_name(suite, tmp_path):
    import platform

    results = suite["_results"]
    contents = results.document("step", [row(5, {})], [], settings={}, contestants={})
    path = results.write(contents, tmp_path / "made" / "step.json")
    assert results.read(path) == contents
    assert list(contents) == list(results.KEYS)
    assert contents["machine"]["cores"] >= 1 and contents["machine"]["cpu"]
    assert not platform.node() or platform.node() not in path.read_text()
    assert [p.name for p in path.parent.iterdir()] == ["step.json"]


def test_a_file_of_something_else_is_refused(suite, tmp_path):
    path = tmp_path / "other.json"
    path.write_text('{"rows": []}')
    with pytest.raises(ValueError, match="machine"):
        suite["_results"].read(path)


def test_the_results_kept_here_can_be_read_and_name_no_folder(suite):
    for name in ("step", "limit", "memory", "train", "vectorization"):
        path = suite["_results"].RESULTS / f"{name}.json"
        if path.exists():
            assert suite["_results"].read(path)["benchmark"] == name
            assert "/home" not in path.read_text() and "/tmp" not in path.read_text()


# --- machine code --------------------------------------------------------------------------------

ASSEMBLY = """
\t.type\touter,@function
outer:
.LBB0_1:
\tvmovsd\t(%rdi), %xmm0
.LBB0_2:
\tvmovupd\t(%rsi), %zmm1
\tvfmadd231pd\t(%rsi), %zmm1, %zmm2
\tvaddpd\t%zmm1, %zmm2, %zmm3
\taddq\t$8, %rax
\tjb\t.LBB0_2
.LBB0_3:
\tvmulsd\t%xmm1, %xmm0, %xmm2
\tjne\t.LBB0_3
\tvaddsd\t%xmm1, %xmm0, %xmm2
\tjmp\t.LBB0_1
\t.type\tcounter,@function
counter:
.LBB1_1:
\taddq\t$8, %rax
\tjne\t.LBB1_1
"""


def test_innermost_loops_are_found_and_told_apart(suite):
    packed, scalar = suite["_assembly"].innermost_loops(ASSEMBLY)
    assert (packed.packed, packed.fused, packed.scalar, packed.register) == (2, 1, 0, "zmm")
    assert packed.vectorised and packed.function == "outer"
    assert (scalar.packed, scalar.scalar) == (0, 1) and not scalar.vectorised


def test_a_call_that_allocates_is_seen(suite):
    added = suite["_memory"].added_by(lambda: np.ones(4_000_000).sum())
    assert 0.5 * 32e6 < added < 3 * 32e6


def test_tables_show_times_ratios_and_gaps(suite):
    line = suite["_tables"].row_line(row(5, {"pykan": 30.0}, kanref=2e-3), ["pykan", "fast-kan"])
    assert "2.000" in line and "60.000  30.0×" in line and "–" in line
    (bar,) = suite["_bars"].step_bars([row(5, {"pykan": 2.0})])
    assert suite["_tables"].bar_lines([bar])[1].startswith("NO ")
