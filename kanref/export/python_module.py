"""The target ``python``: one file of plain Python, with nothing but the module ``math``.

The file has ``predict(row)``, ``predict_many(rows)``, ``INPUTS`` and ``OUTPUTS``; a row is a
sequence in the order of ``INPUTS`` or a mapping by name. A classifier also has
``predict_class(row)`` and ``CLASSES``. Everything is computed in double precision, for a float32
model too. ``model.export("net.py")`` writes it; there are no options.
"""

from __future__ import annotations

from ..functions import Function
from .library import IDENTIFIERS, function_term, own_names
from .own import domain_test, own_expression, printed
from .program import LayerProgram, Program
from .python_functions import BASES, BESSEL, base_name, function_source
from .python_text import head, names_tables
from .text import affine, factors_text, layer_about, node_name, number, plus, rows, shown, times

_HELPERS = '''

def splines(x, t, k, fades):
    """Return the number of the first spline that counts at x, and k + 1 values from there on.

    The knots t do not decrease. The cell t[m] <= x < t[m + 1] is found by bisection, and the
    splines over it by the recursion of Cox and de Boor. Outside the grid they fade to 0, or
    continue as straight lines.
    """
    first, last = t[k], t[-1 - k]
    if not math.isfinite(x):
        return 0, [math.nan] * (k + 1)
    if fades and not first <= x < last:
        return 0, [0.0] * (k + 1)
    nearest = min(max(x, first), last)
    beyond, x = x - nearest, nearest
    m, end = k, len(t) - 1 - k
    while end - m > 1:
        middle = (m + end) // 2
        if t[middle] <= x and t[middle] < last:
            m = middle
        else:
            end = middle
    values, slopes = [1.0], [0.0]
    for p in range(1, k + 1):
        q = [v / (t[m + 1 + r] - t[m + 1 + r - p]) for r, v in enumerate(values)]
        q = [0.0, *q, 0.0]
        values = [(x - t[m + r - p]) * q[r] + (t[m + r + 1] - x) * q[r + 1] for r in range(p + 1)]
        slopes = [p * (q[r] - q[r + 1]) for r in range(p + 1)]
    if beyond:
        values = [v + beyond * s for v, s in zip(values, slopes)]
    return m - k, values


def curve(coef, start, values):
    """Return the spline with these coefficients at the point where `splines` was called."""
    return sum(c * v for c, v in zip(coef[start : start + len(values)], values))
'''

_FUNCTION = '''

def function(f):
    """Make f(t) NaN outside its domain and for t that is no number, and inf where it overflows."""

    def safe(t):
        if not math.isfinite(t):
            return math.nan
        try:
            return f(t)
        except OverflowError:
            return math.inf
        except (ValueError, ZeroDivisionError):
            return math.nan

    return safe
'''


def write(program: Program, *, stem: str) -> dict[str, str]:
    """Return the file; see the text of this module."""
    names = dict.fromkeys(IDENTIFIERS[name] for name in program.library_functions)
    sources = {IDENTIFIERS[name]: function_source(name) for name in program.library_functions}
    own = own_names(program)
    parts = [
        head(program, "Plain Python: nothing is needed beside the standard library."),
        "import math\n\n",
        names_tables(program),
        _entrances(program),
        _network(program),
    ]
    parts += [_layer(program, number, own) for number in range(len(program.layers))]
    if any(layer.splines for layer in program.layers):
        parts.append(_HELPERS)
    parts += ["\n" + BASES[name] for name in program.bases]
    if names or own:
        parts.append(_FUNCTION)
    parts += ["\n" + sources[name] for name in names]
    parts += ["\n" + _own(function, name) for function, name in own.items()]
    if {"j0", "j1"} & set(names):
        parts.append("\n" + BESSEL)
    parts.append(_tables(program))
    return {".py": "".join(parts)}


def _entrances(program: Program) -> str:
    """Return predict, predict_many and predict_class."""
    text = '''

def predict(row):
    """Return the outputs for a row of inputs: a sequence in the order of INPUTS, or a dict."""
    return {outputs}


def predict_many(rows):
    """Return the outputs for each row."""
    return [predict(row) for row in rows]
'''
    scales = list(zip(program.y_scale, program.y_shift, strict=True))
    outputs = "network(row)"
    if any(pair != (1, 0) for pair in scales):
        terms = (affine(scale, f"y[{o}]", shift) for o, (scale, shift) in enumerate(scales))
        outputs = "\n        ".join(["["] + [f"{term}," for term in terms]) + "\n    ]"
        text = text.replace("    return {outputs}", f"    y = network(row)\n    return {outputs}")
    text = text.replace("{outputs}", outputs)
    if program.classes is None:
        return text
    choice = "int(y[0] > 0.0)"
    if program.n_out > 1:
        choice = "max(range(len(y)), key=lambda o: (y[o] != y[o], y[o]))"
    return (
        text
        + f'''

def predict_class(row):
    """Return the most probable of CLASSES for a row of inputs."""
    y = network(row)
    return CLASSES[{choice}]
'''
    )


