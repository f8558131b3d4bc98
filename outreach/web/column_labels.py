"""What our columns are called on the page on which people match theirs."""

LABELS: dict[str, dict[str, str]] = {
    "customers": {
        "customer_id": "Customer number", "whole_name": "Whole name", "given_name": "First name",
        "family_name": "Family name", "preferred_name": "Name they go by", "honorific": "Title, such as Dr.",
        "email": "E-mail address", "phone": "Telephone number", "address_line1": "Street",
        "address_line2": "Flat or suite",
        "city": "Town", "region": "State or region", "postal_code": "Postal code", "country": "Country",
        "language": "Language", "customer_since": "Customer since", "born_on": "Date of birth",
        "died_on": "Date of death",
        "guardian_id": "Guardian's customer number", "household_id": "Household number", "timezone": "Time zone",
        "currency": "Currency",
    },
    "invoices": {
        "invoice_id": "Invoice number", "customer_id": "Whose invoice: customer number", "issued_on": "Invoice date",
        "due_on": "Due date", "amount": "Amount of the invoice", "paid": "Paid of it", "unpaid": "Still open of it",
        "paid_on": "Paid on", "status": "Status of the invoice", "currency": "Currency of the invoice",
        "payer_id": "Who is to pay: customer number",
    },
    "payments": {
        "payment_id": "Payment number", "invoice_id": "For which invoice",
        "customer_id": "Whose payment: customer number",
        "paid_on": "Date of the payment", "amount": "Amount of the payment", "currency": "Currency of the payment",
    },
    "visits": {
        "visit_id": "Visit number", "customer_id": "Whose visit: customer number",
        "starts_at": "Day or time of the visit",
        "ended_at": "End of the visit", "status": "Status of the visit", "cancelled_by": "Who cancelled it",
        "arrived": "Arrived: yes, or when", "missed": "Did not come: yes", "cancelled": "Cancelled: yes, or when",
    },
    "consents": {"agreed": "Agreed to marketing: yes or no", "refused": "Wants to hear nothing: yes"},
    "treatments": {
        "treatment_id": "Treatment number", "customer_id": "Whose treatment: customer number",
        "visit_id": "At which visit", "name": "What was done", "done_at": "Day of the treatment",
        "promised_at": "Promised for", "practitioner": "Who did it", "practitioner_phone": "Their telephone number",
    },
}  # fmt: skip


def label_of(into: str, ours: str) -> str:
    """A column of ours in words."""
    return LABELS.get(into, {}).get(ours, ours.replace("_", " "))
