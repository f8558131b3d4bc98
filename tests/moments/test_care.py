"""Which care is never mentioned: names as records have them, in their languages, and those that only look like it."""

import csv
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.moments.care_words import is_end_of_life, is_never_mentioned, kinds_of_care

NEVER: dict[str, tuple[str, ...]] = {
    "reproductive": (
        "Cesarean section", "CAESAREAN SECTION", "C-section", "LSCS", "Childbirth", "Premature birth of newborn",
        "Induction of labor", "Medical induction of labor", "Labour induction", "Augmentation of labor",
        "Labor and delivery", "Vaginal delivery only (with or without episiotomy and/or forceps)",
        "Instrumental delivery", "Tubal ligation", "Bilateral tubal ligation", "Vasectomy, unilateral",
        "Sterilization education (procedure)", "Ligation/transection of fallopian tube(s)", "Hysterectomy",
        "Encounter for procreative management", "In vitro fertilization cycle", "IVF", "Intrauterine insemination",
        "Fertility consult", "Insertion of subcutaneous contraceptive", "Removal of intrauterine device",
        "IUD removal",
        "Induced termination of pregnancy", "Treatment of missed abortion", "Miscarriage in first trimester",
        "Standard pregnancy test", "Pre-natal visit", "Routine antenatal care", "Postpartum care only",
        "Evaluation of uterine fundal height", "Auscultation of the fetal heart", "Amniocentesis", "Pap smear",
        "Obstetrical ultrasound", "OB/GYN visit", "Human immunodeficiency virus antigen test", "HIV-1 viral load",
        "AIDS clinic", "Hepatitis C antibody test", "Chlamydia antigen test", "Syphilis infection test",
        "Gonorrhea infection test", "STD panel", "STI screening", "Genital herpes swab", "HPV  quadrivalent",
        "Kaiserschnitt", "Re-Kaiserschnittentbindung", "Schwangerschaftsabbruch", "Entbindung", "Spontangeburt",
        "Fehlgeburt", "Sterilisation der Frau", "Empfängnisverhütung", "Gynaekologische Untersuchung",
        "Hormonspirale",
        "Césarienne programmée", "Accouchement par voie basse", "IVG médicamenteuse", "Fausse couche",
        "Pose de stérilet", "Ligature des trompes", "Dépistage VIH", "Cesárea", "Parto vaginal", "Embarazo", "Aborto",
        "Prueba de VIH", "Ligadura de trompas", "Taglio cesareo", "Gravidanza a rischio",
        "Interruzione di gravidanza",
        "Epatite B", "Cesariana", "Gravidez", "Laqueadura tubária", "Consulta pré-natal", "Keizersnede", "Bevalling",
        "Zwangerschapscontrole", "Miskraam", "SOA-test", "Cięcie cesarskie", "Poród rodzinny", "Badanie w ciąży",
        "Poronienie", "Wirusowe zapalenie wątroby", "Sezaryen", "Normal doğum", "Gebelik takibi", "Tüp bebek",
        "KISIRLAŞTIRMA", "ولادة قيصرية", "القيصرية", "قيصرية", "متابعة الحمل", "إجهاض", "ربط قناة فالوب",
        "تحليل الإيدز",
        "التهاب الكبد الوبائي", "سزارین", "زایمان طبیعی", "مراقبت بارداری", "سقط‌جنین", "ناباروری",
        "وازکتومی", "هپاتیت ب",
        "Кесарево сечение", "Роды", "剖宫产手术", "帝王切開", "제왕절개", "Kejsarsnitt", "Császármetszés",
    ),
    "mental_health": (
        "Cognitive and behavioral therapy", "Cognitive behavioural therapy (regime/therapy)",
        "Psychotherapy, 45 minutes",
        "Psychiatric diagnostic evaluation", "Depression screening (procedure)", "Assessment of anxiety (procedure)",
        "Anti-suicide psychotherapy", "Mental health care plan", "Counselling", "Grief counseling", "EMDR", "PHQ-9",
        "Couples therapy", "Electroconvulsive therapy", "Child attention deficit disorder", "Psychotherapie",
        "Verhaltenstherapie", "Psychothérapie de soutien", "Dépression", "Psicoterapia individual", "Salud mental",
        "Depresión", "Salute mentale", "Saúde mental", "Depressie", "GGZ intake", "Psychoterapia", "Depresja",
        "Psikoterapi", "Ruh sağlığı görüşmesi", "علاج نفسي", "الاكتئاب", "روان‌درمانی", "روانشناسی",
        "افسردگی", "Психотерапия",
        "心理咨询", "うつ病の治療",
    ),
    "abuse": (
        "Screening for domestic abuse (procedure)", "Sexual assault exam", "Rape kit",
        "Intimate partner violence screen",
        "Häusliche Gewalt", "Kindesmisshandlung", "Violences conjugales", "Violencia de género", "Maus-tratos",
        "Huiselijk geweld", "Przemoc w rodzinie", "Cinsel istismar", "عنف أسري", "خشونت خانگی", "Насилие в семье",
    ),
    "addiction": (
        "Assessment of substance use (procedure)", "Alcohol Use Disorders Identification Test",
        "Methadone maintenance",
        "Opioid abuse (disorder)", "Drug rehabilitation and detoxification", "Smoking cessation",
        "Suchtberatung", "Sucht",
        "Alkoholentzug", "Drogensucht", "Sevrage alcoolique", "Toxicomanie", "Drogodependencia",
        "Deshabituación tabáquica",
        "Tossicodipendenza", "Alcoolismo", "Verslavingszorg", "Leczenie uzależnień", "Bağımlılık tedavisi",
        "علاج الإدمان",
        "ترک اعتیاد", "Наркология: детоксикация", "戒毒治疗",
    ),
    "end_of_life": (
        "Hospice care (regime/therapy)", "Admission to hospice (procedure)", "Palliative care",
        "End-of-life planning",
        "Comfort measures only", "Hospiz", "Palliativmedizin", "Sterbebegleitung", "Soins palliatifs", "Fin de vie",
        "Cuidados paliativos", "Cure palliative", "Fim de vida", "Palliatieve zorg", "Opieka paliatywna", "Hospicjum",
        "Palyatif bakım", "رعاية تلطيفية", "مراقبت تسکینی", "Хоспис", "临终关怀", "Euthanasia",
    ),
}  # fmt: skip
MENTIONED = (
    "Filling", "Instrumental", "Instrumental calculus removal", "Surgical extraction", "Extraction of wisdom tooth",
    "Physical therapy", "Physical therapy session", "Occupational therapy (regime/therapy)", "Speech therapy session",
    "Respiratory therapy", "Movement therapy (regime/therapy)", "Abutment", "Implant abutment", "Fluoride therapy",
    "Root canal therapy", "Labor charge", "Labor", "Parts and labor", "Laborkosten", "Contraction splint",
    "Crown prep",
    "Denture delivery", "Delivery", "Crown delivery", "Mental nerve block", "Experimental", "Incremental restoration",
    "Palliative (emergency) treatment of dental pain - minor procedure", "Gingival curettage", "Cervical restoration",
    "Cervical spine X-ray", "Tongue depressor", "Depressed skull fracture repair", "Bipolar cautery",
    "Nutritional counseling",
    "Hearing aids", "Hearing aid fitting", "First aid", "Std cleaning", "Massage 1 Std",
    "Instrument sterilization fee",
    "Birthmark removal", "Behavior management", "Alcohol-free mouthwash", "Herpes zoster vaccine", "Foot detox",
    "Lawn fertilization", "Fertilizer application", "Beehive inspection", "Human epidermal growth factor receptor 2",
    "Subcutaneous immunotherapy", "Pulmonary rehabilitation (regime/therapy)", "Infectious disease care plan",
    "Oil change", "Brake pads", "Boiler service", "Meter replacement", "Wheel alignment", "Deep cleaning",
    "Whitening",
    "Smoke detector test", "Panic bar installation", "Breeches alteration", "Not in labor force (finding)",
    "Colonoscopy", "Total knee replacement", "Chemotherapy (procedure)", "Throat culture (procedure)",
    "Untersuchung", "Wir haben untersucht", "Geburtstagsaktion", "Besucht am Montag", "Instrumentensterilisation",
    "Zahnsteinentfernung", "Füllung", "Wurzelbehandlung", "Unfallverhütungskurs", "Führerscheinverlängerung",
    "Détartrage", "Dépressurisation du circuit", "Carie", "Empaste", "Limpieza dental", "Extracción", "Fisioterapia",
    "Otturazione", "Pulizia dei denti", "Gravidade da lesão", "Limpeza", "Obturação", "Vulling",
    "Wortelkanaalbehandeling",
    "Plomba", "Leczenie kanałowe", "Prześwietlenie", "Dolgu", "Kanal tedavisi", "Doğum günü indirimi", "Diş çekimi",
    "حشو", "خلع ضرس", "جهاز تنفسي", "غسيل الكلى", "لقاح الإنفلونزا", "أجهزة قابلة للإزالة", "سيلان الأنف",
    "تخدير موضعي",
    "حمل و نقل", "پر کردن دندان", "کشیدن دندان", "عصب‌کشی", "Пломба", "Гонорар", "补牙", "洗牙", "歯のクリーニング", "",
)  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in NEVER.items() for name in names])
def test_care_that_is_never_mentioned_is_known_by_its_name(kind: str, name: str) -> None:
    assert kind in kinds_of_care(name)
    assert is_never_mentioned(name)
    assert is_end_of_life(name) == ("end_of_life" in kinds_of_care(name))


