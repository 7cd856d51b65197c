"""Small SVGs that read well on light and dark pages: curves with a logarithmic
x axis, and flame graphs of folded stacks."""
import math, zlib
from html import escape

STYLE = """<style>
svg { --ink: #24292f; --faint: #d0d7de; --odin: #0969da; --floor: #bc4c00; }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --faint: #3d444d; --odin: #58a6ff; --floor: #f0883e; } }
text { fill: var(--ink); font: 12px system-ui, sans-serif; }
</style>"""


def svg(width, height, title, body):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">\n'
            f"<title>{escape(title)}</title>\n{STYLE}\n" + "\n".join(body) + "\n</svg>\n")


def curve(title, unit, points):
    """points: (x, {series: [values of the rounds]}); a dot is a median, the bar
    behind it goes from the least to the most."""
    width, height, left, right, top, bottom = 560, 280, 48, 24, 44, 40
    xs = [math.log10(x) for x, _ in points]
    values = [v for _, series in points for vs in series.values() for v in vs]
    most = nice(max(values, default=1))
    to_x = lambda x: left + 24 + (math.log10(x) - xs[0]) / max(xs[-1] - xs[0], 0.1) * (width - left - right - 48)
    to_y = lambda y: height - bottom - y / most * (height - top - bottom)
    body = [f'<text x="{left}" y="18" font-weight="600">{escape(title)}</text>']
    for i in range(5):
        y = most * i / 4
        body.append(f'<line x1="{left}" x2="{width - right}" y1="{to_y(y):.1f}" y2="{to_y(y):.1f}" stroke="var(--faint)"/>'
                    f'<text x="{left - 6}" y="{to_y(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x, _ in points:
        body.append(f'<text x="{to_x(x):.1f}" y="{height - bottom + 18}" text-anchor="middle">{x:,}</text>')
    for i, name in enumerate(("odin", "floor")):
        line = [(x, series[name]) for x, series in points if series.get(name)]
        colour = f"var(--{name})"
        body.append(f'<text x="{width - right - 110 * (2 - i) + 14}" y="36">{name}</text>'
                    f'<circle cx="{width - right - 110 * (2 - i)}" cy="32" r="4" fill="{colour}"/>')
        path = " ".join(f"{'ML'[k > 0]}{to_x(x):.1f} {to_y(mid(v)):.1f}" for k, (x, v) in enumerate(line))
        body.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, v in line:
            body.append(f'<line x1="{to_x(x):.1f}" x2="{to_x(x):.1f}" y1="{to_y(min(v)):.1f}" y2="{to_y(max(v)):.1f}" stroke="{colour}" stroke-width="6" opacity=".35"/>'
                        f'<circle cx="{to_x(x):.1f}" cy="{to_y(mid(v)):.1f}" r="4" fill="{colour}"><title>{name}, {x:,}: {mid(v):.2f} {unit}</title></circle>')
    body.append(f'<text x="{left}" y="36">{escape(unit)}</text>')
    return svg(width, height, title, body)


def mid(v):
    s = sorted(v)
    return (s[(len(s) - 1) // 2] + s[len(s) // 2]) / 2


def nice(v):
    """The next number above v that divides well by four."""
    step = 10 ** math.floor(math.log10(v))
    return next(m * step for m in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10) if m * step >= v)


def flame(title, folded):
    """folded: {"outermost;…;innermost": share}. The outermost is at the bottom."""
    width, row = 1100, 17
    root = {"share": sum(folded.values()), "below": {}}
    depth = 0
    for stack, share in folded.items():
        node = root
        frames = stack.split(";")
        depth = max(depth, len(frames))
        for f in frames:
            node = node["below"].setdefault(f, {"share": 0, "below": {}})
            node["share"] += share
    height = 30 + row * depth
    body = [f'<text x="4" y="16" font-weight="600">{escape(title)}</text>']

    def draw(node, x, level):
        for name, child in node["below"].items():
            w = child["share"] / root["share"] * (width - 8)
            if w >= 1:
                y = height - row * (level + 1)
                hue = 205 if level == 0 else 20 + zlib.crc32(name.encode()) % 35
                short = name if len(name) * 6.3 < w else name[: max(int(w / 6.3) - 1, 0)]
                body.append(f'<g><title>{escape(name)}: {child["share"] / root["share"]:.1%}</title>'
                            f'<rect x="{x:.1f}" y="{y}" width="{max(w - 0.5, 0.5):.1f}" height="{row - 1}" fill="hsl({hue} 75% 68%)"/>'
                            + (f'<text x="{x + 3:.1f}" y="{y + 12}" style="fill:#1b1f24;font-size:11px">{escape(short)}</text>' if len(short) > 2 else "") + "</g>")
                draw(child, x, level + 1)
            x += w

    draw(root, 4, 0)
    return svg(width, height, title, body)
