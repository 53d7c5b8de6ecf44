"""Write the reference into a folder: python -m docs.generate docs/reference"""

import sys
from pathlib import Path

from docs.generate.pages import pages

if __name__ == "__main__":
    for name, text in pages().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
