"""Fill a migrated, empty database: python preload.py USERS.

Makes the people u1, u2 ..., each with a social account and a token, as if
they had signed up through the view.
"""

import sys

import django
from django.db import connection

BATCH = 5_000


def preload(users):
    """Insert as many people, with what belongs to them."""
    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import User
    from rest_framework.authtoken.models import Token
    from social_django.models import UserSocialAuth

    for start in range(1, users + 1, BATCH):
        people = User.objects.bulk_create(
            User(
                username=f"u{number}",
                email=f"u{number}@example.org",
                password=make_password(None),
                first_name="Ada",
                last_name="Okafor",
            )
            for number in range(start, min(start + BATCH, users + 1))
        )
        UserSocialAuth.objects.bulk_create(
            UserSocialAuth(
                user=user,
                provider="bench",
                uid=user.username,
                id_key="sub",
                extra_data={
                    "auth_time": 1_790_000_000,
                    "access_token": f"t-{user.username}",
                    "token_type": None,
                },
            )
            for user in people
        )
        Token.objects.bulk_create(
            Token(user=user, key=Token.generate_key()) for user in people
        )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    django.setup()
    preload(int(sys.argv[1]))
