"""How much one key, or one address, may ask for in a minute; counted in this process alone."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from mediaflow.errors import MediaflowError

FAILURES = 60
"""So many requests of one address may come with no valid key in a minute; the others are not even told so."""

_NONE_FAILED = "failed"


class TooMany(MediaflowError):
    """The limit of a minute is used up: ask again once some of it has passed."""


class Rates:
    """Counts costs in a moving window of a minute: those of this one, and the share of the last that it still covers.

    Parameters
    ----------
    each : int
        The cost that one key may ask for in a minute; 0: there is no limit.
    open_ : int
        The same for one address where no key is needed.
    """

    def __init__(self, each: int = 0, open_: int = 0) -> None:
        self._each = RateLimitItemPerMinute(each) if each else None
        self._open = RateLimitItemPerMinute(open_) if open_ else None
        self._failures = RateLimitItemPerMinute(FAILURES)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def charge(self, account: str, cost: int, keyed: bool) -> None:
        """Count a cost against a key or address; `TooMany` where that is more than it has left."""
        limit = self._each if keyed else self._open
        if limit is not None and cost > 0 and not self._limiter.hit(limit, account, cost=cost):
            raise self._refusal(limit, account, f"{limit.amount} a minute are the most that may be asked for")

    def failed(self, address: str) -> None:
        """Count a request without a valid key against an address; `TooMany` where there were too many."""
        if not self._limiter.hit(self._failures, _NONE_FAILED, address):
            raise self._refusal(self._failures, address, "Too many requests came without a valid key")

    def _refusal(self, limit: RateLimitItemPerMinute, account: str, said: str) -> TooMany:
        # What was asked for in the last minute counts less and less; at the latest it is over when this one is.
        left_s = limit.get_expiry() - time.time() % limit.get_expiry()
        wait_s = max(1, math.ceil(min(left_s, limit.get_expiry() / 4)))
        return TooMany(f"{said}: ask again in {wait_s} s.", retry_after_s=wait_s)
