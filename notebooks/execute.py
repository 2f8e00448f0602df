"""Execute the notebooks, each in a kernel of its own, and store clean outputs.

python notebooks/execute.py                 all, in place
python notebooks/execute.py 03 05           some of them
python notebooks/execute.py --check         fresh copies; nothing is written
python notebooks/execute.py --check --bare  as in Pyodide: without Numba, CuPy and ipywidgets

A warning is an error. The solutions of the exercises are executed too, after the notebook.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import io
import os
import re
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import nbformat
from kernel_client import WakingClient
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image
from rules import CELL_ID, printed_alike, solutions, source_hash
from traitlets.config import Config

HERE = Path(__file__).parent
BLOCKED = ("numba", "llvmlite", "cupy", "ipywidgets")
COLOURS = 96  # of a stored picture
LIMIT = 180  # seconds for one notebook

# Warnings are errors while a cell runs. Between the cells the kernel works for itself, in code that
# an error could stop for good. A function, so that no name of it reaches the notebook.
STARTUP = """
def install():
    import sys, warnings

    class Blocker:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] in {blocked!r}:
                raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)

    def strict(info):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", module="ipykernel|jupyter_client|tornado|traitlets|zmq")
        warnings.filterwarnings("ignore", message="IProgress not found")  # tqdm misses ipywidgets

    def relaxed(result):
        warnings.simplefilter("ignore")

    sys.meta_path.insert(0, Blocker())
    get_ipython().events.register("pre_run_cell", strict)
    get_ipython().events.register("post_run_cell", relaxed)

