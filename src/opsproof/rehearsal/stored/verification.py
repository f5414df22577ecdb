"""stub"""


class StoredVerification:
    """stub"""

    def __init__(self, *a, **k):
        pass
