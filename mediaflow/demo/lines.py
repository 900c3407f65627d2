"""What the people in the films say: sentences that exist in every subtitle language and never come twice."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

LANGUAGES: tuple[str, ...] = ("en", "de", "fr", "es", "ja")

# Each sentence has one gap, for a thing. The forms below fit every sentence of their language:
# with article, nominative or accusative alike (German nouns are feminine or neuter for that reason).
_SENTENCES: tuple[dict[str, str], ...] = (
    {
        "en": "I left {} at the old station.",
        "de": "Ich habe {} am alten Bahnhof gelassen.",
        "fr": "J'ai laissé {} à la vieille gare.",
        "es": "Dejé {} en la vieja estación.",
        "ja": "古い駅に{}を置いてきた。",
    },
    {
        "en": "Did you ever find {}?",
        "de": "Hast du {} jemals gefunden?",
        "fr": "As-tu jamais retrouvé {} ?",
        "es": "¿Encontraste alguna vez {}?",
        "ja": "{}は見つかったの?",
    },
    {
        "en": "Nobody believed me when I spoke about {}.",
        "de": "Niemand glaubte mir, und dann sah ich {}.",
        "fr": "Personne ne m'a cru quand j'ai vu {}.",
        "es": "Nadie me creyó cuando vi {}.",
        "ja": "{}の話は誰も信じなかった。",
    },
    {
        "en": "We will bring {} home before winter.",
        "de": "Wir bringen {} vor dem Winter nach Hause.",
        "fr": "Nous ramènerons {} à la maison avant l'hiver.",
        "es": "Llevaremos {} a casa antes del invierno.",
        "ja": "冬が来る前に{}を家へ運ぼう。",
    },
    {
        "en": "My grandmother painted {} on her door.",
        "de": "Meine Großmutter malte {} auf ihre Tür.",
        "fr": "Ma grand-mère a peint {} sur sa porte.",
        "es": "Mi abuela pintó {} en su puerta.",
        "ja": "祖母は扉に{}を描いた。",
    },
    {
        "en": "Promise that you will never sell {}.",
        "de": "Versprich mir, dass du {} nie verkaufst.",
        "fr": "Promets-moi de ne jamais vendre {}.",
        "es": "Prométeme que nunca venderás {}.",
        "ja": "{}を絶対に売らないと約束して。",
    },
    {
        "en": "Somebody stole {} while we slept.",
        "de": "Jemand hat {} gestohlen, während wir schliefen.",
        "fr": "Quelqu'un a volé {} pendant que nous dormions.",
        "es": "Alguien robó {} mientras dormíamos.",
        "ja": "眠っている間に誰かが{}を盗んだ。",
    },
    {
        "en": "They say that {} brings good luck.",
        "de": "Man sagt, {} bringt Glück.",
        "fr": "On dit que {} porte bonheur.",
        "es": "Dicen que {} trae buena suerte.",
        "ja": "{}は幸運を呼ぶそうだ。",
    },
    {
        "en": "Hide {} under the floor, quickly!",
        "de": "Versteck {} unter dem Boden, schnell!",
        "fr": "Cache {} sous le plancher, vite !",
        "es": "¡Esconde {} bajo el suelo, rápido!",
        "ja": "早く{}を床下に隠して!",
    },
    {
        "en": "Tomorrow I shall repair {} myself.",
        "de": "Morgen repariere ich {} selbst.",
        "fr": "Demain je réparerai {} moi-même.",
        "es": "Mañana repararé yo mismo {}.",
        "ja": "明日は自分で{}を直すつもりだ。",
    },
)

# In the order of LANGUAGES.
_THINGS: tuple[tuple[str, ...], ...] = (
    ("the silver clock", "die silberne Uhr", "l'horloge d'argent", "el reloj de plata", "銀の時計"),
    ("the broken violin", "die kaputte Geige", "le violon cassé", "el violín roto", "壊れたバイオリン"),
    ("the sleeping tiger", "das schlafende Tigerkind", "le tigre endormi", "el tigre dormido", "眠る虎"),
    ("the paper crown", "die Papierkrone", "la couronne de papier", "la corona de papel", "紙の冠"),
    ("the secret map", "die geheime Karte", "la carte secrète", "el mapa secreto", "秘密の地図"),
    ("the wooden horse", "das Holzpferd", "le cheval de bois", "el caballo de madera", "木馬"),
    ("the glass marble", "die Glasmurmel", "la bille de verre", "la canica de vidrio", "ガラス玉"),
    ("the last lemon", "die letzte Zitrone", "le dernier citron", "el último limón", "最後のレモン"),
    ("the iron bell", "die eiserne Glocke", "la cloche de fer", "la campana de hierro", "鉄の鐘"),
    (
        "the unfinished letter",
        "das halbe Manuskript",
        "la lettre inachevée",
        "la carta inacabada",
        "書きかけの手紙",
    ),
    ("the golden compass", "die goldene Nadel", "la boussole dorée", "la brújula dorada", "金の羅針盤"),
    ("the velvet curtain", "die Samtdecke", "le rideau de velours", "la cortina de terciopelo", "ビロードの幕"),
    ("the tiny elephant", "die winzige Elefantenfigur", "le minuscule éléphant", "el diminuto elefante", "小さな象"),
    ("the copper kettle", "die Kupferkanne", "la bouilloire de cuivre", "la tetera de cobre", "銅のやかん"),
    ("the frozen river", "das gefrorene Wasser", "la rivière gelée", "el río helado", "凍った川"),
    ("the magic lantern", "die Zauberlaterne", "la lanterne magique", "la linterna mágica", "魔法の灯"),
    ("the stolen painting", "das gestohlene Gemälde", "le tableau volé", "el cuadro robado", "盗まれた絵"),
    ("the honey jar", "das Honigglas", "le pot de miel", "el tarro de miel", "蜂蜜の壺"),
    ("the empty suitcase", "die leere Tasche", "la valise vide", "la maleta vacía", "空の鞄"),
    ("the lighthouse book", "das Leuchtturmbuch", "le livre du phare", "el libro del faro", "灯台の本"),
    ("the purple feather", "die violette Feder", "la plume violette", "la pluma violeta", "紫の羽根"),
    ("the winter coat", "die Winterjacke", "le manteau d'hiver", "el abrigo de invierno", "冬の外套"),
    ("the dancing robot", "das tanzende Blechtier", "le robot danseur", "el robot bailarín", "踊るロボット"),
    ("the marble statue", "die Marmorstatue", "la statue de marbre", "la estatua de mármol", "大理石の像"),
)


def things(language: str) -> tuple[str, ...]:
    """Give the things that sentences speak of, in one language of `LANGUAGES`."""
    return tuple(names[LANGUAGES.index(language)] for names in _THINGS)


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence in every language of `LANGUAGES`."""

    texts: tuple[tuple[str, str], ...]

    def text(self, language: str) -> str:
        """Give the sentence in one language, with a capital at its beginning."""
        text = dict(self.texts)[language]
        return text[0].upper() + text[1:]


class LineDeck:
    """A shuffled pile of distinct lines, dealt one by one.

    Parameters
    ----------
    rng : numpy.random.Generator
        Shuffles the pile.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        pairs = list(product(range(len(_SENTENCES)), range(len(_THINGS))))
        self._pairs = [pairs[index] for index in rng.permutation(len(pairs))]
        self._dealt = 0

    def deal(self) -> Line:
        """Give the next line; the pile begins anew when all 240 are dealt."""
        sentence, thing = self._pairs[self._dealt % len(self._pairs)]
        self._dealt += 1
        words = zip(LANGUAGES, _THINGS[thing], strict=True)
        return Line(tuple((language, _SENTENCES[sentence][language].format(name)) for language, name in words))
