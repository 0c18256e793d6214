"Line plots as inline SVG: colours come from the theme, text stays legible on a phone, and the numbers stand below in a table."

import html
import math

WIDE, HIGH, LEFT, RIGHT, TOP, BOTTOM = 440, 290, 58, 14, 30, 46  # of the viewBox, and its margins
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
    return (
        f"{v:,}"
        if isinstance(v, int)
        else f"{v:,.0f}"
        if abs(v) >= 999.5
        else f"{v:.3g}"
        if v == 0 or abs(v) >= 1e-4
        else f"{v:.1e}"
    )


def steps(low, high, log):
    "Round values from `low` to `high` for an axis: powers of ten, with 2 and 5 between where there are few; or steps of 1, 2 or 5."
    if log:
        ends = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)

        def inside(factors):
            return [
                f * 10.0**e
                for e in ends
                for f in factors
                if low * 0.999 <= f * 10.0**e <= high * 1.001
            ]

        return next(
            (found for factors in ((1,), (1, 3), (1, 2, 5)) if len(found := inside(factors)) >= 3),
            inside(range(1, 10)) or [low, high],
        )
    size = 10.0 ** math.floor(math.log10((high - low) / 4))
    size *= next(f for f in (1, 2, 5, 10) if (high - low) / (size * f) <= 5.001)
    return [
        round(i * size, 12)
        for i in range(math.ceil(low / size - 1e-9), math.floor(high / size + 1e-9) + 1)
    ]


def scale(values, log, start, end):
    "A function from values to places, and the ticks of its axis."
    low, high = min(values), max(values)
    if log and low <= 0:
        raise ValueError(f"a logarithmic axis has no place for {low}")
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
    if not log:
        low, high = (
            (0 if 0 <= low < high / 2 else low - 0.06 * (high - low)),
            high + 0.04 * (high - low),
        )
    at = math.log10 if log else float
    return (
        lambda v: round(start + (at(v) - at(low)) / (at(high) - at(low)) * (end - start), 1)
    ), steps(low, high, log)


def told(title, curve, lines):
    "The plot in words."
    ends = "; ".join(
        f"{name} from {number(p[0][1])} at {number(p[0][0])} to {number(p[-1][1])} at {number(p[-1][0])}"
        for name, p in lines.items()
    )
    return f"{title}. {curve['y']} over {curve['x']}: {ends}."


def series(i, points, x, y):
    "One line with its marks."
    places = [(x(a), y(b)) for a, b in points]
    dash = f' stroke-dasharray="{DASHES[i % len(DASHES)]}"' if i % len(DASHES) else ""
    path = "M" + "L".join(f"{a} {b}" for a, b in places)
    return f'<g style="--c:var(--line-{i % COLOURS + 1})"><path class="curve" d="{path}"{dash}/>{"".join(MARKS[i % len(MARKS)].format(x=a, y=b) for a, b in places)}</g>'


def legend(names):
    "The names, each with a piece of its line."

    def sample(i):
        return f'<svg viewBox="0 0 34 12" aria-hidden="true">{series(i, [(5, 6), (17, 6), (29, 6)], float, float)}</svg>'

    return (
        '<ul class="legend">'
        + "".join(f"<li>{sample(i)}{html.escape(n)}</li>" for i, n in enumerate(names))
        + "</ul>"
    )


def numbers(title, curve, lines):
    "The plot as a folded table."
    at = sorted({x for p in lines.values() for x, _ in p})
    head = "".join(f'<th scope="col" class="num">{html.escape(n)}</th>' for n in lines)
    known = {n: dict(map(tuple, p)) for n, p in lines.items()}
    body = "".join(
        f'<tr><th scope="row" class="num">{number(x)}</th>'
        + "".join(f'<td class="num">{number(known[n].get(x))}</td>' for n in lines)
        + "</tr>"
        for x in at
    )
    return (
        f'<details><summary>The numbers</summary><div class="wide" role="group" aria-label="{html.escape(title, quote=True)}, numbers"><table class="table table-sm"><caption>{html.escape(curve["y"])}</caption>'
        f'<thead><tr><th scope="col" class="num">{html.escape(curve["x"])}</th>{head}</tr></thead><tbody>{body}</tbody></table></div></details>'
    )


def plot(title, curve):
    "A figure from `{x, y, log_x, log_y, lines: {name: [[x, y], …]}}`; a point without a y was not measured and is left out."
    lines = {
        n: known
        for n, p in curve["lines"].items()
        if (known := sorted([a, b] for a, b in p if b is not None))
    }
    if not lines:
        return ""
    x, x_ticks = scale(
        [a for p in lines.values() for a, _ in p], curve.get("log_x"), LEFT + 8, WIDE - RIGHT - 8
    )
    y, y_ticks = scale(
        [b for p in lines.values() for _, b in p], curve.get("log_y"), HIGH - BOTTOM, TOP
    )
    grid = "".join(
        f'<path class="rule" d="M{LEFT} {y(v)}H{WIDE - RIGHT}"/><text x="{LEFT - 7}" y="{y(v) + 4.5:.1f}" text-anchor="end">{number(v)}</text>'
        for v in y_ticks
    )
    grid += "".join(
        f'<path class="axis" d="M{x(v)} {HIGH - BOTTOM}v5"/><text x="{x(v)}" y="{HIGH - BOTTOM + 19}" text-anchor="{"end" if x(v) > WIDE - 50 and number(v)[6:] else "middle"}">{number(v)}</text>'
        for v in x_ticks
    )
    frame = f'<path class="axis" d="M{LEFT} {TOP}V{HIGH - BOTTOM}H{WIDE - RIGHT}"/><text class="unit" x="4" y="14">{html.escape(curve["y"])}</text><text class="unit" x="{WIDE - RIGHT}" y="{HIGH - 7}" text-anchor="end">{html.escape(curve["x"])}</text>'
    drawn = "".join(series(i, p, x, y) for i, p in enumerate(lines.values()))
    svg = f'<svg viewBox="0 0 {WIDE} {HIGH}" role="img" aria-label="{html.escape(told(title, curve, lines), quote=True)}">{grid}{frame}{drawn}</svg>'
    return f'<figure class="plot"><figcaption>{html.escape(title)}</figcaption>{svg}{legend(lines)}{numbers(title, curve, curve["lines"])}</figure>'
