"""What each number counts, said once for all types that carry it."""

from __future__ import annotations

PAGEVIEWS = "Times a page was opened: pageview rows, and one for a page that a session sent only scroll or attention rows of."
VISITORS = "Distinct visitors with any pageview or interaction."
SESSIONS = "Distinct sessions with any pageview or interaction."
BOUNCE_RATE = "Sessions whose only pageview in all is in the lens ÷ sessions."
CLICKS = "Clicks and taps, dead ones and those inside rage bursts included."
RAGE_CLICKS = "Rage bursts, each counted once: by default 5 clicks or more within 1 s inside 30 px of each other."
DEAD_CLICKS = "Dead clicks: those on something not interactive that changed nothing. They count among the clicks too."
DEAD_CLICKS_TOLD = DEAD_CLICKS + " 0 where the source cannot tell, which `capabilities { fields }` says."
RAGE_RATE = "Rage bursts ÷ clicks; no proportion, so it has no interval."
DEAD_RATE = "Dead clicks ÷ clicks, with an interval, as each is one of the clicks."
CLICKS_OF_BREAKPOINT = "Clicks and taps at this breakpoint, dead ones included."

SITE_ID = "The site's id, as in site_abc123."
PAGE_INFO = "Where this page of the list stands: whether more follow, and the cursors to go on from."
