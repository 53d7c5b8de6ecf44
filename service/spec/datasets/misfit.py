"""The error of a problem that does not fit its dataset."""


class Misfit(ValueError):
    """The dataset lacks what a problem names.

    Attributes:
        field: The field of the problem with the value that does not fit.
        sentence: What does not fit.
    """

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field = field
        self.sentence = sentence
