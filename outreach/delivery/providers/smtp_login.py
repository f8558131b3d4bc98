"""Logs in to a mail server with a name and a password in any letters: RFC 4616 has them in UTF-8.

Python's own way (smtplib) takes ASCII alone. Neither the password nor the server's words are ever in an error.
"""

import base64
import hmac
import smtplib

# The safest first: the first two that a server names differ only in what a listener could learn.
ORDER = ("CRAM-MD5", "PLAIN", "LOGIN")
YES, GO_ON, SPENT = 235, 334, 503


def log_in(server: smtplib.SMTP, username: str, password: str) -> None:
    """Returns once the server has let us in, by the first way that it knows and that works.

    Raises SMTPNotSupportedError where it knows no way of ours, SMTPAuthenticationError where it lets nobody in.
    """
    named = str(server.esmtp_features.get("auth", "")).upper().split()
    ways = [way for way in ORDER if way in named]
    if not ways:
        raise smtplib.SMTPNotSupportedError("no way to log in that we know")
    code = 0
    for way in ways:
        try:
            code = _try(server, way, username.encode(), password.encode())
        except ValueError:  # a riddle that is none, or a machine that may not reckon MD5: another way may do
            # A lone star gives the exchange up (RFC 4954, 4), so that the next way can begin.
            code, _ = server.docmd("*")
        if code in {YES, SPENT}:  # 503: it has let us in before (RFC 4954)
            return
    raise smtplib.SMTPAuthenticationError(code, b"")


def _try(server: smtplib.SMTP, way: str, username: bytes, password: bytes) -> int:
    if way == "PLAIN":
        return server.docmd("AUTH", f"PLAIN {_coded(b'%c%b%c%b' % (0, username, 0, password))}")[0]
    code, asked = server.docmd("AUTH", way)
    if code != GO_ON:
        return code
    if way == "LOGIN":
        code, _ = server.docmd(_coded(username))
        return server.docmd(_coded(password))[0] if code == GO_ON else code
    digest = hmac.new(password, base64.b64decode(asked), "md5").hexdigest().encode()
    return server.docmd(_coded(username + b" " + digest))[0]


def _coded(value: bytes) -> str:
    return base64.b64encode(value).decode()
