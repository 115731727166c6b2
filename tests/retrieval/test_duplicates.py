from chatbot.retrieval.duplicates import describe_likeness, is_nearly_same

RULE = (
    "Dogs travel free of charge on all ferries. They must be kept on a lead in the saloon and may not "
    "lie on the seats. Guide dogs are allowed everywhere."
)


def compare(text, other):
    return is_nearly_same(describe_likeness(text), describe_likeness(other))


def test_a_copy_with_other_case_blanks_and_a_changed_word_is_nearly_the_same():
    assert compare(RULE, RULE.upper().replace(" ", "  "))
    assert compare(RULE, RULE.replace("saloon", "lounge"))


def test_a_copy_with_another_number_says_something_else():
    assert not compare(RULE + " The fine is 12 marks.", RULE + " The fine is 15 marks.")


def test_texts_on_one_subject_in_other_words_are_kept_apart():
    assert not compare(RULE, "Dogs are carried without a ticket. Keep yours on a lead while in the saloon.")


def test_short_and_empty_texts_are_compared_as_a_whole():
    assert compare("Office hours", "office hours.")
    assert not compare("Office hours", "Office keys")
    assert compare("", "")
