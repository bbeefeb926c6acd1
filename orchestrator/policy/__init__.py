"""What the people of an installation decide, as data: which pipelines matter, and who hears of what nobody takes up."""
