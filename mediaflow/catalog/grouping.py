"""Which video files of one folder are one title: parts of a film, versions of it, trailers and samples beside it."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from mediaflow.catalog.kinds import extension
from mediaflow.catalog.names import Part, episode_of, extra_base, key, named_title, part_of, version_label
from mediaflow.catalog.notes import Notes
from mediaflow.catalog.walk import FileStat, Folder


class Group(NamedTuple):
    """Files that are one title; `names` are the (folded) stems which its sidecars may begin with."""

    stem: str
    files: tuple[FileStat, ...]
    names: list[str]


class Groups(NamedTuple):
    """The titles of a folder, and the (folded) stems of videos that were left out."""

    titles: list[Group]
    ignored: list[str]


def group_videos(
    folder: Folder, videos: list[FileStat], in_show: bool, season: int | None, known: frozenset[str], notes: Notes
) -> Groups:
    """Put the videos of one folder together to titles.

    Parameters
    ----------
    videos : list of FileStat
        Sorted by name.
    in_show : bool
        The folder is (in) a series: its files are episodes, never versions of one film.
    season : int or None
        The season that the folder stands for.
    known : frozenset of str
        Paths of titles in the catalogue.
    """
    if len(videos) < 2 and not (videos and extra_base(videos[0].stem) is not None):
        return Groups([_single(video) for video in videos], [])
    main, extras = _without_extras(folder, videos, in_show)
    groups = _stack(folder, main)
    versions: list[Group] = []
    if folder.path and not in_show:
        groups, versions = _one_version(folder, groups, season, known)
    if extras:
        notes.ignore(folder.path, "trailers, samples and extras of a title", len(extras))
    if versions:
        reason = "another version of a film that is there already: put it into a folder of its own to have both"
        notes.ignore(folder.path, reason, sum(len(version.files) for version in versions))
    left_out = [key(video.stem) for video in extras] + [name for version in versions for name in version.names]
    return Groups(groups, left_out)


def _single(video: FileStat) -> Group:
    return Group(video.stem, (video,), [key(video.stem)])


def _without_extras(folder: Folder, videos: list[FileStat], in_show: bool) -> tuple[list[FileStat], list[FileStat]]:
    """Part the films from their trailers and samples.

    In a title's own folder every file with such a name is an extra; in a shared one only that whose film is there
    too, since a collection of trailers is a collection of titles.
    """
    main = [video for video in videos if extra_base(video.stem) is None]
    if len(main) == len(videos):
        return main, []
    stems = {key(video.stem) for video in main}
    own = in_show or (bool(folder.path) and (len(main) == 1 or named_title(folder.name).year is not None))
    extras = [video for video in videos if (base := extra_base(video.stem)) is not None and (own or key(base) in stems)]
    left = set(extras)
    return [video for video in videos if video not in left], extras


def _stack(folder: Folder, videos: list[FileStat]) -> list[Group]:
    """Join `Name - cd1`, `Name - cd2` to one title; `part` counts as such only where nothing else is in the folder."""
    stacks: dict[tuple[str, str, str], list[tuple[Part, FileStat]]] = defaultdict(list)
    for video in videos:
        part = part_of(video.stem)
        if part:
            stacks[key(part.base), part.word, extension(video.name)].append((part, video))
    joined: dict[str, Group] = {}
    for (_, word, _), members in stacks.items():
        members.sort(key=lambda member: member[0].number)
        numbers = [part.number for part, _ in members]
        whole = len(members) > 1 and numbers == list(range(1, len(members) + 1))
        if not whole or (word == "part" and (not folder.path or len(members) != len(videos))):
            continue
        files = tuple(video for _, video in members)
        names = [key(members[0][0].base), *(key(video.stem) for video in files)]
        joined |= {video.path: Group(members[0][0].base, files, names) for video in files}
    groups = [joined.get(video.path) or _single(video) for video in videos]
    return list({group.files[0].path: group for group in groups}.values())


def _one_version(
    folder: Folder, groups: list[Group], season: int | None, known: frozenset[str]
) -> tuple[list[Group], list[Group]]:
    """Keep one of the files that are versions of the film which the folder is named after."""
    versions = [
        group
        for group in groups
        if version_label(group.stem, folder.name) is not None and episode_of(group.stem, season) is None
    ]
    if len(versions) < 2:
        return groups, []
    versions.sort(key=lambda group: (group.files[0].path not in known, len(group.stem), group.stem))
    kept = versions[0]
    kept.names.append(key(folder.name))
    others = {group.files[0].path for group in versions[1:]}
    return [group for group in groups if group.files[0].path not in others], versions[1:]
