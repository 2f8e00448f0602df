"""What a report is made from, and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from ..export.view import label
from ..export.web import asset, document, text
from ..network import Network
from ..scaling import Scaling

if TYPE_CHECKING:
    from ..training import History


@dataclass(frozen=True)
class PageData:
    """A model, and rows to look at it with.

    Attributes
    ----------
    title, source, about : str
        Of the report; where the rows came from; the model in a line.
    network, scaling : Network, Scaling
        The model.
    input_names, output_names : sequence of str
        Any texts.
    X : (N, n_in)
        Inputs, data units, finite.
    prediction : (N, n_out)
        What the model makes of them, data units.
    target : (N, n_out), optional
        What was measured.
    labels, predicted_labels : sequence, optional
        The same of a classifier, which has no `target`.
    history : History, optional
        Of the training, if it is known.
    command : str
        What made the report.
    versions : mapping of str to str
        See :func:`kanref.report.versions`.
    """

    title: str
    source: str
    about: str
    network: Network
    scaling: Scaling
    input_names: Sequence[str]
    output_names: Sequence[str]
    X: np.ndarray
    prediction: np.ndarray
    target: np.ndarray | None = None
    labels: Sequence | None = None
    predicted_labels: Sequence | None = None
    history: History | None = None
    command: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def x(self) -> np.ndarray:
        """Inputs (N, n_in) in network units and the dtype of the network."""
        x: np.ndarray = np.asarray(self.scaling.x_to_network(self.X))
        return x.astype(self.network.layers[0].coef.dtype, copy=False)

    @property
    def shown_inputs(self) -> list[str]:
        """Names of the inputs on one line each."""
        return [label(name) for name in self.input_names]

    @property
    def shown_outputs(self) -> list[str]:
        """Names of the outputs on one line each."""
        return [label(name) for name in self.output_names]


def report_page(data: PageData) -> str:
    """Write the page.

    Parameters
    ----------
    data : PageData
        What the page is about.

    Returns
    -------
    str
        HTML, whole.

    Examples
    --------
    >>> from kanref import KAN
    >>> model, X = KAN([2, 1], seed=0), np.array([[0.0, 0.5], [0.3, -0.5], [0.9, 0.1]])
    >>> page = report_page(
    ...     PageData(
    ...         "Drag", "drag.csv", repr(model), model.network, model.scaling,
    ...         ["speed", "angle"], ["drag"], X, model.predict(X),
    ...     )
    ... )
    >>> "<h1>Drag</h1>" in page, "<script" in page
    (True, False)
    """
    from . import errors, sections

    cards: list[Callable[[PageData], str]] = [
        errors.scores,
        sections.network,
        sections.formula,
        sections.features,
        sections.history,
        errors.plots,
        sections.curves,
        sections.origin,
    ]
    rows = "1 row" if len(data.X) == 1 else f"{len(data.X)} rows"
    body = (
        '<header class="wrap top"><p class="kicker">Report of a Kolmogorov–Arnold network</p>'
        f"<h1>{text(data.title)}</h1>"
        f'<p class="facts">{text(data.about)} · {rows} of {text(data.source)}</p></header>'
        f'<main class="wrap">{"".join(card(data) for card in cards)}</main>'
        f'<footer class="wrap">Made with kanref {text(data.versions.get("kanref", ""))}. '
        "This page works without a connection.</footer>"
    )
    own = files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    return document(data.title, asset("tokens.css") + own, body)
