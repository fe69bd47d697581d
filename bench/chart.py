"""Bars as SVG that is readable on light and on dark pages."""

from html import escape

WIDTH, LABEL, ROW = 720, 190, 30


def bars(title, values):
    """A chart of (name, value), the first one emphasised."""
    most = max(value for _, value in values)
    height = 44 + ROW * len(values)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
             f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="14">',
             "<style>text{fill:#1f2933}.own{fill:#0b6e4f}.peer{fill:#9aa5b1}"
             "@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.own{fill:#3ebd93}.peer{fill:#616e7c}}</style>",
             f'<text x="0" y="20" font-weight="600">{escape(title)}</text>']
    for number, (name, value) in enumerate(values):
        y = 36 + ROW * number
        length = max(2, round(value / most * (WIDTH - LABEL - 80)))
        parts.append(f'<text x="0" y="{y + 16}">{escape(name)}</text>'
                     f'<rect class="{"peer" if number else "own"}" x="{LABEL}" y="{y}" width="{length}" height="22" rx="3"/>'
                     f'<text x="{LABEL + length + 8}" y="{y + 16}">{value:.4f}</text>')
    return "\n".join([*parts, "</svg>\n"])
