"""Write the reference into a folder: python -m service.reference docs/reference"""

import sys
from pathlib import Path

from service.reference.pages import pages

if __name__ == "__main__":
    for name, text in pages().items():
        (Path(sys.argv[1]) / name).write_text(text, encoding="utf-8")
