"""`deskside articles`: reads help articles on the terminal, checks and packs (`client.cli.packing`) what IT has written."""

from __future__ import annotations

from pathlib import Path

import click

from client.cli import packing
from client.cli.root import nearest
from client.cli.session import Session
from client.cli.show import clean, count, put, put_json, put_markdown, put_table, say
from client.errors import UsageError
from client.fixes.catalogue import BY_ID
from client.knowledge.validate import LARGEST_BYTES, Problem, validate

OURS = "deskside"


@click.group("articles")
def command() -> None:
    """Read help articles, check them for mistakes, and make signed packs of them."""


for _one in packing.COMMANDS:
    command.add_command(_one)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_articles(session: Session, *, as_json: bool) -> int:
    """List the articles for this computer, and who wrote each."""
    articles = session.app.articles()
    replaced = session.app.guidance.shelf.library.replaced()
    if as_json:
        put_json(
            {
                "articles": [
                    {
                        "id": one.id,
                        "title": one.title,
                        "summary": one.summary,
                        "source": one.source,
                        "replaces": one.id in replaced,
                    }
                    for one in articles
                ]
            }
        )
        return 0
    rows = [(one.id, one.title, _origin(one.source, instead=one.id in replaced)) for one in articles]
    put_table(rows, heads=("id", "title", "from"))
    packing.warn(session.app.guidance.packs.states())
    return 0


@command.command("show")
@click.argument("article_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(session: Session, article_id: str, *, as_json: bool) -> int:
    """Read the article ID."""
    article = session.app.article(article_id)
    if article is None:
        near = nearest(article_id, [one.id for one in session.app.articles()])
        raise UsageError(f"There is no article {clean(article_id)!r}.{near}", hint="See: deskside articles list")
    if as_json:
        put_json({"article": article})
        return 0
    put_markdown(f"# {article.title}")
    here = {id for id, _, _ in session.app.fixes()}
    for fix in article.fixes:  # first, as in the window: articles speak of what is "above"
        if fix in here:
            put(f"Repair: deskside fix run {fix}", "dim")
    put_markdown(article.body)
    return 0


@command.command("check")
@click.argument("folders", metavar="[FOLDER]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(session: Session, folders: tuple[Path, ...], *, as_json: bool) -> int:
    """Check every article in FOLDER, by default Deskside's own. Exit code 1 when one would not be shown as it is meant."""
    files = _files(folders or (session.app.paths.resources / "articles",))
    problems: list[Problem] = []
    for file in files:
        try:
            data = file.open("rb").read(LARGEST_BYTES + 1)
        except OSError as error:
            problems.append(Problem(file=str(file), words=f"cannot be read: {error.strerror}"))
            continue
        article, found = validate(data, name=file.stem, file=str(file), known_causes=_causes())
        problems += found
        if article is not None:
            strange = [id for id in article.fixes if id not in BY_ID]
            problems += [
                Problem(file=str(file), words=f"names the repair {id}, which does not exist on any system.")
                for id in strange
            ]
    if as_json:
        put_json({"ok": not problems, "checked": len(files), "problems": problems})
        return 1 if problems else 0
    for problem in problems:
        put(str(problem), "bad")
    say(f"{count(len(files), 'article')}, {count(len(problems), 'problem')}.")
    return 1 if problems else 0


def _origin(source: str, *, instead: bool) -> str:
    if source == OURS:
        return "Deskside"
    return f"{source}, in place of Deskside's own" if instead else source


def _files(folders: tuple[Path, ...]) -> list[Path]:
    files: list[Path] = []
    for folder in folders:
        if folder.is_file():
            files.append(folder)
        elif folder.is_dir():
            files += sorted(folder.rglob("*.md"))
        else:
            raise UsageError(f"{clean(str(folder))} is not there.", hint="Name a folder with articles (*.md).")
    return files


def _causes() -> frozenset[str]:
    from diagnostics.causes.catalogue import CATALOGUE  # noqa: PLC0415 -- only who writes articles needs every cause

    return frozenset(cause.id for cause in CATALOGUE)
