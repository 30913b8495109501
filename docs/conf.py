"""The book: the chapters as they were recorded, and the package's own documentation.  pages.py lays it out."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "tinygrad_llm"
html_title = "tinygrad_llm"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "pages"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

viewcode_follow_imported_members = False  # followed, names for built-in types lead to a page that is not there

autodoc_default_options = {"members": True, "ignore-module-all": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True

smartquotes = False  # quotes and dots of docstrings are meant as they are
html_theme = "furo"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
