"""Words that tell of a debt or of somebody's health, by language: none may be read without opening an envelope.

Every list is searched, whatever a letter's own language is. They are whole words, in small letters.
"""

# Regulation F, 12 CFR 1006.22(f)(2): nothing outside may say that the letter is about a debt.
DEBT = {
    "en": (
        "debt", "debts", "debtor", "overdue", "past due", "amount due", "balance due", "payment due", "unpaid",
        "arrears", "late payment", "payment reminder", "final notice", "final demand", "invoice", "collections",
        "collection agency", "delinquent", "default notice",
    ),
    "de": (
        "schulden", "überfällig", "mahnung", "zahlungserinnerung", "inkasso", "rechnung", "offener betrag", "rückstand",
    ),
    "fr": ("dette", "dettes", "impayé", "impayée", "facture", "relance", "mise en demeure", "recouvrement"),
    "es": ("deuda", "deudas", "impago", "impagado", "vencida", "factura", "recordatorio de pago", "cobranza"),
}  # fmt: skip
# HIPAA's minimum necessary: no treatment or diagnosis where anybody can read it.
HEALTH = {
    "en": (
        "treatment", "diagnosis", "test result", "test results", "lab results", "prescription", "medication",
        "your surgery", "your symptoms", "biopsy", "oncology", "cancer", "hiv", "psychiatry", "fertility", "addiction",
        "root canal", "medical record", "medical records", "your check-up",
    ),
    "de": (
        "behandlung", "diagnose", "befund", "laborergebnis", "rezept", "medikament", "onkologie", "krebs",
        "psychiatrie", "krankenakte", "wurzelbehandlung",
    ),
    "fr": (
        "traitement", "diagnostic", "ordonnance", "médicament", "oncologie", "psychiatrie", "résultats d'analyse",
        "résultats d’analyse", "dossier médical",
    ),
    "es": (
        "tratamiento", "diagnóstico", "receta médica", "medicamento", "oncología", "psiquiatría", "historia clínica",
        "resultados de análisis",
    ),
}  # fmt: skip
