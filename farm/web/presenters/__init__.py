"""What services and selectors say, made ready to be read: one file per part of a page."""
