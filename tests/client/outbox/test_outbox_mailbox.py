"""What the desk last said: readable without a network, unread until opened, each answer news once and never when it is old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from client.errors import UsageError
from client.model import Comment, Conversation, Created, Payload, Ticket
from client.outbox.store import Outbox

DAY = timedelta(days=1)


def ticket(id: str = "7", **more: object) -> Ticket:
    return Ticket(id=id, ref=f"IT-{id}", subject=f"Subject {id}", status="Open", is_open=True, **more)


def at(clock, before: timedelta = timedelta()) -> datetime:
    return datetime.fromtimestamp(clock(), UTC) - before


def said(id: str, when: datetime | None, *, agent: bool = True) -> Comment:
    return Comment(id=id, author="Ms Help" if agent else "me", from_agent=agent, text=f"text {id}", created_at=when)


def talk(*comments: Comment, id: str = "7") -> Conversation:
    return Conversation(ticket=ticket(id), comments=comments)


def news(outbox: Outbox, *comments: Comment) -> list[str]:
    return [one.id for one in outbox.mailbox.keep_conversation(talk(*comments))]


# --- the list


def test_tickets_are_kept_in_the_desks_order_through_a_restart(outbox):
    tickets = (ticket("9"), ticket("7"), ticket("8"))
    outbox.mailbox.keep_tickets(tickets)
    outbox.close()
    assert outbox.mailbox.kept_tickets() == tickets


def test_what_the_desk_no_longer_lists_is_no_longer_shown(outbox):
    outbox.mailbox.keep_tickets((ticket("7"), ticket("8")))
    outbox.mailbox.keep_tickets((ticket("8", updated_at=datetime(2026, 1, 1, tzinfo=UTC)),))
    assert [one.id for one in outbox.mailbox.kept_tickets()] == ["8"]
    outbox.mailbox.keep_tickets((ticket("8"), ticket("7")))
    assert [one.id for one in outbox.mailbox.kept_tickets()] == ["8", "7"]


def test_a_conversation_that_comes_before_the_list_is_kept_too(outbox, clock):
    outbox.mailbox.keep_conversation(talk(said("1", at(clock))))
    assert outbox.mailbox.kept_conversation("7").comments == (said("1", at(clock)),)


# --- news


def test_an_answer_is_told_once(outbox, clock):
    outbox.mailbox.keep_tickets((ticket(),))
    assert news(outbox, said("own", at(clock), agent=False)) == []
    first, second = said("1", at(clock)), said("2", at(clock))
    assert news(outbox, said("own", at(clock), agent=False), first) == ["1"]
    assert news(outbox, said("own", at(clock), agent=False), first, second) == ["2"]
    assert news(outbox, said("own", at(clock), agent=False), first, second) == []


def test_old_answers_are_not_news_on_a_new_computer(outbox, clock):
    outbox.mailbox.keep_tickets((ticket(),))
    old, undated = said("old", at(clock, DAY)), said("undated", None)
    assert news(outbox, old, undated) == []
    assert outbox.mailbox.kept_tickets()[0].unread == 0
    assert news(outbox, old, undated, said("later", at(clock, DAY))) == ["later"]


def test_an_answer_of_today_is_news_even_at_first_sight(outbox, clock):
    outbox.mailbox.keep_tickets((ticket(),))
    clock.now += 3 * 3600
    assert news(outbox, said("old", at(clock, DAY)), said("new", at(clock, timedelta(hours=2)))) == ["new"]


def test_every_answer_in_a_ticket_made_here_is_news(outbox, clock):
    outbox.add(Payload(key="k", subject="s", body="b"))
    outbox.ledger.created("k", Created(id="7", ref="IT-7"), attached=())
    outbox.drop("k")
    clock.now += 40 * 86400
    outbox.mailbox.keep_tickets((ticket(),))
    assert news(outbox, said("1", at(clock, 39 * DAY)), said("2", None)) == ["1", "2"]


def test_the_employees_own_words_are_never_news(outbox, clock):
    outbox.mailbox.keep_tickets((ticket(),))
    assert news(outbox, said("1", at(clock), agent=False)) == []
    assert news(outbox, said("1", at(clock), agent=False), said("2", at(clock), agent=False)) == []
    assert outbox.mailbox.kept_tickets()[0].unread == 0


# --- unread


def test_answers_are_unread_until_the_conversation_is_opened(outbox, clock):
    outbox.mailbox.keep_tickets((ticket(), ticket("8")))
    news(outbox)
    news(outbox, said("1", at(clock)), said("2", at(clock)))
    assert [(one.id, one.unread) for one in outbox.mailbox.kept_tickets()] == [("7", 2), ("8", 0)]
    assert outbox.mailbox.kept_conversation("7").ticket.unread == 0
    assert [one.unread for one in outbox.mailbox.kept_tickets()] == [0, 0]
    news(outbox, said("1", at(clock)), said("2", at(clock)), said("3", at(clock)))
    assert outbox.mailbox.kept_tickets()[0].unread == 1


def test_the_desks_own_count_does_not_matter(outbox):
    outbox.mailbox.keep_tickets((ticket(unread=9),))
    assert outbox.mailbox.kept_tickets()[0].unread == 0


def test_an_edited_answer_is_shown_as_it_is_now_and_a_deleted_one_is_gone(outbox, clock):
    outbox.mailbox.keep_tickets((ticket(),))
    news(outbox, said("1", at(clock)), said("2", at(clock)))
    edited = Comment(id="2", author="Ms Help", from_agent=True, text="other", created_at=at(clock))
    assert news(outbox, edited) == []
    assert outbox.mailbox.kept_conversation("7").comments == (edited,)
    assert outbox.mailbox.kept_tickets()[0].unread == 0


def test_an_unknown_ticket_is_said_in_a_sentence(outbox):
    with pytest.raises(UsageError, match="There is no ticket 7 kept on this computer"):
        outbox.mailbox.kept_conversation("7")


def test_a_kept_body_that_the_disk_has_damaged_is_left_out_until_it_comes_again(outbox, clock):
    outbox.mailbox.keep_tickets((ticket("7"), ticket("8")))
    outbox._database.write(lambda connection: connection.execute("UPDATE ticket SET body = x'7b' WHERE id = '7'"))
    assert [one.id for one in outbox.mailbox.kept_tickets()] == ["8"]
    outbox.mailbox.keep_tickets((ticket("7"), ticket("8")))
    assert [one.id for one in outbox.mailbox.kept_tickets()] == ["7", "8"]