@pytest.mark.parametrize("name", MENTIONED)
def test_what_only_looks_like_it_may_be_asked_about(name: str) -> None:
    assert kinds_of_care(name) == frozenset()


@pytest.mark.parametrize("name", [name for names in NEVER.values() for name in names])
def test_neither_case_nor_accents_nor_how_they_are_typed_hide_such_care(name: str) -> None:
    decomposed = unicodedata.normalize("NFD", name)
    without = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    for typed in (name.upper(), decomposed, f"  {without} ", name.replace(" ", "_"), f"{name} (procedure)"):
        assert is_never_mentioned(typed), typed


@given(st.sampled_from([name for names in NEVER.values() for name in names]))
def test_an_ordinary_treatment_beside_it_does_not_hide_such_care(private: str) -> None:
    assert is_never_mentioned(f"Filling; {private}")
    assert is_end_of_life(f"{private} / Füllung") == is_end_of_life(private)


@given(st.text(max_size=60))
def test_whatever_a_record_has_for_a_name_is_answered(name: str) -> None:
    assert is_never_mentioned(name) == bool(kinds_of_care(name))


# What the procedures of Synthea's practice are, apart from those that say it of themselves.
OF_A_PRACTICE = {
    "Human immunodeficiency virus antigen test", "Cesarean section", "Bilateral tubal ligation", "Childbirth",
    "Medical induction of labor", "Cognitive and behavioral therapy", "Induced termination of pregnancy",
    "Screening for domestic abuse (procedure)", "Hepatitis B Surface Antigen Measurement", "Instrumental delivery",
    "Assessment of substance use (procedure)", "Episiotomy", "Physical examination of mother",
}  # fmt: skip


def test_the_procedures_of_a_synthetic_practice_are_told_apart(shared: Path) -> None:
    with (shared / "data" / "synthea_A" / "procedures.csv").open(newline="") as file:
        names = {row["DESCRIPTION"] for row in csv.DictReader(file)}
    never = {name for name in names if is_never_mentioned(name)}
    assert never >= OF_A_PRACTICE
    assert names - never >= {
        "Colonoscopy", "Throat culture (procedure)", "Extraction of wisdom tooth", "Epidural anesthesia",
        "Subcutaneous immunotherapy", "Pulmonary rehabilitation (regime/therapy)", "Urine culture", "Knee X-ray",
        "Medication Reconciliation (procedure)", "Movement therapy (regime/therapy)", "Suture open wound",
    }  # fmt: skip
