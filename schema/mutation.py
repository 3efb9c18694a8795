"""Everything that writes."""

from __future__ import annotations

import strawberry

from schema.cohorts import CohortMutation
from schema.element_menu import ElementMenu


@strawberry.type(description="Everything that writes; each field names the scope it needs.")
class Mutation(CohortMutation, ElementMenu):
    pass
