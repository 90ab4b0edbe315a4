"""What a fresh help desk holds: a queue, the fields that Deskside fills, an agent, two employees, a few articles."""

from __future__ import annotations

import hashlib

from django.contrib.auth.models import Permission, User
from django.contrib.sites.models import Site
from django.db import transaction
from helpdesk.models import CustomField, KBCategory, KBItem, Queue

from client.demo.models import EmployeeToken

QUEUE = "it"
AGENT = "agent"
EMPLOYEES = (
    ("robin", "Robin", "Berg", "robin.berg@example.com"),
    ("sascha", "Sascha", "Lind", "sascha.lind@example.com"),
)

# Custom field of django-helpdesk -> (label, help text, member of the API's `fields`; "key" is the Idempotency-Key).
FIELDS: dict[str, tuple[str, str, str]] = {
    "cause": ("Cause", "What Deskside found to be the cause, such as dns.unreachable.", "cause"),
    "cause_subject": ("Concerns", "The interface, server, volume or service that the cause is about.", "subject"),
    "severity": ("Severity", "low, medium, high or critical.", "severity"),
    "tier": ("Tier", "Who can usually solve it: L1, L2 or L3.", "tier"),
    "device": ("Device", "The name of the employee's computer.", "device"),
    "client": ("Client", "The installation of Deskside that sent it.", "client"),
    "client_version": ("Client version", "Deskside's version.", "version"),
    "platform": ("Platform", "The employee's operating system.", "platform"),
    "key": ("Deskside key", "The number under which the employee's computer knows this ticket.", "key"),
}

ARTICLES = (
    (
        "Order a new computer or a screen",
        "How do I get other hardware?",
        (
            "1. Ask your manager for the cost centre.\n"
            "2. Reply to this desk with the model you need and the cost centre.\n"
            "3. It takes about five working days. Your old computer stays with you until the new one works."
        ),
    ),
    (
        "Get access to a shared folder",
        "A folder on the file server says that access is denied.",
        "Write a ticket with the folder's full path and its owner's name. The owner is asked, and it takes about a day.",
    ),
    (
        "Work from abroad",
        "May I use my computer in another country?",
        "Tell us the country and the dates a week before. Without that, sign-in from abroad is refused.",
    ),
    (
        "Book a meeting room with a screen",
        "The room's screen is not in the calendar.",
        "Add the room as a resource to the meeting. Screens answer within a minute; if one does not, the room is taken.",
    ),
)


@transaction.atomic
def seed(*, agent_password: str, tokens: tuple[str, ...]) -> None:
    """Makes what is missing and leaves the rest as agents have changed it.

    Args:
        agent_password: the agent's, set again where it differs.
        tokens: one for each of `EMPLOYEES`.
    """
    Site.objects.update_or_create(pk=1, defaults={"domain": "localhost", "name": "Deskside demo"})
    queue, _ = Queue.objects.get_or_create(
        slug=QUEUE,
        defaults={"title": "IT help desk", "allow_public_submission": False, "allow_email_submission": False},
    )
    for order, (name, (label, help_text, _member)) in enumerate(FIELDS.items()):
        CustomField.objects.get_or_create(
            name=name,
            defaults={
                "label": label,
                "help_text": help_text,
                "data_type": "varchar",
                "max_length": 200,
                "ordering": order,
                "required": False,
                "staff_only": True,
            },
        )
    agent, _ = User.objects.get_or_create(
        username=AGENT,
        defaults={"first_name": "Alex", "last_name": "Agent", "email": "agent@example.com", "is_staff": True},
    )
    if not agent.check_password(agent_password):
        agent.set_password(agent_password)
        agent.save()
    agent.user_permissions.add(
        *Permission.objects.filter(content_type__app_label="deskside", content_type__model="announcement")
    )
    for (username, first, last, email), token in zip(EMPLOYEES, tokens, strict=True):
        employee, made = User.objects.get_or_create(
            username=username, defaults={"first_name": first, "last_name": last, "email": email}
        )
        if made:
            employee.set_unusable_password()
            employee.save()
        EmployeeToken.objects.get_or_create(sha256=digest(token), defaults={"employee": employee})
    category, _ = KBCategory.objects.get_or_create(
        slug="questions",
        defaults={
            "name": "Questions to IT",
            "title": "Questions to IT",
            "description": "What colleagues ask most.",
            "queue": queue,
        },
    )
    for order, (title, question, answer) in enumerate(ARTICLES):
        KBItem.objects.get_or_create(
            category=category, title=title, defaults={"question": question, "answer": answer, "order": order}
        )


def digest(token: str) -> str:
    """How a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()
