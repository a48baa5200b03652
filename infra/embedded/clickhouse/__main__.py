"""`python -m infra.embedded.clickhouse`: see `server`."""

import sys

from infra.embedded.clickhouse.server import main

sys.exit(main())
