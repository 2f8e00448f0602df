"""Real measurements: two tables shipped with kanref, and scikit-learn's digits."""

from __future__ import annotations

from importlib import resources

import numpy as np

from .create import Seed, create_dataset_from_data
from .dataset import Dataset


def airfoil(train_ratio: float = 0.8, seed: Seed = 0) -> Dataset:
    """Self-noise of NACA 0012 airfoil sections in a wind tunnel, 1503 rows, 5 inputs.

    The output is the scaled sound pressure level in dB; the inputs are frequency (Hz), angle of
    attack (degrees), chord length (m), free-stream velocity (m/s) and displacement thickness of
    the suction side (m).

    Parameters
    ----------
    train_ratio, seed
        As in :func:`create_dataset_from_data`.

    Returns
    -------
    Dataset

    References
    ----------
    Brooks, Pope & Marcolini (1989), *Airfoil self-noise and prediction*, NASA RP 1218; through the
    UCI Machine Learning Repository, CC BY 4.0.

    Examples
    --------
    >>> dataset = airfoil()
    >>> dataset.X_train.shape, dataset.X_test.shape
    ((1202, 5), (301, 5))
    """
    return _shipped("airfoil", train_ratio, seed)


def yacht(train_ratio: float = 0.8, seed: Seed = 0) -> Dataset:
    """Resistance of the hulls of sailing yachts in a towing tank, 308 rows, 6 inputs.

    The output is the residuary resistance per unit weight of displacement; the inputs, all without
    dimension, are the longitudinal position of the centre of buoyancy, the prismatic coefficient,
    the length-displacement, beam-draught and length-beam ratios, and the Froude number.

    Parameters
    ----------
    train_ratio, seed
        As in :func:`create_dataset_from_data`.

    Returns
    -------
    Dataset

    References
    ----------
    Gerritsma, Onnink & Versluis (1981), *Geometry, resistance and stability of the Delft
    systematic yacht hull series*; through the UCI Machine Learning Repository, CC BY 4.0.

    Examples
    --------
    >>> yacht().output_names
    ('residuary_resistance',)
    """
    return _shipped("yacht", train_ratio, seed)


def digits(train_ratio: float = 0.8, seed: Seed = 0) -> Dataset:
    """Handwritten digits of 8 × 8 pixels from scikit-learn, 1797 rows, 64 inputs, 10 classes.

    Pixels are mapped from 0…16 to [-1, 1], the range of a new network's grid.

    Parameters
    ----------
    train_ratio, seed
        As in :func:`create_dataset_from_data`.

    Returns
    -------
    Dataset
        With integer labels and `classes` 0 to 9.

    Raises
    ------
    ImportError
        If scikit-learn is not installed.

    Examples
    --------
    >>> digits()
    Dataset(digits: 1438 training and 359 test rows; 64 inputs pixel_0_0, ...; 10 classes)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise ImportError("`digits` needs scikit-learn: pip install 'kanref[sklearn]'") from error
    bunch = load_digits()
    return create_dataset_from_data(
        bunch.data / 8 - 1,
        bunch.target,
        train_ratio,
        seed,
        input_names=bunch.feature_names,
        output_names=("digit",),
        classes=range(10),
        name="digits",
    )


def _shipped(name: str, train_ratio: float, seed: Seed) -> Dataset:
    """Read a table of the package: a header line, then numbers; the last column is the output."""
    lines = (resources.files("kanref") / "data" / f"{name}.csv").read_text("utf-8").splitlines()
    names = lines[0].split(",")
    table = np.loadtxt(lines[1:], delimiter=",", ndmin=2)
    return create_dataset_from_data(
        table[:, :-1],
        table[:, -1],
        train_ratio,
        seed,
        input_names=names[:-1],
        output_names=names[-1:],
        name=name,
    )
