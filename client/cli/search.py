"""`deskside search`: help articles for words, or for a stream of questions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

import click

from client.cli.session import Session
from client.cli.show import put, put_json, put_paragraph, say
from client.errors import UsageError
from client.model import Answer

LONGEST_QUERY: Final = 4096  # bytes of a line on standard input; a question is far shorter
FROM_INPUT: Final = "-"


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON. With - as WORDS, one object a line for one question a line."
)
@click.option("--limit", type=click.IntRange(1, 50), default=8, show_default=True, help="At most so many articles.")
@click.pass_obj
def command(session: Session, words: tuple[str, ...], *, as_json: bool, limit: int) -> int:
    """Find help articles for WORDS, as one would say it to a colleague. With -, questions come on standard input."""
    questions = read_lines() if words == (FROM_INPUT,) else iter([" ".join(words)])
    if words != (FROM_INPUT,) and not any(word.strip() for word in words):
        raise UsageError(
            "There are no words to search for.", hint='For example: deskside search "the printer prints blank pages"'
        )

    for question in questions:  # waited for outside of the event loop, which would swallow the first Ctrl+C
        answer = _ask(session, question, limit=limit) if question.strip() else Answer()
        if as_json:
            put_json(shape(answer))
        else:
            print_answer(answer)
            _print_desk(session, question)
        if words != (FROM_INPUT,) and answer.nothing_fits:
            session.app.guidance.learning.found_nothing(question)
    return 0


def _ask(session: Session, question: str, *, limit: int) -> Answer:
    return session.run(lambda app: app.search(question, limit=limit))


def _print_desk(session: Session, question: str) -> None:
    """What the help desk's own articles say, for people; kept, so that they can be shown."""
    for one in session.run(lambda app: app.desk_articles(question)):
        put(f"{one.title}  ({one.id}, from {one.source})", "title")
        if one.summary:
            put_paragraph(one.summary, indent=2)


def shape(answer: Answer) -> dict[str, Any]:
    """The public JSON of an answer."""
    results = [{"article": hit.article, "score": round(hit.score, 4), "title": hit.title} for hit in answer.results]
    return {"results": results, "nothing_fits": answer.nothing_fits}


def print_answer(answer: Answer) -> None:
    """For people."""
    if answer.nothing_fits:
        what = "well; these come nearest" if answer.results else "this"
        say(f"No article fits {what}. To ask the help desk: deskside ticket create")
    for hit in answer.results:
        put(f"{hit.title}  ({hit.article})", "title")
        if hit.summary:
            put_paragraph(hit.summary, indent=2)


def read_lines() -> Iterator[str]:
    """Standard input line by line, as it comes; a line that is too long is cut, one that is no UTF-8 mended."""
    source = sys.stdin.buffer
    while line := source.readline(LONGEST_QUERY):
        whole = line.endswith(b"\n")
        while not whole and (rest := source.readline(LONGEST_QUERY)):
            whole = rest.endswith(b"\n")
        yield line.decode("utf-8", "replace").rstrip("\r\n")
