"""The Python file of the target ``table``, as a template."""

from __future__ import annotations

READER = '''\
"""Lookup tables. {title}

Every edge is a table of {bits}-bit integers with linear interpolation. For inputs within BOX the
outputs differ from those of the network by at most ERROR: {errors}.
An input outside counts as the nearest one inside. One that is NaN or infinite gives NaN on every
output that it reaches.

    >>> predict(row)           # one number for each of INPUTS: a list, one for each of OUTPUTS
    >>> predict_many(rows)
"""

import math

INPUTS = {inputs}
OUTPUTS = {outputs}
CLASSES = {classes}
BOX = {box}
ERROR = {error}

X_UNITS = {x_units}  # (shift, scale) of each input
Y_UNITS = {y_units}  # and output

# For each layer: (low, high) of each input; edges (i, j, offset, step, entries) from input i to
# sum j; (scale, bias) of each sum; nodes (factors, scale, bias), products of sums.
LAYERS = (
{layers})


def predict(row):
    """Return the outputs for one row of inputs, both in the units of the data."""
    values = _network(row)
    return [y * scale + shift for y, (shift, scale) in zip(values, Y_UNITS)]


def predict_many(rows):
    """Return the outputs for each row."""
    return [predict(row) for row in rows]


def predict_class(row):
    """Return the label of the largest output, or of the sign of a single one."""
    values = _network(row)
    best = int(values[0] > 0.0)
    if len(values) > 1:
        best = 0
        for index, y in enumerate(values):
            if y != y:
                best = index
                break
            if y > values[best]:
                best = index
    return best if CLASSES is None else CLASSES[best]


def _network(row):
    """Return the last nodes."""
    if len(row) != len(INPUTS):
        raise ValueError("a row must have %d numbers, got %d" % (len(INPUTS), len(row)))
    x = [(float(value) - shift) / scale for value, (shift, scale) in zip(row, X_UNITS)]
    for domains, edges, subnodes, nodes in LAYERS:
        sums = [0.0] * len(subnodes)
        for i, j, offset, step, entries in edges:
            sums[j] += offset + step * _interpolated(x[i], domains[i], entries)
        v = [scale * u + bias for u, (scale, bias) in zip(sums, subnodes)]
        x = []
        for factors, scale, bias in nodes:
            product = 1.0
            for j in factors:
                product *= v[j]
            x.append(scale * product + bias)
    return x


def _interpolated(x, domain, entries):
    """Return the entry at x, between two of them; NaN where x is NaN or infinite."""
    if not math.isfinite(x):
        return math.nan
    low, high = domain
    n = len(entries) - 1
    place = (min(max(x, low), high) - low) / (high - low) * n if high > low else 0.0
    cell = min(int(place), n - 1)
    return entries[cell] + (place - cell) * (entries[cell + 1] - entries[cell])
'''
"""With the fields that ``table`` fills in. Names of the user's come as ASCII literals only."""
