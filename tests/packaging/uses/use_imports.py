"""An extra that has no use of its own here: the package is there, and not that of the sources."""

import kanref

assert "site-packages" in kanref.__file__, kanref.__file__
kanref.KAN([2, 1])
