"""What `kanref --help` says below the options, in the manner of a manual page.

A line with a backspace alone keeps the lines of its paragraph as they are.
"""

from __future__ import annotations

MANUAL = """
Examples:

\b
  kanref fit drag.csv --target drag --out drag.npz --plot drag.svg
  kanref fit drag.csv --target drag --symbolic --report drag.md
  kanref predict drag.npz new.csv --out predictions.csv
  cat new.csv | kanref predict drag.npz - | head
  kanref fit drag.csv --target drag --json | jq .scores.network.rmse
  kanref formula drag.npz --latex
  kanref warmup --dtype float64 --k 3

Tables are CSV (comma, semicolon or tab; names in the first line; UTF-8, or
UTF-16 with a byte order mark, as spreadsheets write it) or Parquet. Cells are
numbers, or true and false for 1 and 0. A - in place of a table reads standard
input.

Exit codes:

\b
  0    done
  1    standard output cannot be written, or memory is short
  2    the command cannot do what it was asked to: one sentence on standard
       error says why, and nothing has been written
  130  interrupted; nothing has been written

Environment:

\b
  NO_COLOR            no colours; there are none outside of terminals anyway
  NUMBA_CACHE_DIR     where compiled kernels are kept
  NUMBA_NUM_THREADS   threads that the kernels use
  NUMBA_DISABLE_JIT   1: compile nothing, for finding errors

Shell completion: kanref --install-completion, or --show-completion to see
what that would add to the files of your shell.
"""

FIT = """
Examples:

\b
  kanref fit drag.csv --target drag
  kanref fit drag.csv --target drag --inputs "speed,angle" --out drag.npz
  kanref fit drag.csv --target drag --inputs 'speed,wing area,"lift, in N"'
  kanref fit drag.csv --target drag --symbolic --json
"""

PREDICT = """
Examples:

\b
  kanref predict drag.npz new.csv
  kanref predict drag.npz new.csv --out predictions.parquet
  cat new.csv | kanref predict drag.npz - > predictions.csv
"""

FORMULA = """
Examples:

\b
  kanref formula drag.npz --digits 3
  kanref formula drag.npz --latex
"""

PLOT = """
Examples:

\b
  kanref plot drag.npz -o drag.svg
  kanref plot drag.npz -o drag.png --data drag.csv
"""

EXPORT = """
Options of the targets:

\b
  c        dtype: double or float; lookup: largest error of the tables that
           then replace math.h
  html     title
  onnx     dtype: float64 or float32
  formula  language: latex, python, c, javascript, spreadsheet or sql (left
           out: that of .tex or .sql, else all); round_to: significant digits
  table    intervals of each edge; bits: 8 or 16

Examples:

\b
  kanref export drag.npz -o drag.py
  kanref export drag.npz -o drag.py --to numpy
  kanref export drag.npz -o drag.c --option dtype=float --option lookup=1e-5
  kanref export drag.npz -o drag.html --data drag.csv
  kanref export drag.npz -o drag.txt --option language=spreadsheet
"""

REPORT = """
Without the columns of the outputs in the data, the report has no errors. For a
classifier, --target names the column of the labels.

Example:

\b
  kanref report drag.npz drag.csv -o drag.html
"""

WARMUP = """
Numba compiles a kernel when it is first used, which takes seconds, and keeps
it on disk. This does so ahead, for instance while a container image is built
or before a class begins; run it as the user who will run kanref. A kernel is
compiled for each dtype and degree of splines.

Examples:

\b
  kanref warmup
  kanref warmup --k 2 --k 3 --dtype float64 --dtype float32
"""
