"""A corpus of planted secrets, each as it is met in the wild, and of ordinary texts that must stay as they are."""

from __future__ import annotations

import json

import pytest

from client.report.redact import Redactor

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

# What stands there, and what must not be there any more.
CORPUS = [
    # tokens that say what they are
    (f"got {JWT} back", JWT),
    ("remote: ghp_16C7e42F292c6912E7710c838347Ae178B4a", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ("github_pat_11ABCDEFG0abcdefghijklmnop_qrstuvwxyz0123", "11ABCDEFG0abcdefghijklmnop"),
    ("glpat-abcdefghij0123456789", "abcdefghij0123456789"),
    ("xoxb-123456789012-abcdefghijkl", "123456789012-abcdefghijkl"),
    ("xapp-1-A012ABCDEF-0123456789", "A012ABCDEF"),
    ("sk-proj-abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"),
    ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39HqLyjWDarjtT1zdp7dc"),
    ("AKIAIOSFODNN7EXAMPLE", "IOSFODNN7EXAMPLE"),
    ("ASIAY34FZKBOKMUTVV7A in the log", "Y34FZKBOKMUTVV7A"),
    ("AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe", "DaGmWKa4JsXZ-HjGw7ISLn"),
    ("ya29.a0AfH6SMBx1234567890abcdef", "a0AfH6SMBx1234567890"),
    ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghijklmnopqrstuvwxyz"),
    ("pypi-AgEIcHlwaS5vcmcCJDNmYjY", "AgEIcHlwaS5vcmcCJDNmYjY"),
    ("hvs.CAESIJlWJx0123456789abcdef", "CAESIJlWJx0123456789"),
    ("abc8Q~abcdefghijklmnopqrstuvwxyz01234", "abcdefghijklmnopqrstuvwxyz01234"),
    ("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawAB", "HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"),
    ("https://hooks.slack.com/services/T000/B000/XXXXyyyyZZZZ", "XXXXyyyyZZZZ"),
    ("dapi0123456789abcdef0123456789abcdef", "0123456789abcdef0123"),
    ("AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGP", "QYQSZQGPQYQSZQGP"),
    # headers
    ("Authorization: Bearer abc123def456", "abc123def456"),
    ("authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    ("> Proxy-Authorization: NTLM TlRMTVNTUAABAAAAB4IIogAAAAA", "TlRMTVNTUAABAAAAB4IIogAAAAA"),
    (
        'Authorization: Digest username="anna", response="6629fae49393a05397450978507c4ef1"',
        "6629fae49393a05397450978507c4ef1",
    ),
    ("Authorization: Token 9944b09199c62bcf9418ad846dd0e4bb", "9944b09199c62bcf9418ad846dd0e4bb"),
    ("sent Bearer 9944b09199c62bcf9418", "9944b09199c62bcf9418"),
    ("Cookie: sessionid=38afes7a8; csrftoken=yyy", "38afes7a8"),
    ("Set-Cookie: id=a3fWa; Expires=Thu, 21 Oct 2027 07:28:00 GMT", "a3fWa"),
    ("X-Api-Key: 0f8fad5bd9cb469fa165", "0f8fad5bd9cb469fa165"),
    ("JSESSIONID=1A530637289A03B07199A44E8D531427", "1A530637289A03B07199A44E8D531427"),
    # names and values
    ("password=hunter2", "hunter2"),
    ("Password : hunter2", "hunter2"),
    ("PASSWORD='hun ter2' next", "hun ter2"),
    ('{"password": "hun\\"ter2", "ok": 1}', "ter2"),
    (r"{\"password\": \"hunter2 x\"}", "hunter2 x"),
    ("db_password_old: hunter2", "hunter2"),
    ("PGPASSWORD=hunter2 psql", "hunter2"),
    ("MYSQL_PWD=hunter2", "hunter2"),
    ("Kennwort: hunter2", "hunter2"),
    ("mot de passe = hunter2", "hunter2"),
    ("contrase\u00f1a: hunter2", "hunter2"),
    ("client_secret=hunter2&grant_type=x", "hunter2"),
    ("AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq==;EndpointSuffix", "Eby8vdM02xNOcqFl"),
    ("sig=kP%2Bx3%2FAbC%3D&se=2027", "kP%2Bx3"),
    ("wpa psk=supersecretwifi", "supersecretwifi"),
    ("pin: 4711", "4711"),
    ("password%3Dhunter2", "hunter2"),
    ("secret => hunter2", "hunter2"),
    ("my password is sunshine", "sunshine"),
    ("mein Passwort ist Sonnenschein1", "Sonnenschein1"),
    ("<Password>hunter2</Password>", "hunter2"),
    ('<add key="x"/><adminPassword encrypted="no">hunter2</adminPassword>', "hunter2"),
    ("Password:\nhunter2", "hunter2"),
    ("pass: hunter2", "hunter2"),
    ("pw=hunter2", "hunter2"),
    ("credentials: anna/hunter2", "hunter2"),
    ("Enter password for anna: hunter2", "hunter2"),
    ("passwd hunter2", "hunter2"),
    ("aws_secret_access_key wJalrXUtnFEMI/K7MDENG", "wJalrXUtnFEMI/K7MDENG"),
    ("the token abc123def456 was refused", "abc123def456"),
    ("Session: abcd1234efgh", "abcd1234efgh"),
    ("<input type=password value=hunter2>", "hunter2"),
    ("BitLocker recovery key: 123456-234567-345678-456789-567890-678901-789012-890123", "345678-456789"),
    ("4V9TN-ABCDE-12345-QWERT-ZXCVB", "ABCDE-12345"),
    # command lines
    ("tool --password hunter2 --verbose", "hunter2"),
    ("tool --db-password=hunter2", "hunter2"),
    ("tool /password:hunter2", "hunter2"),
    ("tool --api-key 'hun ter2'", "hun ter2"),
    ("curl -u anna:hunter2 https://example.com", "hunter2"),
    ("curl --user anna:hunter2", "hunter2"),
    ("sshpass -p hunter2 ssh host", "hunter2"),
    ("mysql -u root -phunter2 db", "hunter2"),
    ("net use \\\\server\\share hunter2 /user:corp\\anna", "hunter2"),
    # addresses
    ("https://anna:hunter2@example.com/x", "hunter2"),
    ("https://anna:hun@ter2@example.com/x", "ter2"),
    ("postgres://u:p/a?s#s@db:5432/x", "p/a?s#s"),
    ("ftp://token123456@example.com", "token123456"),
    ("https://example.com/cb?code=4/0AX4XfWh&state=xyz", "4/0AX4XfWh"),
    ("https://example.com/?access_token=hunter2", "hunter2"),
    # keys
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----", "MIIEowIBAAKCAQEA"),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\\nb3BlbnNzaC1rZXk\\n-----END OPENSSH PRIVATE KEY-----", "b3BlbnNzaC1rZXk"),
    ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBO (cut", "MIIFHDBO"),
    ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----", "lQOYBF"),
    ("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAAIK\nPrivate-MAC: 77", "AAAAIK"),
    # persons and devices
    ("Serial Number: PF3XK9QZ", "PF3XK9QZ"),
    ("S/N PF3XK9QZ", "PF3XK9QZ"),
    ("IMEI 356938035643809", "356938035643809"),
    ("/home/anna/Documents", "anna"),
    ("C:\\Users\\Anna Smith\\AppData", "Anna Smith"),
    ("C:/Users/anna/AppData", "anna"),
    ("file:///Users/anna/x", "anna"),
    ("%2Fhome%2Fanna%2Fx", "anna"),
    ("C:\\\\Users\\\\anna\\\\x", "anna"),
    ("C:\\Documents and Settings\\anna\\x", "anna"),
    ("write to anna.smith+x@mail.example.com now", "anna.smith"),
    ("m\u00fcller@example.com", "m\u00fcller"),
    ("ether 00:1a:2b:3c:4d:5e up", "00:1a:2b:3c:4d:5e"),
    ("00-1A-2B-3C-4D-5E", "1A-2B"),
    ("001a.2b3c.4d5e", "2b3c"),
    ("fe80::21a:2bff:fe3c:4d5e", "2bff:fe3c"),
]


@pytest.mark.parametrize(("text", "secret"), CORPUS, ids=[text[:40] for text, _ in CORPUS])
def test_the_corpus_does_not_leave(text, secret):
    assert secret in text
    gate = Redactor()
    for where in (
        text,
        f"Jan 31 08:59:10 host app[1]: {text}",
        f"{text}\nnext line",
        f"x{text}" if text[0].isupper() else text,
    ):
        assert secret not in gate.text(where)
    assert gate.count >= 3
    assert secret not in json.dumps(gate.value({"deep": [{"text": text}], text: 1}), ensure_ascii=False)


KEPT = [
    "The name server 10.0.0.53 did not answer within 1.5 seconds.",
    "Basic information about bearer authentication",
    "password_expires_days: 12",
    "token_count=3",
    "Your password is wrong or expired.",
    "my password is not accepted",
    "Deskside ref: 6f1c2d3e-1111-4222-8333-abcdefabcdef",
    "2026-01-31T09:00:00Z",
    "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "https://example.com/a/b?x=1#y",
    "http://localhost:8080/health",
    "Key: Enter",
    "session: 3 of 5",
    "tokens: 5",
    "Your password expired yesterday",
    "The token expired.",
    "serial port COM3",
    "pass the salt",
    "Access key lost",
    "C:\\Users\\Public\\Desktop",
    "/home",
    "2001:db8::53",
    "6.1.0-28-amd64",
    "disk.space: 97 % used",
    "user@host",
    "a@b",
]


@pytest.mark.parametrize("text", KEPT)
def test_ordinary_text_stays_as_it_is(text):
    gate = Redactor()
    assert gate.text(text) == text
    assert gate.count == 0
