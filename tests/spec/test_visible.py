"""Text of users as terminals and pictures show it."""

from service.spec.visible import labels_in_words, visible


def test_control_characters_are_written_as_their_codes_and_different_texts_stay_different() -> None:
    texts = ["a\nb", "a\rb", "a\tb", "\x1b[31mred", "\x9b31m", "\ufffe", "\uffff", "\u202egnp", "\x00", "\x7f"]
    shown = [visible(text) for text in texts]
    assert shown[:4] == ["a↵b", "a⟨000D⟩b", "a⇥b", "⟨001B⟩[31mred"]
    assert len(set(shown)) == len(texts)
    assert all(text.isprintable() for text in shown)
    assert visible("损失 🎉 μ $x$") == "损失 🎉 μ $x$"


def test_labels_have_the_names_of_their_kinds_unless_a_user_wrote_them_or_two_would_be_equal() -> None:
    names = {"sgd": "SGD", "momentum": "Momentum"}
    labels = ["sgd lr=0.0888623816", "momentum", "sgd with a small rate", "Momentum"]
    assert labels_in_words(labels, names, lambda value: f"{value:.3g}") == {
        "sgd lr=0.0888623816": "SGD lr=0.0889",
        "momentum": "momentum",
        "sgd with a small rate": "sgd with a small rate",
        "Momentum": "Momentum",
    }
