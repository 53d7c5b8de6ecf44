"""Text of users as terminals and pictures show it."""

from service.visible import visible


def test_control_characters_are_written_as_their_codes_and_different_texts_stay_different() -> None:
    texts = ["a\nb", "a\rb", "a\tb", "\x1b[31mred", "\x9b31m", "\ufffe", "\uffff", "\u202egnp", "\x00", "\x7f"]
    shown = [visible(text) for text in texts]
    assert shown[:4] == ["a↵b", "a⟨000D⟩b", "a⇥b", "⟨001B⟩[31mred"]
    assert len(set(shown)) == len(texts)
    assert all(text.isprintable() for text in shown)
    assert visible("损失 🎉 μ $x$") == "损失 🎉 μ $x$"
