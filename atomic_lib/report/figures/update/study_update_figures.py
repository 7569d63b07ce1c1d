"""The figures of the updates of a study, as the pages of one update have them."""

from atomic_lib.report.elements.blocks import Shown
from atomic_lib.report.figures.update.power_cut_map import power_cut_map
from atomic_lib.report.figures.update.update_figures import downloads_of_variants
from atomic_lib.report.tables.update.study_update_tables import NOTHING
from atomic_lib.results.update.update_results import UpdateResults


def ways_chart(updates: UpdateResults | None) -> Shown:
    """What each way costs to download, variant by variant; nothing if none was updated."""
    ways = {one.variant: one.ways for one in updates.updates} if updates else {}
    return downloads_of_variants(ways) if ways else NOTHING


def cuts_map(updates: UpdateResults | None) -> Shown:
    """The map of power cuts; nothing if none was recorded."""
    cuts = updates.power_cuts if updates else None
    return power_cut_map(cuts.recordings) if cuts else NOTHING
