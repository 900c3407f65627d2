"""How a client reaches its server: requests are tried again where that may help, as far as a budget allows."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from mediaflow.client.errors import RETRIED, NoAnswer, ServerError, Unreachable, said
from mediaflow.errors import MediaflowError, UsageError

if TYPE_CHECKING:
    from tenacity import RetryCallState

_TOO_BUSY = (429, 502, 503, 504)
_MOST_SAVED = 10.0


@dataclass(frozen=True)
class Retries:
    """When a call is tried again.

    Attributes
    ----------
    share, few : float
        All calls of a client together are tried again so many times at most for each call, and `few` times more: where
        a server is down, its clients do not multiply its load.
    tries : int
        How often one call is tried at most.
    first_s, most_s : float
        The wait before the second try, and the longest one; each is twice as long as the one before, of which a random
        part is waited. A server that says how long (`Retry-After`) is waited for just so long.
    """

    share: float = 0.1
    few: float = 3.0
    tries: int = 4
    first_s: float = 0.1
    most_s: float = 5.0


class Budget:
    """Counts what retries are allowed; for several threads.

    Parameters
    ----------
    share, few : float
        What each call adds, and what there is at first.
    """

    def __init__(self, share: float, few: float) -> None:
        self._share = share
        self._left = few
        self._most = max(few, _MOST_SAVED)
        self._lock = threading.Lock()

    def called(self) -> None:
        """Add what one call allows."""
        with self._lock:
            self._left = min(self._most, self._left + self._share)

    def spend(self) -> bool:
        """Take one retry, and say whether there was one left."""
        with self._lock:
            allowed = self._left >= 1
            self._left -= allowed
            return allowed


class Again(Exception):
    """A try has failed with `error`, and another one may not; the server says to wait `after_s`, if anything."""

    def __init__(self, error: MediaflowError, after_s: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.after_s = after_s


class Transport:
    """Sends GraphQL requests to one server, from as many threads as you like.

    Parameters
    ----------
    url : str
        Of the server, such as `http://127.0.0.1:8000`.
    key : str, optional
        An API key.
    limit_s : float
        How long a call may take, its retries included.
    retries : Retries
        When it is tried again.
    """

    def __init__(self, url: str, key: str | None, limit_s: float, retries: Retries) -> None:
        self.url = _address(url)
        self._limit_s = limit_s
        self._retries = retries
        self._budget = Budget(retries.share, retries.few)
        self._seen = 0
        self._lock = threading.Lock()
        if key is not None and not (key.isascii() and key.isprintable()):
            raise UsageError("The API key has characters that no key has: give it as it was made.")
        self._http = httpx.Client(headers={"Authorization": f"Bearer {key}"} if key else {})

    @property
    def seen(self) -> int:
        """The last release that an answer was of."""
        return self._seen

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def ask(self, document: str, variables: Mapping[str, Any], files: Sequence[tuple[str, str, bytes]] = ()) -> Any:
        """Return what the one field of a document gives.

        Parameters
        ----------
        document : str
            GraphQL, with one field.
        variables : Mapping
            Its variables; null where a file is to stand.
        files : sequence of (str, str, bytes)
            The path of each such place (`variables.clauses.0.similar.picture.file`), a name, and the file.

        Raises
        ------
        Unreachable, NoAnswer
            No answer came, or not in time.
        ServerError
            The server failed, or is no mediaflow.
        MediaflowError
            What the server said, as its own type.
        """
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        until = time.monotonic() + self._limit_s
        self._budget.called()
        wait = self._wait()
        attempts = Retrying(
            retry=retry_if_exception_type(Again),
            # In this order: what cannot be waited for costs no budget.
            stop=lambda state: (
                stop_after_attempt(self._retries.tries)(state)
                or time.monotonic() + state.upcoming_sleep >= until
                or not self._budget.spend()
            ),
            wait=wait,
            reraise=True,
        )
        try:
            found = attempts(self._try, _body(document, variables, files), until)
        except Again as again:
            raise again.error from again.__cause__
        self._see(found.get("release"))
        return found

    def _wait(self) -> Callable[[RetryCallState], float]:
        from tenacity import wait_random_exponential

        grown = wait_random_exponential(multiplier=self._retries.first_s, max=self._retries.most_s)

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            told = error.after_s if isinstance(error, Again) else None
            return grown(state) if told is None else told

        return wait

    def _try(self, body: Mapping[str, Any], until: float) -> Any:
        """Send a request once; raise `Again` where another try may help."""
        status, headers, data = self._sent(body, until)
        try:
            answer = json.loads(data)
            failed = said(answer["errors"][0], status) if "errors" in answer else None
            found = None if failed else dict(next(iter(answer["data"].values())))
        except (ValueError, AttributeError, LookupError, TypeError, StopIteration):
            failed = ServerError(
                f"{self.url} answered with {status} and not as mediaflow does: check the address.", status=status
            )
        if failed is None:
            return found
        if status in _TOO_BUSY or type(failed).__name__ in RETRIED:
            raise Again(failed, _seconds(headers.get("retry-after")))
        raise failed

    def _sent(self, body: Mapping[str, Any], until: float) -> tuple[int, httpx.Headers, bytes]:
        seen = {"Mediaflow-Release": str(self._seen)} if self._seen else {}
        given = {**body, "headers": body.get("headers", {}) | seen}
        left = max(until - time.monotonic(), 0.001)
        try:
            with self._http.stream("POST", f"{self.url}/graphql", **given, timeout=left) as response:
                chunks = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if time.monotonic() > until:
                        raise httpx.ReadTimeout("The answer came too slowly.")
                return response.status_code, response.headers, b"".join(chunks)
        except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError) as error:
            raise Again(
                Unreachable(
                    f"{self.url} could not be reached ({error}): check the address, and that 'mediaflow serve' runs"
                    " there.",
                    url=self.url,
                )
            ) from error
        except httpx.TimeoutException as error:
            raise NoAnswer(
                f"{self.url} did not answer within {self._limit_s:g} s: ask for less at once, or give it more time.",
                url=self.url,
                limit_s=self._limit_s,
            ) from error
        except httpx.HTTPError as error:
            raise Unreachable(f"{self.url} could not be asked: {error}.", url=self.url) from error

    def _see(self, release: int | None) -> None:
        with self._lock:
            self._seen = max(self._seen, release or 0)


def _address(url: str) -> str:
    """Return the address of a server, also where that of its GraphQL was given."""
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise _no_address(url) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise _no_address(url)
    return str(parsed).rstrip("/").removesuffix("/graphql").rstrip("/")


def _no_address(url: str) -> UsageError:
    return UsageError(f"{url!r} is no address of a server: give one such as http://127.0.0.1:8000.", url=url)


def _body(document: str, variables: Mapping[str, Any], files: Sequence[tuple[str, str, bytes]]) -> dict[str, Any]:
    """Return the arguments of a request; with files in the form of the GraphQL multipart request specification."""
    question = {"query": document, "variables": dict(variables)}
    if not files:
        return {"content": json.dumps(question).encode(), "headers": {"Content-Type": "application/json"}}
    parts: dict[str, Any] = {
        "operations": (None, json.dumps(question), "application/json"),
        "map": (None, json.dumps({str(at): [path] for at, (path, _, _) in enumerate(files)}), "application/json"),
    }
    return {"files": parts | {str(at): (name, data) for at, (_, name, data) in enumerate(files)}}


def _seconds(retry_after: str | None) -> float | None:
    """Return how long a server says to wait; None where it says nothing, or a date."""
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
