"""The door of a server: says who asks by the key that a request brings, and whether one is needed."""

from __future__ import annotations

import ipaddress
import logging
import threading
import time
from collections.abc import Mapping
from types import TracebackType

from mediaflow.errors import MediaflowError, SystemFault
from mediaflow.serve.access import audit
from mediaflow.serve.access.keys import Key, Keys, found
from mediaflow.serve.access.rates import Rates
from mediaflow.serve.caller import Caller, Unauthenticated, asking

LOOK_EVERY_S = 2.0
"""How often the keys are read again: a key that was made or revoked counts from then on."""
MOST_STALE_S = 15.0
"""Where the keys could not be read for so long, nobody is let in: one of them may have been revoked."""

_SCHEME = "bearer"
_LOG = logging.getLogger(__name__)


class Door:
    """Lets in who has a key. Use it in a `with` statement, from as many threads as you like.

    Parameters
    ----------
    keys : Keys, optional
        Those of the store; without them the door is open to all.
    required : bool, optional
        Whether a key is needed. Without it one is needed once any was ever made: who makes keys means them.
    rates : Rates, optional
        What one may ask for in a minute; no limit without it.
    """

    def __init__(self, keys: Keys | None = None, required: bool | None = None, rates: Rates | None = None) -> None:
        self._keys = keys
        self._required = required if keys else False
        self._rates = rates or Rates()
        self._looked_s = float("-inf")
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look_again, name="keys", daemon=True)

    def __enter__(self) -> Door:
        self.look()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._looking.join()

    @property
    def required(self) -> bool:
        """Whether a key is needed now."""
        return bool(self._known) if self._required is None else self._required

    @property
    def always(self) -> bool:
        """Whether a key is needed whatever keys there are."""
        return bool(self._required)

    def has_key(self) -> bool:
        """Say whether there is a key that holds."""
        now_ms = time.time_ns() // 1_000_000
        self.look()
        return any(key.holds(now_ms) for key in self._known.values())

    def look(self) -> None:
        """Read the keys now."""
        begun_s = time.monotonic()
        if self._keys:
            self._keys.look()
        self._looked_s = begun_s

    def known(self, authorization: str | None) -> Caller | None:
        """Return who asks, by the header `Authorization`; None for one who brings no valid key where one is needed."""
        if not self.required:
            return Caller()
        if time.monotonic() - self._looked_s > MOST_STALE_S:
            raise SystemFault(
                "The keys cannot be read at the moment, so nobody is let in: ask again, or another server."
            )
        key = found(self._known, _given(authorization))
        return None if key is None else _caller(key)

    def enter(self, authorization: str | None, address: str) -> Caller:
        """Return who asks; an address is that of their machine, without a port.

        Raises
        ------
        Unauthenticated
            A key is needed, and this is none that is valid.
        TooMany
            The address has come with too many of these.
        SystemFault
            The keys were not read for too long.
        """
        caller = self.known(authorization)
        if caller is None:
            raise self._refusal(authorization, address)
        return caller if caller.account else Caller(account=address)

    def charge(self, cost: int) -> None:
        """Count what is asked against who asks (see `mediaflow.serve.caller`); `TooMany` where it is too much."""
        caller = asking()
        self._rates.charge(caller.account, cost, keyed=bool(caller.key))

    @property
    def _known(self) -> Mapping[str, Key]:
        return self._keys.known if self._keys else {}

    def _refusal(self, authorization: str | None, address: str) -> MediaflowError:
        try:
            self._rates.failed(address)
        except MediaflowError as error:
            return error
        given = _given(authorization)
        if given:
            # Whose it seems to be is written down where there was such a key: what else is sent may be a secret.
            key = self._known.get(given.split("_")[1] if given.count("_") > 1 else "")
            audit.said(key.name if key else "unknown", "enter", "refused", address=address)
        told = "That key is not valid (any more)" if given else "This takes a key"
        return Unauthenticated(
            f"{told}: give one as 'Authorization: Bearer KEY'; 'mediaflow keys add' makes them.",
        )

    def _look_again(self) -> None:
        while not self._ended.wait(LOOK_EVERY_S):
            try:
                self.look()
            except MediaflowError as error:
                _LOG.warning("The keys could not be read: %s", error.message)


def own(host: str) -> bool:
    """Say whether only this machine can ask at a host."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _given(authorization: str | None) -> str:
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() if scheme.lower() == _SCHEME else ""


def _caller(key: Key) -> Caller:
    return Caller(key.name, key.id, key.id, key.roles, key.rights)
