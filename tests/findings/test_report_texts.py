"""Escaping of hostile texts in reports: any text stays text in HTML, Markdown and LaTeX."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.findings.reports import html, markdown, tex, tex_text
from service.findings.reports.document import Code, Document, Listing, Paragraph, Section, Table
from service.spec.visible import visible

HOSTILE = [
    "</style><script>alert(1)</script>",
    "\"onload='x' &amp; &#60;",
    "a\nb\tc\x1b[31m\u202e\ufffe",
    r"\input{/etc/passwd} \end{document} $x_2^3$ 100% #1 ~ a--b ,, ''",
    "[x](javascript:alert(1)) ![y](http://evil.example/z) <http://evil.example> www.evil.example",
    "`` ``` **bold** _it_ ~~no~~ | cell | $f$ @user https://evil.example/",
    "# heading",
    "- item",
    "1. first",
    "+ plus",
    "=====",
    "---",
    "    code",
    "[option] *star",
    "损失 🎉 é ½ × − λ₁²",
]
TEXTS = st.one_of(
    st.text(max_size=40), st.sampled_from(HOSTILE), st.text(alphabet="\\`*_{}[]()#+-.!|<>&$~@:/ w1", max_size=20)
)
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# Commands that the writer of LaTeX uses in texts; no other may occur.
COMMANDS = {
    "textbackslash", "textasciicircum", "textasciitilde", "textless", "textgreater", "textbar", "textquotedbl",
    "textasciigrave", "textlangle", "textrangle", "textendash", "ldots", "uni", "lfloor", "rfloor", "Vert", "times",
    "pm", "cdot", "le", "ge", "infty", "surd", "frac", "Sigma", "leftarrow", "rightarrow", "hookleftarrow",
    *tex_text._GREEK.values(),
}  # fmt: skip


def document(text: str) -> Document:
    """A document that has the text at every place where a text of a user may stand."""
    rows = ((text, text), ("[", text))
    blocks = (Paragraph(text), Paragraph(text, strong=True), Listing((text,)), Table(text, (text, text), rows))
    return Document(text, text, (Section(text, (*blocks, Code("line", "sh"))),))


def written(write: object, text: str) -> str:
    return "".join(write(document(text)))  # type: ignore[operator]


class Texts(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(page: str) -> Texts:
    found = Texts()
    found.feed(page)
    return found


def shown(text: str) -> str:
    """Give a text without spaces, which formats may join or drop at the ends."""
    return re.sub(r"\s+", "", visible(text))


@given(TEXTS)
def test_html_shows_every_text_and_no_text_makes_a_tag(text: str) -> None:
    page, plain = parsed(written(html.write, text)), parsed(written(html.write, "plain"))
    assert page.tags == plain.tags
    assert sum(shown(one) == shown(text) for one in page.texts) >= (12 if shown(text) else 0)


@given(TEXTS)
def test_markdown_shows_every_text_and_no_text_makes_markup(text: str) -> None:
    line = markdown.text_of(text)
    page = parsed(PARSER.render(f"{line}\n\n- {line}\n\n| a | b |\n| --- | --- |\n| {line} | x |\n"))
    expected = ["p", "ul", "li", "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    if visible(text).strip():
        assert page.tags == expected, line
        assert re.sub(r"\s+", "", "".join(page.texts)) == f"{shown(text) * 2}ab{shown(text)}x"


def test_markdown_has_no_bare_address_and_no_mention() -> None:
    line = markdown.text_of("https://evil.example www.evil.example @user")
    assert line == r"https\://evil.example www\.evil.example \@user"


def check_latex(text: str) -> None:
    """Check that a text in LaTeX is ASCII, balanced, and uses only commands of the writer."""
    assert text.isascii()
    depth = dollars = 0
    at = 0
    while at < len(text):
        sign = text[at]
        if sign == "\\":
            command = re.match(r"\\([A-Za-z]+|.)", text[at:])
            assert command is not None, text
            name = command[1]
            assert name in COMMANDS or name in "{}#$%&_", text
            at += len(command[0])
            continue
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0, text
        dollars += sign == "$"
        assert sign not in "#%&", text
        if sign in "^_":
            assert dollars % 2 == 1, text
        at += 1
    assert depth == 0
    assert dollars % 2 == 0


@given(TEXTS)
def test_latex_escapes_every_special_character(text: str) -> None:
    line = tex_text.text_of(text)
    check_latex(line)
    assert not line.startswith(("[", "*"))
    assert not re.search(r"--|,,|''|\?`|!`|<<|>>|``", line)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            r"100% of $x_1^2 & #2~{\a}",
            r"100\% of \$x\_1\textasciicircum{}2 \& \#2\textasciitilde{}\{\textbackslash{}a\}",
        ),
        ("a--b", "a-{}-b"),
        ("λ₁ × 10⁻³", r"$\lambda$$_1$ $\times$ 10$^-$$^3$"),
        ("é", r"\uni{00E9}"),
        ("a\nb", r"a$\hookleftarrow$b"),
        ("\x07", r"\textlangle{}0007\textrangle{}"),
    ],
)
def test_latex_of_some_texts(text: str, expected: str) -> None:
    assert tex_text.text_of(text) == expected


@pytest.mark.parametrize("text", HOSTILE)
def test_a_document_in_latex_has_the_environments_of_one_with_a_plain_text(text: str) -> None:
    page, plain = written(tex.write, text), written(tex.write, "plain")
    assert page.isascii()
    for pattern in (r"\\begin\{\w+\}", r"\\end\{\w+\}", r"\\section\*", r" \\\\\n", r"(?<!\\)&"):
        assert len(re.findall(pattern, page)) == len(re.findall(pattern, plain)), pattern


def test_code_of_latex_is_ascii() -> None:
    assert tex_text.verbatim_of("lr=0.1  # Σ é") == r"lr=0.1  # \u03a3 \xe9"
