"""Language tags and names as they stand in file names and file headers, made into BCP 47."""

from __future__ import annotations

import re

UNDETERMINED = "und"

# English names, then what speakers call the language themselves; written without case.
_NAMES = {
    "ar": "arabic العربية",
    "bg": "bulgarian български",
    "bn": "bengali বাংলা",
    "ca": "catalan català",
    "cs": "czech čeština",
    "cy": "welsh cymraeg",
    "da": "danish dansk",
    "de": "german deutsch",
    "el": "greek ελληνικά",
    "en": "english",
    "es": "spanish español castellano",
    "es-419": "latinamericanspanish",
    "et": "estonian eesti",
    "eu": "basque euskara",
    "fa": "persian farsi فارسی",
    "fi": "finnish suomi",
    "fil": "filipino tagalog",
    "fr": "french français",
    "fr-CA": "canadianfrench",
    "ga": "irish gaeilge",
    "gl": "galician galego",
    "he": "hebrew עברית",
    "hi": "hindi हिन्दी",
    "hr": "croatian hrvatski",
    "hu": "hungarian magyar",
    "hy": "armenian հայերեն",
    "id": "indonesian",
    "is": "icelandic íslenska",
    "it": "italian italiano",
    "ja": "japanese 日本語",
    "ka": "georgian ქართული",
    "kk": "kazakh қазақ",
    "ko": "korean 한국어",
    "lt": "lithuanian lietuvių",
    "lv": "latvian latviešu",
    "mk": "macedonian македонски",
    "ml": "malayalam മലയാളം",
    "mr": "marathi मराठी",
    "ms": "malay melayu",
    "nb": "bokmål",
    "nl": "dutch nederlands flemish vlaams",
    "nn": "nynorsk",
    "no": "norwegian norsk",
    "pl": "polish polski",
    "pt": "portuguese português",
    "pt-BR": "brazilian brazilianportuguese",
    "ro": "romanian română",
    "ru": "russian русский",
    "sk": "slovak slovenčina",
    "sl": "slovenian slovenščina slovene",
    "sq": "albanian shqip",
    "sr": "serbian српски",
    "sv": "swedish svenska",
    "sw": "swahili kiswahili",
    "ta": "tamil தமிழ்",
    "te": "telugu తెలుగు",
    "th": "thai ไทย",
    "tr": "turkish türkçe",
    "uk": "ukrainian українська",
    "ur": "urdu اردو",
    "vi": "vietnamese",
    "yue": "cantonese",
    "zh": "chinese mandarin 中文",
    "zh-Hans": "simplifiedchinese 简体中文",
    "zh-Hant": "traditionalchinese 繁體中文",
}
_BY_NAME = {name: tag for tag, names in _NAMES.items() for name in names.split()}
_THREE_LETTERS_ONLY = {"ast", "fil", "gsw", "haw", "yue"}
_TAG = re.compile(r"[a-z]{2,3}(?:[-_](?:[a-z]{4}|[a-z]{2}|[0-9]{3}))*", re.IGNORECASE)


def language_of_tag(tag: str) -> str | None:
    """Return the BCP 47 form of a tag such as "eng", "pt-br" or "zh_Hans"; None where it is no language."""
    import langcodes

    if not _TAG.fullmatch(tag) or not langcodes.tag_is_valid(tag.replace("_", "-")):
        return None
    standard = str(langcodes.standardize_tag(tag, macro=False))
    primary = standard.split("-")[0]
    if primary in ("und", "zxx", "mul", "mis") or (len(primary) == 3 and primary not in _THREE_LETTERS_ONLY):
        return None
    return standard


def language_of_name(name: str) -> str | None:
    """Return the BCP 47 tag of a language's full name ("German", "Deutsch"); None where it is none."""
    return _BY_NAME.get(re.sub(r"[\W_]", "", name.casefold()))