def _network(program: Program) -> str:
    """Return the function that scales the inputs and goes through the layers."""
    lines = [
        "def network(row):",
        '    """Return the outputs in the units of the network."""',
        "    if isinstance(row, dict):",
        "        row = [row[name] for name in INPUTS]",
        f"    if len(row) != {program.n_in}:",
        f'        raise ValueError(f"a row must have {program.n_in} values, got {{len(row)}}")',
        "    x = [float(value) for value in row]",
    ]
    pairs = list(zip(program.x_shift, program.x_scale, strict=True))
    if any(pair != (0, 1) for pair in pairs):
        lines.append("    x = [")
        for i, (shift, scale) in enumerate(pairs):
            value = plus(f"x[{i}]", -shift)
            value = f"({value})" if shift and scale != 1 else value
            value = value if scale == 1 else f"{value} / {number(scale)}"
            lines.append(f"        {value},")
        lines.append("    ]")
    lines += [f"    x = layer_{n}(x)" for n in range(len(program.layers))]
    return "\n\n" + "\n".join([*lines, "    return x"]) + "\n"


def _layer(program: Program, number_: int, own: dict[Function, str]) -> str:
    """Return the function of one layer."""
    layer = program.layers[number_]
    lines = [
        f"def layer_{number_}(x):",
        f'    """{layer_about(layer)}"""',
        "    x = [value if math.isfinite(value) else math.nan for value in x]",
        f"    u = [0.0] * {layer.n_sums}",
    ]
    for i in range(layer.n_in):
        lines += _edges(program, number_, i, own)
    lines += _nodes(program, number_)
    return "\n\n" + "\n".join(lines) + "\n"


def _edges(program: Program, l: int, i: int, own: dict[Function, str]) -> list[str]:
    """Return the lines that add the edges from input i to the sums."""
    layer = program.layers[l]
    splines, functions = layer.edges_from(i)
    if not splines and not functions:
        return []
    lines = [f"    # from {node_name(program, l, i)}"]
    if splines:
        fades = layer.extrapolate == "zero"
        lines.append(f"    start, values = splines(x[{i}], KNOTS_{l}_{i}, {layer.k}, {fades})")
        if layer.base and any(edge.scale_base for edge in splines):
            lines.append(f"    base = {base_name(layer.base)}(x[{i}])")
    for edge in splines:
        text = f"curve(COEF_{l}_{i}_{edge.j}, start, values)"
        if layer.base and edge.scale_base:
            text = f"{times(edge.scale_base, 'base')} + {text}"
        lines.append(f"    u[{edge.j}] += {text}")
    for fun in functions:
        lines.append(f"    u[{fun.j}] += {function_term(fun, own, f'x[{i}]')}")
    return lines


def _nodes(program: Program, l: int) -> list[str]:
    """Return the lines that make nodes of the sums."""
    layer = program.layers[l]
    lines = []
    plain = all(a.is_identity for a in layer.subnodes)
    v = "u"
    if not plain:
        v = "v"
        terms = (affine(a.scale, f"u[{j}]", a.bias) for j, a in enumerate(layer.subnodes))
        lines += ["    v = [", *(f"        {term}," for term in terms), "    ]"]
    if all(node.is_identity and len(node.factors) == 1 for node in layer.nodes):
        return [*lines, f"    return {v}"]
    lines.append("    return [")
    for n, node in enumerate(layer.nodes):
        product = factors_text([f"{v}[{j}]" for j in node.factors], node.scale)
        comment = f"  # {node_name(program, l + 1, n)}"
        lines.append(f"        {affine(node.scale, product, node.bias)},{comment}")
    return [*lines, "    ]"]


def _own(function: Function, name: str) -> str:
    """Return a function of the user's own, from its SymPy form."""
    from sympy.printing.pycode import PythonCodePrinter

    expression = own_expression(function, "Python")
    lines = ["", "@function", f"def {name}(t):", f"    # {shown(function.name)}"]
    tests = domain_test(function)
    if tests:
        lines += [f"    if not ({' and '.join(tests)}):", "        return math.nan"]
    lines.append(f"    y = {printed(PythonCodePrinter, expression, function, 'Python')}")
    lines.append("    return math.nan if isinstance(y, complex) else float(y)")
    return "\n".join(lines) + "\n"


def _tables(program: Program) -> str:
    """Return the knots and the coefficients."""
    lines: list[str] = []
    for l, layer in enumerate(program.layers):
        for i, knots in enumerate(layer.knots):
            if knots is not None:
                lines += ["", f"# layer {l}: splines of {node_name(program, l, i)}"]
                lines += _table(f"KNOTS_{l}_{i}", knots)
                lines += _coefficients(program, layer, l, i)
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def _coefficients(program: Program, layer: LayerProgram, l: int, i: int) -> list[str]:
    lines = []
    for edge in layer.edges_from(i)[0]:
        lines += _table(f"COEF_{l}_{i}_{edge.j}", edge.coef)
    return lines


def _table(name: str, values: tuple[float, ...]) -> list[str]:
    return [f"{name} = (", rows(map(number, values), "    ") + ",", ")"]
