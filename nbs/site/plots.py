"""Line plots as inline SVG: colours come from the theme, text stays legible on a phone, and the
numbers stand below in a table."""

import html
import math

from markup import scrolling, tag

# The viewBox, and its margins.
WIDE, HIGH = 440, 290
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 30, 46
DASHES = ("", "7 4", "2 3", "9 3 2 3")
MARKS = (
    '<circle cx="{x}" cy="{y}" r="3.6"/>',
    '<path d="M{x} {y}m-3.4-3.4h6.8v6.8h-6.8z"/>',
    '<path d="M{x} {y}m0-4.4 4.2 7.6h-8.4z"/>',
    '<path d="M{x} {y}m0-4.8 4.2 4.8-4.2 4.8-4.2-4.8z"/>',
)
COLOURS = 6  # --line-1 to --line-6 in light.scss and dark.scss


def number(v):
    "A figure as one reads it: three digits that count, thousands apart."
    if v is None:
        return "–"
    if isinstance(v, bool) or not isinstance(v, (int, float)):
        return str(v)
    if isinstance(v, int):
        return f"{v:,}"
    if abs(v) >= 999.5:
        return f"{v:,.0f}"
    if v == 0:
        return "0"  # also where it was rounded from below
    return f"{v:.3g}" if abs(v) >= 1e-4 else f"{v:.1e}"


def powers(low, high, factors):
    "The values from `low` to `high` that are one of these factors times a power of ten."
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [f * 10.0**e for e in exponents for f in factors]
    return [v for v in values if low * 0.999 <= v <= high * 1.001]


def steps(low, high, log):
    """Round values from `low` to `high` for an axis: steps of 1, 2 or 5, or powers of ten, with
    values between them where they are few."""
    if log:
        for factors in ((1,), (1, 3), (1, 2, 5)):
            found = powers(low, high, factors)
            if len(found) >= 3:
                return found
        return powers(low, high, range(1, 10)) or [low, high]
    size = 10.0 ** math.floor(math.log10((high - low) / 4))
    size *= next(f for f in (1, 2, 5, 10) if (high - low) / (size * f) <= 5.001)
    first, last = math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9)
    return [round(i * size, 12) for i in range(first, last + 1)]


def with_margin(low, high, log):
    "The ends of an axis for values from `low` to `high`."
    if low == high:
        return (low / 2, high * 2) if log else with_margin(low - 1, high + 1, log)
    if log:
        return low, high
    space = high - low
    from_zero = 0 <= low < high / 2
    return 0 if from_zero else low - 0.06 * space, high + 0.04 * space


def scale(values, log, start, end):
    "A function from values to places, and the ticks of its axis."
    if log and min(values) <= 0:
        raise ValueError(f"a logarithmic axis has no place for {min(values)}")
    low, high = with_margin(min(values), max(values), log)
    at = math.log10 if log else float

    def place(v):
        share = (at(v) - at(low)) / (at(high) - at(low))
        return round(start + share * (end - start), 1)

    return place, steps(low, high, log)


def in_words(title, curve, lines):
    "The plot for those who do not see it."
    ends = []
    for name, points in lines.items():
        (x0, y0), (x1, y1) = points[0], points[-1]
        ends.append(f"{name} from {number(y0)} at {number(x0)} to {number(y1)} at {number(x1)}")
    return f"{title}. {curve['y']} over {curve['x']}: {'; '.join(ends)}."


def series(i, points, x, y):
    "One line with its marks."
    places = [(x(a), y(b)) for a, b in points]
    path = "M" + "L".join(f"{a} {b}" for a, b in places)
    dash = DASHES[i % len(DASHES)] or None
    marks = [MARKS[i % len(MARKS)].format(x=a, y=b) for a, b in places]
    curve = tag("path", class_="curve", d=path, stroke_dasharray=dash)
    return tag("g", curve, *marks, style=f"--c:var(--line-{i % COLOURS + 1})")


def legend(names):
    "The names, each with a piece of its line."
    entries = []
    for i, name in enumerate(names):
        line = series(i, [(5, 6), (17, 6), (29, 6)], float, float)
        sample = tag("svg", line, viewBox="0 0 34 12", aria_hidden="true")
        entries.append(tag("li", sample, html.escape(name)))
    return tag("ul", *entries, class_="legend")


def numbers(title, curve, lines):
    "The plot as a folded table."

    def head(text):
        return tag("th", html.escape(text), scope="col", class_="num")

    known = {name: dict(map(tuple, points)) for name, points in lines.items()}
    rows = []
    for x in sorted({x for points in lines.values() for x, _ in points}):
        first = tag("th", number(x), scope="row", class_="num")
        others = [tag("td", number(known[name].get(x)), class_="num") for name in lines]
        rows.append(tag("tr", first, *others))
    table = tag(
        "table",
        tag("caption", html.escape(curve["y"])),
        tag("thead", tag("tr", head(curve["x"]), *map(head, lines))),
        tag("tbody", *rows),
        class_="table table-sm",
    )
    return tag(
        "details", tag("summary", "The numbers"), scrolling(table, label=f"{title}, numbers")
    )


def axes(curve, x, x_ticks, y, y_ticks):
    "Rules, ticks, their values, and the units."
    bottom, right = HIGH - BOTTOM, WIDE - RIGHT
    parts = []
    for v in y_ticks:
        parts.append(tag("path", class_="rule", d=f"M{LEFT} {y(v)}H{right}"))
        place = {"x": LEFT - 7, "y": f"{y(v) + 4.5:.1f}"}
        parts.append(tag("text", number(v), **place, text_anchor="end"))
    for v in x_ticks:
        long_at_the_end = x(v) > WIDE - 50 and len(number(v)) > 6
        anchor = "end" if long_at_the_end else "middle"
        parts.append(tag("path", class_="axis", d=f"M{x(v)} {bottom}v5"))
        parts.append(tag("text", number(v), x=x(v), y=bottom + 19, text_anchor=anchor))
    unit = {"class_": "unit"}
    parts.append(tag("path", class_="axis", d=f"M{LEFT} {TOP}V{bottom}H{right}"))
    parts.append(tag("text", html.escape(curve["y"]), **unit, x=4, y=14))
    x_unit = html.escape(curve["x"])
    parts.append(tag("text", x_unit, **unit, x=right, y=HIGH - 7, text_anchor="end"))
    return "".join(parts)


def plot(title, curve):
    """A figure from `{x, y, log_x, log_y, lines: {name: [[x, y], …]}}`. A point without a y was not
    measured and is left out."""
    known = {n: sorted([a, b] for a, b in p if b is not None) for n, p in curve["lines"].items()}
    lines = {name: points for name, points in known.items() if points}
    if not lines:
        return ""
    points = [point for line in lines.values() for point in line]
    xs, ys = [a for a, _ in points], [b for _, b in points]
    x, x_ticks = scale(xs, curve.get("log_x"), LEFT + 8, WIDE - RIGHT - 8)
    y, y_ticks = scale(ys, curve.get("log_y"), HIGH - BOTTOM, TOP)
    svg = tag(
        "svg",
        axes(curve, x, x_ticks, y, y_ticks),
        *(series(i, line, x, y) for i, line in enumerate(lines.values())),
        viewBox=f"0 0 {WIDE} {HIGH}",
        role="img",
        aria_label=in_words(title, curve, lines),
    )
    caption = tag("figcaption", html.escape(title))
    table = numbers(title, curve, curve["lines"])
    return tag("figure", caption, svg, legend(lines), table, class_="plot")
