"""GraphiQL from files that ship with the project: no build, no network, no inline script.

    page_html()              the page; serve it at GET /graphql to browsers (and at / if wanted), with CONTENT_SECURITY_POLICY
    STATIC_DIR               serve it under /graphiql
    EXAMPLES                 the five example queries, in order; the page, the tests and README.md share their text

Addresses in the page are relative, so that the server may sit below a path of a proxy. graphiql.min.* and react*.min.js
are GraphiQL's and React's own files, unchanged; package.json beside this file says which, `npm run vendor` fetches them again.
"""

import json
from functools import cache
from pathlib import Path
from string import Template
from typing import NamedTuple

HERE = Path(__file__).parent
STATIC_DIR = HERE / "static"
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",  # the editor writes <style> elements
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


class Example(NamedTuple):
    """A query to start from; the comment on top of its file gives title (first line) and description."""

    name: str
    title: str
    description: str
    query: str
    variables: str  # JSON

    @classmethod
    def from_file(cls, path: Path) -> "Example":
        query = path.read_text(encoding="utf-8")
        title, *description = (line.removeprefix("#").strip() for line in query.splitlines() if line.startswith("#"))
        return cls(path.stem, title, " ".join(description), query, path.with_suffix(".json").read_text(encoding="utf-8"))


EXAMPLES = [Example.from_file(path) for path in sorted((HERE / "examples").glob("*.graphql"))]


@cache
def page_html() -> str:
    """GraphiQL's page with the examples in it."""
    examples = json.dumps([example._asdict() for example in EXAMPLES]).replace("<", "\\u003c")  # no `</script>` inside a script
    return Template((HERE / "page.html").read_text(encoding="utf-8")).substitute(examples=examples)
