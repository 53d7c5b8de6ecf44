"""Texts in LaTeX: every special character is escaped, and the file is ASCII.

Other letters are written by their numbers: XeLaTeX and LuaLaTeX set them, pdfLaTeX shows the number.
"""

import re

from service.spec.visible import visible

# The macro for letters without a command; it is defined in the preamble (service/findings/reports/tex.py).
UNICODE_MACRO = (
    r"\newcommand{\uni}[1]{\ifdefined\Umathcode\symbol{\string"
    '"#1}'
    r"\else\textlangle U+#1\textrangle\fi}"
)
_LIGATURE = re.compile("([-,'])(?=\\1)")
_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}",
    # A line of a table or an item may begin with them, and they would be read as options.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    "\u00a0": "~",
    # Between two signs that would become one; a visible text has no such character.
    "\0": "{}",
    "⟨": r"\textlangle{}",
    "⟩": r"\textrangle{}",
    "–": r"\textendash{}",
    "…": r"\ldots{}",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "‖": r"$\Vert$",
    "×": r"$\times$",
    "−": "$-$",
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "∞": r"$\infty$",
    "√": r"$\surd$",
    "½": r"$\frac12$",
    "Σ": r"$\Sigma$",
    "←": r"$\leftarrow$",
    "→": r"$\rightarrow$",
    "↵": r"$\hookleftarrow$",
}
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "υ": "upsilon", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
_COMMANDS |= {letter: rf"$\{name}$" for letter, name in _GREEK.items()}
_COMMANDS |= {chr(0x2080 + digit): f"$_{digit}$" for digit in range(10)}
_COMMANDS |= {sign: f"$^{digit}$" for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_COMMANDS |= {"⁻": "$^-$", "ᵢ": "$_i$", "ₜ": "$_t$"}


def text_of(text: str) -> str:
    """Escape a text for LaTeX. The result is ASCII and has balanced braces."""
    return "".join(_letter(letter) for letter in _LIGATURE.sub("\\g<0>\0", visible(text)))


def verbatim_of(text: str) -> str:
    """Write code in ASCII; other letters by their numbers."""
    return text.encode("ascii", "backslashreplace").decode()


def _letter(letter: str) -> str:
    command = _COMMANDS.get(letter)
    if command is not None:
        return command
    return letter if letter.isascii() else rf"\uni{{{ord(letter):04X}}}"
