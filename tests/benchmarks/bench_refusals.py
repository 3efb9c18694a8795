"""How long abuse keeps the gateway busy: every probe of `tests.gateway.test_abuse`, in this process, without a network.

python -m tests.benchmarks.bench_refusals
"""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

from gateway.app import create_app
from tests.asking import EVERYTHING
from tests.gateway.applications import NOWHERE, Doorman, serving
from tests.gateway.test_abuse import DEAR_VARIABLES, SCHEMA, TOO_COMPLEX, VARIABLES, WRONG, ask

DOCUMENTS: dict[str, tuple[str, dict[str, Any]]] = {name: (query, {}) for name, query in (TOO_COMPLEX | WRONG).items()}
PROBES = DOCUMENTS | VARIABLES | DEAR_VARIABLES
SHOWN = 5


async def measure() -> dict[str, float]:
    """Milliseconds of processor time of each, the document never seen before."""
    app = create_app(NOWHERE, SCHEMA)
    async with serving(app) as http:
        app.state.authenticator = Doorman(EVERYTHING)
        await ask(http, "{ viewer { name } }")
        gc.collect()
        gc.freeze()  # as a server does when it starts
        took_ms = {}
        for name, (query, variables) in PROBES.items():
            started = time.process_time()
            await ask(http, query, variables)
            took_ms[name] = (time.process_time() - started) * 1000
        return took_ms


def main() -> None:
    took_ms = asyncio.run(measure())
    ranked = sorted(took_ms.items(), key=lambda probe: -probe[1])
    print(f"{len(ranked)} probes refused, median {ranked[len(ranked) // 2][1]:.1f} ms of processor time; the dearest:")
    for name, ms in ranked[:SHOWN]:
        print(f"  {ms:6.1f} ms  {name}")


if __name__ == "__main__":
    main()
