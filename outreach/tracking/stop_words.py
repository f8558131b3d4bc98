"""The words with which people stop texts, in the large languages of the world, and how a message is read for them.

Only a whole message is a word of command. A word stands here as people type it; accents, case, spaces and punctuation
do not matter.
"""

import unicodedata

# One line a language or family of languages: to stop, to sign off, “wrong number”.
_STOP = """
stop, stop all, unsubscribe, unsub, end, quit, cancel, revoke, opt out, remove, remove me, please stop, stop please
wrong number, wrong person, you have the wrong number, this is the wrong number, not my number, stop texting me
parar, pare, detener, alto, basta, baja, darme de baja, dar de baja, cancelar, no mas, eliminar, borrar, desuscribir
numero equivocado, número incorrecto, se equivocó de número, persona equivocada
sair, cancele, remover, descadastrar, suspender, número errado, numero errado, engano
arrêt, arret, arrêter, arrêtez, arrete, desabonner, désabonner, se désabonner, désinscrire, désinscription, supprimer
mauvais numéro, faux numéro, numéro erroné, erreur de numéro, résilier
stopp, abmelden, abbestellen, abbestellung, austragen, aufhören, aufhoeren, beenden, kündigen, löschen, schluss
falsche nummer, falsche person
ferma, fermare, fermati, smetti, smettila, cancella, cancellami, cancellare, annulla, disiscrivi, disiscrivimi, rimuovi
rimuovimi, numero sbagliato, ha sbagliato numero
stoppen, afmelden, uitschrijven, opzeggen, verwijder, verwijderen, verkeerd nummer, fout nummer
stoppa, avsluta, avregistrera, avanmäl, fel nummer, afmeld, afmelding, forkert nummer, avslutt, avmeld
feil nummer, hætta, lopeta, peruuta, väärä numero
zatrzymaj, wypisz, wypisz mnie, rezygnuję, rezygnacja, anuluj, zły numer, pomyłka, błędny numer
zastavit, zrušit, odhlásit, odhlásiť, zrušiť, špatné číslo, zlé číslo, nesprávné číslo
leiratkozás, leiratkozom, állj, téves szám, rossz szám
opreste, oprește, dezabonare, dezabonează, anulare, număr greșit
prekini, prestani, odjava, odjavi, stani, pogrešan broj, napačna številka, ndalo, numër i gabuar
dur, durdur, iptal, iptal et, ret, çık, çıkış, yanlış numara, dayandır, yanlış nömrə
dừng, dừng lại, hủy, ngừng, ngưng, từ chối, nhầm số, sai số
berhenti, henti, hentikan, batal, batalkan, stop sms, salah nomor, nombor salah, salah nombor, salah sambung
tigil, itigil, tumigil, hinto, ihinto, maling numero, mali ang numero, wrong number po
simama, sitisha, jitoe, nambari si sahihi, jooji, tsaya, dakatar, dá dúró, kwụsị, yima
kanpe, rete, sispann, move nimewo, verkeerde nommer, khansela
стоп, стой, отписаться, отписка, отпишите, отпишите меня, отмена, отменить, отказ, отказаться, прекратить, прекратите
хватит, удалить, удалите, удалите меня, не пишите, не пишите мне, не беспокоить, не тот номер, неверный номер
неправильный номер, ошиблись номером, вы ошиблись номером, вы ошиблись
зупинити, припинити, припиніть, відписатися, відписатись, скасувати, відмова, досить, не той номер, невірний номер
помилилися номером, спыніць, спри, спрете, отпиши, грешен номер, стани, престани, прекини, одјава, погрешан број
тоқта, тоқтату, тўхтатиш, toxtat, to'xtat, зогс
στοπ, σταμάτα, σταματήστε, διακοπή, διαγραφή, τέλος, ακύρωση, λάθος αριθμός, λάθος νούμερο
կանգ, ստոպ, դադարեցնել, სტოპ, შეწყვიტე, გაჩერდი, გაუქმება
إيقاف, ايقاف, أوقف, أوقفوا, وقف, توقف, توقفوا, قف, كفى, بس, إلغاء, الغاء, إلغاء الاشتراك, حذف, احذف, احذفني, ستوب
رقم خاطئ, رقم خطأ, الرقم خطأ, الرقم خاطئ, رقم غلط, الرقم غلط, غلط
توقف کنید, لغو, لغو اشتراک, لغو۱۱, لغو11, نفرست, نفرستید, شماره اشتباه, اشتباه گرفتید, اشتباه است
بند, بند کرو, بند کریں, بند کر دیں, روکو, روکیں, رکو, رک جاؤ, سٹاپ, اسٹاپ, ختم, غلط نمبر, رانگ نمبر, ودروه, بس کړئ
עצור, עצרו, הפסק, הפסיקו, הסר, הסירו, הסר אותי, הסירו אותי, להסיר, הסרה, ביטול, בטל, די, מספר שגוי, טעות במספר, טעות
बंद, बंद करो, बंद करें, बंद कर दो, बन्द, बन्द करो, रोको, रोकें, रुको, रुकें, रुकिए, हटाओ, हटाएं, स्टॉप, गलत नंबर
रॉन्ग नंबर, रद्द, रद्द करें, बंद करा, थांबा, थांबवा, चुकीचा नंबर, बन्द गर्नुहोस्, रोक्नुहोस्, गलत नम्बर
বন্ধ, বন্ধ করুন, বন্ধ কর, থামুন, থামাও, থামান, বাতিল, স্টপ, ভুল নম্বর, রং নাম্বার, ভুল নাম্বার
ਬੰਦ, ਬੰਦ ਕਰੋ, ਰੁਕੋ, ਰੋਕੋ, ਗਲਤ ਨੰਬਰ, બંધ, બંધ કરો, રોકો, ખોટો નંબર, ବନ୍ଦ, ବନ୍ଦ କରନ୍ତୁ
நிறுத்து, நிறுத்தவும், நிறுத்துங்கள், தவறான எண், ఆపు, ఆపండి, ఆపివేయండి, తప్పు నంబర్, రద్దు
ನಿಲ್ಲಿಸಿ, ನಿಲ್ಲಿಸು, ತಪ್ಪು ಸಂಖ್ಯೆ, നിർത്തുക, നിർത്തൂ, തെറ്റായ നമ്പർ, නවත්වන්න, නවතන්න, වැරදි අංකය
หยุด, หยุดส่ง, ยกเลิก, เลิก, พอ, ผิดเบอร์, เบอร์ผิด, โทรผิด, ຢຸດ, ຍົກເລີກ, ឈប់, បញ្ឈប់, ရပ်, ရပ်ပါ, ဖျက်
停止, 停, 停止发送, 停止發送, 退订, 退訂, 取消, 取消订阅, 取消訂閱, 拒收, 拒绝, 拒絕, 终止, 終止
别发了, 別發了, 别再发了, 不要再发
不要再發, 不要再发了, 不要发了
打错了, 打錯了, 发错了, 發錯了, 发错人了, 你发错了, 号码错了
號碼錯了, 错号, 号码错误, 號碼錯誤, 唔好再send
td, 配信停止, 停止希望, ストップ, 解除, 登録解除, 退会, 中止, 終了
やめて, やめてください, 止めて, 止めてください, とめて, キャンセル
番号違い, 番号違いです, 間違い, 間違いです, 人違い, 人違いです, 宛先違い
중지, 정지, 중단, 그만, 그만해, 그만하세요, 그만 보내세요, 거부, 수신거부, 수신 거부, 해지, 취소
스톱, 스탑, 잘못된 번호
번호 틀렸어요, 잘못 보내셨어요, 잘못 보냈습니다
አቁም, አቁሙ, ይቁም, ተው, ጠጠው
"""
# Written apart: these letters have no plain one that Unicode knows of.
_PLAIN = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe"})


