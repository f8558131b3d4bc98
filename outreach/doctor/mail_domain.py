"""Looks up SPF, DKIM and DMARC of the domain that e-mails come from: mail hosts refuse or hide mail without them.

It asks the DNS and nobody else. Where no resolver answers, nothing is known, and that is no fault.
"""

import dns.exception
import dns.name
import dns.resolver

from outreach.doctor.findings import RESERVED_NAMES, Finding
from outreach.errors import SettingsError
from outreach.settings import Settings, VendorSettings

# One slow resolver must not hold the doctor for long.
SECONDS = 3.0
# RFC 9989, 4.10: no more look-ups than these, whatever the depth of the name.
MOST_PARENTS = 8


class NoResolver(SettingsError):
    """The DNS did not say whether a record is there."""


def examine_domain(settings: Settings, resolver: dns.resolver.Resolver | None = None) -> list[Finding]:
    """A finding each for SPF, DKIM and DMARC; one that says why they were not looked at; none where mail is a file."""
    carrier = settings.providers.email
    domain = settings.business.email.rpartition("@")[2]
    if carrier == "outbox" or not domain:
        return []
    named = f"SPF, DKIM and DMARC of {domain}"
    if f".{domain}".endswith(RESERVED_NAMES):
        return [Finding(f"{named}: not looked at, it is a name for samples", True)]
    try:
        records = Records(resolver or _own_resolver())
        vendor: VendorSettings = getattr(settings.providers, carrier)
        selector = getattr(vendor, "dkim_selector", "")
        return [
            *([_finding(f"SPF of {domain}", _spf_fault(records, domain))] if carrier == "smtp" else []),
            _dkim(records, domain, carrier, selector),
            _finding(f"DMARC of {domain}", _dmarc_fault(records, domain)),
        ]
    except NoResolver as error:
        return [Finding(f"{named}: not looked at, {error}", True)]


def _own_resolver() -> dns.resolver.Resolver:
    try:
        return dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        raise NoResolver("this machine has no resolver") from None


class Records:
    """The TXT records of names, from one resolver."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self.resolver = resolver

    def find(self, name: str, opens_with: str) -> list[str]:
        """The records of `name` that open with a version. Raises NoResolver where nobody says."""
        try:
            answer = self.resolver.resolve(name, "TXT", lifetime=SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException:
            raise NoResolver("no resolver answers") from None
        # A record may come in several strings, which are read with nothing between them (RFC 7208, 3.3).
        texts = [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        return [text for text in texts if text.replace(" ", "").casefold().startswith(opens_with)]


def _finding(what: str, mend: str) -> Finding:
    return Finding(what, not mend, mend)


def _spf_fault(records: Records, domain: str) -> str:
    # The envelope of our own mail server names this domain; a vendor's names one of its own.
    found = records.find(domain, "v=spf1")
    if not found:
        return f"Add a TXT record “v=spf1 …” at {domain} that names your mail server; its host says which"
    if len(found) > 1:
        return f"{domain} has {len(found)} SPF records, and with more than one none counts (RFC 7208): make them one"
    # Without a sign, “all” means “+all” (RFC 7208, 4.6.2).
    if "+all" in found[0].split() or "all" in found[0].split():
        return f"The SPF record of {domain} lets everybody send (“all”): end it with -all or ~all"
    return ""


def _dkim(records: Records, domain: str, carrier: str, selector: str) -> Finding:
    what = f"DKIM of {domain}"
    if not selector:
        return Finding(f"{what}: not looked at, no providers.{carrier}.dkim_selector is set", True)
    name = f"{selector}._domainkey.{domain}"
    keys = [key for text in records.find(name, "") if (key := _tag(text, "p")) is not None]
    if not keys:
        return Finding(what, False, f"There is no key at {name}: let your mail host sign, and add the record it gives")
    # An empty p says that the key was revoked (RFC 6376, 3.6.1).
    return _finding(what, "" if any(keys) else f"The key at {name} was withdrawn (p is empty): add the new one")


def _dmarc_fault(records: Records, domain: str) -> str:
    """Looks at the domain and then at those above it, as a receiver does (RFC 9989, 4.10)."""
    labels = domain.split(".")
    for start in range(min(len(labels) - 1, MOST_PARENTS)):
        name = f"_dmarc.{'.'.join(labels[start:])}"
        found = records.find(name, "v=dmarc1")
        if len(found) > 1:
            return f"{name} has {len(found)} DMARC records, and then none counts: make them one"
        if found:
            return "" if _tag(found[0], "p") in {"none", "quarantine", "reject"} else _mend_policy(name)
    return f"Add a TXT record at _dmarc.{domain}, such as “v=DMARC1; p=none; rua=mailto:…”"


def _mend_policy(name: str) -> str:
    return f"The record at {name} has no policy: write p=none, p=quarantine or p=reject in it"


def _tag(text: str, name: str) -> str | None:
    """The value of one tag of a record such as “v=DKIM1; p=…”; None where it has no such tag."""
    pairs = [pair.partition("=") for pair in text.split(";")]
    return next((value.strip() for tag, _, value in pairs if tag.strip() == name), None)
