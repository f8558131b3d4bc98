"""Makes a pen of a base face or of somebody's own forms. It is done once for each pen; no letter waits for it."""
