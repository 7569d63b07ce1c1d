"""``./workbook sweep``: many variants solved, not composed, and what each choice among them costs."""
