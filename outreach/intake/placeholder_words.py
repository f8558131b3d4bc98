"""What stands in a name field and names nobody: words for “no name”, marks, notes of a death, in several languages.

Words are in small letters and without accents. `names` asks these lists; they judge no customer by themselves.
"""

import re

# Alone, or with one another ("Test User", "unknown unknown"), these are no given name.
NO_NAMES = frozenset(
    # English, and what programs write for an empty cell
    "unknown unkown unk undefined undisclosed unspecified unnamed unavailable unassigned none null nil nan nat na tbd "
    "tba tbc anonymous anon anonymized anonymised redacted withheld blank empty missing deleted removed invalid error "
    "void true false test tests testing tester dummy sample example demo placeholder fake asdf asdfg asdfgh asdfasdf "
    "qwerty qwertz azerty foobar lorem ipsum abc abcd todo customer customers client clients patient patients guest "
    "guests user users member subscriber visitor resident occupant occupier tenant homeowner householder owner "
    "recipient addressee name names noname firstname lastname givenname familyname surname forename fname lname "
    "fullname nickname dear valued sir madam prospect family household duplicate inactive "
    # German
    "unbekannt unbekannte unbekannter namenlos anonym leer fehlt platzhalter beispiel muster testkunde testkundin "
    "testperson testpatient testuser kunde kundin kunden gast patientin bewohner bewohnerin mieter vorname nachname "
    "familienname rufname familie "
    # French
    "inconnu inconnue anonyme vide aucun aucune neant essai exemple prenom nom cliente invite invitee famille "
    # Spanish
    "desconocido desconocida anonimo anonima vacio vacia ninguno ninguna prueba ejemplo nombre apellido "
    "apellidos paciente clienta pendiente "
    # Italian, Portuguese, Dutch
    "sconosciuto sconosciuta prova nome cognome desconhecido desconhecida teste nenhum onbekend naam voornaam "
    "achternaam voorbeeld klant".split()
)
# Some people have these for a surname: they are one wherever they are written as a name and the given name is none
# of the above.
SURNAMES = frozenset(
    "null nil nan na test blank sample guest client patient kunde gast muster leer vide member owner tenant demo dear "
    "anon true void familia".split()
)
# Given names that a program writes otherwise when it means an empty cell: pandas writes "nan" and "NaN", R writes "NA".
GIVEN_NAMES = frozenset({"Nan", "NAN", "Nil", "Na"})
# One of these makes a name of several words none: a program has joined a cell to an empty one.
NEVER_WITHIN = frozenset({"nan", "NaN", "NULL", "null", "None", "none", "N/A", "n/a", "undefined"})
UNKNOWN_WITHIN = frozenset("unknown unbekannt inconnu inconnue desconocido desconocida".split())
PHRASES = frozenset(
    """
    not known|not available|not given|not provided|not applicable|not stated|not specified|not recorded|not on file
    no name|no first name|no last name|no given name|no family name|no surname|no data|no info|no information|no value
    first name|last name|given name|family name|preferred name|full name|your name|insert name|enter name
    to be determined|to be confirmed|to be advised|to be announced|to whom it may concern|sir or madam
    current resident|our neighbor|our neighbour|prefer not to say|see above|same as above|do not know|don t know
    nicht bekannt|nicht angegeben|nicht vorhanden|nicht verfugbar|ohne name|ohne namen|ohne vorname|ohne vornamen
    kein name|kein vorname|kein nachname|keine angabe|keine angaben|noch offen|max mustermann|erika mustermann
    sans nom|sans prenom|non renseigne|non renseignee|non communique|non communiquee|non connu|non connue|non precise
    non defini|non disponible|pas de nom|a definir|a completer|a renseigner
    sin nombre|sin apellido|sin apellidos|no consta|no disponible|no aplica|no indicado|no informado|no especificado
    por definir|por determinar|por confirmar|senza nome|non disponibile|sem nome|nao informado|nao consta|geen naam
    """.strip().replace("\n", "|").replace("|    ", "|").split("|")
)  # fmt: skip
# "n/a", "k.A.", "s/n", "N.N.": shorter than any name, and told from initials ("K. A.") by how they are written.
SHORT_FORMS = re.compile(
    r"#?[nN]\s?[/\\.]?\s?A\.?|#?n\s?[/\\.]?\s?[aA]\.?|#?N[/\\.]\s?a\.?|[nskoNSKO]\s?[/\\]\s?[a-zA-Z]\.?"
    r"|[ko]\.\s?[aA]\.?|[ns]\.\s?[a-z]\.?|[nN]\.?\s?[nN]\.?"
)
# Not a title: what a form offers beside titles, or what leaves the choice open.
NO_TITLES = frozenset(
    "other divers autre otro otra select title salutation anrede civilite tratamiento the fam familia f w male female "
    "mannlich weiblich".split()
)
_TITLE = r"(?:mrs?|ms|miss|herrn?|frau|m|mme|mlle|sra?|srta|sir|madam)\.?"
OPEN_TITLE = re.compile(rf"{_TITLE}\s*(?:/|\bor\b|\boder\b|\bou\b|\bo\b)\s*{_TITLE}.*")

