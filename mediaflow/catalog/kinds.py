"""What a file is by its name: the tables of extensions and folder names, and nothing else."""

from __future__ import annotations

from enum import Enum


class FileKind(Enum):
    """Kinds of files; the value of one that is ignored is the reason shown to the user."""

    VIDEO = "video"
    SUBTITLE = "subtitle"
    NFO = "nfo"
    JSON = "json"
    XML = "xml"
    MANIFEST = "playlist or streaming manifest"
    SEGMENT = "streaming segment (DASH, HLS): not a whole film"
    OTHER_SUBTITLE = "subtitle format that is not read (SRT, WebVTT, ASS and TTML are)"
    SOUND = "sound without picture"
    DISC = "disc image: remux it to one file to have it read"
    IMAGE = "image"
    TEXT = "text"
    ARCHIVE = "archive"
    OTHER = "no media file"


_EXTENSIONS = {
    FileKind.VIDEO: "mp4 m4v mkv mk3d webm mov qt avi ts m2ts mts m2t mpg mpeg mpe m2v mpv wmv asf flv f4v ogv ogm "
    "3gp 3g2 mxf divx rm rmvb vob wtv dv",
    FileKind.SUBTITLE: "srt vtt ass ssa ttml dfxp",
    FileKind.NFO: "nfo",
    FileKind.JSON: "json",
    FileKind.XML: "xml",
    FileKind.MANIFEST: "mpd m3u8 m3u ism ismc f4m",
    FileKind.SEGMENT: "m4s m4f cmfv cmfa cmft ismv isma",
    FileKind.OTHER_SUBTITLE: "sub idx sup smi sami scc stl mpl sbv lrc usf pgs",
    FileKind.SOUND: "mp3 flac m4a m4b aac ac3 eac3 dts ogg oga opus wav wma mka aif aiff ape wv",
    FileKind.DISC: "iso img bin cue nrg mdf",
    FileKind.IMAGE: "jpg jpeg png gif webp bmp tif tiff svg tbn avif heic ico psd",
    FileKind.TEXT: "txt md rst pdf html htm url log csv tsv doc docx rtf sfv md5 sha1 sha256 yaml yml",
    FileKind.ARCHIVE: "zip rar 7z tar gz bz2 xz zst tgz",
}
_KIND_OF = {extension: kind for kind, names in _EXTENSIONS.items() for extension in names.split()}

_UNFINISHED = frozenset(
    {"part", "partial", "crdownload", "tmp", "temp", "download", "filepart", "opdownload"}
    | {"!qb", "!ut", "aria2", "bc!", "td", "bts"}
)
_SYSTEM_FOLDERS = frozenset(
    {
        "@eadir",
        "@recycle",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "__macosx",
        "recycler",
    }
)
DISC_FOLDERS = frozenset({"video_ts", "audio_ts", "bdmv", "hvdvd_ts"})
SUBTITLE_FOLDERS = frozenset({"subs", "sub", "subtitles", "subtitle"})
EXTRAS_FOLDERS = frozenset(
    {
        "extras",
        "extra",
        "trailers",
        "trailer",
        "samples",
        "sample",
        "featurettes",
        "featurette",
        "behind the scenes",
        "deleted scenes",
        "interviews",
        "scenes",
        "shorts",
        "clips",
        "bonus",
        "other",
        "others",
        "backdrops",
        "theme-music",
    }
)
IGNORE_MARKERS = frozenset({".ignore", ".nomedia"})

HIDDEN = "hidden or system file or folder"
UNFINISHED = "unfinished or temporary file"
DISC_TREE = "disc folder (DVD, Blu-ray): remux it to one file to have it read"
STREAMING_TREE = "streaming tree (DASH, HLS): its segments are not whole films"
MARKED = "folder marked with .ignore or .nomedia"


def extension(name: str) -> str:
    """Give the extension in lower case without its dot."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def kind_of(name: str) -> FileKind:
    """Tell by the extension what a file is."""
    return _KIND_OF.get(extension(name), FileKind.OTHER)


def unwanted(name: str) -> str | None:
    """Give the reason why a file or folder of this name is not even looked at, or None.

    Examples
    --------
    >>> unwanted("Film.mkv.part")
    'unfinished or temporary file'
    """
    if name.startswith(".") or name.lower() in _SYSTEM_FOLDERS or name.lower() in {"thumbs.db", "desktop.ini"}:
        return HIDDEN
    if extension(name) in _UNFINISHED or name.endswith("~") or name.startswith("~"):
        return UNFINISHED
    return None
