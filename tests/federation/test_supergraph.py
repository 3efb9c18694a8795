"""Heatgraph in supergraphs: two composers, two gateways, and Apollo's compatibility suite."""

from __future__ import annotations

import subprocess
import sys

import httpx

from tests.gateway.processes import ROOT, free_port, wait_for
from tests.javascript import passed
from tests.served import Served


def test_two_composers_and_two_gateways(shop: Served) -> None:
    assert passed("federation.mjs", HEATGRAPH=shop.url, TOKEN=shop.token) == 11


def test_apollos_compatibility_suite(shop: Served) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/graphql"
    products = subprocess.Popen([sys.executable, "-m", "tests.federation.products", str(port)], cwd=ROOT, stderr=subprocess.DEVNULL)

    def is_live() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health/live").is_success
        except httpx.TransportError:
            return False

    try:
        wait_for(is_live)
        assert passed("compatibility.mjs", PRODUCTS_URL=url) == 15
    finally:
        products.terminate()
        products.wait()
