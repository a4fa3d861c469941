"""Missing photos: a table by host and cause, and its picture."""

from typing import Final

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from facesort.common.drawing import new_figure
from facesort.fetch.urls import host_of

# Hosts and causes shown by name in the picture; what remains of either is summed up.
MOST_HOSTS: Final = 20
MOST_CAUSES: Final = 9
OTHERS: Final = "others"
# Paul Tol's muted scheme, told apart by colour-blind readers: https://sronpersonalpages.nl/~pault/
PALETTE: Final = (
    "#332288",
    "#CC6677",
    "#DDCC77",
    "#117733",
    "#88CCEE",
    "#882255",
    "#44AA99",
    "#999933",
    "#AA4499",
)
GREY: Final = "#BBBBBB"


def count_losses(ledger: pd.DataFrame, refused: pd.DataFrame) -> pd.DataFrame:
    """Count what was not fetched, by host, outcome and cause (``error`` up to its colon).

    Args:
        ledger: a row a photo, fetched or not: url, outcome, error.
        refused: a row a lost face: url.

    Returns:
        Columns host, outcome, cause, urls and faces, the largest counts first.
    """
    lost = ledger[ledger["outcome"] != "fetched"]
    faces = refused["url"].value_counts()
    table = pd.DataFrame(
        {
            # A path of data.faces has no host.
            "host": lost["url"].map(host_of).astype("str").replace("", "the folder"),
            "outcome": lost["outcome"].astype("str"),
            "cause": lost["error"].astype("str").str.split(":").str[0],
            "urls": 1,
            "faces": lost["url"].map(faces).fillna(0).astype(int),
        }
    )
    counts = table.groupby(["host", "outcome", "cause"], as_index=False)[["urls", "faces"]].sum()
    order = {"urls": False, "host": True, "cause": True, "outcome": True}
    counts = counts.sort_values(list(order), ascending=list(order.values()), ignore_index=True)
    if counts["urls"].sum() != len(lost) or counts["faces"].sum() != len(refused):
        raise AssertionError(f"{len(lost)} photos and {len(refused)} faces lost, counted otherwise")
    return counts


def plot_losses(losses: pd.DataFrame, requested: int) -> Figure:
    """Bars of lost photos: a bar a host, a colour a cause, the most frequent ones by name.

    Args:
        losses: as ``count_losses`` gives it.
        requested: photos asked for in all.
    """
    shown = losses.assign(
        host=_most(losses, "host", MOST_HOSTS), cause=_most(losses, "cause", MOST_CAUSES)
    )
    table = shown.pivot_table(
        index="host", columns="cause", values="urls", aggfunc="sum", fill_value=0
    )
    hosts = _by_size(table.sum(axis=1))
    causes = _by_size(table.sum(axis=0))
    if not hosts:
        figure = new_figure(10, 1)
        figure.suptitle(f"Nothing was lost: all {requested:,} photos were fetched", y=0.65)
        return figure
    figure = new_figure(10, 1.6 + 0.3 * max(len(hosts), 4))
    axes = figure.subplots()
    lost = int(losses["urls"].sum())
    axes.set_title(
        f"{lost:,} of {requested:,} photos are missing ({lost / requested:.1%})", loc="left"
    )
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(left=False)
    axes.set_xlabel("photos")
    table = table.loc[hosts, causes]
    left = pd.Series(0, index=hosts)
    for number, cause in enumerate(causes):
        colour = GREY if cause.startswith(OTHERS) else PALETTE[number % len(PALETTE)]
        total = f"{cause} ({table[cause].sum():,})"
        axes.barh(range(len(hosts)), table[cause], 0.75, left, color=colour, label=total)
        left += table[cause]
    for place, count in enumerate(left):
        axes.annotate(f" {count:,}", (count, place), va="center", fontsize=9)
    axes.set_yticks(range(len(hosts)), [_short(host) for host in hosts])
    # From the top down; a few bars do not fill the height.
    axes.set_ylim(max(len(hosts), 4) - 0.5, -0.5)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)
    return figure


def _most(losses: pd.DataFrame, column: str, most: int) -> pd.Series:
    """A column with all but its most frequent values replaced."""
    sizes = losses.groupby(column)["urls"].sum().sort_values(ascending=False, kind="stable")
    if len(sizes) <= most:
        return losses[column]
    named = set(sizes.index[:most])
    return losses[column].where(losses[column].isin(named), f"{OTHERS} ({len(sizes) - most:,})")


def _by_size(sizes: pd.Series) -> list[str]:
    """Names by falling size, the others last."""
    ordered = sizes.sort_values(ascending=False, kind="stable").index
    return sorted(ordered, key=lambda name: name.startswith(f"{OTHERS} ("))


def _short(host: str, most: int = 40) -> str:
    return host if len(host) <= most else f"{host[: most - 1]}…"
