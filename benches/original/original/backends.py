"""The bench provider, as a backend of python-social-auth."""

import threading
import time

import requests
from django.db import transaction
from social_core.backends.oauth import BaseOAuth2
from social_core.exceptions import AuthCredentialError

_KEPT = threading.local()


def kept_session():
    """This thread's session, whose connections to the provider are kept."""
    if not hasattr(_KEPT, "session"):
        _KEPT.session = requests.Session()
        # Looking for proxies and .netrc costs more than the request.
        _KEPT.session.trust_env = False
    return _KEPT.session


class BenchOAuth2(BaseOAuth2):
    """One request is the profile and the proof of the audience."""

    name = "bench"
    ID_KEY = "sub"

    def user_data(self, access_token, *args, **kwargs):
        """Ask whose token this is; refuse one that was not issued to us."""
        response = kept_session().get(
            f"{self.setting('ORIGIN')}/bench.example/me",
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=5,
            allow_redirects=False,
        )
        response.raise_for_status()
        profile = response.json()
        if profile.get("client_id") != self.setting("KEY"):
            raise AuthCredentialError(self, "Foreign token", stage="user_info")
        if profile.get("exp", 0) <= time.time():
            raise AuthCredentialError(self, "Expired token", stage="user_info")
        return profile

    def get_user_details(self, response):
        """What of the profile becomes the user."""
        return {
            "username": response.get("preferred_username"),
            "email": response.get("email"),
            "fullname": response.get("name"),
        }

    def run_authentication(self, *args, **kwargs):
        """One commit for the whole pipeline, after the provider answered.

        Faster than a commit for each of its writes, and a user is never
        left without a social account.
        """
        with transaction.atomic():
            return super().run_authentication(*args, **kwargs)
