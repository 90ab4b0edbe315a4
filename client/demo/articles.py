"""The search in the help desk's own articles."""

from __future__ import annotations

import re

from django.db.models import Q
from helpdesk.models import KBItem

from client.demo.shapes import KbArticle

SHORTEST = 3  # letters; "is" and "my" tell nothing apart
MOST_WORDS = 16


def find(words: str, *, limit: int = 10) -> tuple[KbArticle, ...]:
    """Articles that hold any of the words, those with most of them first, a word in the title counting twice."""
    terms = [term for term in re.findall(r"\w+", words.lower()) if len(term) >= SHORTEST][:MOST_WORDS]
    if not terms:
        return ()
    wanted = Q()
    for term in terms:
        wanted |= Q(title__icontains=term) | Q(question__icontains=term) | Q(answer__icontains=term)
    found = KBItem.objects.filter(wanted, enabled=True, category__public=True)

    def score(item: KBItem) -> int:
        title, rest = item.title.lower(), f"{item.question} {item.answer}".lower()
        return sum(2 * (term in title) + (term in rest) for term in terms)

    best = sorted(found, key=lambda item: (-score(item), item.title))[:limit]
    return tuple(
        KbArticle(id=str(one.id), title=one.title, summary=one.question, body=one.answer, updated_at=one.last_updated)
        for one in best
    )
