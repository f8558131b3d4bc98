"""What columns of ours are called in other programs' files, in several languages; a draft of a mapping starts from it.

Words are in small letters, with spaces for everything that is no letter or digit. They decide nothing by themselves.
"""

# Tables whose rows are one of these; the first column named here that a file has tells most.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "customers": {
        "customer_id": ("customer id", "customer no", "customer number", "customer nr", "customer code", "client id",
                        "client no", "client number", "client code", "patient id", "patient no", "patient number",
                        "record id", "member id",
                        "member no", "member number", "account no", "account number", "contact id", "kundennummer",
                        "kundennr", "kunden nr", "numero client", "n client", "id cliente", "codice cliente",
                        "klantnummer", "id", "no", "nr", "number", "code", "ref", "reference", "account"),
        "given_name": ("first name", "given name", "firstname", "forename", "forenames", "christian name", "vorname",
                       "prenom", "nombre", "nome", "voornaam", "imie"),
        "family_name": ("last name", "surname", "family name", "lastname", "nachname", "familienname", "nom",
                        "nom de famille", "apellido", "apellidos", "cognome", "achternaam", "nazwisko"),
        "whole_name": ("name", "full name", "customer name", "client name", "customer", "client", "patient name",
                       "patient", "member name", "contact name", "contact", "account name", "display name", "kunde",
                       "nom complet", "nombre completo", "cliente", "klant"),
        "preferred_name": ("preferred name", "nickname", "known as", "rufname", "goes by"),
        "honorific": ("title", "salutation", "prefix", "honorific", "anrede", "titre", "titulo"),
        "email": ("email", "e mail", "email address", "e mail address", "mail", "courriel", "correo",
                  "correo electronico", "e mail adresse", "emailadres", "email work", "email home"),
        "phone": ("mobile", "mobile phone", "cell", "cell phone", "cellphone", "mobile number", "phone mobile", "phone",
                  "phone number", "telephone", "telephone number", "tel", "tel no", "handy", "telefon", "telefono",
                  "portable", "telefoon", "contact number", "phone 1", "home phone", "mobile no", "phone no",
                  "phone work", "phone home"),
        "address_line1": ("address", "address 1", "address line 1", "street", "street address", "address1",
                          "billing address", "mailing address", "strasse", "straße", "adresse", "rue", "direccion",
                          "indirizzo", "adres", "street 1", "postal address"),
        "address_line2": ("address 2", "address line 2", "address2", "street 2", "apt", "unit", "suite", "flat",
                          "adresszusatz", "complement"),
        "city": ("city", "town", "suburb", "post town", "ort", "stadt", "ville", "ciudad", "citta", "plaats",
                 "locality", "city town"),
        "region": ("state", "region", "province", "county", "st", "bundesland", "provincia", "state province"),
        "postal_code": ("zip", "zip code", "postal code", "postal", "postcode", "post code", "plz", "postleitzahl",
                        "code postal", "codigo postal", "cp", "cap", "zipcode"),
        "country": ("country", "land", "pays", "pais", "paese"),
        "language": ("language", "sprache", "langue", "idioma"),
        "customer_since": ("customer since", "client since", "member since", "since", "joined", "join date",
                           "date joined", "start date", "signed up", "sign up date", "registered", "created",
                           "date created", "created at", "created date", "date added", "first visit", "kunde seit",
                           "client depuis", "cliente desde", "opened", "created time", "creation date", "created on",
                           "optin time"),
        "born_on": ("date of birth", "dob", "birthday", "birth date", "birthdate", "born", "geburtsdatum",
                    "date de naissance", "fecha de nacimiento", "d o b"),
        "died_on": ("deceased", "date of death", "died", "deceased date"),
    },
    "invoices": {
        "invoice_id": ("invoice id", "invoice no", "invoice number", "invoice", "inv no", "inv", "bill no", "bill",
                       "rechnungsnummer", "rechnung", "rechnungsnr", "facture", "numero facture", "factura",
                       "document number", "doc no", "num", "invoice nr", "invoice ref"),
        "issued_on": ("invoice date", "purchase date", "date", "issue date", "issued", "bill date", "rechnungsdatum",
                      "date facture", "fecha", "posting date", "document date", "invoiced"),
        "due_on": ("due date", "due", "due on", "payment due", "fallig", "falligkeit", "fallig am",
                   "echeance", "date echeance", "vencimiento", "pay by"),
        "amount": ("amount", "total", "invoice total", "invoice amount", "total amount", "gross", "betrag",
                   "rechnungsbetrag", "montant", "total ttc", "importe", "amount due", "value", "sum", "charged"),
        "paid": ("paid", "amount paid", "paid amount", "payments", "bezahlt", "paye", "pagado", "received"),
        "unpaid": ("balance", "open balance", "balance due", "outstanding", "offen", "solde", "saldo", "owing",
                   "still owing", "open amount", "unpaid"),
        "paid_on": ("paid on", "date paid", "payment date", "paid date", "bezahlt am", "last payment"),
        "status": ("status", "state", "invoice status"),
        "currency": ("currency", "wahrung", "devise", "moneda"),
    },
    "payments": {
        "payment_id": ("payment id", "payment no", "payment number", "receipt", "receipt no", "receipt number",
                       "transaction id", "zahlungsnummer"),
        "paid_on": ("payment date", "paid on", "date paid", "date received", "received on", "date", "zahlungsdatum"),
        "amount": ("amount", "payment amount", "paid", "amount paid", "amount received", "betrag", "received"),
    },
    "visits": {
        "visit_id": ("visit id", "appointment id", "booking id", "appointment no", "booking no", "order id",
                     "order no", "order number", "booking reference", "appointment", "sale id", "sale no"),
        "starts_at": ("start", "starts", "start time", "starts at", "start at", "appointment date",
                      "visit date", "booking date",
                      "appointment time", "date time", "order date", "date of visit", "termin", "rendez vous",
                      "check in", "arrival", "sale date", "date", "created at"),
        "status": ("status", "appointment status", "booking status", "state"),
        "arrived": ("arrived", "attended", "checked in", "show", "showed", "showed up", "completed", "came", "present",
                    "arrived at", "checked in at", "erschienen", "anwesend"),
        "missed": ("did not arrive", "no show", "noshow", "dna", "did not attend", "didn t attend", "didn t arrive",
                   "missed", "missed appointment", "failed to attend", "fta", "is no show", "did not show",
                   "nicht erschienen", "absent"),
        "cancelled": ("cancelled at", "canceled at", "cancelled on", "canceled on", "cancelled", "canceled",
                      "cancellation date", "cancelled date", "canceled date", "date cancelled", "date canceled",
                      "cancellation", "cancellation time", "is cancelled", "is canceled", "abgesagt", "abgesagt am",
                      "storniert", "annule"),
    },
    "treatments": {
        "treatment_id": ("treatment id", "procedure id", "service id", "job id", "job no", "work order"),
        "name": ("treatment", "procedure", "service", "job", "behandlung", "prestation", "description"),
        "done_at": ("treatment date", "date of treatment", "service date", "procedure date", "completed on",
                    "date done", "job date"),
        "practitioner": ("practitioner", "provider", "therapist", "stylist", "dentist", "doctor", "technician"),
    },
}  # fmt: skip
# What only one table's files have: without it a file of names and sums is a list of customers.
TELLING: dict[str, tuple[str, ...]] = {
    "invoices": ("amount", "due_on"),
    "payments": ("payment_id", "amount"),
    "visits": ("visit_id", "starts_at"),
    "treatments": ("treatment_id", "done_at"),
}
# What programs put before the name of a column to say whose it is: “Billing City”, “Person - ID”.
OWNERS_OF_COLUMNS = ("person", "contact", "customer", "client", "patient", "member", "primary", "mailing", "billing")
# In the name of a column that may say who wants to hear nothing.
WORDS_OF_CONSENT = frozenset(
    "opt optin optout unsubscribed unsubscribe subscribed unsub consent marketing promotional notifications newsletter"
    "".split()
)
# A yes under one of these is a no to us.
PHRASES_OF_REFUSAL = (
    "opt(ed)? out",
    "optout",
    "unsub",
    "unsubscribed?",
    "do not (contact|disturb|e ?mail|mail|post|text|sms|call|phone|market)",
    "no (contact|marketing|e ?mails?|mail|texts?|sms|calls?|newsletter)",
    "dnc",
)
# What else a question is called to which a yes is a yes.
PHRASES_OF_CONSENT = (
    "(ok|okay|happy|agrees?|agreed) to (contact|be contacted|e ?mail|mail|post|text|sms|call|phone)",
    "(may|can) we (contact|e ?mail|mail|post|text|sms|call|phone)",
    "(accepts?|allows?) (contact|e ?mails?|mail|post|texts?|sms|calls?)",
)
# In the name of a column: it is of marketing and of nothing else …
WORDS_OF_MARKETING = frozenset({"marketing", "promotional", "newsletter", "market"})
# … or of messages that are none.
WORDS_OF_SERVICE = frozenset({"notifications", "reminder", "reminders", "treatment", "data", "photo", "privacy"})
CHANNELS_BY_WORD = {
    "email": "email", "emails": "email", "newsletter": "email", "text": "text", "texts": "text", "sms": "text",
    "mail": "letter", "post": "letter", "postal": "letter", "letter": "letter", "letters": "letter", "call": "call",
    "calls": "call", "phone": "call", "telephone": "call",
}  # fmt: skip
# A day of these is the record's more often than the customer's.
WORDS_OF_RECORDS = frozenset({"created", "creation", "added", "entered", "optin"})
# An amount is called after what it is of: “Total (inc tax)”, “Amount in AUD” …
BEGINNINGS_OF_AMOUNTS = frozenset({"total", "amount", "gross"})
# … but what these say is another amount, or none.
OTHER_AMOUNTS = frozenset(
    "tax vat gst mwst paid outstanding balance due owing open unpaid discount refund refunded credit tip tips net ex "
    "excl excluding before without hours items quantity qty count number visits orders points margin profit"
    "".split()
)
# Names of a day that can only be a visit's: lists of appointments often have no number for each.
DAYS_OF_VISITS = frozenset(
    ("appointment date", "appointment time", "visit date", "booking date", "date of visit", "termin", "rendez vous")
)
