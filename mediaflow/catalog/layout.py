"""From folders to titles: which files are one title, with the habits of Jellyfin, Plex and Kodi."""

from __future__ import annotations

from dataclasses import dataclass, field

from mediaflow.catalog.grouping import Group, group_videos
from mediaflow.catalog.kinds import EXTRAS_FOLDERS, SUBTITLE_FOLDERS, FileKind, kind_of
from mediaflow.catalog.names import key, named_title, season_of
from mediaflow.catalog.notes import Notes
from mediaflow.catalog.sidecars import Sidecars, is_ttml
from mediaflow.catalog.walk import FileStat, Folder, Tree, below


@dataclass(frozen=True, slots=True)
class Show:
    """A series by its folder, with what describes it there."""

    folder: str
    name: str
    nfo: FileStat | None = None
    overlay: FileStat | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One title as the folders show it, before a byte of it was read.

    Parameters
    ----------
    media : tuple of FileStat
        Parts in playing order; the first one's path is the title's path.
    subtitles : tuple of FileStat
        Sorted by path.
    stem : str
        The name without extension, part or version.
    folder : str
        Name of the folder around it, "" in the library itself.
    own_folder : bool
        No other title is in that folder.
    show, season
        The series and the season of the folder around it, if any.
    nfo, overlay : FileStat or None
        The `.nfo` and the `title.json` that describe it.
    subtitles_known : bool
        False when a folder with its subtitles could not be read.
    """

    media: tuple[FileStat, ...]
    subtitles: tuple[FileStat, ...]
    stem: str
    folder: str = ""
    own_folder: bool = False
    show: Show | None = None
    season: int | None = None
    nfo: FileStat | None = None
    overlay: FileStat | None = None
    subtitles_known: bool = True

    @property
    def path(self) -> str:
        return self.media[0].path


@dataclass(slots=True)
class _Files:
    """The files of one folder by what they are for."""

    videos: list[FileStat] = field(default_factory=list)
    subtitles: list[FileStat] = field(default_factory=list)
    nfo: dict[str, FileStat] = field(default_factory=dict)
    json: dict[str, FileStat] = field(default_factory=dict)


def read_layout(tree: Tree, known: frozenset[str], notes: Notes, root: str) -> list[Candidate]:
    """Find the titles of a library.

    Parameters
    ----------
    tree : Tree
        The library as walked.
    known : frozenset of str
        Paths of titles that the catalogue has: of several versions of a film the known one stays.
    notes : Notes
        Takes a line for all that is left out.
    root : str
        Absolute path of the library, to look into the few files whose name does not say what they are.
    """
    return _Layout(tree, known, notes, root).run()


class _Layout:
    def __init__(self, tree: Tree, known: frozenset[str], notes: Notes, root: str) -> None:
        self.tree, self.known, self.notes, self.root = tree, known, notes, root
        self.found: list[Candidate] = []

    def run(self) -> list[Candidate]:
        pending: list[tuple[Folder, Show | None]] = [(self.tree.top, None)]
        while pending:
            folder, show = pending.pop()
            files = self._sort(folder)
            show = self._show(folder, files) or show
            season = season_of(folder.name) if show else None
            groups = group_videos(folder, files.videos, bool(show), season, self.known, self.notes)
            own = bool(folder.path) and (len(groups.titles) == 1 or named_title(folder.name).year is not None)
            below = self._below(folder, own or show is not None)
            self._titles(folder, files, groups.titles, groups.ignored, show, season)
            pending.extend((each, show) for each in reversed(below))
        return self.found

    def _sort(self, folder: Folder) -> _Files:
        files = _Files()
        for file in folder.files:
            kind = kind_of(file.name)
            if kind is FileKind.VIDEO:
                files.videos.append(file)
            elif kind is FileKind.SUBTITLE or (kind is FileKind.XML and is_ttml(f"{self.root}/{file.path}")):
                files.subtitles.append(file)
            elif kind is FileKind.NFO:
                files.nfo[key(file.stem)] = file
            elif kind is FileKind.JSON:
                files.json[key(file.stem)] = file
            else:
                reason = kind.value if kind is not FileKind.XML else FileKind.OTHER.value
                self.notes.ignore(folder.path, reason)
        return files

    def _show(self, folder: Folder, files: _Files) -> Show | None:
        nfo = files.nfo.pop("tvshow", None)
        seasons = [each for each in folder.folders if season_of(each.name) is not None]
        if nfo is None and not (folder.path and any(season_of(each.name) for each in seasons)):
            return None
        return Show(folder.path, folder.name, nfo, files.json.pop("title", None))

    def _below(self, folder: Folder, own: bool) -> list[Folder]:
        """Give the folders that may hold titles of their own."""
        below = []
        for each in folder.folders:
            name = each.name.lower()
            if own and name in EXTRAS_FOLDERS:
                self.notes.ignore(each.path, "trailers, samples and extras of a title", each.count())
            elif not (name in SUBTITLE_FOLDERS and _only_subtitles(each)):
                below.append(each)
        return below

    def _titles(
        self,
        folder: Folder,
        files: _Files,
        titles: list[Group],
        left_out: list[str],
        show: Show | None,
        season: int | None,
    ) -> None:
        own_files = list(files.subtitles)
        own_folders = [each for each in folder.folders if each.name.lower() in SUBTITLE_FOLDERS]
        for each in own_folders:
            if _only_subtitles(each):
                own_files += self._collect(each)
        unread = any(_is_in_subtitle_folder_of(folder.path, path) for path in self.tree.unreadable)
        sidecars = Sidecars([group.names for group in titles], left_out).assign(folder.path, own_files, self.notes)
        single = len(titles) == 1
        for group, subtitles in zip(titles, sidecars, strict=True):
            names = [*group.names, *([key(folder.name), "movie"] if single and folder.path and not show else [])]
            candidate = Candidate(
                media=group.files,
                subtitles=subtitles,
                stem=group.stem,
                folder=folder.name,
                own_folder=single and bool(folder.path),
                show=show,
                season=season,
                nfo=_first(files.nfo, names),
                overlay=_first(files.json, [*group.names, *(["title"] if single else [])]),
                subtitles_known=not unread,
            )
            self.found.append(candidate)
        self._leftovers(folder, files)

    def _collect(self, folder: Folder) -> list[FileStat]:
        found = []
        for each in folder.walk():
            files = self._sort(each)
            found += files.subtitles
            self._leftovers(each, files)
        return found

    def _leftovers(self, folder: Folder, files: _Files) -> None:
        for name, file in files.json.items():
            if name == "title":
                self.notes.problem(
                    file.path,
                    "describes no single title here, so nothing was taken from it: name it like the video, Name.json",
                )
            else:
                self.notes.ignore(folder.path, FileKind.OTHER.value)
        if files.nfo:
            self.notes.ignore(folder.path, ".nfo that belongs to no video here", len(files.nfo))


def _first(files: dict[str, FileStat], names: list[str]) -> FileStat | None:
    """Take the first file with one of the names out of `files`."""
    for name in names:
        if name in files:
            return files.pop(name)
    return None


def _only_subtitles(folder: Folder) -> bool:
    return not any(kind_of(file.name) is FileKind.VIDEO for each in folder.walk() for file in each.files)


def _is_in_subtitle_folder_of(folder: str, path: str) -> bool:
    inside = path[len(folder) :].lstrip("/") if below(path, [folder]) else ""
    return inside.split("/")[0].lower() in SUBTITLE_FOLDERS
