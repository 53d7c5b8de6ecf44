"""Text of users as terminals and pictures show it."""

from service.spec.visible import labels_in_words, near_one, visible


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


def test_momenta_near_one_keep_two_digits_of_their_distance_from_it() -> None:
    def number(value: float) -> str:
        return f"{value:.3g}"

    written = [near_one(value, number) for value in (0.91557, 0.98765, 0.999852, 0.9999936, 1.0, 0.1234567, -0.99985)]
    assert written == ["0.916", "0.988", "0.99985", "0.9999936", "1", "0.123", "-1"]
    label = "adam lr=0.0211746331 beta2=0.9998523938"
    assert labels_in_words([label], {"adam": "Adam"}, number) == {label: "Adam lr=0.0212 beta2=0.99985"}
