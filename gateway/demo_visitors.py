"""Who visits the demo's site: everybody with a device, a browser and a country, and the cohorts some are in."""

from functools import cache
from random import Random
from typing import NamedTuple

from gateway.demo_site import Breakpoint
from gateway.demo_weighted import Weighted

VISITORS = 14_000
TEST_ACCOUNTS = 8
VIEWPORTS_PX = {
    "DESKTOP": ((1920, 945), (1536, 730), (1440, 790), (1366, 657), (1280, 720), (1280, 1024), (2560, 1300)),
    "TABLET": ((768, 954), (768, 1024), (820, 1106), (810, 1010), (1180, 746)),  # the last one on its side: a desktop's breakpoint
    "MOBILE": ((375, 667), (390, 664), (393, 727), (412, 784), (360, 660), (414, 720), (430, 740)),
}
BROWSERS = {
    "DESKTOP": (("Chrome", 62), ("Edge", 15), ("Safari", 13), ("Firefox", 10)),
    "TABLET": (("Safari", 65), ("Chrome", 30), ("Firefox", 5)),
    "MOBILE": (("Chrome", 48), ("Safari", 41), ("Samsung Internet", 9), ("Firefox", 2)),
}
REGIONS = {  # by country, with the country's weight
    "US": (30, ("California", "New York", "Texas", "Washington")),
    "DE": (14, ("Bavaria", "Berlin", "North Rhine-Westphalia")),
    "GB": (11, ("England", "Scotland")),
    "FR": (8, ("Île-de-France", "Occitanie")),
    "IN": (8, ("Karnataka", "Maharashtra")),
    "CA": (6, ("Ontario", "Quebec")),
    "BR": (5, ("Rio de Janeiro", "São Paulo")),
    "NL": (5, ("North Holland", "Utrecht")),
    "AU": (4, ("New South Wales", "Victoria")),
    "ES": (4, ("Catalonia", "Madrid")),
    "JP": (3, ("Osaka", "Tokyo")),
    "PL": (2, ("Masovia", "Silesia")),
}
DEVICE_WEIGHTS = {"DESKTOP": 56, "MOBILE": 37, "TABLET": 7}


class Visitor(NamedTuple):
    visitor_id: str
    device: str
    browser: str
    country: str
    region: str
    viewport_px: tuple[int, int]
    breakpoint: Breakpoint
    subscribed: bool
    paying: bool
    is_test: bool | None  # None: not sent


@cache
def visitors() -> list[Visitor]:
    """Everybody who ever comes; the test accounts last."""
    random = Random("visitors")
    devices = Weighted(list(DEVICE_WEIGHTS.items()))
    browsers = {device: Weighted(list(shares)) for device, shares in BROWSERS.items()}
    countries = Weighted([(country, weight) for country, (weight, _) in REGIONS.items()])
    found = []
    for number in range(VISITORS + TEST_ACCOUNTS):
        account = number - VISITORS + 1
        device = "DESKTOP" if account > 0 else devices.draw(random)
        country = countries.draw(random)
        viewport_px = random.choice(VIEWPORTS_PX[device])
        found.append(
            Visitor(
                visitor_id=f"qa-{account}@heatgraph.test" if account > 0 else f"v-{random.getrandbits(40):010x}",
                device=device,
                browser=browsers[device].draw(random),
                country=country,
                region=random.choice(REGIONS[country][1]),
                viewport_px=viewport_px,
                breakpoint="DESKTOP" if viewport_px[0] >= 1024 else "TABLET" if viewport_px[0] >= 768 else "MOBILE",
                subscribed=random.random() < 0.18,
                paying=random.random() < 0.06,
                is_test=True if account > 0 and account % 2 else None,
            )
        )
    return found


def demo_cohorts() -> dict[str, list[str]]:
    """Visitor ids by the cohort's name."""
    return {
        "newsletter": [visitor.visitor_id for visitor in visitors() if visitor.subscribed],
        "paying": [visitor.visitor_id for visitor in visitors() if visitor.paying],
    }
