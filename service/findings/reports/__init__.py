"""Reports of jobs: from the comparison to a document of parts, to HTML, Markdown or LaTeX."""
