"""How words are read, the same for articles and questions: one spelling for one thing, fillers dropped, typos found.

Pure functions and tables; knows nothing of articles or databases.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

import msgspec

LONGEST_QUESTION: Final = 2000  # characters; a pasted error log has said what it is about by then
MOST_WORDS: Final = 32
SHORTEST_TYPO: Final = 4  # shorter words are a letter away from too many others
TWO_TYPOS: Final = 8

WORD: Final = re.compile(r"[^\W_]+")
# Spellings of one thing. Applied to both sides, so what matters is that they agree, not which one is chosen.
SPELLINGS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        ("[\u2019`\u00b4]", "'"),
        (r"\bwi[\s-]?fi\b|\bwlan\b|\bwireless (?:network|internet)\b", "wifi"),
        (r"\be[\s-]mails?\b|\bemails\b", "email"),
        (r"\b(?:log|logg|sign)(?:ing|ed|s)?[\s-]?(?:in|on)(?:to|s)?\b|\blogins\b", "login"),
        (r"\b(?:log|logg|sign)(?:ing|ed|s)?[\s-]?(?:out|off)\b", "logout"),
        (r"\b(?:laptops?|notebooks?|pcs?|desktops? computers?|machines?|workstations?|computers)\b", "computer"),
        (r"\bmacbooks?(?: (?:pro|air))?\b|\bimacs?\b", "mac"),
        (r"\bhard[\s-]?(?:drive|disk)s?\b|\bhdd\b|\bssd\b", "disk"),
        (r"\b([c-z])[\s:]+drive\b", r"\1drive"),
        (r"\bback[\s-]?up", "backup"),
        (r"\bone[\s-]drive\b", "onedrive"),
        (r"\bshare[\s-]point\b", "sharepoint"),
        (r"\bset[\s-]up\b", "setup"),
        (r"\bre[\s-]boot", "reboot"),
        (r"\bpass[\s-]words?\b|\bpwd\b|\bpasswd\b", "password"),
        (r"\bweb[\s-]?(?:site|page)s?\b|\bweb sites?\b", "website"),
        (r"\bweb[\s-]cam", "webcam"),
        (r"\btouch[\s-]pad|\btrack[\s-]?pad", "touchpad"),
        (r"\bblue[\s-]tooth\b", "bluetooth"),
        (r"\btime[\s-]zones?\b", "timezone"),
        (r"\bhead[\s-]?(?:phones?|sets?)\b|\bear(?:buds?|phones?)\b", "headphones"),
        (r"\b(?:2|two)[\s-]?(?:fa|factor)\b|\bmulti[\s-]?factor\b", "mfa"),
    )
)
# Words that say nothing about which article is meant: English function words, politeness, and what every request says.
FILLERS: Final = frozenset(
    """
    a able about after again all allow allowed allowing also always am an and another any anymore anyone anything
    are aren arent as ask asked asking asks at be because been before being bit both but by came can cannot cant
    certain come computer could couldn couldnt couldve couple currently d day days dear did didn didnt do does doesn
    doesnt doing don done dont each either else even ever every everything few for from get gets getting go goes
    going gone got had happen happened happening happens has hasn hasnt have haven havent having he hello help her
    here hey hi him his how however i if im in into is isn isnt issue issues it its itself ive just keep keeps kept
    let like ll lot lots m made make makes many may me might mine more morning most much must my myself need needed
    needs never no nor not nothing now of off ok okay on once one only or other our out over own per please pls plz
    problem problems put re really s said same say says see seem seems she should shouldn shouldnt show showing
    shown shows since so some somehow someone something somebody sometimes start started starting still such sudden suddenly
    sure t take takes team than thank thanks that the their them then there these they thing things this those
    though to today too tried trouble troubles try trying unable up us use used user users using ve very via want
    wanted wants was wasn wasnt way we week well went were weren what whatever when whenever where which while who
    whole whose why will with within without won wont work worked working works would wouldn wouldnt yes yesterday
    yet you your
    """.split()  # noqa: SIM905 -- a hundred quoted words would be harder to read
)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A question's telling words in order, each once. `typing`: the last one may be unfinished."""

    words: tuple[str, ...]
    typing: bool


def spell(text: str) -> str:
    """The text in small letters without accents, in one spelling for one thing; words and their order stay."""
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    for pattern, replacement in SPELLINGS:
        plain = pattern.sub(replacement, plain)
    return plain.replace("'", "")


def words_of(text: str) -> tuple[str, ...]:
    """Every word of a text, spelled as `spell` does; fillers too."""
    return tuple(WORD.findall(spell(text)))


def telling(text: str) -> str:
    """The words of a text that say something, in order, spelled as `spell` does."""
    return " ".join(one for one in words_of(text) if _tells(one))


def question(text: str) -> Question:
    """Reads what an employee typed; anything at all is a valid question, possibly an empty one."""
    text = text[:LONGEST_QUESTION].encode("utf-8", "ignore").decode()  # lone surrogates cannot be searched for
    every = words_of(text)
    unfinished = bool(text) and WORD.match(text[-1]) is not None
    kept = tuple(dict.fromkeys(one for one in every if _tells(one)))[:MOST_WORDS]
    return Question(words=kept, typing=unfinished and bool(kept) and every[-1] == kept[-1])


def _tells(word: str) -> bool:
    return word not in FILLERS and (len(word) > 1 or word.isdigit())


def distance(one: str, other: str, *, limit: int) -> int:
    """Typing errors between two words: letters missed, added, wrong or swapped with a neighbour; `limit` + 1 when more.

    The optimal string alignment distance, row by row, given up as soon as no row can come under the limit.
    """
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, against in enumerate(other, 1):
            cost = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (letter != against))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == against:
                cost = min(cost, before_last[column - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before_last, last = last, current
    return last[-1]


def corrections(word: str, vocabulary: Iterable[str], *, most: int = 3) -> tuple[str, ...]:
    """The known words that `word` was probably meant to be, nearest first; empty for short words and numbers.

    The first letter is trusted unless it was swapped with the second: people rarely miss it, and it makes this fast.
    """
    if len(word) < SHORTEST_TYPO or any(character.isdigit() for character in word):
        return ()
    limit = 2 if len(word) >= TWO_TYPOS else 1
    near = [
        (found, known)
        for known in vocabulary
        if abs(len(known) - len(word)) <= limit
        and (known[0] == word[0] or known[:2] == word[1::-1])
        and (found := distance(word, known, limit=limit)) <= limit
    ]
    best = min(near, default=(0, ""))[0]
    return tuple(known for found, known in sorted(near) if found == best)[:most]


def completions(word: str, vocabulary: Collection[str], *, most: int = 12) -> tuple[str, ...]:
    """The known words that begin with `word`, shortest first."""
    found = [known for known in vocabulary if known.startswith(word)]
    return tuple(sorted(found, key=lambda known: (len(known), known))[:most])