MARKS = re.compile(r"[{}<>%|*=\\_~^#$«»‹›?\[\]\ufffd]|&#?\w+;|@@")
CONTACT = re.compile(r"@|https?:|www\.|mailto:")

DEATH = re.compile(
    r"[†✝✞⚰]|\bdeceased\b|\bdec['’]d\b|\bdecd\b|\bpassed away\b|\bdied\b|^dead\b|\bdead$|^(?:the )?late\b"
    r"|\(\s*(?:dec|dcd|dcsd|d|dead|late|rip|tot|verst|gest|mort|morte)\b\.?[^()]*\)|\bin memor(?:iam|y of)\b"
    r"|\best(?:ate|\.)? of\b|^estate\b(?!-)|(?<!real )(?<!-)\bestate\W*$"
    r"|\b(?:executors?|exors?|heirs?|personal rep\w*) (?:of|for)\b"
    r"|verstorben|\bverst\.|\bgestorben|\bgest\.|nachlass|erbengemeinschaft|\berben (?:von|vom|der|des|nach|d\.)"
    r"|^die erben\b|\bsel\.$|\bdecede|\bdefunte?\b|^feue?\s|\bsuccession\b|\bhoirie\b|\bheritiers\b"
    r"|\bfalleci(?:d[oa]s?|o)\b|\bdifunt[oa]s?\b|\bfinad[oa]s?\b|\bq\.?e\.?p\.?d\b|\bherederos?\b|\bsucesion\b"
    r"|\btestamentaria\b|\bdecedut[oa]\b|\bdefunt[oa]\b|\beredi d|\bfalecid[oa]\b|\bherdeiros\b|\bespolio\b"
    r"|\boverleden\b|^wijlen\b|^(?:de )?erven\s"
)
# Rip is a given name.
DEATH_AS_WRITTEN = re.compile(r"\bR\.\s?I\.\s?P\b|(?<=\w )RIP\b|\bRIP(?= [A-Z]?[a-z(])")
NOTE = re.compile(
    r"\bc\s?/\s?[o0]\b|^care of\b|^att(?:n|ention)?[.:]|^attn?\b|^attention\b|^fao\b|^z\.?\s?h(?:d|dn)?\.|^zu handen\b"
    r"|^aux? (?:bons )?soins\b|^a l['’]attention\b|^a la atencion\b|^a/a\b"
    r"|\b(?:family|household)\W*$|^(?:the )?(?:family|household)\s|^(?:familie|fam\.|famille|familia|famiglia)\s"
    r"|\s(?:fam\.?|familie|famille)$|^the \w+s$|^eheleute\b"
    r"|^(?:parents?|guardians?) (?:of|or|and|/)|^parents?/|^(?:mother|father|baby|infant|newborn|widow) of\b"
    r"|\bbaby (?:boy|girl)\b|^eltern v|^an die eltern\b|^erziehungsberechtigt"
    r"|\bdo[ -]not\b|\bdon['’]?t (?:use|call|contact|mail|send|write)\b|\bduplicate\b|\bnicht (?:verwenden|benutzen"
    r"|kontaktieren|anrufen|anschreiben)\b|\bne pas\b|\bno (?:usar|contactar|llamar|enviar|molestar)\b"
    r"|\b(?:old|wrong|invalid|test) (?:record|account|address|number|entry)\b"
)
