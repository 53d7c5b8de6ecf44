"""A picture that shows itself in a notebook."""


class Picture(bytes):
    """The bytes of a PNG or an SVG: ``Path("loss.png").write_bytes(picture)``; in a notebook it is shown."""

    def __repr__(self) -> str:
        return f"<picture of {len(self):,} bytes>"

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.startswith(b"\x89PNG") else None

    def _repr_svg_(self) -> str | None:
        return None if self.startswith(b"\x89PNG") else self.decode()
