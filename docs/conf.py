"""The book: the chapters as they ran, and the package's own documentation.  pages.py lays it out."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "tinygrad_llm"
html_title = "tinygrad_llm"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "pages"]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

nb_execution_mode = "force"  # each chapter in a kernel of its own; TINYGRAD_LLM_CHAPTER_FLAGS gives the flags
nb_execution_in_temp = True
nb_execution_show_tb = True  # a chapter that fails is a warning, and -W makes it an error
nb_execution_timeout = 900
nb_merge_streams = True

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
