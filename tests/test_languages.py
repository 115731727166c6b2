import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.languages import LANGUAGES, detect_language

SENTENCES = {
    "en": "The ferry leaves the harbour at noon and returns at dusk.",
    "de": "Die Fähre verlässt den Hafen um zwölf Uhr und kehrt am Abend zurück.",
    "fr": "Le bac quitte le port à midi et revient à la tombée de la nuit.",
    "es": "El transbordador sale del puerto a mediodía y vuelve al anochecer.",
    "it": "Il traghetto lascia il porto a mezzogiorno e ritorna la sera.",
    "nl": "De veerboot vertrekt om twaalf uur uit de haven en keert ’s avonds terug.",
    "pl": "Prom wypływa z portu w południe i wraca o zmierzchu.",
    "tr": "Feribot öğlen limandan ayrılır ve akşam geri döner.",
    "ru": "Паром отходит из гавани в полдень и возвращается в сумерках.",
    "ar": "تغادر العبارة الميناء عند الظهر وتعود عند الغسق.",
    "hi": "नौका दोपहर को बंदरगाह से निकलती है और शाम को लौटती है।",
    "ja": "フェリーは正午に港を出て、夕暮れに戻ってきます。毎日運航しています。",
    "zh": "渡轮中午离开港口，黄昏时返回，每天都有一班从岛上开往城里的船。",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_the_language_of_a_sentence_is_told(code):
    assert detect_language(SENTENCES[code]) == code
    assert code in LANGUAGES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "GW-410",
        "12 | 34 | 55\n" * 50,
        "!?" * 500,
        "a" * 500,
        "x = λ (o b s) − λ e m i t / λ e m",
    ],
)
def test_what_says_too_little_is_in_no_language(text):
    assert detect_language(text) is None


def test_only_the_beginning_of_a_text_counts():
    assert detect_language(SENTENCES["fr"] * 40 + SENTENCES["de"] * 400) == "fr"


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=300))
def test_every_text_is_in_a_known_language_or_in_none(text):
    assert detect_language(text) in {None, *LANGUAGES}
