"""``python -m pkigen``."""

import sys

from pkigen.cli import main

# A worker process imports this file too, under another name.
if __name__ == "__main__":
    sys.exit(main())
