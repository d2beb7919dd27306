"""The one address."""

from django.urls import path

from original.views import social_sign_up

urlpatterns = [path("social_sign_up/", social_sign_up)]
