"""Who calls."""

from rest_framework.authentication import TokenAuthentication


class BearerAuthentication(TokenAuthentication):
    """DRF's tokens, handed in as RFC 6750 has it."""

    keyword = "Bearer"
