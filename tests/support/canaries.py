"""A practice whose every value can be recognised wherever it turns up: for the tests that look for leaks."""

SECRET = "S3cret-Ocelot-42"
PROVIDER_SECRET = "live_Ocelot_key_77"
TEMPLATE_WORD = "Gillyflower"
CANARIES = (
    "Zephyrine", "Quackenbush", "zq@canary.example", "canary.example", "8025550199", "802 555 0199", "Marmalade Row",
    "R0otcanal", TEMPLATE_WORD, SECRET, PROVIDER_SECRET, "Ocelot",
)  # fmt: skip
CUSTOMERS = """\
customer_id,given_name,family_name,email,phone,address_line1,city,region,postal_code,country,customer_since
C1,Zephyrine,Quackenbush,zq@canary.example,+1 802 555 0199,9 Marmalade Row,Burlington,VT,05401,US,2023-03-10
C2,Zephyrine,Quackenbush,not an address,,11 Marmalade Row,Burlington,VT,05401,US,2024-03-12
,Zephyrine,Quackenbush,,,,,,,,
"""
TREATMENTS = "treatment_id,customer_id,name,done_at,practitioner\nT1,C1,R0otcanal,2026-03-08T09:00,Dr. Okafor\n"
