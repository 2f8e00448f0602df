"""How good predictions are: errors in the unit of the target, and what any model must beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._arrays import Array


@dataclass(frozen=True)
class Scores:
    r"""How far predictions are from what was measured.

    Attributes
    ----------
    rmse, mae : float
        Root of the mean square, and mean of the size, of the error; in the unit of the target.
    r2 : float
        :math:`1 - \\sum (y - p)^2 / \\sum (y - \\bar y)^2`: 1 is perfect, and 0 is no better than
        the mean of these rows.

    Examples
    --------
    >>> Scores.of([1.0, 2.0, 3.0], [1.0, 2.0, 5.0])
    Scores(rmse=1.1547005383792515, mae=0.6666666666666666, r2=-1.0)
    """

    rmse: float
    mae: float
    r2: float

    @classmethod
    def of(cls, y: Array, prediction: Array) -> Scores:
        """Compare predictions with targets, both (N,) or (N, 1).

        Parameters
        ----------
        prediction, y : (N,)
            In the units of the target.

        Raises
        ------
        ValueError
            If they differ in length, or there are fewer than two rows.
        """
        y, prediction = (np.asarray(a, dtype=float).reshape(-1) for a in (y, prediction))
        if y.shape != prediction.shape or len(y) < 2:
            raise ValueError(
                "`prediction` must have as many rows as `y`, at least two, "
                f"got {prediction.shape} and {y.shape}"
            )
        error = prediction - y
        variance = float(np.mean((y - y.mean()) ** 2))
        mse = float(np.mean(error**2))
        r2 = 1 - mse / variance if variance > 0 else float("nan")
        return cls(mse**0.5, float(np.mean(np.abs(error))), r2)


def baselines(X_train: Array, y_train: Array, X_test: Array, y_test: Array) -> dict[str, Scores]:
    """Return the test scores of what any model must beat: the mean, and linear least squares.

    Parameters
    ----------
    X_train, X_test : (N, n_in), (N_test, n_in)
        Inputs.
    y_train, y_test : (N,), (N_test,) or a column each
        Targets.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [4.0]])
    >>> found = baselines(X, 3 * X + 1, X, 3 * X + 1)
    >>> list(found), round(found["linear least squares"].rmse, 9)
    (['mean of the training rows', 'linear least squares'], 0.0)
    """
    y = np.asarray(y_train, dtype=float).reshape(-1)
    shift, scale = X_train.mean(axis=0), X_train.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)

    def design(X: Array) -> Array:  # (N, n_in + 1)
        return np.column_stack([np.ones(len(X)), (X - shift) / scale])

    weights, *_ = np.linalg.lstsq(design(X_train), y, rcond=None)
    return {
        "mean of the training rows": Scores.of(y_test, np.full(len(X_test), y.mean())),
        "linear least squares": Scores.of(y_test, design(X_test) @ weights),
    }
