"""The target ``numpy``: one file of Python with NumPy, for many rows at a time.

The file has ``predict(row)``, ``predict_many(rows)`` for an array of shape (N, n_in), ``INPUTS``
and ``OUTPUTS``; a classifier also has ``predict_class(row)``, ``predict_classes(rows)`` and
``CLASSES``. Everything is computed in double precision, for a float32 model too.
``model.export("net.py", to="numpy")`` writes it; there are no options.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..functions import Function
from .library import IDENTIFIERS, function_term, own_names
from .numpy_functions import BASES, BESSEL, function_source
from .own import domain_test, own_expression, printed
from .program import Program
from .python_functions import base_name
from .python_text import head, names_tables
from .text import layer_about, node_name, number, rows, shown

_ENTRANCES = '''

def predict(row):
    """Return the outputs for one row of inputs, in the order of INPUTS."""
    return predict_many([row])[0]


def predict_many(rows):
    """Return the outputs (N, {n_out}) for rows of inputs (N, {n_in})."""
    return {outputs}
'''

_CLASSES = '''

def predict_class(row):
    """Return the most probable of CLASSES for one row of inputs."""
    return predict_classes([row])[0]


def predict_classes(rows):
    """Return the most probable of CLASSES for each row, as a list."""
    y = network(rows)
    return [CLASSES[o] for o in {choice}]
'''

_HELPERS = '''

def curves(x, t, coef, k, fades):
    """Return splines that share the knots t at the points x: (N, number of columns of coef).

    The knots do not decrease. The cell t[m] <= x < t[m + 1] is searched for, and the k + 1 splines
    over it come from the recursion of Cox and de Boor. Outside the grid the curves fade to 0, or
    continue as straight lines.
    """
    first, last = t[k], t[-1 - k]
    nearest = np.clip(x, first, last)
    beyond = x - nearest  # NaN where x is
    x = np.where(np.isnan(x), first, nearest)
    ends = t[k : -1 - k]  # where cells begin; a cell at or beyond `last` would be empty
    m = k + np.searchsorted(ends[ends < last], x, side="right") - 1
    values, slopes = [np.ones_like(x)], [np.zeros_like(x)]
    for p in range(1, k + 1):
        q = [v / (t[m + 1 + r] - t[m + 1 + r - p]) for r, v in enumerate(values)]
        q = [0.0, *q, 0.0]
        values = [(x - t[m + r - p]) * q[r] + (t[m + r + 1] - x) * q[r + 1] for r in range(p + 1)]
        slopes = [p * (q[r] - q[r + 1]) for r in range(p + 1)]
    if fades:
        outside = (beyond != 0.0) | (x == last)
        values = [np.where(outside, 0.0 * beyond, v) for v in values]
    else:
        values = [v + beyond * s for v, s in zip(values, slopes)]
    return sum(v[:, None] * coef[m - k + r] for r, v in enumerate(values))
'''

_FUNCTION = '''

def function(f):
    """Make f(t) NaN where t is infinite."""
    return lambda t: f(np.where(np.isfinite(t), t, np.nan))
'''


def write(program: Program, *, stem: str) -> dict[str, str]:
    """Return the file; see the text of this module."""
    sources = {IDENTIFIERS[name]: function_source(name) for name in program.library_functions}
    own = own_names(program)
    body = [_entrances(program), _network(program)]
    body += [_layer(program, l, own) for l in range(len(program.layers))]
    if any(layer.splines for layer in program.layers):
        body.append(_HELPERS)
    body += ["\n" + BASES[name] for name in program.bases]
    if sources or own:
        body.append(_FUNCTION)
    body += ["\n" + source for source in sources.values()]
    body += ["\n" + _own(function, name) for function, name in own.items()]
    if {"j0", "j1"} & set(sources):
        body.append("\n" + BESSEL)
    body.append(_tables(program))
    text = "".join(body)
    imports = (
        "import math\n\nimport numpy as np\n\n" if "math." in text else "import numpy as np\n\n"
    )
    needs = "Needs NumPy and nothing else."
    return {".py": head(program, needs) + imports + names_tables(program) + text}


def _entrances(program: Program) -> str:
    """Return predict and its kin."""
    outputs = "network(rows)"
    if any(scale != 1 for scale in program.y_scale):
        outputs += f" * {_array(program.y_scale)}"
    if any(program.y_shift):
        outputs += f" + {_array(program.y_shift)}"
    text = _ENTRANCES.format(n_in=program.n_in, n_out=program.n_out, outputs=outputs)
    if program.classes is None:
        return text
    choice = "(y[:, 0] > 0.0).astype(int)" if program.n_out == 1 else "np.argmax(y, axis=1)"
    return text + _CLASSES.format(choice=choice)


def _network(program: Program) -> str:
    """Return the function that scales the inputs and goes through the layers."""
    lines = [
        "def network(rows):",
        '    """Return the outputs in the units of the network."""',
        "    x = np.asarray(rows, dtype=float)",
        f"    if x.ndim != 2 or x.shape[1] != {program.n_in}:",
        f'        raise ValueError(f"rows must have shape (N, {program.n_in}), got {{x.shape}}")',
        '    with np.errstate(all="ignore"):',
    ]
    value = "x"
    if any(program.x_shift):
        value = f"(x - {_array(program.x_shift)})"
    if any(scale != 1 for scale in program.x_scale):
        value += f" / {_array(program.x_scale)}"
    if value != "x":
        lines.append(f"        x = {value}")
    lines += [f"        x = layer_{n}(x)" for n in range(len(program.layers))]
    return "\n\n" + "\n".join([*lines, "    return x"]) + "\n"


def _layer(program: Program, l: int, own: dict[Function, str]) -> str:
    """Return the function of one layer."""
    layer = program.layers[l]
    lines = [
        f"def layer_{l}(x):",
        f'    """{layer_about(layer)}"""',
        "    x = np.where(np.isfinite(x), x, np.nan)",
        f"    u = np.zeros((len(x), {layer.n_sums}))",
    ]
    for i in range(layer.n_in):
        lines += _edges(program, l, i, own)
    scales, biases = zip(*((a.scale, a.bias) for a in layer.subnodes), strict=True)
    lines += _affine("u", scales, biases)
    if any(len(node.factors) > 1 for node in layer.nodes):
        lines.append("    u = np.stack(")
        lines.append("        [")
        for n, node in enumerate(layer.nodes):
            product = " * ".join(f"u[:, {j}]" for j in node.factors)
            lines.append(f"            {product},  # {node_name(program, l + 1, n)}")
        lines += ["        ],", "        axis=1,", "    )"]
    scales, biases = zip(*((node.scale, node.bias) for node in layer.nodes), strict=True)
    lines += _affine("u", scales, biases)
    return "\n\n" + "\n".join([*lines, "    return u"]) + "\n"


def _affine(name: str, scales: Sequence[float], biases: Sequence[float]) -> list[str]:
    """Return the line that takes columns through affines, if they change anything."""
    value = name
    if any(scale != 1 for scale in scales):
        value += f" * {_array(scales)}"
    if any(biases):
        value += f" + {_array(biases)}"
    return [] if value == name else [f"    {name} = {value}"]


def _edges(program: Program, l: int, i: int, own: dict[Function, str]) -> list[str]:
    """Return the lines that add the edges from input i to the sums."""
    layer = program.layers[l]
    splines, functions = layer.edges_from(i)
    if not splines and not functions:
        return []
    lines = [f"    # from {node_name(program, l, i)}"]
    if splines:
        to = [edge.j for edge in splines]
        columns = ":" if to == list(range(layer.n_sums)) else str(to)
        fades = layer.extrapolate == "zero"
        value = f"curves(x[:, {i}], KNOTS_{l}_{i}, COEF_{l}_{i}, {layer.k}, {fades})"
        lines.append(f"    u[:, {columns}] += {value}")
        if layer.base and any(edge.scale_base for edge in splines):
            scales = _array([edge.scale_base for edge in splines])
            base = f"{base_name(layer.base)}(x[:, {i}])[:, None] * {scales}"
            lines.append(f"    u[:, {columns}] += {base}")
    for fun in functions:
        lines.append(f"    u[:, {fun.j}] += {function_term(fun, own, f'x[:, {i}]')}")
    return lines


def _own(function: Function, name: str) -> str:
    """Return a function of the user's own, from its SymPy form."""
    from sympy.printing.numpy import NumPyPrinter

    expression = own_expression(function, "NumPy")
    value = printed(NumPyPrinter, expression, function, "NumPy").replace("numpy.", "np.")
    lines = ["", "@function", f"def {name}(t):", f"    # {shown(function.name)}"]
    lines.append(f"    y = 0.0 * t + {value}")
    tests = [f"({test})" for test in domain_test(function)]
    if tests:
        lines.append(f"    y = np.where({' & '.join(tests)}, y, np.nan)")
    return "\n".join([*lines, "    return y"]) + "\n"


def _tables(program: Program) -> str:
    """Return the knots, and the coefficients with a column for each edge."""
    lines: list[str] = []
    for l, layer in enumerate(program.layers):
        for i, knots in enumerate(layer.knots):
            if knots is None:
                continue
            edges = layer.edges_from(i)[0]
            ends = ", ".join(str(edge.j) for edge in edges)
            lines += ["", f"# layer {l}: splines from {node_name(program, l, i)} to sums {ends}"]
            lines += [f"KNOTS_{l}_{i} = np.array(", "    ["]
            lines += [rows(map(number, knots), " " * 8) + ",", "    ]", ")"]
            lines += [f"COEF_{l}_{i} = np.array(", "    ["]
            for edge in edges:
                lines += ["        [", rows(map(number, edge.coef), " " * 12) + ",", "        ],"]
            lines += ["    ]", ").T"]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _array(values: Sequence[float]) -> str:
    return f"np.array([{', '.join(map(number, values))}])"
