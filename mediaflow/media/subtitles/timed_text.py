"""TTML and IMSC text: paragraphs with nested times, languages and agents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from mediaflow.media.subtitles.cue import Cue, Parsed

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_XML = "{http://www.w3.org/XML/1998/namespace}"
_FORCED = "{http://www.w3.org/ns/ttml/profile/imsc1#styling}forcedDisplay"
_DEEPEST = 64
_LONGEST_S = 10_000 * 3600


class UnreadableTimedText(Exception):
    """The text is no TTML that can be read; the message says why, as part of a sentence."""


@dataclass(frozen=True)
class _Span:
    """What an element inherits: its active time in seconds (end None: open), language, agent, role, forced."""

    begin: Fraction
    end: Fraction | None
    language: str | None
    agent: str | None
    role: str | None
    forced: bool | None


@dataclass(frozen=True)
class _Leaf:
    text: str
    span: _Span


def is_timed_text(text: str) -> bool:
    """Whether the text is XML whose first element is called `tt`."""
    return re.match(r"\s*<", text) is not None and re.search(r"<(?:[\w.-]+:)?tt[\s>]", text[:65536]) is not None


def read_timed_text(text: str) -> Parsed:
    """Read TTML or IMSC text.

    Raises
    ------
    UnreadableTimedText
        Not well-formed, declares entities or a document type, nested too deep, or not TTML.
    """
    root = _root(text)
    context = _context(root)
    reader = _Reader(context, _agents(root))
    body = next((child for child in root if _tag(child) == "body"), None)
    language = root.get(f"{_XML}lang") or None
    whole = _Span(Fraction(0), None, language, None, None, None)
    parsed = Parsed(language=language)
    if body is not None:
        reader.walk(body, whole, parsed, 0)
    return parsed


def _root(text: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text.lstrip(), forbid_dtd=True)
    except DefusedXmlException:
        raise UnreadableTimedText("declares a document type or entities, which are not read for safety") from None
    except (ParseError, ValueError) as bad:
        raise UnreadableTimedText(f"is not well-formed XML ({bad})") from None
    if _tag(root) != "tt":
        raise UnreadableTimedText("is XML, but not TTML")
    return root


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _attribute(element: Element, name: str) -> str | None:
    """Find an attribute by its local name: old files use old namespaces for the same thing."""
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), None)


def _context(root: Element) -> Any:
    from ttconv.imsc import attributes as imsc

    for name in ("frameRate", "frameRateMultiplier", "tickRate", "timeBase", "dropMode"):
        # Files of older drafts keep these in another namespace, which the parser does not know.
        if (value := _attribute(root, name)) is not None:
            root.set("{http://www.w3.org/ns/ttml#parameter}" + name, value)
    try:
        return imsc.TemporalAttributeParsingContext(
            frame_rate=imsc.FrameRateAttribute.extract(root),
            tick_rate=imsc.TickRateAttribute.extract(root),
            time_base=imsc.TimeBaseAttribute.extract(root),
            drop_mode=imsc.DropModeAttribute.extract(root),
        )
    except (ValueError, ArithmeticError) as bad:
        raise UnreadableTimedText(f"states a frame rate or tick rate that cannot be ({bad})") from None


def _agents(root: Element) -> dict[str, str]:
    """Map the id of each agent to its name."""
    names: dict[str, str] = {}
    for agent in root.iter():
        if _tag(agent) == "agent" and (key := agent.get(f"{_XML}id")):
            name = next((child.text for child in agent if _tag(child) == "name" and child.text), None)
            names[key] = (name or key).strip()
    return names


class _Reader:
    """Walks body, div, p and span, and resolves times as it goes."""

    def __init__(self, context: Any, agents: dict[str, str]) -> None:
        self.context = context
        self.agents = agents

    def walk(self, element: Element, outer: _Span, parsed: Parsed, depth: int) -> _Span:
        """Read one timed element; returns its own span, which a sequential parent needs."""
        if depth > _DEEPEST:
            raise UnreadableTimedText(f"is nested more than {_DEEPEST} levels deep")
        try:
            span = self.span(element, outer)
        except ValueError:
            parsed.broken += 1
            return outer
        if _tag(element) == "p":
            self.paragraph(element, span, parsed, depth)
            return span
        follows, ends = _attribute(element, "timeContainer") == "seq", span.begin
        for child in element:
            if _tag(child) in ("div", "p"):
                inner = self.walk(child, replace(span, begin=ends) if follows else span, parsed, depth + 1)
                ends = inner.end if inner.end is not None else ends
        return span

    def span(self, element: Element, outer: _Span) -> _Span:
        begin = self.seconds(element, "begin")
        end, duration = self.seconds(element, "end"), self.seconds(element, "dur")
        start = outer.begin + (begin or 0)
        ends = [outer.end, outer.begin + end if end is not None else None]
        ends.append(start + duration if duration is not None else None)
        known = [e for e in ends if e is not None]
        agent = _attribute(element, "agent")
        return _Span(
            start,
            min(known) if known else None,
            element.get(f"{_XML}lang") or outer.language,
            self.agents.get(agent.split()[0], agent) if agent and agent.split() else outer.agent,
            _attribute(element, "role") or outer.role,
            element.get(_FORCED) == "true" if element.get(_FORCED) else outer.forced,
        )

    def seconds(self, element: Element, name: str) -> Fraction | None:
        from ttconv.imsc.attributes import parse_time_expression

        value = _attribute(element, name)
        if value is None:
            return None
        try:
            seconds = Fraction(parse_time_expression(self.context, value.strip()))
        except (ValueError, ArithmeticError, TypeError) as bad:
            raise ValueError(f"not a time: {value!r}") from bad
        if seconds > _LONGEST_S:
            raise ValueError(f"not a time of a film: {value!r}")
        return seconds

    def paragraph(self, element: Element, span: _Span, parsed: Parsed, depth: int) -> None:
        leaves = list(self.leaves(element, span, parsed, depth))
        while leaves:
            first = leaves[0].span
            count = next((i for i, leaf in enumerate(leaves) if leaf.span != first), len(leaves))
            text = _joined(leaf.text for leaf in leaves[:count])
            leaves = leaves[count:]
            if text:
                _add(parsed, first, text)

    def leaves(self, element: Element, span: _Span, parsed: Parsed, depth: int) -> Iterator[_Leaf]:
        if depth > _DEEPEST:
            raise UnreadableTimedText(f"is nested more than {_DEEPEST} levels deep")
        yield _Leaf(_collapsed(element.text), span)
        for child in element:
            if _tag(child) == "br":
                yield _Leaf("\n", span)
            elif _tag(child) == "span":
                try:
                    yield from self.leaves(child, self.span(child, span), parsed, depth + 1)
                except ValueError:
                    parsed.broken += 1
            yield _Leaf(_collapsed(child.tail), span)


def _collapsed(text: str | None) -> str:
    return re.sub(r"[ \t\r\n]+", " ", text or "")


def _joined(pieces: Iterator[str]) -> str:
    lines = (re.sub(" +", " ", line).strip() for line in "".join(pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def _add(parsed: Parsed, span: _Span, text: str) -> None:
    start_ms = int(span.begin * 1000 + Fraction(1, 2))
    end_ms = int(span.end * 1000 + Fraction(1, 2)) if span.end is not None else start_ms
    if end_ms <= start_ms:
        parsed.broken += 1
        return
    kind = "description" if span.role and "description" in span.role.split() else None
    parsed.cues.append(Cue(start_ms, end_ms, text, span.agent, span.language, kind, span.forced))
