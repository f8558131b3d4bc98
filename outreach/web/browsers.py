"""Names a browser in the few words by which its owner knows it. It uses nothing that would tell two browsers apart."""

# The order counts: most browsers also give the names of those they imitate.
BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
MACHINES = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "a Chromebook"), ("Windows", "Windows"),
    ("Macintosh", "a Mac"), ("Linux", "Linux"),
)  # fmt: skip


def name_browser(user_agent: str) -> str:
    """Such as “Firefox on Windows”; empty when it says nothing we know."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    machine = next((name for mark, name in MACHINES if mark in user_agent), "")
    return " on ".join(name for name in (browser, machine) if name)
