"""The measured blocks of the pages: each makes Markdown of the results that it is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

Results = Mapping[str, dict]
Block = Callable[[dict], str]


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table; all columns but the first `left` are aligned to the right."""
    rule = ["---" if column < left else "---:" for column in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def number(value: float | None, digits: int = 3) -> str:
    """Return a number to some digits, without an exponent; nothing was measured: a dash."""
    if value is None:
        return "–"
    if value and abs(value) < 1e-3:
        return power(value)
    if abs(value) >= 10**digits:
        return f"{value:,.0f}"
    shown = f"{value:.{digits}g}"
    return f"{float(shown):,.0f}" if "e" in shown else shown


def power(value: float) -> str:
    """Return a number as 7·10⁻¹⁶."""
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa}·10{raised}"


def case(row: dict) -> str:
    """Return widths and batch of a row."""
    return f"[{', '.join(map(str, row['widths']))}], N = {row['N']:,}"


def source(results: dict, command: str, *, clock: bool = True) -> str:
    """Return by what, where and when something was measured."""
    machine = results["machine"]
    cpu = machine.get("cpu", machine.get("processor", "unknown processor")).partition(" (")[0]
    where = f"{cpu}, {machine['cores']} cores, Python {machine['python']}"
    date = results.get("date") or machine["date"]
    load = machine.get("load_average", machine.get("load"))
    busy = f"; {load:.0f} processes wanted its cores" if load and load > 1.5 else ""
    cpu_clock = results.get("settings", {}).get("clock") == "cpu"
    kind = " Times are processor times." if clock and cpu_clock else ""
    return f"Measured by `{command}` on {date} ({where}{busy}).{kind}"


# --- hello-KAN -------------------------------------------------------------------------------


def _hello(found: dict) -> dict[str, str]:
    """Return what the texts about hello-KAN say."""
    summary = found["summary"]
    seeds = [row["seed"] for row in found["rows"]]
    return {
        "first": str(min(seeds)),
        "last": str(max(seeds)),
        "found": str(summary["recovered"]),
        "of": str(summary["of"]),
        "worst": power(summary["worst_rmse"]),
        "seconds": number(summary["median"]["cpu"], 2),
        "command": f"python benchmarks/hello_kan.py --first {min(seeds)} --seeds {len(seeds)}",
    }


def hello(found: dict) -> str:
    """Is the formula of the paper's first example found, seed by seed?"""
    say = _hello(found)
    rows = [
        (f"seeds {say['first']} to {say['last']}: found", f"{say['found']} of {say['of']}"),
        (f"worst test error of the {say['of']}", say["worst"]),
        ("median processor time: train, prune, snap", f"{say['seconds']} s"),
    ]
    return table(("", "kanref"), rows, left=2) + "\n\n" + source(found, say["command"])


def hello_sentence(found: dict) -> str:
    """Return the sentence of the README."""
    return (
        "That takes {seconds} s of processor time, and found the formula, exact to rounding, from\n"
        "{found} of {of} random starts that had no part in choosing the settings\n"
        "(`{command}`)."
    ).format_map(_hello(found))


def hello_sentence_zh(found: dict) -> str:
    """Return the sentence of the Chinese README."""
    return (
        "以上只需 {seconds} 秒处理器时间；用同一套设置，在 {of} 个未参与调参的随机种子中，\n"
        "有 {found} 个还原出公式，精确到舍入误差（`{command}`）。"
    ).format_map(_hello(found))


# --- exports, tables, pictures ---------------------------------------------------------------


def exports(found: dict) -> str:
    """Sizes of exported files, and times of a prediction."""
    rows = []
    for row in found["rows"]:
        sizes = [f"{n:,}" if n else "–" for n in (row["bytes"], row.get("object_bytes"))]
        times = (number(row["one_us"]), number(row["row_of_batch_us"]))
        rows.append((row["target"], *sizes, *times))
    head = ("target", "bytes", "compiled, bytes", "one row / µs", "row of a batch / µs")
    return table(head, rows) + "\n\n" + source(found, "python benchmarks/exports.py")


def tabular(found: dict) -> str:
    """Errors of cross-validation on tables of measurements."""
    names = list(dict.fromkeys(row["contestant"] for row in found["rows"]))
    data = list(dict.fromkeys(row["table"] for row in found["rows"]))
    cells = {(r["table"], r["contestant"]): number(fmean(r["rmse"])) for r in found["rows"]}
    rows = [(name, *(cells.get((d, name), "–") for d in data)) for name in names]
    settings = found["settings"]
    how = f"{settings['folds']} folds, {_plural(settings['seeds'], 'seed')}"
    text = f"Test RMSE of cross-validation, {how}; all with their defaults."
    told = source(found, "python benchmarks/tabular.py")
    return "\n\n".join((text, table(("estimator", *data), rows), told))


def _plural(n: int, word: str) -> str:
    return f"{n} {word}" if n == 1 else f"{n} {word}s"


AIRFOIL = "airfoil noise, 1503 rows, 5 inputs"
DIGITS = "digits, 64 pixels, 10 classes"
EXPLAINED = {
    "KANRegressor()": "`KANRegressor()`, defaults",
    "MLPRegressor()": "`MLPRegressor()`, defaults",
    "MLP 32-32, tuned": "MLP 32-32, L-BFGS, penalty the best of three on these splits",
    "gradient boosting": "gradient boosting, defaults",
}


