"""`python -m pixelis` is the `pixelis` command."""

import sys

from pixelis.cli.main import main

sys.exit(main())
