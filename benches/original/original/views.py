"""The one view: sign up, sign in or associate."""

import requests
from django.contrib.auth.models import User
from rest_framework import serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.decorators import api_view
from rest_framework.response import Response
from social_core.backends.oauth import BaseOAuth1
from social_core.exceptions import (
    AuthAssociationError,
    AuthConfigurationError,
    SocialAuthBaseException,
)
from social_django.utils import load_backend, load_strategy

IN_USE = "That social media account is already in use"
FAILED = "Error with social authentication"


class SocialSignUpSerializer(serializers.Serializer):
    """What is handed in."""

    provider = serializers.CharField(max_length=32)
    access_token = serializers.CharField(max_length=4096)
    access_token_secret = serializers.CharField(
        max_length=4096, required=False
    )


class UserSerializer(serializers.ModelSerializer):
    """The user's fields in the answer."""

    class Meta:
        """Which."""

        model = User
        fields = [
            "id",
            "username",
            "email",
            "first_name",
            "last_name",
            "date_joined",
        ]


def refusal(sentence):
    """A refusal with its sentence."""
    return Response({"errors": sentence}, status.HTTP_400_BAD_REQUEST)


def proof(backend, handed_in):
    """The tokens as the backend takes them."""
    if isinstance(backend, BaseOAuth1):
        return {
            "oauth_token": handed_in["access_token"],
            "oauth_token_secret": handed_in.get("access_token_secret", ""),
        }
    return handed_in["access_token"]


@api_view(["POST"])
def social_sign_up(request):
    """Hand in a provider's token: 201 with the user and a token of ours."""
    serializer = SocialSignUpSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    handed_in = serializer.validated_data
    caller = request.user if request.user.is_authenticated else None
    try:
        strategy = load_strategy(request)
        backend = load_backend(strategy, handed_in["provider"], None)
        user = backend.do_auth(proof(backend, handed_in), user=caller)
    except AuthAssociationError as error:
        return refusal(IN_USE if error.code == "identity_in_use" else FAILED)
    except AuthConfigurationError:
        return refusal("Unknown provider")
    except (SocialAuthBaseException, requests.RequestException):
        return refusal(FAILED)
    if user is None or not user.is_active:
        return refusal(FAILED)
    answer = dict(UserSerializer(user).data)
    if caller is None:
        token, _ = Token.objects.get_or_create(user=user)
        answer["token"] = {"access_token": token.key, "token_type": "Bearer"}
    return Response(answer, status.HTTP_201_CREATED)
