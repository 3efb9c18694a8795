"""Scripts of `tests/node`: other people's gateways, clients and audits, held against a gateway that runs.

assert passed("audits.mjs", HEATGRAPH="http://127.0.0.1:8000/graphql", TOKEN="hg_…") == 61
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

SCRIPTS = Path(__file__).parent / "node"
TIMEOUT_S = 300


def passed(script: str, **environment: str) -> int:
    """How many of the script's checks passed; AssertionError with the script's report when any did not."""
    ran = subprocess.run(
        ["node", "--test", "--test-reporter=tap", script],
        cwd=SCRIPTS,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]
    counted = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert counted, ran.stdout
    return int(counted[1])
