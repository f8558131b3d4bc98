"""What a hostile template may try to reach."""

import json
from pathlib import Path

from outreach.composing.templating.fields import COMMON

FIELDS: dict[str, object] = {**COMMON, "currency": "USD", "locale": "en_US"}

REACHING = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ greeting.__class__ }}",
    "{{ greeting['__class__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(greeting) }}",
    "{{ ['x']|map(attribute='__class__')|list }}",
    "{{ '{a.__class__}'.format_map({'a': greeting}) }}",
    "{% set m = 'x{0.__class__}'.format %}{{ m('') }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call greeting() %}{% endcall %}",
    "{% import 'os' as os %}",
    "{% from 'os' import path %}",
    "{% include 'letters/anniversary.en.html' %}",
    "{% extends 'letters/anniversary.en.html' %}",
    "{% block b %}{% endblock %}",
    "{{ greeting() }}",
    "{{ joiner }}",
    "{{ namespace }}",
    "{{ '<script>'|safe }}",
    "{{ greeting|upper('x') }}",
    "{{ greeting is defined }}",
    "{% filter upper %}x{% endfilter %}",
    "{% do greeting %}",
    "{% with x = greeting %}{{ x }}{% endwith %}",
    "{% autoescape false %}{{ greeting }}{% endautoescape %}",
    "{% for letter in greeting %}{{ letter }}{% endfor %}",
    "{{ greeting.upper }}",
]

GROWING = [
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "{{ ('a'*10**9)|upper }}",
    "{{ (9**9**8)|upper }}",
    "{{ '%0999999999d' % 1 }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ 'a'|center(999999999) }}",
    "{% set ns=namespace(s='a'*1000) %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
    "{{ lipsum(n=99999) }}",
    "{{ ('a '*100000)|wordwrap(1) }}",
    "{{ [1]|batch(99999999, 'x')|list }}",
    "{{ greeting ~ greeting }}",
    "{{ " + "(" * 3000 + "greeting" + ")" * 3000 + " }}",
    "{% if greeting %}" * 200 + "{% endif %}" * 200,
    "{{ " + "9" * 5000 + " }}",
    "x" * 20_001,
]


def payloads_of(shared: Path, name: str) -> list[str]:
    lines = (shared / "data/injection" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["payload"] for line in lines]
