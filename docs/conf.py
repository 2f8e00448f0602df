"""Sphinx: the documentation as a site that works without a network (``make docs``)."""

from __future__ import annotations

import filecmp
import importlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path

from docutils import nodes

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("MPLBACKEND", "Agg")

import kanref  # noqa: E402  (documented is this checkout, not another installation)

project = "kanref"
author = "The kanref developers"
copyright = author
release = version = kanref.__version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["_build", "_templates", "README.md"]
templates_path = ["_templates"]
nitpicky = True  # a reference that leads nowhere is a warning, and a warning fails the build
suppress_warnings = ["myst.header", "toc.empty_glob"]

# Markdown and notebooks -------------------------------------------------------------------------
nb_execution_mode = "off"  # shown as they are stored; `make notebooks` executes them
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no scripts from elsewhere
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath", "fieldlist"]
myst_heading_anchors = 4
myst_dmath_double_inline = True  # $$ … $$ in the middle of a paragraph, as Jupyter has it
myst_links_external_new_tab = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_exclude = ".linenos, .gp, .go"

# API ----------------------------------------------------------------------------------------------
autosummary_generate = True
autodoc_typehints = "none"  # numpydoc's sections say types, in the words of the field
autodoc_member_order = "bysource"
numpydoc_show_class_members = False  # the pages list them, by subject
numpydoc_xref_param_type = False
add_module_names = False
toc_object_entries = False

# Pages --------------------------------------------------------------------------------------------
html_theme = "pydata_sphinx_theme"
html_title = "kanref"
html_static_path = ["_static"]
html_css_files = ["kanref.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {
    "index": [],
    "getting-started": [],
    "faq": [],
    "glossary": [],
    "kan-or-mlp": [],
    "mathematics": [],
    "results": [],
}
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "show_toc_level": 2,
    "header_links_before_dropdown": 5,
    "navbar_align": "left",
    "navbar_persistent": [],
    "navbar_end": ["search-button", "theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
mathjax_path = "mathjax-tex-svg.js"  # one file with its fonts, copied by _copy_mathjax
mathjax3_config = {"options": {"enableMenu": False}}


def _copy_mathjax(app) -> None:
    """Put MathJax among the static files: formulas need no network."""
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    source = Path(package.submodule_search_locations[0], "static", "mathjax", "tex-svg.js")
    target = Path(app.outdir, "_static", "mathjax-tex-svg.js")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copyfile(source, target)


def _copy_if_new(source: Path, target: Path) -> None:
    if not target.exists() or not filecmp.cmp(source, target, shallow=False):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _copy_course() -> None:
    """Copy the notebooks here, as Sphinx reads only what is below its own folder."""
    folder = HERE / "course"
    names = {path.name for path in (ROOT / "notebooks").glob("[0-9]*.ipynb")}
    for old in folder.glob("*.ipynb"):
        if old.name not in names:
            old.unlink()
    for name in names:
        _copy_if_new(ROOT / "notebooks" / name, folder / name)


_copy_course()


def _find(target: str, context: str) -> object | None:
    """Return what a dotted name of kanref stands for, None if it is not one."""
    for name in (target, f"kanref.{target}", f"kanref.KAN.{target}", f"{context}.{target}"):
        parts = name.split(".")
        for cut in range(len(parts), 0, -1):
            try:
                found: object = importlib.import_module(".".join(parts[:cut]))
                for part in parts[cut:]:
                    found = getattr(found, part)
            except (ImportError, AttributeError):
                continue
            if parts[0] == "kanref":
                return found
    return None


def _resolve(app, env, node, contnode):
    """Link to the page that has an object under another name; one without a page is text.

    A name that does not exist at all stays a warning, and so an error of the build.
    """
    if node.get("refdomain") != "py":
        return None
    found = _find(node["reftarget"], f"{node.get('py:module')}.{node.get('py:class')}")
    if found is None:
        return None
    module, name = getattr(found, "__module__", ""), getattr(found, "__qualname__", "")
    objects = env.domains["py"].objects
    wanted = {f"{module}.{name}", f"kanref.KAN.{name.rpartition('.')[2]}"}
    shown = [o for key, o in objects.items() if key in wanted and not key.endswith(".")]
    if not shown:
        return contnode
    uri = app.builder.get_relative_uri(node["refdoc"], shown[0].docname)
    return nodes.reference("", "", contnode, internal=True, refuri=f"{uri}#{shown[0].node_id}")


def setup(app) -> None:
    app.connect("builder-inited", _copy_mathjax)
    app.connect("missing-reference", _resolve)
