"""Where do the rows come from? Files, zips, workbooks and databases, each read as rows of text and never written."""