def fold(words: str) -> str:
    """The letters, digits and vowel signs of a message: no case, no accents, no spaces, no punctuation."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", words).casefold().translate(_PLAIN))
    return "".join(letter for letter in plain if unicodedata.category(letter)[0] in "LNM" and not _is_accent(letter))


def _is_accent(letter: str) -> bool:
    """A mark that people leave out. The vowel signs of other scripts are no such marks: without them words change."""
    # Beside them the tatweel, which only stretches an Arabic word, and the zero-width joiner.
    return bool(unicodedata.combining(letter)) or letter in "\u0640\u200d"


# Signs that nobody stops anything with; a skin colour and the look of a sign go with them.
_FRIENDLY = frozenset("👍👌🙏❤♥💕💖😊🙂😀😃😄😁😍🥰😘🎉✅✔👏🤗💐🌹🏻🏼🏽🏾🏿\ufe0f\u200d")
STOP = frozenset(fold(word) for line in _STOP.strip().splitlines() for word in line.split(","))


def can_be_read(words: str) -> bool:
    """Whether we can tell at all what a message may mean: it has letters or digits, and all its letters are Latin.

    What has none (a picture, signs, an empty text) and what is in another script may say “stop” as well as anything.
    """
    if words.strip() and _FRIENDLY.issuperset("".join(words.split())):
        return True
    if "\ufffd" in words or not any(letter.isalnum() for letter in words):
        return False
    names = (unicodedata.name(letter, "") for letter in words if letter.isalpha())
    return all(name.startswith(("LATIN", "FULLWIDTH LATIN", "FEMININE", "MASCULINE")) for name in names)
