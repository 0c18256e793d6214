"The pieces of HTML that the pages of the site share."

import html


def tag(name, *inside, **attributes):
    "An element with its attributes: `class_` is `class`, `text_anchor` is `text-anchor`."
    pairs = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{pairs}>{''.join(inside)}</{name}>"


def scrolling(inside, label):
    "Content that scrolls by itself where the page is narrow."
    return tag("div", inside, class_="wide", role="group", aria_label=label)


def raw(markup):
    "A Markdown block that holds HTML as it is."
    return f"\n```{{=html}}\n{markup.strip()}\n```\n"
