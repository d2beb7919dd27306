"""Random OAuth 1.0a requests, signed by oauthlib, as JSON lines.

Usage: oauth1_vectors.py COUNT SEED

Each line holds a request (method, url, form, credentials, nonce, timestamp) and what oauthlib makes of it (base_string,
signature), for comparison with our own signer.
"""

import json
import random
import re
import sys
from urllib.parse import quote, quote_plus, unquote, urlencode, urlsplit

from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature

LETTERS = "abcXYZ012-._~"
NASTY = " +%&=~'\"!*()/?#:@$,;[]{}<>|\\^`\n\té€ñЖ日本👍\u0301\u00a0"
SAFE_IN_QUERY = "~!*()/?:@$,"
HOSTS = ["api.example.com", "API.Example.COM", "localhost", "127.0.0.1", "[::1]", "[2001:DB8::1]", "a-b.example"]


def text(rng, longest=12, shortest=0):
    alphabet = rng.choice([LETTERS, LETTERS + NASTY, NASTY])
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(shortest, longest)))


def encode_piece(rng, piece):
    style = rng.randrange(4)
    if style == 0:
        return quote_plus(piece)
    if style == 1:
        return quote(piece, safe="")
    if style == 2:
        return quote(piece, safe=SAFE_IN_QUERY)
    return re.sub("%[0-9A-F]{2}", lambda match: match.group().lower(), quote(piece, safe=""))


def pairs(rng):
    result = [(text(rng, shortest=1), text(rng)) for _ in range(rng.randint(0, 5))]
    if result and rng.random() < 0.4:
        name, value = rng.choice(result)
        result.append((name, rng.choice([value, "", text(rng)])))
    if rng.random() < 0.2:
        result.append(("a", "1"))
        result.append(("a", ""))
        result.append(("A", "1"))
        result.append(("a-", "1"))
    return result


def query(rng):
    pieces = []
    for name, value in pairs(rng):
        piece = encode_piece(rng, name)
        if value or rng.random() < 0.5:
            piece += "=" + encode_piece(rng, value)
        pieces.append(piece)
    return "&".join(pieces)


def url(rng):
    scheme = rng.choice(["https", "https", "http", "HTTPS"])
    port = rng.choice(["", "", ":80", ":443", ":8080", ":8443"])
    # No bare semicolon: urllib takes what follows for "params", and oauthlib loses it when nothing follows.
    segments = [
        quote("p" + text(rng), safe=rng.choice(["", "!*()@$,:"])) for _ in range(rng.randint(0, 4))
    ]
    path = "".join("/" + segment for segment in segments) + rng.choice(["", "/"])
    asked = query(rng)
    return f"{scheme}://{rng.choice(HOSTS)}{port}{path}" + (f"?{asked}" if asked else "")


def vector(rng):
    method = rng.choice(["GET", "POST"])
    form = pairs(rng) if method == "POST" else []
    case = {
        "method": method,
        "url": url(rng),
        "form": form,
        "consumer_key": text(rng, 24, 1),
        "consumer_secret": text(rng, 80, 1),
        "token": text(rng, 50, 1),
        "token_secret": text(rng, 80, 1),
        "nonce": text(rng, 40, 1),
        "timestamp": str(rng.randrange(0, 2**33)),
    }
    client = Client(
        case["consumer_key"],
        client_secret=case["consumer_secret"],
        resource_owner_key=case["token"],
        resource_owner_secret=case["token_secret"],
        nonce=case["nonce"],
        timestamp=case["timestamp"],
    )
    body = urlencode(form) if form else None
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
    _, signed_headers, _ = client.sign(case["url"], method, body, headers)
    authorization = signed_headers["Authorization"]
    parameters = signature.collect_parameters(
        uri_query=urlsplit(case["url"]).query,
        body=body or "",
        headers={"Authorization": authorization},
    )
    case["base_string"] = signature.signature_base_string(
        method, signature.base_string_uri(case["url"]), signature.normalize_parameters(parameters)
    )
    case["signature"] = unquote(re.search('oauth_signature="([^"]+)"', authorization).group(1))
    return case


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    for _ in range(count):
        print(json.dumps(vector(rng)))


if __name__ == "__main__":
    main()
