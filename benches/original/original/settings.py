"""Production settings. The environment names the database and the provider.

ORIGINAL_DATABASE  sqlite:///PATH or postgres://USER@HOST:PORT/NAME
ORIGINAL_PROVIDER  where the bench provider answers, http://127.0.0.1:PORT
"""

import os
from urllib.parse import urlsplit

from django.core.management.utils import get_random_secret_key

DEBUG = False
ALLOWED_HOSTS = ["*"]
# Nothing that is signed outlives a run.
SECRET_KEY = get_random_secret_key()
ROOT_URLCONF = "original.urls"
WSGI_APPLICATION = "original.wsgi.application"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework.authtoken",
    "social_django",
]
# What an API needs of the default ones: no CSRF, messages or frames.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
]


def database(address):
    """Django's setting for a database address."""
    url = urlsplit(address)
    if url.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.path,
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                # FULL: an answered sign-up survives a power cut, as in the
                # server that this is compared with.
                "init_command": (
                    "PRAGMA journal_mode = WAL;"
                    "PRAGMA synchronous = FULL;"
                    "PRAGMA cache_size = -8000;"
                ),
            },
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "HOST": url.hostname or "",
        "PORT": url.port or "",
        "CONN_MAX_AGE": None,
    }


DATABASES = {"default": database(os.environ["ORIGINAL_DATABASE"])}

AUTHENTICATION_BACKENDS = ["original.backends.BenchOAuth2"]
SOCIAL_AUTH_BENCH_KEY = "bench-client"
SOCIAL_AUTH_BENCH_SECRET = "not-asked-for"
SOCIAL_AUTH_BENCH_ORIGIN = os.environ.get("ORIGINAL_PROVIDER", "")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "original.authentication.BearerAuthentication",
    ],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
