"""The element action menu. Each field can be repeated: what is so already is not written, nor recorded, again."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import UNSET

from resolvers import elements
from resolvers.context import Context
from schema.cost import CHANGE
from schema.elements import Element
from schema.inputs import SiteIdArgument

PageArgument = Annotated[str, strawberry.argument(description="The page's key; any URL of the page will do.")]
SelectorArgument = Annotated[str, strawberry.argument(description="The element's selector, as answered.")]


@strawberry.type(description="Changes to elements, which every later question sees. Needs the scope element:write.")
class ElementMenu:
    @strawberry.mutation(
        description="Gives an element a name, for people and for `groupBy: NAME`. Scope element:write.", directives=[CHANGE]
    )
    async def rename_element(
        self,
        info: strawberry.Info[Context],
        site_id: SiteIdArgument,
        page_key: PageArgument,
        selector: SelectorArgument,
        name: Annotated[
            str | None, strawberry.argument(description="Up to 200 characters; left out or blank takes the name away.")
        ] = UNSET,
    ) -> Element | None:
        return Element.of(await elements.rename(info.context, site_id, page_key, selector, name or None))

    @strawberry.mutation(
        description="Says that an element is a call to action, or that it is fixed, or not; what is left out stays. Scope element:write.",
        directives=[CHANGE],
    )
    async def mark_element(
        self,
        info: strawberry.Info[Context],
        site_id: SiteIdArgument,
        page_key: PageArgument,
        selector: SelectorArgument,
        cta: Annotated[bool | None, strawberry.argument(description="Whether it is a call to action; null is false.")] = UNSET,
        fixed: Annotated[
            bool | None,
            strawberry.argument(
                description="Whether it stays in place while the page scrolls; null is as the tracker says."
                " Changes displays, the fold and the map's `fixed`; `meta { fixedByMark }` says so."
            ),
        ] = UNSET,
    ) -> Element | None:
        changes: dict[str, bool | None] = {}
        if cta is not UNSET:
            changes["is_cta"] = bool(cta)
        if fixed is not UNSET:
            changes["is_fixed"] = fixed
        return Element.of(await elements.mark(info.context, site_id, page_key, selector, changes))

    @strawberry.mutation(
        description="Takes an element off the lists of elements; its clicks count as unattributed."
        " Maps and spots still name it, and it stays as fixed as it was marked. Scope element:write.",
        directives=[CHANGE],
    )
    async def delete_element(
        self, info: strawberry.Info[Context], site_id: SiteIdArgument, page_key: PageArgument, selector: SelectorArgument
    ) -> Element | None:
        return Element.of(await elements.set_deleted(info.context, site_id, page_key, selector, True))

    @strawberry.mutation(description="Takes a deletion back; name and marks are as before. Scope element:write.", directives=[CHANGE])
    async def restore_element(
        self, info: strawberry.Info[Context], site_id: SiteIdArgument, page_key: PageArgument, selector: SelectorArgument
    ) -> Element | None:
        return Element.of(await elements.set_deleted(info.context, site_id, page_key, selector, False))
