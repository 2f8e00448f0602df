"""Run the tests with the oldest packages that pyproject.toml allows: `make test-oldest`.

    python tests/packaging/check_oldest.py [--install-only] [pytest arguments]

Every requirement of the package and of its extras cli, onnx and sklearn that has a floor is
installed at that floor. What these bring along is not pinned; a warning that their old code causes
is none of ours, and so warnings are no errors here. The tests are those of the sdist: what stands
beside the package in the repository, the course, the pages and the benchmarks, is left out.
"""

from __future__ import annotations

import re
import sys
import tarfile

from environments import BUILD, Environment, build, interpreters, project, run, say

EXTRAS = ("cli", "onnx", "sklearn")
TEST_TOOLS = (
    "pytest", "hypothesis", "pytest-xdist", "array-api-strict", "onnxruntime", "setuptools<81",
)  # fmt: skip


def floors() -> list[str]:
    """Return name==floor for each requirement."""
    table = project()
    requirements = list(table["dependencies"])
    for extra in EXTRAS:
        requirements += table["optional-dependencies"][extra]
    found = []
    for requirement in requirements:
        match = re.match(r"([A-Za-z0-9_.-]+)>=([0-9.]+)", requirement)
        if match:
            found.append(f"{match[1]}=={match[2]}")
    return found


def main(arguments: list[str]) -> None:
    install_only = "--install-only" in arguments
    arguments = [a for a in arguments if a != "--install-only"]
    sdist, wheel = build()
    python = interpreters().get("3.11")
    if python is None:
        raise SystemExit("Python 3.11 is not installed: the oldest packages have no others")
    environment = Environment("oldest", python)
    say("oldest: " + ", ".join(floors()))
    environment.install(f"{wheel}[{','.join(EXTRAS)}]", *floors(), *TEST_TOOLS)
    if install_only:
        return
    with tarfile.open(sdist) as archive:
        archive.extractall(BUILD / "oldest-sources", filter="data")
    (sources,) = (BUILD / "oldest-sources").glob(sdist.name.removesuffix(".tar.gz"))
    chosen = arguments or ["-n", "auto", "tests"]
    quiet = ("-q", "-rfE", "--tb=short", "--disable-warnings")
    options = (*quiet, "-p", "no:cacheprovider", "-o", "filterwarnings=default")
    command = (environment.bin / "python", "-m", "pytest", *options, *chosen)
    run(*command, cwd=sources)
    say("oldest: the tests pass")


if __name__ == "__main__":
    main(sys.argv[1:])
