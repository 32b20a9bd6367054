"""What people look at: report page, plots, contact sheets, the card of a data set."""
