"""Every number of the API computed again, slowly and plainly, from the rows as they were sent.

It shares no code with the SQL that it is held against.
"""
