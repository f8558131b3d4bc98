"""The people, streets and treatments the sample practice is made of. All invented."""

GIVEN = (
    "Margaret Daniel Aisha Thomas Eleanor Priya Hannah George Rosie Samuel Fatima Oliver Beatrice Luke Nadia Edward "
    "Zoë André Chloé Søren Inés Björn Renée Mateo Lucía Noah Amelia Henry Grace Walter Ruth Arthur Clara Hugo Maeve "
    "Silas Iris Jonah Leona Victor Tess Malik Yuki Dmitri Sunita Rafael Ingrid Declan Esther Omar"
).split()
FAMILY = (
    "Whitfield Okonkwo Thompson Rahman Bennett Collins Fletcher Abbott Hollis Pemberton Ferreira Lindqvist Scott "
    "Attwell Müller Núñez O'Brien Tremblay Gagné Novak Kaplan Desrosiers Hathaway Marchetti Sørensen Quigley Patel "
    "Larocque Benoit Sawyer Kingsley-Moore Van-Dyke Iwasaki Castillo Dubois Prescott Rowan Delacroix Byrne Ashworth"
).split()
# What some are called by those who know them.
NICKNAMES = {
    "Margaret": "Maggie",
    "Daniel": "Dan",
    "Thomas": "Tom",
    "Eleanor": "Nell",
    "Samuel": "Sam",
    "Edward": "Ted",
    "Beatrice": "Bea",
    "Henry": "Hal",
    "Walter": "Walt",
    "Arthur": "Art",
    "Victor": "Vic",
    "Rafael": "Rafa",
}
STREETS = (
    "Alder Lane,Maple Street,Church Street,Orchard Terrace,Lakeview Drive,Pine Street,Willard Street,Howard Street,"
    "Elm Terrace,Prospect Parkway,Shelburne Road,Ferguson Avenue,Birchcliff Parkway,Locust Street,Cherry Street"
).split(",")
PLACES = (
    ("Burlington", "05401"),
    ("Burlington", "05408"),
    ("South Burlington", "05403"),
    ("Winooski", "05404"),
    ("Shelburne", "05482"),
    ("Williston", "05495"),
    ("Colchester", "05446"),
)
# Vermont and its neighbours.
# Seven of fifty numbers each, for 320 customers: two of one name and number would be taken for duplicates.
AREAS = ("802", "603", "518", "413", "207", "860", "617")
TREATMENTS = ("Filling", "Root canal", "Extraction", "Crown", "Deep cleaning")
ROUTINE = ("Examination", "Cleaning", "X-ray")
DENTISTS = (("Dr. Samuel Okafor", "+1 802 555 0143"), ("Dr. Lena Hartmann", "+1 802 555 0147"))
FEES = {"Filling": 18500, "Root canal": 94000, "Extraction": 22000, "Crown": 128000, "Deep cleaning": 31000}
