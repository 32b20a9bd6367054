"""What can be edited: the kinds of attributes, their table and their words."""
