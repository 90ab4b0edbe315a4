"""The child that understands meaning: answers in turn, survives being left waiting, ends when nobody asks."""

from __future__ import annotations

import asyncio
import sys

from client.knowledge import child as module
from client.knowledge.child import Understanding
from client.model import Article

# Answers each question with an article named by it; "slow" takes a while, "die" ends the child, "lie" says nonsense.
CHILD = """
import json, sys, time
for line in sys.stdin:
    words = line.strip()
    if words == "die": sys.exit(1)
    if words == "lie": print("no json", flush=True); continue
    if words == "slow": time.sleep(0.3)
    print(json.dumps({"results": [{"article": words, "score": 0.5, "title": "x"}], "nothing_fits": False}), flush=True)
"""


def article(id: str) -> Article | None:
    return None if id == "unknown" else Article(id=id, title=id.title(), summary="Sum.", body="")


def understanding(code: str = CHILD) -> Understanding:
    return Understanding((sys.executable, "-c", code), article=article)


async def test_it_answers_with_titles_and_summaries() -> None:
    one = understanding()
    answer = await one.ask("printer")
    await one.close()
    assert answer is not None
    assert [(hit.article, hit.title, hit.summary) for hit in answer.results] == [("printer", "Printer", "Sum.")]


async def test_it_is_ready_once_it_has_answered() -> None:
    one = understanding()
    assert not one.ready
    one.warm_up()
    await one.ask("a")
    assert one.ready
    await one.close()
    assert not one.ready


async def test_whoever_stops_waiting_does_not_mix_up_the_answers() -> None:
    one = understanding()
    await one.ask("first")
    impatient = asyncio.create_task(one.ask("slow"))
    await asyncio.sleep(0)
    impatient.cancel()
    answer = await one.ask("next")
    await one.close()
    assert answer is not None
    assert answer.results[0].article == "next"


async def test_a_child_that_ends_or_lies_is_no_answer_and_the_next_one_is_asked() -> None:
    one = understanding()
    assert await one.ask("die") is None
    assert await one.ask("lie") is None
    assert (await one.ask("well")) is not None
    await one.close()


async def test_a_program_that_is_not_there_is_no_answer() -> None:
    assert await Understanding(("/nonexistent",), article=article).ask("x") is None


async def test_an_article_that_we_do_not_have_is_left_out() -> None:
    one = understanding()
    answer = await one.ask("unknown")
    await one.close()
    assert answer is not None
    assert answer.results == ()


async def test_a_question_of_several_lines_is_one_question() -> None:
    one = understanding()
    answer = await one.ask("two\nlines")
    await one.close()
    assert answer is not None
    assert answer.results[0].article == "two lines"


async def test_it_ends_when_nobody_asks_any_more(monkeypatch) -> None:
    monkeypatch.setattr(module, "LIVES_S", 0.05)
    one = understanding()
    await one.ask("x")
    process = one._child
    async with asyncio.timeout(5):
        await process.wait()
    assert not one.ready
