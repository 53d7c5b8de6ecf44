"""Pictures with a display in notebooks."""


class Picture(bytes):
    """The bytes of a PNG or SVG, displayed in notebooks; ``Path("loss.png").write_bytes(picture)`` saves it."""

    def __repr__(self) -> str:
        return f"<picture of {len(self):,} bytes>"

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.startswith(b"\x89PNG") else None

    def _repr_svg_(self) -> str | None:
        return None if self.startswith(b"\x89PNG") else self.decode()