def kan_or_mlp(found: dict) -> str:
    """A table of measurements and small pictures, beside other models."""
    rows = []
    for row in found["rows"]:
        if row["data"] == "airfoil":
            name = EXPLAINED.get(row["contestant"], row["contestant"])
            rows.append((AIRFOIL, name, f"RMSE {row['rmse']:.2f} dB"))
        elif row["data"] == "digits":
            name = f"{row['contestant']}, {row['parameters']:,} parameters"
            rows.append((DIGITS, name, f"{100 * row['right']:.1f} % right"))
    told = source(found, "python figures/kan_or_mlp.py --measure", clock=False)
    return table(("data", "contestant", "result"), rows, left=2) + "\n\n" + told


# --- speed and memory ------------------------------------------------------------------------


def step(found: dict) -> str:
    """Time of a step, and how many times as long the others take."""
    text = "One step (forward, loss, all gradients), one thread; the others as multiples of kanref."
    picture = (
        "![Time of a step against the grid, beside other libraries](../figures/bench_step.png)"
    )
    return _with_bars(found, "step", text, picture, _steps(found, lambda row: True))


def step_short(found: dict) -> str:
    """The same for the README: a few grids, double precision."""
    few = _steps(found, lambda row: row["G"] in (5, 100) and row["dtype"] == "float64")
    return f"{few}\n\n{source(found, 'python benchmarks/step.py')}"


def _steps(found: dict, wanted: Callable[[dict], bool]) -> str:
    rows = [r for r in found["rows"] if r["what"] == "step" and r["threads"] == 1 and wanted(r)]
    names = list(dict.fromkeys(name for row in rows for name in row["ratio"]))
    lines = []
    for row in rows:
        ratios = [_times(row["ratio"].get(name)) for name in names]
        mine = number(row["seconds"]["kanref"] * 1e3)
        lines.append((case(row), str(row["G"]), row["dtype"], mine, *ratios))
    return table(("network", "G", "type", "kanref / ms", *names), lines)


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{number(ratio, 2)}×"


def limit(found: dict) -> str:
    """Rates of a layer, as shares of what the machine can do."""
    lines = [
        (
            case(row),
            str(row["G"]),
            row["dtype"],
            str(row["threads"]),
            number(row["seconds"]["kanref"] * 1e3),
            number(row["dense_seconds"] and row["dense_seconds"] * 1e3),
            number(row["gflops"]),
            f"{row['blas_share']:.0%}",
            f"{row['memory_share']:.0%}",
        )
        for row in found["rows"]
    ]
    head = ("layer", "G", "type", "threads", "ms", "dense / ms", "GFLOP/s", "of BLAS", "of memory")
    text = (
        "Only the operations that the mathematics needs count, and the bytes that must move. "
        "*dense*: the same passes as BLAS products with a dense basis that is given for free."
    )
    return _with_bars(found, "limit", text, "", table(head, lines))


def memory(found: dict) -> str:
    """Extra memory of a step."""
    rows = found["rows"]
    names = list(dict.fromkeys(name for row in rows for name in row["mib"]))
    lines = [(case(r), str(r["G"]), *(number(r["mib"].get(n)) for n in names)) for r in rows]
    picture = "![Extra memory of a step, beside other libraries](../figures/bench_memory.png)"
    text = "MiB beyond the network and the batch."
    return _with_bars(found, "memory", text, picture, table(("network", "G", *names), lines))


def train(found: dict) -> str:
    """Hello-KAN from samples to a formula, beside pykan."""
    lines = []
    for row in found["rows"]:
        for name, seconds in row["seconds"].items():
            cells = (str(row["seed"]), name, number(seconds), power(row["rmse"][name]))
            lines.append(cells)
    head = ("seed", "who", "seconds", "test RMSE")
    picture = "![Seconds of each stage of hello-KAN](../figures/bench_train.png)"
    text = "From samples of exp(sin πx + y²) to a formula, one thread."
    return _with_bars(found, "train", text, picture, table(head, lines, left=2))


def _with_bars(found: dict, name: str, text: str, picture: str, body: str) -> str:
    """Add to a table its picture, the bars that were set before, and where it comes from."""
    bars = []
    for bar in found["bars"]:
        met = "met" if bar["met"] else "**not met**"
        rows = f"{bar['rows_met']} of {_plural(bar['rows'], 'row')}"
        bars.append((bar["bar"], met, rows, number(bar["worst"]), bar["where"]))
    head = ("bar", "", "rows that meet it", "worst", "where")
    parts = (text, picture, body, table(head, bars, left=2) if bars else "")
    told = source(found, f"python benchmarks/{name}.py")
    return "\n\n".join(part for part in (*parts, told) if part)


MADE_OF: Mapping[str, tuple[str, Block]] = {
    "hello": ("hello_kan", hello),
    "hello-sentence": ("hello_kan", hello_sentence),
    "hello-sentence-zh": ("hello_kan", hello_sentence_zh),
    "exports": ("exports", exports),
    "tabular": ("tabular", tabular),
    "kan-or-mlp": ("kan_or_mlp", kan_or_mlp),
    "step": ("step", step),
    "step-short": ("step", step_short),
    "limit": ("limit", limit),
    "memory": ("memory", memory),
    "train": ("train", train),
}
"""Block → the results file that it is made of, and what makes it."""


def _block(stem: str, make: Block) -> Callable[[Results], str]:
    def block(results: Results) -> str:
        if stem not in results:
            script = "figures/kan_or_mlp.py" if stem == "kan_or_mlp" else f"benchmarks/{stem}.py"
            return f"Not measured yet; `python {script}` does it."
        return make(results[stem])

    return block


BLOCKS: Mapping[str, Callable[[Results], str]] = {
    name: _block(stem, make) for name, (stem, make) in MADE_OF.items()
}
"""Block → Markdown, made of all results."""