install()
del install
"""

ENVIRONMENT = {
    "TQDM_DISABLE": "1",  # progress bars are for who watches
    "PYTHONHASHSEED": "0",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
}

WIDGET = "application/vnd.jupyter.widget-view+json"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Result:
    """What came of one notebook."""

    notebook: NotebookNode
    problems: list[str]
    seconds: float


def execute(notebook: NotebookNode, *, bare: bool = False, limit: float = LIMIT) -> Result:
    """Execute a notebook and then its solutions, and say what went wrong; outputs are clean."""
    started = perf_counter()
    notebook = nbformat.from_dict(notebook)  # a copy
    cells = list(notebook.cells)
    solved = solutions(notebook)
    notebook.cells = cells + [nbformat.v4.new_code_cell(code) for code, _ in solved]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    problems = _run(notebook, bare, limit) + _complaints(notebook)
    if not problems:
        problems += _wrong_solutions(solved, notebook.cells[len(cells) :])
    notebook.cells = cells
    clean(notebook)
    return Result(notebook, problems, perf_counter() - started)


def _run(notebook: NotebookNode, bare: bool, limit: float) -> list[str]:
    """Execute all cells in a kernel in an empty folder; return why it stopped, if it did."""
    with tempfile.TemporaryDirectory() as folder:
        work, ipython = Path(folder, "work"), Path(folder, "ipython")
        startup = ipython / "profile_default" / "startup"
        startup.mkdir(parents=True)
        work.mkdir()
        blocked = BLOCKED if bare else ()
        (startup / "00-strict.py").write_text(STARTUP.format(blocked=blocked), encoding="utf-8")
        environment = {**os.environ, **ENVIRONMENT, "IPYTHONDIR": str(ipython)}
        environment.pop("MPLBACKEND", None)
        client = NotebookClient(
            notebook,
            timeout=None,
            kernel_name="python3",
            iopub_timeout=60,
            raise_on_iopub_timeout=True,  # no output is lost in silence
            extra_arguments=["--Application.log_level=50"],  # it logs how it is connected
            resources={"metadata": {"path": str(work)}},
            config=Config({"KernelManager": _connection(folder)}),
        )
        try:
            asyncio.run(_within(limit, client, environment))
        except TimeoutError as error:  # a CellTimeoutError is one too: a reply without its outputs
            return [str(error)]
        except (CellExecutionError, DeadKernelError) as error:
            return [ANSI.sub("", str(error)).strip()]
        left = sorted(path.name for path in work.iterdir())
        return [f"files left behind: {', '.join(left)}"] if left else []


async def _within(limit: float, client: NotebookClient, environment: dict[str, str]) -> None:
    """Execute the notebook of a client; after `limit` seconds end its kernel and raise."""
    task = asyncio.ensure_future(client.async_execute(env=environment))
    await asyncio.wait({task}, timeout=limit)
    if task.done():
        task.result()  # raises what it raised
        return
    if client.km is not None:
        await client.km.shutdown_kernel(now=True)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, DeadKernelError):
        await task
    raise TimeoutError(f"took longer than {limit:g} s")


def _connection(folder: str) -> dict[str, object]:
    """Let kernels talk through files, where there are such: two at a time may pick one port."""
    files = {"transport": "ipc", "ip": str(Path(folder, "k"))} if os.name == "posix" else {}
    return {"client_factory": WakingClient, **files}


def _complaints(notebook: NotebookNode) -> list[str]:
    """Return what was written to standard error, and what failed inside a widget."""
    found = []
    for number, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                found.append(f"cell {number} wrote to standard error:\n{ANSI.sub('', output.text)}")
            elif "Error in callback" in output.get("text", ""):  # while a figure was drawn
                found.append(f"cell {number}: {_text(cell.outputs)}")
    widgets = notebook.metadata.get("widgets", {})
    for view in widgets.values():
        for model in view.get("state", {}).values():
            for output in model.get("state", {}).get("outputs", None) or []:
                if output["output_type"] == "error" or output.get("name") == "stderr":
                    text = output.get("text") or "\n".join(output["traceback"])
                    found.append(f"inside a widget:\n{ANSI.sub('', text)}")
    return found


def _text(outputs: list[NotebookNode]) -> str:
    """Return all text of some outputs, tracebacks included."""
    texts = [o.get("text") or "\n".join(o.get("traceback", [])) for o in outputs]
    return ANSI.sub("", "\n".join(texts))


def _wrong_solutions(solved: list[tuple[str, str | None]], cells: list[NotebookNode]) -> list[str]:
    """Return the solutions that print something else than they say."""
    found = []
    for number, ((_, expected), cell) in enumerate(zip(solved, cells, strict=True), start=1):
        printed = "".join(o.text for o in cell.outputs if o.output_type == "stream")
        if expected is not None and not printed_alike(expected, printed):
            found.append(f"solution {number} says\n{expected}\nbut prints\n{printed}")
    return found


def clean(notebook: NotebookNode) -> None:
    """Remove in place what is not the same in each run, and leave the hash of the code."""
    count = 0
    for number, cell in enumerate(notebook.cells):
        cell.id = CELL_ID.format(number)
        cell.metadata = NotebookNode({k: v for k, v in cell.metadata.items() if k == "tags"})
        cell.pop("attachments", None) if not cell.get("attachments") else None
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = _merged([o for o in cell.outputs if WIDGET not in o.get("data", {})])
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if "metadata" in output:
                output.metadata = NotebookNode()
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = _small(output.data["image/png"])
    notebook.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
        kanref={"source": source_hash(notebook)},
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5


def _small(png: str) -> str:
    """Return a picture with a palette of its own: a third of the size, and looks the same."""
    picture = Image.open(io.BytesIO(base64.b64decode(png)))
    if picture.mode == "P":
        return png
    whole = Image.new("RGB", picture.size, "white")
    whole.paste(picture, mask=picture.convert("RGBA").getchannel("A"))
    file = io.BytesIO()
    whole.quantize(COLOURS).save(file, "png", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _merged(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: how they are cut depends on the time."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        both = last is not None and last.output_type == output.output_type == "stream"
        if both and last.name == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook whole or not at all."""
    draft = path.with_suffix(".tmp")
    draft.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    draft.replace(path)


def _execute_file(path: Path, bare: bool) -> Result:
    return execute(nbformat.read(path, as_version=4), bare=bare)


def main() -> int:
    """Execute what the command line names; return 1 if anything went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", help="beginnings of file names, such as 03")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--bare", action="store_true", help=f"block {', '.join(BLOCKED)}")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="kernels at a time")
    options = parser.parse_args()
    if options.bare and not options.check:
        parser.error("--bare needs --check: stored outputs are those of the full installation")
    paths = sorted(HERE.glob("[0-9]*.ipynb"))
    if options.names:
        paths = [path for path in paths if path.name.startswith(tuple(options.names))]
    if not paths:
        parser.error(f"no notebook begins with {' or '.join(options.names) or 'a number'}")
    failed = False
    with ProcessPoolExecutor(options.workers) as pool:
        results = [pool.submit(_execute_file, path, options.bare) for path in paths]
        for path, future in zip(paths, results, strict=True):
            result = future.result()
            print(f"{path.name:40} {result.seconds:6.1f} s  {_verdict(result)}", flush=True)
            for problem in result.problems:
                print(problem, file=sys.stderr)
            if not (options.check or result.problems):
                write(result.notebook, path)
            failed |= bool(result.problems)
    return int(failed)


def _verdict(result: Result) -> str:
    size = len(nbformat.writes(result.notebook).encode()) // 1000
    return "FAILED" if result.problems else f"{size} kB"


if __name__ == "__main__":
    sys.exit(main())
